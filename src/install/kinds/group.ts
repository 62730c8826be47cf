/** A system group is made, with nobody in it. */

import { withAccountsLocked } from "../../posix/account_lock.ts";
import { groupId } from "../../posix/groups.ts";
import type { ChangeKind, Left, Preview } from "../change.ts";
import { groupLines } from "../group_file.ts";
import { readHostText, sweepBeside, writeHostText } from "../host_file.ts";
import { entryOf, readJournal } from "../journal.ts";
import { loginDefinition } from "../login_defs.ts";
import type { Target } from "../target.ts";

/** The group's name. */
export type GroupArgs = { name: string };
/** Whether it was there, and whether the last lines of group(5) and gshadow(5) had an end. */
export type GroupBefore = { isThere: boolean; isWhole: boolean; isShadowWhole: boolean };

const GROUP = "/etc/group";
const SHADOW = "/etc/gshadow";

/** Not by groupadd(8): that one leaves locks and halves where it is killed, and a backup of its own in any case. */
export const group: ChangeKind<GroupArgs, GroupBefore> = {
  kind: "group",
  isDone: (target, { name }) =>
    hostGroupId(target, name) !== undefined && (!hasLine(target, GROUP, name) || isInShadow(target, name)),
  preview: (_, { name }): Preview[] => [{ does: `groupadd --system ${name}` }],
  writes: () => [GROUP, SHADOW],
  before: (target, { name }) => ({
    isThere: hostGroupId(target, name) !== undefined,
    isWhole: isWhole(readHostText(target, GROUP)),
    isShadowWhole: isWhole(readHostText(target, SHADOW)),
  }),
  apply: (target, { name }) =>
    withAccountsLocked(() => {
      if (!hasLine(target, GROUP, name)) add(target, GROUP, `${name}:x:${freeId(target)}:`);
      if (!isInShadow(target, name)) add(target, SHADOW, `${name}:!::`);
    }, target.root),
  undo(target, { name }, before): Left[] {
    if (before.isThere) return [];
    withAccountsLocked(() => {
      remove(target, GROUP, name, before.isWhole);
      remove(target, SHADOW, name, before.isShadowWhole);
    }, target.root);
    return [];
  },
};

/**
 * A group's number, by the host's own files first: what caches them may not know of it yet.
 *
 * @returns undefined if there is no such group
 */
export function hostGroupId(target: Target, name: string): number | undefined {
  const local = groupLines(target).find((each) => each.name === name);
  if (local) return local.gid;
  return target.root === "" ? groupId(name) : undefined;
}

/**
 * Whose a file is to be that the group alone may read besides root: root's own, where the group was there before us and
 * somebody is in it, or may be. Who has joined ours since is an admin's choice.
 *
 * @returns undefined if there is no such group
 */
export function closedGroupId(target: Target, name: string): number | undefined {
  const id = hostGroupId(target, name);
  if (id === undefined || isOurs(target, name)) return id;
  const local = groupLines(target).find((each) => each.name === name);
  // A directory (LDAP, SSSD) has it: who is in it is not asked.
  if (!local || local.members.length > 0) return 0;
  return linesOf(target, "/etc/passwd").some((each) => each.split(":")[3] === String(id)) ? 0 : id;
}

function isOurs(target: Target, name: string): boolean {
  const before = entryOf(readJournal(target), group.kind, name)?.before as GroupBefore | undefined;
  return before?.isThere === false;
}

/** Systems without gshadow(5) need no line there. */
function isInShadow(target: Target, name: string): boolean {
  return readHostText(target, SHADOW) === undefined || hasLine(target, SHADOW, name);
}

function hasLine(target: Target, path: string, name: string): boolean {
  return linesOf(target, path).some((line) => line.startsWith(`${name}:`));
}

function linesOf(target: Target, path: string): string[] {
  return (readHostText(target, path) ?? "").split("\n");
}

function isWhole(text = ""): boolean {
  return text === "" || text.endsWith("\n");
}

/** Before what NIS adds, which is for the end; else as the last line. */
function add(target: Target, path: string, line: string): void {
  const text = readHostText(target, path) ?? "";
  const nis = /^[+-]/m.exec(text)?.index ?? text.length;
  const start = text.slice(0, nis);
  writeHostText(target, path, `${start}${isWhole(start) ? "" : "\n"}${line}\n${text.slice(nis)}`);
}

function remove(target: Target, path: string, name: string, wasWhole: boolean): void {
  sweepBeside(target, path);
  const text = readHostText(target, path);
  if (text === undefined) return;
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`${name}:`));
  if (at < 0) return;
  const isLast = at === lines.length - 2 && lines.at(-1) === "";
  lines.splice(at, 1);
  // The line end before ours is ours too.
  if (isLast && !wasWhole) lines.pop();
  writeHostText(target, path, lines.join("\n"));
}

/** The highest number of the system's own that no group and no user has, as groupadd(8) takes it. */
function freeId(target: Target): number {
  const least = loginDefinition(target, "SYS_GID_MIN", 101);
  const taken = new Set(
    [GROUP, "/etc/passwd"].flatMap((path) => linesOf(target, path)).map((line) => Number(line.split(":")[2])),
  );
  for (let id = loginDefinition(target, "SYS_GID_MAX", 999); id >= least; id--) {
    if (!taken.has(id) && !isKnownElsewhere(target, id)) return id;
  }
  throw new Error(
    `${target.root}/etc/group has no number left for a system's group (SYS_GID_MIN of /etc/login.defs)`,
  );
}

/** A directory (LDAP, SSSD) may have given it to somebody. */
function isKnownElsewhere(target: Target, id: number): boolean {
  if (target.root !== "") return false;
  try {
    return new Deno.Command("getent", { args: ["group", String(id)], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    // No getent: nobody can be asked.
    return false;
  }
}
