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
 * The user's real shell: her own in the map file, else the one that she has without `hello`, else the config's default.
 *
 * @param policy the host's
 * @param mapFile `/etc/srvaudit/shells`
 * @param user her name
 * @param standing the shell that passwd names for her, where `hello` was not started in its place
 * @throws {Error} if that shell is not there, cannot be run, or is `hello` itself
 */
export function realShell(
  policy: Pick<Policy, "defaultShell">,
  mapFile: string,
  user: string,
  standing?: string,
): RealShell {
  const own = standing === "" ? "/bin/sh" : standing;
  const isReal = own !== undefined && faultOf(own) !== IS_HELLO;
  const path = mappedShell(mapFile, user) ?? (isReal ? own : policy.defaultShell);
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
