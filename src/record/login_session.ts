/**
 * Login sessions, as the user's own spool tells them: `SPOOL/SESSION-ID.session`. Where the agent has opened the session,
 * that is a link to root's file, and what the user's programs had to say while there was no agent is in
 * `SPOOL/SESSION-ID.own.session`.
 */

import { hostPaths } from "../config/paths.ts";
import { effectiveUid } from "../posix/libc.ts";
import { PlainFile } from "../posix/plain_file.ts";
import { ancestors, bootId, isOfSameLogin, type Process, processOf } from "../posix/process.ts";
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
  /** The spool file that this user's programs add to. */
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

/** Where a user's programs put what they say of a session that the agent has opened, as long as it does not answer. */
export function ownSessionFile(spool: string, id: string): string {
  return `${spool}/${id}.own.session`;
}

/**
 * @param spool the spool's folder
 * @param id the session's
 * @param hostSpool root's folder, in which the agent makes its files
 * @returns the session, or undefined if there is no whole record of its opening: in a plain file of this user's, or behind
 * a link to where the agent has its file of just this session
 */
export function readLoginSession(
  spool: string,
  id: string,
  hostSpool = hostPaths().hostSpool,
): LoginSession | undefined {
  if (!isSessionId(id)) return undefined;
  const plain = sessionFile(spool, id);
  const host = sessionFile(hostSpool, id);
  const isHosts = linkTarget(plain) === host;
  const told = isHosts ? eventsIn(host, 0) : eventsIn(plain, effectiveUid());
  const opened = told.find((event) => event.kind === "session opened");
  if (opened?.session !== id) return undefined;
  const file = isHosts ? ownSessionFile(spool, id) : plain;
  const added = isHosts ? eventsIn(file, effectiveUid()).filter((event) => event.session === id) : [];
  const events = added.length === 0 ? told : [...told, ...added].sort((one, other) => one.atUs - other.atUs);
  const session: LoginSession = { id, file, opened, ticket: opened.ticket, events };
  for (const event of events) {
    if (event.kind === "ticket switched") session.ticket = event.to;
    if (event.kind === "session closed") session.closed ??= event;
  }
  return session;
}

function linkTarget(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    // No link, or nothing at all.
    return undefined;
  }
}

/** What else lies in the folder (a FIFO, a link to /dev/zero, a file as large as the disk) must not hold a login up. */
function eventsIn(path: string, uid: number): SessionEvent[] {
  try {
    using file = PlainFile.open(path);
    if (!file || file.facts.uid !== uid || file.facts.size > LARGEST_FILE) return [];
    const bytes = new Uint8Array(file.facts.size);
    const { records } = readRecords(bytes.subarray(0, file.read(bytes, 0)));
    return records.flatMap(({ record }) => record.type === "event" ? [record.event] : []);
  } catch {
    // Not to be read: no session that could be proven.
    return [];
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
 * @param hostSpool root's folder, in which the agent makes its files
 * @returns the open session, or undefined if this process belongs to none
 */
export function currentSession(
  spool: string,
  claimed: string | undefined,
  hostSpool = hostPaths().hostSpool,
): LoginSession | undefined {
  const line = [...ancestors()];
  const boot = bootId();
  const proven = (session: LoginSession | undefined) =>
    session && !session.closed && session.opened.bootId === boot && isLedBySameUser(session.opened) &&
      (line.some((process) => isSame(process, session.opened)) ||
        (isAlive(session) && isOfSameLogin(line, session.opened.leaderPid)))
      ? session
      : undefined;
  const first = claimed === undefined ? undefined : proven(readLoginSession(spool, claimed, hostSpool));
  if (first) return first;
  let ids: string[];
  try {
    ids = [...Deno.readDirSync(spool)].flatMap(({ name }) => {
      const id = name.endsWith(".session") ? name.slice(0, -".session".length) : "";
      return isSessionId(id) ? [id] : [];
    });
  } catch {
    return undefined;
  }
  // The newest first: a session within a session is the nearer one.
  for (const id of ids.sort().reverse().slice(0, LOOKED_AT)) {
    const session = proven(readLoginSession(spool, id, hostSpool));
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
