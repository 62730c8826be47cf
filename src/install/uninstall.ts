/** `srvaudit uninstall`. */

import { print, say } from "../terminal/speak.ts";
import { visible } from "../terminal/visible.ts";
import { detectTarget } from "./detect.ts";
import { giveShellsBack } from "./give_shells_back.ts";
import { lstat } from "./host_file.ts";
import { isAgreed } from "./is_agreed.ts";
import { type Journal, type JournalEntry, readJournal } from "./journal.ts";
import { file } from "./kinds/file.ts";
import { folder } from "./kinds/folder.ts";
import { link } from "./kinds/link.ts";
import { forgetUnit, service } from "./kinds/service.ts";
import { purge, removeEmptyState, removePlaced } from "./leftovers.ts";
import { packageOf, type Placed, readManifest } from "./manifest.ts";
import { lockInstaller, mustBeRoot } from "./preflight.ts";
import type { UninstallRequest } from "./request.ts";
import { confirm } from "./safety.ts";
import type { Target } from "./target.ts";
import { undoAll, undoWhoGetsIn } from "./undo.ts";

/** @returns the exit code */
export async function uninstallCommand(request: UninstallRequest): Promise<number> {
  mustBeRoot();
  const target = detectTarget();
  using _ = lockInstaller(target);
  const journal = readJournal(target);
  const placed = readManifest(`${target.root}${target.library}/manifest`) ?? [];
  const packaged = packageOf(target);
  const keepsFiles = request.keepFiles || packaged !== undefined;
  if (request.dryRun) {
    print(dryRunText(journal, keepsFiles ? [] : placed, request.purge));
    return 0;
  }
  if (!request.yes) {
    if (!Deno.stdin.isTerminal()) throw new Error("nobody is here to be asked: srvaudit uninstall -y");
    const what = request.purge ? ", and all evidence," : "";
    if (!await isAgreed(`Remove srvAudit${what} from this host?`, false)) return 1;
  }
  // From now on a guardian has nothing to wait for.
  confirm(target);
  const left = await undoWhoGetsIn(target);
  // Who got hello by usermod is in no journal.
  const { given, notes } = giveShellsBack(target);
  notes.forEach(say);
  for (const { name, shell } of given) say(`${name} has ${shell || "/bin/sh"} again`);
  // A package has started the agent, or an admin by hand: it must not go on without its program.
  if (request.purge || !keepsFiles) {
    await service.undo(target, { init: target.init === "systemd" ? "systemd" : "sysv" }, null);
  }
  left.push(...await undoAll(target, keepsFiles ? (entry) => isPlaced(entry, placed) : undefined));
  const known = new Set(journal.entries.map(({ about }) => about));
  const others = placed.filter(({ path }) => !known.has(path));
  if (!keepsFiles) left.push(...removePlaced(target, others, request.purge));
  if (request.purge) purge(target);
  else removeEmptyState(target);
  await forgetUnit(target);
  for (const { what, why } of left) {
    if (!request.purge || lstat(what)) say(`${what} is left as it is: ${why}`);
  }
  sayEnd(target, request, packaged);
  return 0;
}

function dryRunText({ entries }: Journal, placed: readonly Placed[], isPurge: boolean): string {
  const known = new Set(entries.map(({ about }) => about));
  return [
    ...entries.toReversed().map(({ kind, about }) => `put back: ${kind} ${about}`),
    ...placed.filter(({ path }) => !known.has(path)).map(({ path }) => `rm ${path}`),
    ...(isPurge ? ["rm -r /etc/srvaudit /var/lib/srvaudit /var/spool/srvaudit /var/log/srvaudit.log*"] : []),
  ].map((line) => `# ${visible(line)}\n`).join("");
}

/** Whether a change has placed what the package that is here looks after. */
function isPlaced({ kind, about }: JournalEntry, placed: readonly Placed[]): boolean {
  if (kind === folder.kind) return placed.some(({ path }) => path.startsWith(`${about}/`));
  return (kind === file.kind || kind === link.kind) && placed.some(({ path }) => path === about);
}

function sayEnd(
  target: Target,
  { purge: isPurge, keepFiles }: UninstallRequest,
  packaged: string | undefined,
): void {
  if (packaged !== undefined && !keepFiles) {
    const command = packaged === "rpm"
      ? "dnf remove srvaudit"
      : `apt-get ${isPurge ? "purge" : "remove"} srvaudit`;
    say(`all is as it was, but for the package's own files: ${command}`);
  } else if (!keepFiles) say("srvAudit is gone from this host; users keep their ~/.ash");
  if (!isPurge && lstat(`${target.root}/var/lib/srvaudit`)) {
    // dpkg's own way, since the program that could do it is about to go.
    if (packaged === "deb" && keepFiles) {
      return say("what was recorded stays: apt-get purge srvaudit removes it");
    }
    say("what was recorded stays, and the config, for a later installation; to remove that, too:");
    say(
      "chattr -R -f -a -i /var/spool/srvaudit; rm -rf /var/lib/srvaudit /var/spool/srvaudit /var/log/srvaudit.log*",
    );
  }
}
