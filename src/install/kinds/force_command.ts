/**
 * sshd starts `hello` for users whose shell in passwd stays what it is: a Match block with a ForceCommand.
 *
 * Where sshd_config includes the folder for such, it is a file of its own there; else a block at sshd_config's end, the only
 * place where nothing of an admin's falls into it.
 */

import { Buffer } from "node:buffer";
import { replaceFile } from "../../posix/replace_file.ts";
import type { ChangeKind, Left, Preview } from "../change.ts";
import { checkSshd, findSshd, listenerOf, reloadSshd, settingsFor, withPrivateFolder } from "../sshd.ts";
import {
  criteriaOf,
  forcedCommand,
  hasBlock,
  includeOf,
  matchBlock,
  SNIPPET,
  SSHD_CONFIG,
  withBlock,
  withoutBlock,
} from "../sshd_config.ts";
import type { Target } from "../target.ts";

/** Whom it is forced on, as the words behind `Match`: see `criteriaOf`, and `chooseForced` for how to come by it. */
type Args = { match: string };
/** The two files that a block can stand in; null where there was none. */
type Before = { snippet: string | null; config: string | null };

/** A file's text, byte for byte: what an admin wrote in a comment need not be UTF-8. */
type Text = string | undefined;

/** @see chooseForced, which finds out whom this can be done to */
export const forceCommand: ChangeKind<Args, Before> = {
  kind: "forceCommand",

  async isDone(target, { match }) {
    const { path, now, then } = wanted(target, match);
    if (now !== then) return false;
    const sshd = target.root === "" ? findSshd() : undefined;
    const listener = sshd === undefined ? undefined : await listenerOf(sshd);
    // Killed before sshd was told: it goes by what it has read before.
    return !listener || listener.readAtMs >= (Deno.statSync(path).mtime?.getTime() ?? 0);
  },

  preview(target, { match }): Preview[] {
    const { path, now, then } = wanted(target, match);
    const shown = (text: string) => Buffer.from(text, "latin1").toString("utf8");
    return [
      { path, now: now === undefined ? undefined : shown(now), then: shown(then) },
      { does: "reload sshd" },
    ];
  },

  before: (target) => ({
    snippet: read(target.root + SNIPPET) ?? null,
    config: read(target.root + SSHD_CONFIG) ?? null,
  }),

  async apply(target, { match }) {
    const { path, now, then, other } = wanted(target, match);
    const sshd = target.root === "" ? findSshd() : undefined;
    if (target.root === "" && sshd === undefined) {
      throw new Error(
        "there is no sshd here that could force hello on anybody: install openssh-server, or change passwd",
      );
    }
    if (sshd !== undefined) await tryOut(target, sshd, match);
    const otherBefore = read(other);
    write(path, then, target.root);
    // An earlier run may have found another place for it.
    if (otherBefore !== undefined && hasBlock(otherBefore)) {
      writeOrRemove(other, withoutBlock(otherBefore), target.root);
    }
    if (sshd === undefined) return;
    try {
      await prove(target, sshd, match);
    } catch (error) {
      if (now === undefined) Deno.removeSync(path);
      else write(path, now, target.root);
      if (otherBefore !== undefined) write(other, otherBefore, target.root);
      throw error;
    }
    await reloadSshd(target, sshd);
  },

  async undo(target, _args, before) {
    const left = [
      ...putBack(target.root, SNIPPET, before.snippet),
      ...putBack(target.root, SSHD_CONFIG, before.config),
    ];
    const sshd = target.root === "" ? findSshd() : undefined;
    if (sshd !== undefined) await reloadSshd(target, sshd);
    return left;
  },
};

/** Where the block is to stand, what is there now and then, and where else one may stand. */
function wanted(target: Target, match: string): { path: string; now: Text; then: string; other: string } {
  const [snippet, config] = [target.root + SNIPPET, target.root + SSHD_CONFIG];
  const text = read(config) ?? "";
  const isIncluded = includeOf(text, SNIPPET) !== undefined &&
    isFolder(snippet.slice(0, snippet.lastIndexOf("/")));
  const [path, other] = isIncluded ? [snippet, config] : [config, snippet];
  const now = read(path);
  const block = Buffer.from(matchBlock(match, target.hello)).toString("latin1");
  return { path, now, then: withBlock(now ?? "", block), other };
}

/** Has sshd look at a copy of what would be, in a folder of root's alone, before anything is written. */
async function tryOut(target: Target, sshd: string, match: string): Promise<void> {
  await checkSshd(sshd).catch((error) => {
    throw new Error(`sshd's configuration has a fault already, nothing was changed: ${error.message}`);
  });
  const { path, then } = wanted(target, match);
  await withPrivateFolder(async (folder) => {
    const copy = `${folder}/sshd_config`;
    if (path === target.root + SSHD_CONFIG) write(copy, then, "");
    else {
      const lines = (read(target.root + SSHD_CONFIG) ?? "").split("\n");
      // In the place of the file that is not there yet. What is there of an earlier run would count first.
      lines.splice(includeOf(lines.join("\n"), SNIPPET) ?? 0, 0, `Include ${folder}/srvaudit.conf`);
      write(`${folder}/srvaudit.conf`, then, "");
      write(copy, lines.join("\n"), "");
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
  const line = (read(`${target.root}/etc/group`) ?? "").split("\n").find((line) =>
    line.startsWith(`${group}:`)
  );
  const members = line?.split(":")[3]?.split(",") ?? [];
  return members.filter((name) => name !== "" && !left.includes(name)).slice(0, 1);
}

function namedUsers(match: string): string[] {
  return /^User [^*]/.test(match) ? match.slice("User ".length).split(",") : [];
}

/** Takes our block out of a file; where nobody else has changed it, it is what it was to the byte. */
function putBack(root: string, name: string, before: string | null): Left[] {
  const path = root + name;
  const now = read(path);
  if (now === undefined || !hasBlock(now)) return [];
  const others = withoutBlock(now);
  // The end of a last line that had none is ours.
  if (before !== null && others === `${before}\n`) write(path, before, root);
  else if (before === null) writeOrRemove(path, others, root);
  else write(path, others, root);
  return before === null && others !== ""
    ? [{ what: path, why: "somebody has added lines of their own" }]
    : [];
}

function writeOrRemove(path: string, text: string, root: string): void {
  if (text === "") Deno.removeSync(path);
  else write(path, text, root);
}

/** A new file is as open as its folder lets it be: RHEL keeps all of these to root. */
function write(path: string, text: string, root: string): void {
  const folder = Deno.statSync(path.slice(0, path.lastIndexOf("/")));
  const isClosed = ((folder.mode ?? 0) & 0o005) === 0;
  const mode = isClosed ? 0o600 : 0o644;
  replaceFile(path, Buffer.from(text, "latin1"), { mode, uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 }, root);
}

function read(path: string): Text {
  try {
    return Buffer.from(Deno.readFileSync(path)).toString("latin1");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
