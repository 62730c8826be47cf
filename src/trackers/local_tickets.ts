/** The host's own tickets, as the agent works on them: the same store for everybody, and each in her own name. */

import { LocalTracker, wordsOf } from "./local.ts";
import { localSubject } from "./local_answers.ts";
import {
  type Answers,
  type Asking,
  type Created,
  type Search,
  type StatusChange,
  SUBJECT_QUESTION,
  type Ticket,
  type TicketDetails,
  TicketNotFoundError,
  TicketRefusedError,
  type Tracker,
} from "./tracker.ts";

/** So many tickets are looked at in one go: others have their turn in between. */
const SEARCHED_AT_ONCE = 64;
/** How long a search goes on, in milliseconds: what it has found by then is better than nothing. */
const SEARCH_MS = 1500;
/** Each word costs. */
const MOST_WORDS = 16;

/**
 * The tracker of a host without a ticket system. Its store is opened anew for each question: it may be moved away and put
 * back while the agent runs.
 *
 * @example
 * ```ts
 * using tracker = new LocalTickets("/var/lib/srvaudit/tickets.db");
 * const created = await tracker.create(asking, { subject: "Replace the disk" });
 * ```
 */
export class LocalTickets implements Tracker {
  readonly name = "local";

  /** @param file the store's path; it is made at the first question where it is not there */
  constructor(readonly file: string) {}

  keyOf(typed: string): string {
    return typed.replace(/^#/, "");
  }

  urlOf(): undefined {
    return undefined;
  }

  find(asking: Asking, key: string): Promise<Ticket | undefined> {
    return this.#in(asking, (tracker) => tracker.find(key));
  }

  details(asking: Asking, key: string): Promise<TicketDetails> {
    return this.#in(asking, (tracker) => tracker.details(key));
  }

  /** Looks at some tickets at a time, until the limit, its own time, or the asker's patience is reached. */
  search(asking: Asking, { words, limit, closedToo }: Search): Promise<Ticket[]> {
    if (wordsOf(words).length > MOST_WORDS) {
      return Promise.reject(new TicketRefusedError(`a search has ${MOST_WORDS} words at most`));
    }
    return this.#in(asking, async (tracker) => {
      const found: Ticket[] = [];
      const endMs = performance.now() + SEARCH_MS;
      for (let below: number | undefined = Number.MAX_SAFE_INTEGER; below !== undefined;) {
        const part = tracker.searchPart(words, { below, tickets: SEARCHED_AT_ONCE, closedToo });
        found.push(...part.found);
        if (found.length >= limit || performance.now() > endMs || asking.signal.aborted) break;
        below = part.next;
        await new Promise((resolve) => setTimeout(resolve));
      }
      return found.slice(0, limit);
    });
  }

  async create(asking: Asking, answers: Answers): Promise<Created> {
    const subject = localSubject(answers);
    if (subject === undefined) return { questions: [SUBJECT_QUESTION] };
    return await this.#in(asking, (tracker) => ({ ticket: tracker.create(subject) }));
  }

  nextStatuses(asking: Asking, key: string): Promise<string[]> {
    return this.#in(asking, (tracker) => tracker.nextStatuses(key));
  }

  setStatus(asking: Asking, key: string, status: string): Promise<StatusChange> {
    return this.#in(asking, (tracker) => {
      const before = tracker.find(key);
      if (!before) throw new TicketNotFoundError(`there is no ticket ${key}`);
      return { before: before.status, after: tracker.setStatus(key, status) };
    });
  }

  addNote(asking: Asking, key: string, text: string): Promise<void> {
    return this.#in(asking, (tracker) => tracker.addNote(key, text));
  }

  [Symbol.dispose](): void {
    // Each question had the store open for itself.
  }

  async #in<T>({ person }: Asking, work: (tracker: LocalTracker) => T | Promise<T>): Promise<T> {
    using tracker = new LocalTracker(this.file, person.name);
    return await work(tracker);
  }
}
