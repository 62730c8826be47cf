/**
 * Login sessions, as their spool files tell them: `SPOOL/SESSION-ID.session`.
 */

import { effectiveUid } from "../posix/libc.ts";
import { ancestors, bootId, type Process, processOf } from "../posix/process.ts";
import type { SessionClosed, SessionEvent, SessionOpened } from "./event.ts";
import { isSessionId } from "./session_id.ts";
import { readRecords } from "./spool.ts";

/** More than a session's notes and switches ever come to, in bytes. */
const LARGEST_FILE = 16 * 1024 * 1024;

/** How many sessions are looked at where the environment names none: what that costs must not grow with the spool. */
const LOOKED_AT = 64;

/** A login session, from its opening to now. */
export interface LoginSession {
  id: string;
  /** Its spool file. */
  file: string;
  opened: SessionOpened;
  /** The ticket that it is on now. */
  ticket: string | null;
  /** Set once it is over. */
  closed?: SessionClosed;
  /** Everything that was said of it, in order. */
  events: SessionEvent[];
}

/** The spool file of a login session. */
export function sessionFile(spool: string, id: string): string {
  return `${spool}/${id}.session`;
}

/**
 * @param spool the spool's folder
 * @param id the session's
 * @returns the session, or undefined if there is no whole record of its opening, in a plain file of this user's
 */
export function readLoginSession(spool: string, id: string): LoginSession | undefined {
  if (!isSessionId(id)) return undefined;
  const file = sessionFile(spool, id);
  const bytes = readOwnFile(file);
  if (!bytes) return undefined;
  const events = readRecords(bytes).records.flatMap(({ record }) =>
    record.type === "event" ? [record.event] : []
  );
  const opened = events.find((event) => event.kind === "session opened");
  if (opened?.session !== id) return undefined;
  const session: LoginSession = { id, file, opened, ticket: opened.ticket, events };
  for (const event of events) {
    if (event.kind === "ticket switched") session.ticket = event.to;
    if (event.kind === "session closed") session.closed = event;
  }
  return session;
}

/** What else lies in the folder (a FIFO, a link to /dev/zero, a file as large as the disk) must not hold a login up. */
function readOwnFile(file: string): Uint8Array | undefined {
  try {
    const info = Deno.lstatSync(file);
    if (!info.isFile || info.uid !== effectiveUid() || info.size > LARGEST_FILE) return undefined;
    return Deno.readFileSync(file);
  } catch {
    // Gone meanwhile, or not to be read: no session that could be proven.
    return undefined;
  }
}

/** Whether the process that leads the session is still there. */
export function isAlive(session: LoginSession): boolean {
  return session.opened.bootId === bootId() && isSame(processOf(session.opened.leaderPid), session.opened);
}

/**
 * The login session that this very process belongs to.
 *
 * The environment may say which one it is, and is then looked at first; it proves nothing. What proves it: the leader
 * of the session is an ancestor of this process; or, for what outlives its parents (a tmux server), the leader lives
 * and the kernel counts both to the same audit session or the same systemd session.
 *
 * @param spool the spool's folder
 * @param claimed what the environment says (SRVAUDIT_SESSION)
 * @returns the open session, or undefined if this process belongs to none
 */
export function currentSession(spool: string, claimed: string | undefined): LoginSession | undefined {
  const line = [...ancestors()];
  const boot = bootId();
  const proven = (session: LoginSession | undefined) =>
    session && !session.closed && session.opened.bootId === boot && isLedBySameUser(session.opened) &&
      (line.some((process) => isSame(process, session.opened)) ||
        (isAlive(session) &&
          sameKernelSession(session.opened.leaderPid)))
      ? session
      : undefined;
  const first = claimed === undefined ? undefined : proven(readLoginSession(spool, claimed));
  if (first) return first;
  let names: string[];
  try {
    names = [...Deno.readDirSync(spool)].map((entry) => entry.name).filter((name) =>
      name.endsWith(".session")
    );
  } catch {
    return undefined;
  }
  // The newest first: a session within a session is the nearer one.
  for (const name of names.sort().reverse().slice(0, LOOKED_AT)) {
    const session = proven(readLoginSession(spool, name.slice(0, -".session".length)));
    if (session) return session;
  }
  return undefined;
}

/** pid 1 is above everybody, and another user's process is not what this user's `hello` became. */
function isLedBySameUser(opened: SessionOpened): boolean {
  if (opened.leaderPid === 1 || opened.uid !== effectiveUid()) return false;
  try {
    return Deno.statSync(`/proc/${opened.leaderPid}`).uid === opened.uid;
  } catch {
    return false;
  }
}

function isSame(process: Process | undefined, opened: SessionOpened): boolean {
  return process?.pid === opened.leaderPid && process.startTicks === opened.leaderStartTicks;
}

function sameKernelSession(pid: number): boolean {
  return ["sessionid", "cgroup"].some((name) => {
    try {
      const mine = Deno.readTextFileSync(`/proc/self/${name}`);
      const known = name === "sessionid" ? mine.trim() !== "4294967295" : /\/session-[^/]+\.scope/.test(mine);
      return known && mine === Deno.readTextFileSync(`/proc/${pid}/${name}`);
    } catch {
      // No such file in this kernel, or the process is gone: no proof.
      return false;
    }
  });
}
