/** Whose login shell becomes `hello`, and who is left as she is. */

import { isKnownUser } from "../posix/account_by_name.ts";
import { isClosedShell } from "../posix/accounts.ts";
import { groupId } from "../posix/groups.ts";
import type { Who } from "./answers.ts";
import { groupLines } from "./group_file.ts";
import { loginDefinition } from "./login_defs.ts";
import { helloOn, oldShells, programsOn } from "./old_shells.ts";
import { passwdLines } from "./passwd_file.ts";
import { mapLine } from "./shell_map.ts";
import type { Target } from "./target.ts";

/** Somebody who gets `hello`. */
export interface ChosenUser {
  name: string;
  uid: number;
  /** Her own shell, as passwd has it, or had it before she got `hello`. */
  shell: string;
}

/** Who gets it, and who was asked for and does not. */
export interface ChosenUsers {
  users: ChosenUser[];
  left: { name: string; why: string }[];
}

interface Person extends ChosenUser {
  gid: number;
}

const WAY_OUT = "passwd cannot give it a shell, --force-command can give it hello";

/**
 * @param who as it was asked for
 * @throws {Error} for a user or a group that is not there, or that is in a directory (LDAP, SSSD) and not in passwd
 *
 * @example
 * ```ts
 * chooseUsers(target, { who: "all" }).users.map(({ name }) => name);
 * ```
 */
export function chooseUsers(target: Target, who: Who): ChosenUsers {
  const people = peopleOf(target);
  switch (who.who) {
    case "nobody":
      return { users: [], left: [] };
    case "users":
      return sorted(target, named(target, people, who.names));
    case "group": {
      const { chosen, left } = membersOf(target, people, who.group);
      return sorted(target, chosen, left);
    }
    case "all": {
      const { least, most } = personsUids(target);
      const persons = people.filter(({ uid }) => uid >= least && uid <= most);
      return sorted(target, persons, [], ["bash", "zsh"]);
    }
  }
}

/** @returns one for each name: of two lines the first counts, as it does for getpwnam(3) */
function peopleOf(target: Target): Person[] {
  const old = oldShells(target);
  const isHello = helloOn(target);
  const people = new Map<string, Person>();
  for (const line of passwdLines(Deno.readFileSync(`${target.root}/etc/passwd`))) {
    const shell = isHello(line.shell) ? old(line.name) : line.shell;
    if (!people.has(line.name)) people.set(line.name, { ...line, shell });
  }
  return [...people.values()];
}

function named(target: Target, people: readonly Person[], names: readonly string[]): Person[] {
  const byName = new Map(people.map((person) => [person.name, person]));
  const wanted = [...new Set(names)];
  const missing = wanted.filter((name) => !byName.has(name));
  const elsewhere = missing.filter((name) => target.root === "" && isKnownUser(name));
  if (elsewhere.length > 0) {
    throw new Error(`not in /etc/passwd, but in a directory: ${elsewhere.join(", ")}: ${WAY_OUT}`);
  }
  if (missing.length > 0) throw new Error(`there is no user ${missing.join(", ")}: see /etc/passwd`);
  return wanted.flatMap((name) => byName.get(name) ?? []);
}

function membersOf(target: Target, people: readonly Person[], group: string) {
  const found = groupLines(target).filter(({ name }) => name === group);
  if (found.length === 0) {
    if (target.root === "" && groupId(group) !== undefined) {
      throw new Error(`the group ${group} is not in /etc/group, but in a directory: ${WAY_OUT}`);
    }
    throw new Error(`there is no group ${group}: see /etc/group`);
  }
  const gids = new Set(found.map(({ gid }) => gid));
  const names = new Set(found.flatMap(({ members }) => members));
  const chosen = people.filter(({ name, gid }) => names.has(name) || gids.has(gid));
  const known = new Set(people.map(({ name }) => name));
  const left = [...names].filter((name) => !known.has(name)).map((name) => ({
    name,
    why: `is not in /etc/passwd: ${WAY_OUT}`,
  }));
  return {
    chosen: chosen.filter(({ uid }) => uid !== 0),
    left: [
      ...chosen.filter(({ uid }) => uid === 0).map(({ name }) => ({
        name,
        why: "has root's uid: she must be named by --users",
      })),
      ...left,
    ],
  };
}

/** From where to where the uids are people's: what useradd(8) takes. */
function personsUids(target: Target): { least: number; most: number } {
  const least = Math.max(1, loginDefinition(target, "UID_MIN", 1000));
  return { least, most: loginDefinition(target, "UID_MAX", 60_000) };
}

/** @param shells the names of the shells that are taken; all of them without this */
function sorted(
  target: Target,
  people: readonly Person[],
  left: { name: string; why: string }[] = [],
  shells?: readonly string[],
): ChosenUsers {
  const chosen: ChosenUsers = { users: [], left: [...left] };
  const isProgram = programsOn(target);
  for (const { name, uid, shell } of people) {
    const why = whyNot(isProgram, name, shell, shells);
    if (why === undefined) chosen.users.push({ name, uid, shell });
    else chosen.left.push({ name, why });
  }
  return chosen;
}

function whyNot(
  isProgram: (path: string) => boolean,
  name: string,
  shell: string,
  shells?: readonly string[],
): string | undefined {
  // None is /bin/sh, as it is for login(1).
  const path = shell || "/bin/sh";
  const kind = path.slice(path.lastIndexOf("/") + 1);
  if (isClosedShell(path)) return `cannot log in: her shell is ${path}`;
  if (!isProgram(path)) return `has a shell that is not there: ${path}`;
  if (shells && !shells.includes(kind)) return `has another shell: ${path}; --users takes her too`;
  if (mapLine(name, shell) === undefined) {
    return "has a name, or a shell, that cannot stand in /etc/srvaudit/shells";
  }
  return undefined;
}
