/** What a doctor looks at, and what a look finds. */

import type { HostPaths } from "../../config/paths.ts";

/** `unseen`: who asks may not look. */
export type State = "ok" | "warning" | "wrong" | "unseen";

/** One thing, and how it is. */
export interface Finding {
  state: State;
  /** What was looked at, and how it is. */
  what: string;
  /** What to do about it. */
  mend?: string;
}

/** The host that is looked at. */
export interface Host {
  places: HostPaths;
  /** What stands before `/etc` and the rest of the system's: nothing but for a development executable. */
  root: string;
  /** The kernel's own files: `/proc`. */
  proc: string;
  /** Whose the system's files are: 0. */
  owner: number;
  /** Whether all of it may be looked at. */
  isRoot: boolean;
  nowMs: number;
}

/** A look at one thing: small, and with no effect. */
export type Check = (host: Host) => Finding[] | Promise<Finding[]>;

/** All is well. */
export function ok(what: string): Finding {
  return { state: "ok", what };
}

/** It works, and yet somebody should know. */
export function warning(what: string, mend: string): Finding {
  return { state: "warning", what, mend };
}

/** It does not do what it is for. */
export function wrong(what: string, mend: string): Finding {
  return { state: "wrong", what, mend };
}

/** It could not be looked at. */
export function unseen(what: string): Finding {
  return { state: "unseen", what, mend: "ask as root: sudo srvaudit doctor" };
}

/** A file's kind, owner and mode; `missing` and `closed` where there are none to be had. */
export type Looked = Deno.FileInfo | "missing" | "closed";

/** @returns what is under that name, links followed */
export function look(path: string): Looked {
  return attempt(() => Deno.statSync(path));
}

/** @returns a file's text, or why there is none */
export function readText(path: string): { text: string } | "missing" | "closed" {
  return attempt(() => ({ text: Deno.readTextFileSync(path) }));
}

function attempt<Result>(work: () => Result): Result | "missing" | "closed" {
  try {
    return work();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return "missing";
    if (error instanceof Deno.errors.PermissionDenied) return "closed";
    throw error;
  }
}

/** How a file is to be. */
export interface Wanted {
  what: string;
  path: string;
  /** What others than its owner may do at most: 0o755 lets them read and enter. */
  atMost: number;
  /** What it must let at least, so that it does its work. */
  atLeast: number;
  /** What to do where it is not there. */
  mend: string;
}

/** Looks at a file's or a folder's owner and mode. */
export function modeFinding(host: Host, { what, path, atMost, atLeast, mend }: Wanted): Finding {
  const found = look(path);
  if (found === "missing") return wrong(`${what} ${path} is not there`, mend);
  if (found === "closed") return unseen(`${what} ${path}`);
  const mode = (found.mode ?? 0) & 0o7777;
  if (found.uid !== host.owner) {
    return wrong(
      `${what} ${path} belongs to the user ${found.uid}, not to ${host.owner}`,
      `chown ${host.owner} ${path}`,
    );
  }
  const right = (mode & atMost) | atLeast;
  if (right !== mode) {
    return wrong(`${what} ${path} has mode ${octal(mode)}`, `chmod ${octal(right)} ${path}`);
  }
  return ok(`${what} ${path} (${octal(mode)})`);
}

/** @returns a mode as chmod(1) takes it */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
