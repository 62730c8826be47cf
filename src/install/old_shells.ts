/** The shells that users had before they got `hello`. */

import { parseKeyValues } from "../config/key_values.ts";
import { DEFAULT_POLICY, policyOf } from "../config/policy.ts";
import { placeBelow } from "../posix/real_place.ts";
import { mappedShells, readShellMap } from "./shell_map.ts";
import type { Json } from "./change.ts";
import type { Target } from "./target.ts";

/** The name that the journal has for the change of users' shells. */
export const LOGIN_SHELLS = "login shells";

/** The paths that `hello` is known by, whatever PREFIX it was installed below: docs/operations.md, RESCUE, has the same. */
const HELLO = /\/(hello-srvaudit|srvaudit\/hello|audit\/hello)$/;

/** @returns what tells whether a shell of passwd's is `hello`, by any of its paths, or by a link that somebody has made */
export function helloOn({ root }: Pick<Target, "root">): (shell: string) => boolean {
  return remembering((shell) => {
    if (HELLO.test(shell)) return true;
    if (!shell.startsWith("/")) return false;
    try {
      // Where the link leads, also where nothing is there any more.
      const { folder, name } = placeBelow(root, shell);
      return name === "srvaudit" && folder !== "/";
    } catch {
      return false;
    }
  });
}

/** Thousands of users have few shells. */
function remembering<Answer>(ask: (shell: string) => Answer): (shell: string) => Answer {
  const known = new Map<string, Answer>();
  return (shell) => {
    const answer = known.get(shell) ?? ask(shell);
    known.set(shell, answer);
    return answer;
  };
}

/**
 * What the journal says; what it says that is no journal is passed over: this is asked on the day when nothing works.
 *
 * @returns by name what stood in passwd: nothing, too
 */
function recordedShells(target: Pick<Target, "root">): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of linesOf(`${target.root}/var/lib/srvaudit/install.journal`)) {
    for (const { name, from } of usersInLine(line)) found.set(name, from);
  }
  return found;
}

function linesOf(path: string): string[] {
  try {
    return Deno.readTextFileSync(path).split("\n");
  } catch {
    return [];
  }
}

function usersInLine(line: string): { name: string; from: string }[] {
  try {
    const { kind, args } = JSON.parse(line);
    return kind === LOGIN_SHELLS ? usersIn(args) : [];
  } catch {
    return [];
  }
}

/**
 * @param args of a change of users' shells, as the journal has them
 * @returns whose, and what stood in passwd
 */
export function usersIn(args: Json): { name: string; from: string }[] {
  const users = typeof args === "object" && args !== null && "users" in args ? args.users : undefined;
  if (!Array.isArray(users)) return [];
  return users.filter(({ name, from }) => typeof name === "string" && typeof from === "string");
}

/**
 * What stood in passwd before a user got `hello`: as the journal has it; else her real shell, as `hello` finds it.
 *
 * @returns what tells it by name
 */
export function oldShells(target: Pick<Target, "root">): (name: string) => string {
  const recorded = recordedShells(target);
  const mapped = mappedIn(target);
  const standard = defaultShell(target);
  return (name) => recorded.get(name) ?? mapped.get(name) ?? standard;
}

function mappedIn(target: Pick<Target, "root">): Map<string, string> {
  try {
    return mappedShells(readShellMap(target) ?? new Uint8Array());
  } catch {
    // It is no file, or the disk fails: what there is else must do.
    return new Map();
  }
}

function defaultShell({ root }: Pick<Target, "root">): string {
  const file = `${root}/etc/srvaudit/config`;
  try {
    return policyOf(parseKeyValues(Deno.readTextFileSync(file), file), file).defaultShell;
  } catch {
    // No config, or a broken one: hello has the same without it.
    return DEFAULT_POLICY.defaultShell;
  }
}

/** @returns what tells whether there is a program by a path on the target */
export function programsOn({ root }: Pick<Target, "root">): (path: string) => boolean {
  return remembering((path) => {
    if (!path.startsWith("/")) return false;
    try {
      const { folder, name } = placeBelow(root, path);
      const { isFile, mode } = Deno.statSync(`${folder}/${name}`);
      return isFile && ((mode ?? 0) & 0o111) !== 0;
    } catch {
      return false;
    }
  });
}
