import type { Ticket } from "../trackers/tracker.ts";

/** How long a ticket that was found open is taken for open, in milliseconds. */
const FRESH_MS = 60_000;
/** How many are kept in mind at most: of one more, the oldest is forgotten. */
const MOST = 2000;

/**
 * Tickets that were found open a moment ago, each user's apart: what one may see another may not. So a login asks once, though
 * `hello` and the agent's own admission both want to know. Questions that are the same, and under way, are one.
 */
export class FoundTickets {
  readonly #open = new Map<string, { ticket: Ticket; atMs: number }>();
  readonly #underWay = new Map<string, Promise<Ticket | undefined>>();
  /** Counts what was forgotten: what was asked before that is not kept in mind. */
  #forgotten = 0;

  /**
   * @param key as the tracker writes it
   * @param look asks the tracker
   * @returns what it says, or has said not long ago
   */
  find(uid: number, key: string, look: () => Promise<Ticket | undefined>): Promise<Ticket | undefined> {
    const name = nameOf(uid, key);
    const known = this.#open.get(name);
    if (known && performance.now() - known.atMs < FRESH_MS) return Promise.resolve(known.ticket);
    const underWay = this.#underWay.get(name);
    if (underWay) return underWay;
    const question = this.#ask(name, look).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, question);
    return question;
  }

  /** @param key as the tracker writes it */
  forget(key: string): void {
    this.#forgotten++;
    // An answer that is on its way may be the old one.
    this.#underWay.clear();
    for (const name of this.#open.keys()) if (name.endsWith(nameOf("", key))) this.#open.delete(name);
  }

  async #ask(name: string, look: () => Promise<Ticket | undefined>): Promise<Ticket | undefined> {
    const forgotten = this.#forgotten;
    const ticket = await look();
    this.#open.delete(name);
    if (ticket?.open && forgotten === this.#forgotten) {
      this.#open.set(name, { ticket, atMs: performance.now() });
    }
    const [oldest] = this.#open.keys();
    if (this.#open.size > MOST && oldest !== undefined) this.#open.delete(oldest);
    return ticket;
  }
}

function nameOf(uid: number | "", key: string): string {
  return `${uid} ${key}`;
}
