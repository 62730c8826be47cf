/** Is what was installed still as it was, did the installation come to its end, and who gets hello without passwd? */

import { createHash } from "node:crypto";
import { FIRST } from "../../install/blocks.ts";
import { hindrances, letsIn } from "../../install/choose_forced.ts";
import { detectTarget } from "../../install/detect.ts";
import { forcedUsers } from "../../install/forced_users.ts";
import { readJournal } from "../../install/journal.ts";
import { folder } from "../../install/kinds/folder.ts";
import { group } from "../../install/kinds/group.ts";
import { link } from "../../install/kinds/link.ts";
import { selinuxModule } from "../../install/kinds/selinux.ts";
import { block, type BlockArgs } from "../../install/kinds/text.ts";
import { type Placed, PROFILE, readManifest, type Release } from "../../install/manifest.ts";
import { readHostText } from "../../install/host_file.ts";
import { planHooks } from "../../install/plan.ts";
import { clocksNow, pending, puttingBackFile, remainingMs } from "../../install/safety.ts";
import type { Target } from "../../install/target.ts";
import { tryLock } from "../../posix/lock.ts";
import { type Finding, type Host, look, octal, ok, unseen, warning, wrong } from "./finding.ts";

const AGAIN =
  "srvaudit install --hooks-only, or srvaudit install: what is not as it is to be is made so again";
/** More paths than these are counted: an admin mends one cause, not sixty files. */
const MOST_NAMED = 5;
/** Packages pack these, and hosts that want little leave them out. */
const ONLY_READ = /^\/usr\/(local\/)?share\/(doc|man)\//;

/** All that the installer has placed and edited. */
export async function installation(host: Host): Promise<Finding[]> {
  const placed = readManifest(`${host.places.program}/manifest`);
  if (!placed) {
    return host.root === ""
      ? [
        warning(
          `${host.places.program}/manifest is not there: nobody can tell whether all is here`,
          "install srvAudit again",
        ),
      ]
      : [ok("a development executable has no manifest")];
  }
  const target = { ...detectTarget(host.root), library: host.places.program.slice(host.root.length) };
  const release = { root: host.root, library: target.library, placed };
  return [...placedFindings(host, placed), ...await editedFindings(host, target, release)];
}

/** Every path of the manifest: there, root's, and what was shipped. Reads 90 MB, in some 130 ms. */
function placedFindings(host: Host, placed: readonly Placed[]): Finding[] {
  const faults = placed.flatMap((each) => {
    const why = ONLY_READ.test(each.path) ? undefined : faultOf(host, each);
    if (why === undefined) return [];
    // What `srvaudit rescue --hooks` takes away.
    const mend = each.path === PROFILE ? AGAIN : "install srvAudit again";
    return [wrong(`${host.root}${each.path} ${why}`, mend)];
  });
  if (faults.length === 0) return [ok(`${placed.length} files and links are as they were installed`)];
  const more = faults.length - MOST_NAMED;
  return [
    ...faults.slice(0, MOST_NAMED),
    ...(more > 0
      ? [wrong(`and ${more} more files are not as they were installed`, "install srvAudit again")]
      : []),
  ];
}

function faultOf(host: Host, placed: Placed): string | undefined {
  const path = host.root + placed.path;
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "is not there";
    throw error;
  }
  if (placed.type === "link") {
    return info.isSymlink && Deno.readLinkSync(path) === placed.to
      ? undefined
      : `is not the link to ${placed.to}`;
  }
  if (!info.isFile) return "is not a file";
  if (info.uid !== host.owner) return `belongs to the user ${info.uid}`;
  const mode = (info.mode ?? 0) & 0o7777;
  if (mode !== placed.mode) return `has mode ${octal(mode)}, not ${octal(placed.mode)}`;
  // What lies in /etc is an admin's to change.
  if (placed.path.startsWith("/etc/") || sumOf(path) === placed.sha256) return undefined;
  return "was changed since it was installed";
}

/** A piece at a time: the executable is larger than what an admin's tool should take of memory. */
function sumOf(path: string): string {
  const hash = createHash("sha256");
  const piece = new Uint8Array(1 << 20);
  using file = Deno.openSync(path);
  for (let count = file.readSync(piece); count !== null; count = file.readSync(piece)) {
    hash.update(piece.subarray(0, count));
  }
  return hash.digest("hex");
}

/** What is looked at of what the installer edits: the config and /etc/shells have looks of their own. */
const EDITS: readonly string[] = [block, folder, group, link, selinuxModule].map(({ kind }) => kind);

/** What `srvaudit install --hooks-only` would still have to do. */
async function editedFindings(host: Host, target: Target, release: Release): Promise<Finding[]> {
  if (!host.isRoot) return [unseen("the lines of ours in others' files")];
  const findings: Finding[] = [];
  for (const { kind, about, args } of planHooks(target, release, readJournal(target)).changes) {
    if (!EDITS.includes(kind.kind) || await kind.isDone(target, args)) continue;
    const why = kind.kind === block.kind
      ? blockFault(target, args as BlockArgs)
      : "is not as it is installed";
    findings.push(wrong(`${about} ${why}`, AGAIN));
  }
  return findings.length > 0 ? findings : [ok("what is added to the system's own files is all there")];
}

function blockFault(target: Target, { path }: BlockArgs): string {
  const isThere = readHostText(target, path)?.includes(FIRST) === true;
  return isThere
    ? "has lines of srvAudit's that somebody, or an older version, has made other"
    : "lacks srvAudit's lines";
}

/** Whether the last run of the installer came to its end, and somebody has confirmed it. */
export function installer(host: Host): Finding[] {
  if (!host.isRoot) return [unseen("what the installer has on record")];
  const target = detectTarget(host.root);
  const { lastRun, isFinished } = readJournal(target);
  if (lastRun === 0) return [ok("no installer has anything on record")];
  const waits = pending(target);
  const findings: Finding[] = [];
  if (!isFinished && !isAtWork(target)) {
    findings.push(wrong(
      "srvaudit install was cut off before its end",
      "srvaudit install goes on, srvaudit uninstall puts everything back",
    ));
  }
  if (look(puttingBackFile(target)) !== "missing") {
    findings.push(
      warning(
        "who gets in how is being put back, as nobody has confirmed it in time",
        "srvaudit put-back, if that does not end",
      ),
    );
  } else if (waits) {
    const minutes = Math.ceil(remainingMs(waits, clocksNow()) / 60_000);
    findings.push(
      minutes > 0
        ? warning(
          `nobody has confirmed the installation: in ${minutes} minute${
            minutes === 1 ? "" : "s"
          } it is put back`,
          "log in anew, and then: srvaudit install --confirm",
        )
        : wrong(
          "nobody has confirmed the installation in time, and nobody has put it back",
          "srvaudit put-back",
        ),
    );
  }
  return findings.length > 0
    ? findings
    : [ok("the installer came to its end, and nothing waits for being confirmed")];
}

function isAtWork(target: Target): boolean {
  const file = `${target.root}/run/srvaudit-install.lock`;
  if (look(file) === "missing") return false;
  using lock = tryLock(file);
  return lock === undefined;
}

/** Who has hello from sshd: that is weaker than passwd, and takes the `command=` of keys away. */
export async function forced(host: Host): Promise<Finding[]> {
  const target = detectTarget(host.root);
  let found: ReturnType<typeof forcedUsers>;
  try {
    found = forcedUsers(target);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return [unseen("sshd's configuration")];
    throw error;
  }
  if (!found) return [ok("sshd starts hello for nobody: passwd does")];
  const whom = found.criteria.map((each) => `Match ${each}`).join("; ");
  const weaker = warning(
    `sshd starts hello for ${whom}: their own ~/.bashrc, ~/.zshenv or config.fish runs before it and can keep it out, and su ` +
      `and the console go past it`,
    "where that matters: srvaudit install --users NAMES, without --force-command",
  );
  if (!host.isRoot) return [weaker, unseen("the keys of those whom sshd starts hello for")];
  return [
    weaker,
    ...(await hindrances(target, found.accounts.filter(letsIn))).map(({ name, why }) =>
      wrong(
        `sshd starts hello for ${name}, but ${why}`,
        `leave ${name} out: srvaudit install --force-command again`,
      )
    ),
  ];
}
