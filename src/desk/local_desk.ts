import { DEFAULT_POLICY, type Policy } from "../config/policy.ts";
import { ownName } from "../posix/libc.ts";
import type { LocalTracker } from "../trackers/local.ts";
import { localSubject } from "../trackers/local_answers.ts";
import {
  type Answers,
  type Created,
  SUBJECT_QUESTION,
  type Ticket,
  type TicketDetails,
  TicketNotFoundError,
} from "../trackers/tracker.ts";
import type { Desk, WhichTickets } from "./desk.ts";
import { type DeskPlaces, SpoolDesk } from "./spool_desk.ts";

/**
 * The desk of a host without an agent: the user's local tickets, in this very process, and sessions in her own spool.
 *
 * The store, and SQLite with it, is opened at the first question about tickets: whoever makes a desk and asks nothing
 * pays nothing. Every method that needs it rejects with a `TrackerUnavailableError` if the store cannot be used.
 *
 * @example
 * ```ts
 * using desk = new LocalDesk(paths());
 * const created = await desk.create({ subject: "Replace the disk" });
 * ```
 */
export class LocalDesk extends SpoolDesk implements Desk {
  #tracker: LocalTracker | undefined;

  /**
   * @param user who works at this desk
   */
  constructor(places: DeskPlaces, policy: Policy = DEFAULT_POLICY, readonly user: string = ownName()) {
    super(places, policy);
  }

  async find(key: string): Promise<Ticket | undefined> {
    return (await this.#tickets()).find(key);
  }

  async details(key: string): Promise<TicketDetails> {
    return (await this.#tickets()).details(key);
  }

  async search(words: string, limit?: number, which: WhichTickets = "open"): Promise<Ticket[]> {
    return (await this.#tickets()).search(words, { limit, closedToo: which === "all" });
  }

  async create(answers: Answers): Promise<Created> {
    const subject = localSubject(answers);
    if (subject === undefined) return { questions: [SUBJECT_QUESTION] };
    return { ticket: (await this.#tickets()).create(subject) };
  }

  async nextStatuses(key: string): Promise<string[]> {
    return (await this.#tickets()).nextStatuses(key);
  }

  async setStatus(key: string, status: string): Promise<Ticket> {
    const tickets = await this.#tickets();
    const before = tickets.find(key);
    if (!before) throw new TicketNotFoundError(`there is no ticket ${key}`);
    const after = tickets.setStatus(key, status);
    if (after.status !== before.status) {
      this.say({ kind: "status", ticket: after.key, from: before.status, to: after.status });
    }
    return after;
  }

  async addNote(key: string, text: string): Promise<void> {
    let told = {};
    try {
      (await this.#tickets()).addNote(key, text);
      told = { told: true };
    } finally {
      this.say({ kind: "note", ticket: key, text, ...told });
    }
  }

  [Symbol.dispose](): void {
    this.#tracker?.[Symbol.dispose]();
    this.#tracker = undefined;
  }

  async #tickets(): Promise<LocalTracker> {
    const { LocalTracker } = await import("../trackers/local.ts");
    this.#tracker ??= new LocalTracker(this.places.tickets, this.user);
    return this.#tracker;
  }
}
