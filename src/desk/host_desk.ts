import type { Policy } from "../config/policy.ts";
import type { SessionClosed } from "../record/event.ts";
import {
  type Answers,
  type Created,
  type Ticket,
  type TicketDetails,
  TrackerUnavailableError,
} from "../trackers/tracker.ts";
import { AgentUnavailableError, type Desk, type OpenedSession, type WhichTickets } from "./desk.ts";
import { OutageDesk } from "./outage_desk.ts";
import type { Opening, PresentSession } from "./protocol.ts";
import { type Patience, patienceOf, RemoteDesk } from "./remote_desk.ts";
import type { DeskPlaces } from "./spool_desk.ts";

/** How to work with an agent that may be gone. */
export interface HostDeskOptions {
  /**
   * Told, once, if the agent does not answer: then the desk works without it for the rest of its life. What it throws is
   * what the present question, and that alone, is rejected with. Told, too, of a note that waits for the tracker.
   */
  onOutage: (error: AgentUnavailableError | TrackerUnavailableError) => void;
  /**
   * Whether a session in the user's own spool counts where the agent answers and knows of none. She can write there what
   * she likes: that is for what is done within a session, not for who is let in.
   */
  trustsOwnSpool: boolean;
  /** As `patienceOf` the policy, where it is not given. */
  patience?: Patience;
}

/**
 * Asks the agent, and, from the first time on that it does not answer, works without.
 *
 * A session that was opened while there was no agent stays in the user's own spool, and so does what is said of it: the
 * agent takes it from there, whether it is back already or not.
 */
export class HostDesk implements Desk {
  readonly #agent: Desk;
  readonly #own: OutageDesk;
  #isOut = false;
  /** Whether the session of this process is one that the agent does not know. */
  #isOwn = false;

  constructor(places: DeskPlaces, policy: Policy, private readonly options: HostDeskOptions) {
    this.#agent = new RemoteDesk(places, options.patience ?? patienceOf(policy));
    this.#own = new OutageDesk(places, policy);
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

  create(answers: Answers): Promise<Created> {
    return this.#ask((desk) => desk.create(answers));
  }

  nextStatuses(key: string): Promise<string[]> {
    return this.#ask((desk) => desk.nextStatuses(key));
  }

  async setStatus(key: string, status: string): Promise<Ticket> {
    const before = this.#isOwn ? await this.find(key) : undefined;
    const after = await this.#ask((desk) => desk.setStatus(key, status));
    if (before && before.status !== after.status) {
      this.#own.say({ kind: "status", ticket: after.key, from: before.status, to: after.status });
    }
    return after;
  }

  async addNote(key: string, text: string): Promise<void> {
    try {
      await this.#askOfSession((desk) => desk.addNote(key, text));
    } catch (error) {
      // It waits on the user's own record, from where the agent takes it to the tracker later.
      if (!(error instanceof TrackerUnavailableError)) throw error;
      if (!this.#own.say({ kind: "note", ticket: key, text })) throw error;
      this.options.onOutage(error);
    }
  }

  async session(): Promise<PresentSession | undefined> {
    const known = await this.#ask((desk) => desk.session());
    if (known || this.#isOut || !this.options.trustsOwnSpool) return known;
    const own = await this.#own.session();
    this.#isOwn = own !== undefined;
    return own;
  }

  open(opening: Opening): Promise<OpenedSession> {
    return this.#ask((desk) => desk.open(opening));
  }

  attach(): Promise<string | null> {
    return this.#ask((desk) => desk.attach());
  }

  switchTo(key: string): Promise<string | null> {
    return this.#askOfSession((desk) => desk.switchTo(key));
  }

  close(how: SessionClosed["how"], exitCode: number | undefined): Promise<boolean> {
    return this.#askOfSession((desk) => desk.close(how, exitCode));
  }

  [Symbol.dispose](): void {
    // Neither of the two holds anything open.
  }

  #askOfSession<T>(question: (desk: Desk) => Promise<T>): Promise<T> {
    return this.#isOwn ? question(this.#own) : this.#ask(question);
  }

  async #ask<T>(question: (desk: Desk) => Promise<T>): Promise<T> {
    if (this.#isOut) return await question(this.#own);
    try {
      return await question(this.#agent);
    } catch (error) {
      if (!(error instanceof AgentUnavailableError)) throw error;
      this.#isOut = true;
      this.options.onOutage(error);
      return await question(this.#own);
    }
  }
}
