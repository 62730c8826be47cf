/**
 * What `hello` and `saticket` ask about tickets and login sessions. `LocalDesk` answers in this very process, `RemoteDesk` asks
 * the host's agent, and `OutageDesk` is for when that does not answer.
 */

import type { SessionClosed } from "../record/event.ts";
import type { Answers, Created, Ticket, TicketDetails } from "../trackers/tracker.ts";
import type { Opening, PresentSession } from "./protocol.ts";

/** Which tickets a search looks at. */
export type WhichTickets = "open" | "all";

/** A session that was opened, and where its shell is to write. */
export interface OpenedSession {
  id: string;
  /** The shell's own spool file, if it is made already; else the shell makes one. */
  spoolFile: string | null;
}

/** The agent does not answer, or not in time. */
export class AgentUnavailableError extends Error {
  override name = "AgentUnavailableError";
}

/** The policy does not let this user do that. */
export class RefusedError extends Error {
  override name = "RefusedError";
}

/** This process is in no login session. */
export class NoSessionError extends Error {
  override name = "NoSessionError";
}

/** It was done, or would have been, but cannot be put on the session's record. */
export class NotOnRecordError extends Error {
  override name = "NotOnRecordError";
}

/**
 * Every method rejects with an `AgentUnavailableError` or a `TrackerUnavailableError` where it cannot be answered, and with
 * a `TicketRefusedError` where the tracker says no to this user.
 */
export interface Desk extends Disposable {
  /** @returns the ticket, or undefined if there is none by that key */
  find(key: string): Promise<Ticket | undefined>;
  /** @throws {TicketNotFoundError} */
  details(key: string): Promise<TicketDetails>;
  /**
   * Tickets that have all the words in their subject or notes, or as their key; for no words the user's own, or all, where
   * the tracker does not know whose is whose. Newest first, open ones alone unless told otherwise.
   *
   * @throws {TicketRefusedError} for more words than it looks for
   */
  search(words: string, limit?: number, which?: WhichTickets): Promise<Ticket[]>;
  /**
   * Makes a ticket, if all that it demands is answered.
   *
   * @returns the ticket; or what is to be asked next, with what is to be taken where nobody answers
   * @throws {TicketRefusedError} for an answer that is not taken
   */
  create(answers: Answers): Promise<Created>;
  /** The statuses that the workflow allows the ticket to go to now, its present one not included. */
  nextStatuses(key: string): Promise<string[]>;
  /**
   * Sets a status; in a login session it goes on its record.
   *
   * @throws {TicketNotFoundError} @throws {StatusNotAllowedError} @throws {TicketRefusedError}
   * @throws {NotOnRecordError} if that is all that failed
   */
  setStatus(key: string, status: string): Promise<Ticket>;
  /**
   * Adds a note; in a login session it goes on its record, even where the tracker cannot take it.
   *
   * @throws {TicketNotFoundError} @throws {NotOnRecordError} if that is all that failed
   */
  addNote(key: string, text: string): Promise<void>;
  /** The login session that this process is in, or undefined. */
  session(): Promise<PresentSession | undefined>;
  /** Opens a login session that this process leads. @throws {RefusedError} */
  open(opening: Opening): Promise<OpenedSession>;
  /**
   * For the shell that this process becomes within a session that is open already.
   *
   * @returns the spool file that is made for it, or null where the shell makes its own
   */
  attach(): Promise<string | null>;
  /**
   * Puts the session on another ticket.
   *
   * @returns the one that it was on
   * @throws {NoSessionError} @throws {NotOnRecordError}
   */
  switchTo(key: string): Promise<string | null>;
  /**
   * Closes the session, once: of several that try, the first one does it.
   *
   * @returns whether it was this call that closed it
   * @throws {NoSessionError} @throws {NotOnRecordError}
   */
  close(how: SessionClosed["how"], exitCode: number | undefined): Promise<boolean>;
}
