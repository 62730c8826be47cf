import type { LoginPolicy } from "../config/policy.ts";
import type { SessionClosed } from "../record/event.ts";
import type { Ticket, TicketDetails } from "../trackers/tracker.ts";
import { AgentUnavailableError, type Desk, type OpenedSession, type WhichTickets } from "./desk.ts";
import { LocalDesk } from "./local_desk.ts";
import { OutageDesk } from "./outage_desk.ts";
import type { Opening, PresentSession } from "./protocol.ts";
import { type Patience, RemoteDesk } from "./remote_desk.ts";
import type { DeskPlaces } from "./spool_desk.ts";

/**
 * Opens the desk that this host has: the agent's, with one to fall back on, or, without an agent, the local one.
 *
 * @param onOutage is told, once, if the agent does not answer: then the desk works without it for the rest of its life
 *
 * @example
 * ```ts
 * using desk = openDesk(paths(), loginPolicy(paths()), (error) => tell(`${error.message}\n`));
 * ```
 */
export function openDesk(
  places: DeskPlaces,
  { policy, hasAgent }: LoginPolicy,
  onOutage: (error: AgentUnavailableError) => void,
  patience?: Patience,
): Desk {
  if (!hasAgent) return new LocalDesk(places, policy);
  return new HostDesk(new RemoteDesk(places, patience), new OutageDesk(places, policy), onOutage);
}

/** Asks the agent, and, from the first time on that it does not answer, another desk. */
class HostDesk implements Desk {
  #present: Desk;

  constructor(
    agent: Desk,
    private readonly other: Desk,
    private readonly onOutage: (error: AgentUnavailableError) => void,
  ) {
    this.#present = agent;
  }

  trackers(): Promise<string[]> {
    return this.#ask((desk) => desk.trackers());
  }

  find(key: string): Promise<Ticket | undefined> {
    return this.#ask((desk) => desk.find(key));
  }

  details(key: string): Promise<TicketDetails> {
    return this.#ask((desk) => desk.details(key));
  }

  search(words: string, limit?: number, which?: WhichTickets): Promise<Ticket[]> {
    return this.#ask((desk) => desk.search(words, limit, which));
  }

  create(subject: string, tracker?: string): Promise<Ticket> {
    return this.#ask((desk) => desk.create(subject, tracker));
  }

  nextStatuses(key: string): Promise<string[]> {
    return this.#ask((desk) => desk.nextStatuses(key));
  }

  setStatus(key: string, status: string): Promise<Ticket> {
    return this.#ask((desk) => desk.setStatus(key, status));
  }

  addNote(key: string, text: string): Promise<void> {
    return this.#ask((desk) => desk.addNote(key, text));
  }

  session(): Promise<PresentSession | undefined> {
    return this.#ask((desk) => desk.session());
  }

  open(opening: Opening): Promise<OpenedSession> {
    return this.#ask((desk) => desk.open(opening));
  }

  attach(): Promise<string | null> {
    return this.#ask((desk) => desk.attach());
  }

  switchTo(key: string): Promise<string | null> {
    return this.#ask((desk) => desk.switchTo(key));
  }

  close(how: SessionClosed["how"], exitCode: number | undefined): Promise<boolean> {
    return this.#ask((desk) => desk.close(how, exitCode));
  }

  [Symbol.dispose](): void {
    this.#present[Symbol.dispose]();
  }

  async #ask<T>(question: (desk: Desk) => Promise<T>): Promise<T> {
    try {
      return await question(this.#present);
    } catch (error) {
      if (!(error instanceof AgentUnavailableError) || this.#present === this.other) throw error;
      this.#present = this.other;
      this.onOutage(error);
      return await question(this.other);
    }
  }
}
