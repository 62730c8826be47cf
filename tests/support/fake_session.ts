/** Login sessions for tests: the real records, with a process of the test's as the leader. */

import { effectiveUid } from "../../src/posix/libc.ts";
import { factsOf } from "../../src/posix/plain_file.ts";
import { bootId, type Process, processOf } from "../../src/posix/process.ts";
import type { SessionOpened } from "../../src/record/event.ts";
import { sessionFile } from "../../src/record/login_session.ts";
import { newSessionId } from "../../src/record/session_id.ts";
import { appendEvent } from "../../src/record/spool.ts";

// libc, opened at the first look-up of a session, is no leak of a test's.
effectiveUid();
factsOf("/");

/**
 * Puts the opening of a session on record.
 *
 * @param spool its folder; made where it is not there
 * @param leader the process that leads it
 * @param ticket the ticket that it is on
 * @param other what else of the record is to be different
 * @returns the session's id
 */
export function openSession(
  spool: string,
  leader: Process,
  ticket: string | null,
  other: Partial<SessionOpened> = {},
): string {
  Deno.mkdirSync(spool, { recursive: true, mode: 0o700 });
  const session = newSessionId();
  appendEvent(sessionFile(spool, session), {
    kind: "session opened",
    session,
    atUs: Date.now() * 1000,
    user: "alice",
    uid: Deno.uid() ?? 0,
    host: "here",
    tty: "/dev/pts/0",
    from: "",
    mode: "interactive",
    shell: "/bin/bash",
    ticket,
    leaderPid: leader.pid,
    leaderStartTicks: leader.startTicks,
    bootId: bootId(),
    ...other,
  });
  return session;
}

/** The process of that number, which must be there. */
export function existingProcess(pid: number | "self"): Process {
  const found = processOf(pid);
  if (!found) throw new Error(`there is no process ${pid}`);
  return found;
}
