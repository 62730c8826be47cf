import { paths } from "../config/paths.ts";
import { ownName } from "../posix/libc.ts";
import type { LocalTracker } from "../trackers/local.ts";
import type { Ticket, TicketDetails } from "../trackers/tracker.ts";
import type { Desk, WhichTickets } from "./desk.ts";

/**
 * The desk of a host without an agent: the user's local tickets, in this very process.
 *
 * The store, and SQLite with it, is opened at the first question: whoever makes a desk and asks nothing pays
 * nothing. Every method rejects with a `TrackerUnavailableError` if the store cannot be used.
 *
 * @example
 * ```ts
 * using desk = new LocalDesk();
 * const ticket = await desk.create("Replace the disk");
 * ```
 */
export class LocalDesk implements Desk {
  #tracker: LocalTracker | undefined;

  /**
   * @param file where the tickets are
   * @param user who works at this desk
   */
  constructor(readonly file: string = paths().tickets, readonly user: string = ownName()) {}

  trackers(): Promise<string[]> {
    return Promise.resolve(["local"]);
  }

  async find(key: string): Promise<Ticket | undefined> {
    return (await this.#open()).find(key);
  }

  async details(key: string): Promise<TicketDetails> {
    return (await this.#open()).details(key);
  }

  async search(words: string, limit?: number, which: WhichTickets = "open"): Promise<Ticket[]> {
    return (await this.#open()).search(words, { limit, closedToo: which === "all" });
  }

  async create(subject: string): Promise<Ticket> {
    return (await this.#open()).create(subject);
  }

  async nextStatuses(key: string): Promise<string[]> {
    return (await this.#open()).nextStatuses(key);
  }

  async setStatus(key: string, status: string): Promise<Ticket> {
    return (await this.#open()).setStatus(key, status);
  }

  async addNote(key: string, text: string): Promise<void> {
    (await this.#open()).addNote(key, text);
  }

  [Symbol.dispose](): void {
    this.#tracker?.[Symbol.dispose]();
    this.#tracker = undefined;
  }

  async #open(): Promise<LocalTracker> {
    const { LocalTracker } = await import("../trackers/local.ts");
    this.#tracker ??= new LocalTracker(this.file, this.user);
    return this.#tracker;
  }
}
