/** What `saticket` puts on record about the login session that it runs in. */

import { paths } from "../config/paths.ts";
import { nowUs } from "../record/clock.ts";
import type { SessionClosed, SessionEvent } from "../record/event.ts";
import { currentSession, type LoginSession, readLoginSession } from "../record/login_session.ts";
import { appendEvent } from "../record/spool.ts";
import { CannotError } from "./cannot.ts";

/** An event without what every event of a session has. */
export type Saying = SessionEvent extends infer Kind
  ? Kind extends SessionEvent ? Omit<Kind, "session" | "atUs"> : never
  : never;

/** The login session that this process belongs to; see `currentSession`. */
export function mySession(): LoginSession | undefined {
  return currentSession(paths().spool, Deno.env.get("SRVAUDIT_SESSION"));
}

/**
 * Puts an event of a login session on record, as of now.
 *
 * @throws {CannotError} if its spool file cannot be written
 */
export function putOnRecord(session: LoginSession, saying: Saying): void {
  try {
    appendEvent(session.file, { ...saying, session: session.id, atUs: nowUs() } as SessionEvent);
  } catch (error) {
    throw new CannotError(
      `cannot put the ${saying.kind} on record: ${messageOf(error)}: ` +
        `see whether ${session.file} can be written and the disk has room`,
      { cause: error },
    );
  }
}

/**
 * Closes a login session, once: of several that try, the first one does it.
 *
 * @returns whether it was this call that closed it
 * @throws {CannotError} if its spool file cannot be written
 */
export function closeSession(
  session: LoginSession,
  how: SessionClosed["how"],
  exitCode: number | undefined,
): boolean {
  const spool = session.file.slice(0, session.file.lastIndexOf("/"));
  using file = Deno.openSync(session.file);
  file.lockSync(true);
  if (readLoginSession(spool, session.id)?.closed) return false;
  putOnRecord(session, { kind: "session closed", how, ...(exitCode === undefined ? {} : { exitCode }) });
  return true;
}

/** What went wrong, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
