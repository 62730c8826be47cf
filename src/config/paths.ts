/**
 * Where everything lies.
 *
 * An installed executable takes its places from the system alone: no variable of the user's moves its config, its
 * spool or its history. A development one (that does not lie under a root-owned system path) takes another root from
 * SRVAUDIT_ROOT, and follows HOME where HOME is the user's own.
 */

import { effectiveUid, ownAccount } from "../posix/libc.ts";

/** The places, absolute. */
export interface Paths {
  /** The folder of the executable, with `shell/` (the hooks) and `queries` in it. */
  program: string;
  /** `/etc/srvaudit/config`. */
  config: string;
  /** `/etc/srvaudit/shells`: the users' real shells. */
  shells: string;
  /** `/etc/ash/queries`: ASH's own place for the system's saved queries. */
  systemQueries: string;
  /** The user's home. */
  home: string;
  /** `~/.ash`: 0700. */
  user: string;
  /** `~/.ash/history.db`. */
  history: string;
  /** `~/.ash/tickets.db`: the local tickets. */
  tickets: string;
  /** `~/.ash/spool`. */
  spool: string;
}

/** Whether the executable is an installed one: under a system path that root alone can write. */
export function isInstalled(executable: string = Deno.execPath()): boolean {
  if (!/^\/(usr|srv|opt)\//.test(executable)) return false;
  let path = executable;
  while (true) {
    const info = Deno.statSync(path);
    if (info.uid !== 0 || ((info.mode ?? 0) & 0o022) !== 0) return false;
    if (path === "/") return true;
    path = path.slice(0, path.lastIndexOf("/")) || "/";
  }
}

/**
 * @returns the places for the user that this process acts as
 * @throws {Error} if that user has no home
 */
export function paths(): Paths {
  const executable = Deno.execPath();
  const installed = isInstalled(executable);
  const root = installed ? "" : Deno.env.get("SRVAUDIT_ROOT") ?? "";
  const program = executable.slice(0, executable.lastIndexOf("/"));
  const home = homeOf(installed);
  const user = `${home}/.ash`;
  return {
    program,
    config: `${root}/etc/srvaudit/config`,
    shells: `${root}/etc/srvaudit/shells`,
    systemQueries: `${root}/etc/ash/queries`,
    home,
    user,
    history: `${user}/history.db`,
    tickets: `${user}/tickets.db`,
    spool: `${user}/spool`,
  };
}

function homeOf(installed: boolean): string {
  const uid = effectiveUid();
  const fromEnvironment = Deno.env.get("HOME");
  if (!installed && fromEnvironment) {
    try {
      // sudo and su may leave another user's HOME behind: nothing of ours goes there.
      if (Deno.statSync(fromEnvironment).uid === uid) return fromEnvironment;
    } catch {
      // No such folder: passwd knows better.
    }
  }
  const account = ownAccount();
  if (!account?.home) throw new Error(`the user ${uid} has no home: see getent passwd ${uid}`);
  return account.home;
}

/**
 * Makes a folder that its owner alone can enter; one that is there and open to others is closed.
 *
 * @throws {Error} if it cannot be made, or is not the user's own
 */
export function makePrivateFolder(path: string): void {
  try {
    Deno.mkdirSync(path, { mode: 0o700 });
    // Whatever the umask.
    Deno.chmodSync(path, 0o700);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const info = Deno.lstatSync(path);
  if (!info.isDirectory || info.uid !== effectiveUid()) {
    throw new Error(`${path} is not a folder of this user's`);
  }
  if (((info.mode ?? 0) & 0o777) !== 0o700) Deno.chmodSync(path, 0o700);
}
