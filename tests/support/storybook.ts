/** A tracker that keeps comments in memory, and fails as it is told to: what no real one does on demand. */

import type { Markup } from "../../src/trackers/markup/markup.ts";
import { textile } from "../../src/trackers/markup/textile.ts";
import {
  CommentGoneError,
  type Storybook,
  type TimeSpent,
  type Tracker,
} from "../../src/trackers/tracker.ts";

/** What happens to the next request: it fails before or after it has had its effect. */
export interface Fate {
  when: "before" | "after";
  /** Throws, or never comes back. */
  how: () => Promise<never>;
}

/** One comment. */
export interface Comment {
  id: string;
  ticket: string;
  body: string;
}

/** Comments, and how they came about. */
export class MemoryStorybook implements Storybook {
  readonly comments: Comment[] = [];
  readonly times: (TimeSpent & { ticket: string })[] = [];
  /** Every request: its kind, and how many bytes its body had. */
  readonly requests: { kind: string; ticket: string; bytes: number }[] = [];
  /** What happens to the request of that kind. */
  fate: (kind: string, ticket: string) => Fate | undefined = () => undefined;
  isEditable = true;
  /** How many are under way, and how many were at most. */
  underWay = 0;
  mostUnderWay = 0;
  #ids = 0;

  constructor(readonly markup: Markup = textile) {}

  canEdit(): Promise<boolean> {
    return this.#request("canEdit", "", "", () => this.isEditable);
  }

  add(ticket: string, body: string): Promise<string> {
    return this.#request("add", ticket, body, () => {
      const id = String(++this.#ids);
      this.comments.push({ id, ticket, body });
      return id;
    });
  }

  edit(ticket: string, id: string, body: string): Promise<void> {
    return this.#request("edit", ticket, body, () => {
      const comment = this.comments.find((one) => one.id === id && one.ticket === ticket);
      if (!comment) throw new CommentGoneError(`there is no comment ${id}`);
      comment.body = body;
    });
  }

  find(ticket: string, mark: string): Promise<string | undefined> {
    return this.#request(
      "find",
      ticket,
      "",
      () => this.comments.find((one) => one.ticket === ticket && one.body.includes(mark))?.id,
    );
  }

  logTime(ticket: string, time: TimeSpent): Promise<void> {
    return this.#request("logTime", ticket, "", () => {
      const isThere = this.times.some((one) => one.ticket === ticket && one.comment.includes(time.mark));
      if (!isThere) this.times.push({ ...time, ticket });
    });
  }

  /** The comments of a ticket, in their order. */
  of(ticket: string): string[] {
    return this.comments.filter((one) => one.ticket === ticket).map(({ body }) => body);
  }

  async #request<Result>(kind: string, ticket: string, body: string, work: () => Result): Promise<Result> {
    this.requests.push({ kind, ticket, bytes: new TextEncoder().encode(body).length });
    const fate = this.fate(kind, ticket);
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    try {
      await Promise.resolve();
      if (fate?.when === "before") return await fate.how();
      const result = work();
      if (fate?.when === "after") return await fate.how();
      return result;
    } finally {
      this.underWay--;
    }
  }
}

/** A tracker with that storybook; it knows no tickets. `17` is its name for `#17`. */
export function trackerWith(storybook: Storybook | undefined): Tracker {
  const refuse = () => Promise.reject(new Error("this tracker has comments alone"));
  return {
    name: "Memory",
    keyOf: (typed) => typed.replace(/^#/, ""),
    urlOf: () => undefined,
    find: refuse,
    details: refuse,
    search: refuse,
    create: refuse,
    nextStatuses: refuse,
    setStatus: refuse,
    addNote: refuse,
    ...(storybook && { storybook }),
    [Symbol.dispose]: () => {},
  };
}
