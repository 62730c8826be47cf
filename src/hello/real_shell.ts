/** Which shell `hello` stands for. */

import { mappedShell, type Policy } from "../config/policy.ts";
import { isClosedShell } from "../posix/accounts.ts";
import type { Account } from "../posix/libc.ts";

/** The shells that we have hooks for, and all others. */
export type ShellKind = "bash" | "zsh" | "fish" | "other";

/** A shell to become. */
export interface RealShell {
  path: string;
  kind: ShellKind;
}

/** Where `hello` lies, below whatever PREFIX: docs/operations.md, RESCUE, has the same. */
export const HELLO = /^\/(\S+\/)?(hello-srvaudit|srvaudit\/hello|audit\/hello)$/;

/**
 * The user's real shell: her own in the map file; else the one of passwd, where `hello` was not started in its place (by sshd's
 * ForceCommand, by su(1), by herself); else the config's default.
 *
 * @param policy the host's
 * @param mapFile `/etc/srvaudit/shells`
 * @param user as passwd has her; undefined: it does not
 * @throws {Error} if that shell is not there, cannot be run, or is `hello` itself
 */
export function realShell(
  policy: Pick<Policy, "defaultShell">,
  mapFile: string,
  user: Pick<Account, "name" | "shell"> | undefined,
): RealShell {
  const path = mappedShell(mapFile, user?.name ?? "") ?? (user && shellOfPasswd(user)) ?? policy.defaultShell;
  const fault = faultOf(path);
  if (fault) {
    throw new Error(
      `the shell ${path} of ${user?.name ?? ""} ${fault}: see ${mapFile}, and defaultShell in the config`,
    );
  }
  return { path, kind: kindOf(path) };
}

/** @returns undefined where that is `hello`, or one that lets nobody in */
function shellOfPasswd({ shell }: Pick<Account, "shell">): string | undefined {
  const path = shell || "/bin/sh";
  return HELLO.test(path) || isClosedShell(path) || faultOf(path) === IS_HELLO ? undefined : path;
}

/**
 * The first shell that can be had at all, for when something of ours failed.
 *
 * @param wanted a path to try first
 */
export function anyShell(wanted: string | undefined): RealShell {
  const path = [wanted, "/bin/bash", "/bin/sh"].find((path) =>
    path !== undefined && faultOf(path) === undefined
  );
  return { path: path ?? "/bin/sh", kind: kindOf(path ?? "/bin/sh") };
}

const IS_HELLO = "is hello itself";

function faultOf(path: string): string | undefined {
  try {
    const real = Deno.realPathSync(path);
    if (real === Deno.realPathSync(Deno.execPath())) return IS_HELLO;
    const info = Deno.statSync(real);
    if (!info.isFile || ((info.mode ?? 0) & 0o111) === 0) return "cannot be run";
  } catch {
    return "is not there";
  }
  return undefined;
}

function kindOf(path: string): ShellKind {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name === "bash" || name === "zsh" || name === "fish" ? name : "other";
}
