/**
 * Users' login shells in passwd(5).
 *
 * Who gets `hello` has a line in `/etc/srvaudit/shells` before, so that whoever logs in at that moment gets her own shell
 * after it. passwd is rewritten once for all of them, under the lock that useradd and vipw take.
 */

import { Buffer } from "node:buffer";
import { withAccountsLocked } from "../../posix/account_lock.ts";
import { type NewFile, removeUnfinished, replaceFile } from "../../posix/replace_file.ts";
import type { Change, ChangeKind, Left, Preview } from "../change.ts";
import { giveOnRecord } from "../give_on_record.ts";
import { lstat } from "../host_file.ts";
import { tellCaches } from "../name_caches.ts";
import { readJournal } from "../journal.ts";
import { helloOn, LOGIN_SHELLS, programsOn, usersIn } from "../old_shells.ts";
import { passwdLines, withShells } from "../passwd_file.ts";
import type { ChosenUser } from "../people.ts";
import {
  endsInside,
  mapLine,
  mappedNames,
  readShellMap,
  shellMapOf,
  withLines,
  withoutLines,
} from "../shell_map.ts";
import type { Target } from "../target.ts";
import { writeSomehow } from "../write_somehow.ts";

const NEWLINE = 0x0a;

/** Who gets which shell. */
export type LoginShells = {
  /** `from` is what stands in passwd, or what did before `hello`: it may be nothing. */
  readonly users: readonly { readonly name: string; readonly from: string }[];
  readonly to: string;
};

/** What undo needs besides. */
export type BeforeLoginShells = {
  /** The shells of those who have more than one line in passwd, in their order. */
  readonly many: { readonly [name: string]: readonly string[] };
  /** The copies of passwd that were there, from other days. */
  readonly backups: readonly string[];
  /** Whose lines in the map are made by this. */
  readonly mapped: readonly string[];
  /** Whether there was a map, and its last line had an end. */
  readonly map: "none" | "whole" | "unended";
};

/** The kind: see `loginShellsChange`. */
export const loginShells: ChangeKind<LoginShells, BeforeLoginShells> = {
  kind: LOGIN_SHELLS,

  isDone(target, args) {
    const { passwd, map } = planned(target, args);
    // Who has got hello by hand already is to be on record: uninstalling must not leave her with it.
    return passwd === undefined && map === undefined && unrecorded(target, args).length === 0;
  },

  preview(target, args) {
    const { now, passwd, mapNow, map } = planned(target, args);
    const previews: Preview[] = [];
    if (map) previews.push({ path: shellMapOf(target), now: mapNow && text(mapNow), then: text(map) });
    if (passwd) {
      previews.push({ does: `cp -p ${passwdOf(target)} ${backupOf(target)}` });
      previews.push({ path: passwdOf(target), now: withoutHashes(now), then: withoutHashes(passwd) });
    }
    return previews;
  },

  writes: () => ["/etc/passwd", shellMapOf({ root: "" })],

  before(target, args) {
    const { now, mapNow } = planned(target, args);
    const names = new Set(args.users.map(({ name }) => name));
    const shells = new Map<string, string[]>();
    for (const { name, shell } of passwdLines(now)) {
      if (names.has(name)) shells.set(name, [...shells.get(name) ?? [], shell]);
    }
    const has = mappedNames(mapNow ?? new Uint8Array());
    return {
      many: Object.fromEntries([...shells].filter(([, each]) => each.length > 1)),
      backups: backupsOf(target),
      mapped: [...names].filter((name) => !has.has(name)),
      map: mapNow === undefined ? "none" : endsInside(mapNow) ? "unended" : "whole",
    };
  },

  apply(target, args) {
    withAccountsLocked(() => {
      const { now, passwd, map } = planned(target, args);
      mustBeAsChosen(target, now, args);
      if (map) replaceFile(shellMapOf(target), map, { ...likePasswd(target), mode: 0o644 }, target.root);
      if (!passwd) return;
      const backup = backupOf(target);
      if (!lstat(backup)) replaceFile(backup, now, likePasswd(target), target.root);
      replaceFile(passwdOf(target), passwd, undefined, target.root);
    }, target.root);
    tellCaches(target);
  },

  undo(target, args, before) {
    const left = [...putBack(target, args, before), ...unmap(target, args, before)];
    for (const backup of backupsOf(target)) {
      if (!before.backups.includes(backup)) Deno.removeSync(backup);
    }
    sweep(target);
    return left;
  },
};

/**
 * The change that gives users `hello`. Who has it already by an earlier run is not in it: that run's change is hers, and
 * undoing this one leaves her as she is.
 *
 * @returns undefined if there is nothing to change
 */
export function loginShellsChange(
  target: Target,
  users: readonly ChosenUser[],
): Change<LoginShells, BeforeLoginShells> | undefined {
  const names = new Set(unrecorded(target, { users }));
  const lines = passwdLines(Deno.readFileSync(passwdOf(target)));
  const others = new Set(lines.filter(({ shell }) => shell !== target.hello).map(({ name }) => name));
  const given = users.filter(({ name }) => names.has(name) || others.has(name));
  if (given.length === 0) return undefined;
  return {
    kind: loginShells,
    about: given.map(({ name }) => name).join(","),
    args: { users: given.map(({ name, shell }) => ({ name, from: shell })), to: target.hello },
  };
}

/** @returns the names of those whose shells the journal does not have */
function unrecorded(target: Target, { users }: { users: readonly { readonly name: string }[] }): string[] {
  const recorded = new Set<string>();
  for (const { kind, args } of readJournal(target).entries) {
    if (kind === LOGIN_SHELLS) usersIn(args).forEach(({ name }) => recorded.add(name));
  }
  return users.map(({ name }) => name).filter((name) => !recorded.has(name));
}

interface Planned {
  now: Uint8Array;
  mapNow: Uint8Array | undefined;
  /** What they are to be; undefined where nothing is to be changed. */
  passwd: Uint8Array | undefined;
  map: Uint8Array | undefined;
}

function planned(target: Target, { users, to }: LoginShells): Planned {
  const now = Deno.readFileSync(passwdOf(target));
  const names = new Set(users.map(({ name }) => name));
  const passwd = withShells(now, ({ name }) => names.has(name) ? to : undefined);
  const mapNow = readShellMap(target);
  const has = mappedNames(mapNow ?? new Uint8Array());
  const missing = users.filter(({ name }) => !has.has(name)).map(({ name, from }) =>
    lineOf(target, name, from)
  );
  return {
    now,
    mapNow,
    passwd: isSame(now, passwd) ? undefined : passwd,
    map: missing.length === 0 ? undefined : withLines(mapNow ?? new Uint8Array(), missing),
  };
}

/**
 * Since they were chosen somebody may have closed an account, or a user may have taken another shell: neither is to be undone.
 *
 * @throws {Error} that names whose shell is another one
 */
function mustBeAsChosen(target: Target, now: Uint8Array, { users, to }: LoginShells): void {
  const chosen = new Map(users.map(({ name, from }) => [name, from]));
  const isOurs = helloOn(target);
  for (const { name, shell } of passwdLines(now)) {
    const from = chosen.get(name);
    // Of two lines of a name the first counts.
    chosen.delete(name);
    if (from === undefined || shell === from || shell === to || isOurs(shell)) continue;
    throw new Error(
      `the shell of ${name} was ${from || "/bin/sh"} when this began, and is ${
        shell || "/bin/sh"
      } now: nobody was given hello; run this again`,
    );
  }
}

function lineOf(target: Target, name: string, from: string): string {
  const line = mapLine(name, from);
  if (line === undefined) throw new Error(`${shellMapOf(target)} cannot hold the shell ${from} of ${name}`);
  return line;
}

/** @returns whose shells are somebody else's meanwhile */
function putBack(target: Target, { users, to }: LoginShells, { many }: BeforeLoginShells): Left[] {
  const left: Left[] = [];
  const old = new Map(users.map(({ name, from }) => [name, from]));
  const isOurs = helloOn(target);
  const isProgram = programsOn(target);
  withAccountsLocked(() => {
    const now = Deno.readFileSync(passwdOf(target));
    const counts = new Map<string, number>();
    for (const { name } of passwdLines(now)) counts.set(name, (counts.get(name) ?? 0) + 1);
    const passwd = withShells(now, ({ name, shell }, nth) => {
      const from = old.get(name);
      if (from === undefined) return undefined;
      const all = many[name];
      // Lines that somebody has added, or removed, since: which one was which cannot be told.
      const own = all && all.length === counts.get(name) ? all[nth] ?? from : from;
      // Who had hello before, by hand, is not to keep what is about to go.
      const wanted = isOurs(own) ? from : own;
      if (shell === to || isOurs(shell)) {
        if (nth === 0 && !isProgram(wanted || "/bin/sh")) {
          left.push({
            what: `the shell of ${name}`,
            why: `it is ${wanted} again, which is not there any more`,
          });
        }
        return wanted;
      }
      if (shell !== wanted) left.push({ what: `the shell of ${name}`, why: `it is ${shell || "none"} now` });
      return undefined;
    });
    if (isSame(now, passwd)) return;
    // Nobody is to stay locked out because somebody has filled the disk.
    giveOnRecord(target, now, passwd, () => writeSomehow(passwdOf(target), now, passwd, target.root));
  }, target.root);
  tellCaches(target);
  return left;
}

/** @returns whose lines somebody else has changed */
function unmap(target: Target, { users }: LoginShells, { mapped, map }: BeforeLoginShells): Left[] {
  const now = readShellMap(target);
  if (now === undefined) return [];
  const ours = new Set(mapped);
  const lines = users.filter(({ name }) => ours.has(name)).flatMap(({ name, from }) =>
    mapLine(name, from) ?? []
  );
  const without = withoutLines(now, lines);
  // The end that we gave to a last line that had none.
  const then = map === "unended" && without.at(-1) === NEWLINE ? without.subarray(0, -1) : without;
  const path = shellMapOf(target);
  if (then.length === 0 && map === "none") Deno.removeSync(path);
  else if (!isSame(now, then)) replaceFile(path, then, undefined, target.root);
  const others = mappedNames(then);
  return mapped.filter((name) => others.has(name)).map((name) => ({
    what: `the line of ${name} in ${path}`,
    why: "it has been changed since",
  }));
}

function passwdOf({ root }: Target): string {
  return `${root}/etc/passwd`;
}

/** Of this day, here. */
function backupOf(target: Target): string {
  const now = new Date();
  const parts = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  return `${passwdOf(target)}.srvaudit-${parts.map((part) => String(part).padStart(2, "0")).join("-")}`;
}

function backupsOf({ root }: Target): string[] {
  return [...Deno.readDirSync(`${root}/etc`)].map(({ name }) => name)
    .filter((name) => /^passwd\.srvaudit-\d{4}-\d\d-\d\d$/.test(name)).sort()
    .map((name) => `${root}/etc/${name}`);
}

/** Removes what a killed run has left of files that it did not come to replace. */
function sweep(target: Target): void {
  removeUnfinished(passwdOf(target), target.root);
  if (lstat(`${target.root}/etc/srvaudit`)) removeUnfinished(shellMapOf(target), target.root);
  for (const { name } of Deno.readDirSync(`${target.root}/etc`)) {
    const backup = /^\.(passwd\.srvaudit-\d{4}-\d\d-\d\d)\.srvaudit-/.exec(name)?.[1];
    if (backup) removeUnfinished(`${target.root}/etc/${backup}`, target.root);
  }
}

/** Whose files of this kind are, and what others may do with them. */
function likePasswd(target: Target): NewFile {
  const { mode, uid, gid } = Deno.statSync(passwdOf(target));
  return { mode: (mode ?? 0o644) & 0o777, uid: uid ?? 0, gid: gid ?? 0 };
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Hosts of old have the passwords' hashes there. */
function withoutHashes(bytes: Uint8Array): string {
  return text(bytes).replace(/^([^:\n]*):[^:\n]{3,}:/gm, "$1:(hash):");
}
