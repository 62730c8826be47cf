/**
 * Login sessions, as their spool files tell them: `SPOOL/SESSION-ID.session`.
 */

import { ancestors, bootId, type Process, processOf } from "../posix/process.ts";
import type { SessionClosed, SessionEvent, SessionOpened } from "./event.ts";
import { isSessionId } from "./session_id.ts";
import { readRecords } from "./spool.ts";

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
 * @returns the session, or undefined if there is no whole record of its opening
 */
export function readLoginSession(spool: string, id: string): LoginSession | undefined {
  if (!isSessionId(id)) return undefined;
  const file = sessionFile(spool, id);
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
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
    session && !session.closed && session.opened.bootId === boot &&
      (line.some((process) => isSame(process, session.opened)) ||
        (isSame(processOf(session.opened.leaderPid), session.opened) &&
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
  for (const name of names.sort().reverse()) {
    const session = proven(readLoginSession(spool, name.slice(0, -".session".length)));
    if (session) return session;
  }
  return undefined;
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
