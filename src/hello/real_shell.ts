/** Which shell `hello` stands for. */

import { mappedShell, type Policy } from "../config/policy.ts";

/** The shells that we have hooks for, and all others. */
export type ShellKind = "bash" | "zsh" | "fish" | "other";

/** A shell to become. */
export interface RealShell {
  path: string;
  kind: ShellKind;
}

/**
 * The user's real shell: her own in the map file, else the config's default.
 *
 * @param policy the host's
 * @param mapFile `/etc/srvaudit/shells`
 * @param user her name
 * @throws {Error} if that shell is not there, cannot be run, or is `hello` itself
 */
export function realShell(policy: Pick<Policy, "defaultShell">, mapFile: string, user: string): RealShell {
  const path = mappedShell(mapFile, user) ?? policy.defaultShell;
  const fault = faultOf(path);
  if (fault) {
    throw new Error(`the shell ${path} of ${user} ${fault}: see ${mapFile}, and defaultShell in the config`);
  }
  return { path, kind: kindOf(path) };
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

function faultOf(path: string): string | undefined {
  try {
    const real = Deno.realPathSync(path);
    if (real === Deno.realPathSync(Deno.execPath())) return "is hello itself";
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
