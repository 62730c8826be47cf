import { ticketKeyOf } from "../trackers/ticket_key.ts";
import type { Created, Ticket, TicketDetails } from "../trackers/tracker.ts";
import { AgentUnavailableError, type Desk } from "./desk.ts";
import { SpoolDesk } from "./spool_desk.ts";

/**
 * The desk of a host whose agent does not answer. Sessions are in the user's own spool, where the agent finds them when it
 * is back; a ticket that looks like one is taken for one until then; notes go on record and reach the ticket later.
 *
 * Every method that needs the agent rejects with an `AgentUnavailableError`.
 */
export class OutageDesk extends SpoolDesk implements Desk {
  /** @returns a ticket that nobody has looked up, if the key has the form of one */
  find(key: string): Promise<Ticket | undefined> {
    const fitting = ticketKeyOf(key, this.policy.ticketPattern);
    return Promise.resolve(
      fitting === undefined
        ? undefined
        : { key: fitting, subject: "(not looked up)", status: "unverified", open: true },
    );
  }

  details(key: string): Promise<TicketDetails> {
    return this.#cannot(`ticket ${key} cannot be shown`);
  }

  search(): Promise<Ticket[]> {
    return this.#cannot("tickets cannot be searched");
  }

  create(): Promise<Created> {
    return this.#cannot("no ticket can be made");
  }

  nextStatuses(key: string): Promise<string[]> {
    return this.#cannot(`nobody knows which statuses ticket ${key} may have`);
  }

  setStatus(key: string): Promise<Ticket> {
    return this.#cannot(`the status of ticket ${key} cannot be set`);
  }

  async addNote(key: string, text: string): Promise<void> {
    if (!this.say({ kind: "note", ticket: key, text })) {
      await this.#cannot("a note from outside a login session cannot wait for it");
    }
  }

  [Symbol.dispose](): void {
    // Nothing is held open.
  }

  #cannot(what: string): Promise<never> {
    return Promise.reject(
      new AgentUnavailableError(
        `${what} now, as the agent (${this.places.socket}) does not answer: try again later`,
      ),
    );
  }
}
