/**
 * Where everything lies.
 *
 * An installed executable takes its places from the system alone: no variable of the user's moves its config, its
 * spool or its history. A development one (that does not lie under a root-owned system path) takes another root from
 * SRVAUDIT_ROOT, and follows HOME where HOME is the user's own.
 */

import { effectiveUid, ownAccount } from "../posix/libc.ts";

/** The host's own places, absolute: the same for every user. */
export interface HostPaths {
  /** The folder of the executable, with `shell/` (the hooks) and `queries` in it. */
  program: string;
  /** `/etc/srvaudit/config`: the agent's alone, as it may hold secrets. */
  config: string;
  /** `/etc/srvaudit/mask`: what is masked before it leaves the host. */
  mask: string;
  /** `/etc/srvaudit/shells`: the users' real shells. */
  shells: string;
  /** `/etc/passwd`. */
  accounts: string;
  /** `/run/srvaudit`: the agent's, open to all. */
  run: string;
  /** `/run/srvaudit/agent.sock`. */
  socket: string;
  /** `/run/srvaudit/policy.json`: what the agent publishes of its config. */
  policy: string;
  /** `/var/spool/srvaudit`: root's folder of the users' spool files. */
  hostSpool: string;
  /** `/var/lib/srvaudit`: 0700. */
  state: string;
  /** `/var/lib/srvaudit/evidence.db`. */
  evidence: string;
  /** `/var/lib/srvaudit/tickets.db`: the host's local tickets. */
  hostTickets: string;
  /** `/var/log/srvaudit.log`. */
  log: string;
}

/** The places, absolute. */
export interface Paths extends HostPaths {
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

/** @returns the host's own places */
export function hostPaths(): HostPaths {
  const executable = Deno.execPath();
  return hostPathsBelow(rootFor(isInstalled(executable)), executable);
}

function hostPathsBelow(root: string, executable: string): HostPaths {
  const run = `${root}/run/srvaudit`;
  const state = `${root}/var/lib/srvaudit`;
  return {
    program: executable.slice(0, executable.lastIndexOf("/")),
    config: `${root}/etc/srvaudit/config`,
    mask: `${root}/etc/srvaudit/mask`,
    shells: `${root}/etc/srvaudit/shells`,
    accounts: `${root}/etc/passwd`,
    run,
    socket: `${run}/agent.sock`,
    policy: `${run}/policy.json`,
    hostSpool: `${root}/var/spool/srvaudit`,
    state,
    evidence: `${state}/evidence.db`,
    hostTickets: `${state}/tickets.db`,
    log: `${root}/var/log/srvaudit.log`,
  };
}

/** What stands before `/etc`, `/run` and `/var`: nothing, but for a development executable. */
function rootFor(installed: boolean): string {
  return installed ? "" : Deno.env.get("SRVAUDIT_ROOT") ?? "";
}

/**
 * @returns the places for the user that this process acts as
 * @throws {Error} if that user has no home
 */
export function paths(): Paths {
  const executable = Deno.execPath();
  // Looked at once: this is on the way from a login to its shell.
  const installed = isInstalled(executable);
  const root = rootFor(installed);
  const home = homeOf(installed);
  const user = `${home}/.ash`;
  return {
    ...hostPathsBelow(root, executable),
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
