/**
 * sshd starts `hello` for users whose shell in passwd stays what it is: a Match block with a ForceCommand.
 *
 * Where sshd_config includes the folder for such, it is a file of its own there; else a block at sshd_config's end, the only
 * place where nothing of an admin's falls into it.
 */

import { hasBlock, withBlock } from "../blocks.ts";
import type { ChangeKind, Left, Preview } from "../change.ts";
import { groupLines } from "../group_file.ts";
import { lstat, readHostText, removePath, shown, writeHostText } from "../host_file.ts";
import { withPrivateFolder } from "../private_folder.ts";
import { checkSshd, findSshd, listenerOf, reloadSshd, settingsFor } from "../sshd.ts";
import {
  criteriaOf,
  forcedCommand,
  includeOf,
  matchLines,
  ownLines,
  SNIPPET,
  SSHD_CONFIG,
  withoutForce,
} from "../sshd_config.ts";
import type { Target } from "../target.ts";
import type { TextBefore } from "./text.ts";

/** Whom it is forced on, as the words behind `Match`: see `criteriaOf`, and `chooseForced` for how to come by it. */
export type ForceArgs = { match: string };
/** What a file was, and our lines in it: those of an earlier run, for others. */
type FileBefore = TextBefore & { lines: string | null };
/** The two files that our lines can stand in. */
export type ForceBefore = { snippet: FileBefore; config: FileBefore };

/** @see chooseForced, which finds out whom this can be done to */
export const forceCommand: ChangeKind<ForceArgs, ForceBefore> = {
  kind: "forceCommand",

  async isDone(target, { match }) {
    const { path, now, lines } = wanted(target, match);
    if (now === undefined || !hasBlock(now, lines)) return false;
    const sshd = sshdOf(target);
    const listener = sshd === undefined ? undefined : await listenerOf(sshd);
    // Killed before sshd was told: it goes by what it has read before.
    return !listener || listener.readAtMs >= (lstat(path)?.mtime?.getTime() ?? 0);
  },

  preview(target, { match }): Preview[] {
    const { path, now, then } = wanted(target, match);
    return [{ path: target.root + path, now: shown(now), then: shown(then) }, { does: "reload sshd" }];
  },

  writes(target, { match }) {
    const { path, other } = wanted(target, match);
    const isInOther = ownLines(readHostText(target, other) ?? "") !== undefined;
    return isInOther ? [path, other] : [path];
  },

  before: (target) => ({ snippet: fileBefore(target, SNIPPET), config: fileBefore(target, SSHD_CONFIG) }),

  async apply(target, { match }) {
    const sshd = sshdOf(target);
    if (target.root === "" && sshd === undefined) {
      throw new Error(
        "there is no sshd here that could force hello on anybody: install openssh-server first",
      );
    }
    if (sshd !== undefined) await rehearse(target, sshd, match);
    const { path, now, then, other } = wanted(target, match);
    // An earlier run may have found another place for it.
    const otherNow = readHostText(target, other);
    write(target, path, then);
    if (otherNow !== undefined) {
      takeOut(target, other, { isThere: other === SSHD_CONFIG, isWhole: true, lines: null });
    }
    if (sshd === undefined) return;
    try {
      await prove(target, sshd, match);
    } catch (error) {
      if (now === undefined) removePath(target, path);
      else write(target, path, now);
      if (otherNow !== undefined) write(target, other, otherNow);
      throw error;
    }
    await reloadSshd(target, sshd);
  },

  async undo(target, _args, { snippet, config }) {
    const left = [...takeOut(target, SNIPPET, snippet), ...takeOut(target, SSHD_CONFIG, config)];
    const sshd = sshdOf(target);
    if (sshd !== undefined) await reloadSshd(target, sshd);
    return left;
  },
};

/** On a disk that is mounted there is none to be asked, and none to be told. */
function sshdOf(target: Target): string | undefined {
  return target.root === "" ? findSshd() : undefined;
}

/** Where our lines are to stand, the text there now and then, and where else they may stand. */
function wanted(target: Target, match: string) {
  const text = readHostText(target, SSHD_CONFIG) ?? "";
  const folder = lstat(target.root + SNIPPET.slice(0, SNIPPET.lastIndexOf("/")));
  const isIncluded = includeOf(text, SNIPPET) !== undefined && folder?.isDirectory === true;
  const [path, other] = isIncluded ? [SNIPPET, SSHD_CONFIG] : [SSHD_CONFIG, SNIPPET];
  const now = readHostText(target, path);
  // A character a byte, as the file's text is.
  const lines = Array.from(
    new TextEncoder().encode(matchLines(match, target.hello)),
    (byte) => String.fromCharCode(byte),
  )
    .join("");
  return { path, now, lines, then: withBlock(now ?? "", lines), other };
}

/** Has sshd look at a copy of what would be, in a folder of root's alone, before anything is written. */
async function rehearse(target: Target, sshd: string, match: string): Promise<void> {
  await checkSshd(sshd).catch((error) => {
    throw new Error(`sshd's configuration has a fault already, nothing was changed: ${error.message}`);
  });
  const { path, then } = wanted(target, match);
  await withPrivateFolder(async (folder) => {
    const copy = `${folder}/sshd_config`;
    if (path === SSHD_CONFIG) write(target, copy, then);
    else {
      const lines = (readHostText(target, SSHD_CONFIG) ?? "").split("\n");
      // In the place of the file that is not there yet. What is there of an earlier run would count first.
      lines.splice(includeOf(lines.join("\n"), SNIPPET) ?? 0, 0, `Include ${folder}/srvaudit.conf`);
      write(target, `${folder}/srvaudit.conf`, then);
      write(target, copy, lines.join("\n"));
    }
    await checkSshd(sshd, copy);
    await prove(target, sshd, match, copy);
  });
}

/**
 * Asks sshd itself whether `hello` is forced on one of those who are meant, and on root only if she is named.
 *
 * @throws {Error} if it is not so
 */
async function prove(target: Target, sshd: string, match: string, file?: string): Promise<void> {
  const forced = async (user: string) => (await settingsFor(sshd, user, file)).get("forcecommand")?.[0];
  const ours = forcedCommand(target.hello);
  for (const user of examples(target, match)) {
    const command = await forced(user);
    if (command === ours) continue;
    throw new Error(
      `sshd would not start hello for ${user}: ${
        command === undefined || command === "none"
          ? "another Match line comes first"
          : `ForceCommand ${command} comes first`
      }`,
    );
  }
  if (namedUsers(match).includes("root") || await forced("root") !== ours) return;
  throw new Error("sshd would start hello for root, who was not named: nothing was changed");
}

/** Some of those who are meant, whom sshd is asked about. */
function examples(target: Target, match: string): string[] {
  const named = namedUsers(match);
  if (named.length > 0) return named.slice(0, 20);
  const [, group] = /^Group (\S+)/.exec(match) ?? [];
  // No pattern of sshd's has such a user: whoever is not named is meant.
  if (group === undefined) return ["srvaudit-anybody"];
  const left = /User \*(\S*)/.exec(criteriaOf(match)[0] ?? "")?.[1]?.split(",!") ?? [];
  const members = groupLines(target).find(({ name }) => name === group)?.members ?? [];
  return members.filter((name) => !left.includes(name)).slice(0, 1);
}

function namedUsers(match: string): string[] {
  return /^User [^*]/.test(match) ? match.slice("User ".length).split(",") : [];
}

function fileBefore(target: Target, path: string): FileBefore {
  const text = readHostText(target, path);
  return {
    isThere: text !== undefined,
    isWhole: text === undefined || text === "" || text.endsWith("\n"),
    lines: ownLines(text ?? "") ?? null,
  };
}

/** Takes our lines out of a file, or puts those of an earlier run back. */
function takeOut(target: Target, path: string, { isThere, isWhole, lines }: FileBefore): Left[] {
  const now = readHostText(target, path);
  if (now === undefined && lines === null) return [];
  const others = withoutForce(now ?? "", isWhole);
  const then = lines === null ? others : withBlock(others, lines);
  if (then === "" && !isThere) removePath(target, path);
  else if (then !== now) write(target, path, then);
  return then === "" || isThere || path === SSHD_CONFIG
    ? []
    : [{ what: target.root + path, why: "somebody has added lines of their own" }];
}

/** A new file is as open as its folder lets it be: RHEL keeps all of these to root. */
function write(target: Target, path: string, text: string): void {
  const folder = Deno.statSync(target.root + path.slice(0, path.lastIndexOf("/")));
  const mode = ((folder.mode ?? 0) & 0o005) === 0 ? 0o600 : 0o644;
  writeHostText(target, path, text, { mode, uid: 0, gid: 0 });
}
