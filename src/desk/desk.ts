/**
 * What `hello` and `saticket` ask about tickets. `LocalDesk` answers in this very process; another desk may ask the
 * host's agent.
 */

import type { Ticket, TicketDetails } from "../trackers/tracker.ts";

/** Which tickets a search looks at. */
export type WhichTickets = "open" | "all";

export interface Desk extends Disposable {
  /** What the prompt `Choose tracker for new ticket: ` offers; asked only where there is more than one. */
  trackers(): Promise<string[]>;
  /** @returns the ticket, or undefined if there is none by that key */
  find(key: string): Promise<Ticket | undefined>;
  /** @throws {TicketNotFoundError} */
  details(key: string): Promise<TicketDetails>;
  /**
   * Tickets that have all the words in their subject or notes, or as their key; for no words all of them. Newest
   * first, open ones alone unless told otherwise.
   */
  search(words: string, limit?: number, which?: WhichTickets): Promise<Ticket[]>;
  create(subject: string, tracker?: string): Promise<Ticket>;
  /** The statuses that the workflow allows the ticket to go to now, its present one not included. */
  nextStatuses(key: string): Promise<string[]>;
  /** @throws {TicketNotFoundError} @throws {StatusNotAllowedError} */
  setStatus(key: string, status: string): Promise<Ticket>;
  /** @throws {TicketNotFoundError} */
  addNote(key: string, text: string): Promise<void>;
}
