/** A host's evidence with somebody who tells stories of it, on a clock of the test's own. */

import type { TrackerSettings } from "../../src/config/tracker_settings.ts";
import type { NewEvent } from "../../src/evidence/event.ts";
import { Outbox } from "../../src/evidence/outbox.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { Stories } from "../../src/agent/stories/stories.ts";
import type { Masking } from "../../src/agent/stories/author.ts";
import type { Tracker, TrackerUnavailableError } from "../../src/trackers/tracker.ts";
import { EvidenceFolder, T0 } from "./evidence_events.ts";
import { MemoryStorybook, trackerWith } from "./storybook.ts";

/** Masks nothing. */
export const BARE: Masking = { apply: (text) => ({ text, masked: [] }) };

/** As the config has it. */
export function storySettings(more: Partial<TrackerSettings> = {}): TrackerSettings {
  return {
    kind: "Redmine",
    url: "https://redmine.example",
    projects: [],
    newTicketType: "",
    fields: {},
    users: {},
    mailDomain: "",
    unknownUsers: "allow",
    logsTime: false,
    storySeconds: 30,
    key: "k",
    format: "textile",
    activity: "",
    ...more,
  } as TrackerSettings;
}

/** Evidence, a storybook, and an agent's part that can be killed and started again. */
export class StoryHost implements Disposable {
  readonly #folder = new EvidenceFolder();
  readonly file = this.#folder.file;
  store = new EvidenceStore(this.file);
  outbox = new Outbox(this.store);
  nowMs = 1000;
  /** What others have found out of the tracker. */
  outage: TrackerUnavailableError | undefined;
  isDead = false;
  readonly #dead: EvidenceStore[] = [];
  stories = this.#begin();

  constructor(
    readonly book = new MemoryStorybook(),
    public settings = storySettings(),
    public mask = BARE,
    public tracker: Tracker = trackerWith(book),
  ) {
    this.follow();
  }

  #begin(): Stories {
    return new Stories(this.store, this.outbox, () => this.nowMs);
  }

  /** Goes on by the settings that there are now. */
  follow(): void {
    const { tracker, mask, settings } = this;
    this.stories.follow({ tracker, mask, settings, outage: () => this.outage });
  }

  /** Puts events in evidence, in one transaction. @returns their numbers */
  put(...events: NewEvent[]): number[] {
    // What `killBefore` counts is the stories' own.
    const transaction: EvidenceStore["transaction"] = EvidenceStore.prototype.transaction.bind(this.store);
    return transaction(() => events.map((event) => this.store.append(event, T0)));
  }

  /** One tick, and all that comes of it. */
  async tick(seconds = 1): Promise<void> {
    this.nowMs += seconds * 1000;
    this.stories.run();
    await this.rest();
  }

  /** Waits until nothing is being told, or it is killed. */
  async rest(): Promise<void> {
    while (this.stories.isBusy && !this.isDead) await new Promise((resolve) => setTimeout(resolve));
  }

  /** Ticks for so long. */
  async pass(seconds: number, step = 1): Promise<void> {
    for (let at = 0; at < seconds; at += step) await this.tick(step);
  }

  /** What happens to a request in whose middle it is killed. */
  readonly killed = (): Promise<never> => {
    this.kill();
    return new Promise(() => {});
  };

  /** Kills it before so many more transactions: what is not written then never is. */
  killBefore(transactions: number): void {
    const { store } = this;
    const work = store.transaction.bind(store);
    let left = transactions;
    store.transaction = (inner) => {
      if (left-- > 0) return work(inner);
      if (this.store === store) this.kill();
      throw new Error("it was killed");
    };
  }

  /** Kills it: nothing that was under way is written any more. */
  kill(): void {
    if (this.isDead) return;
    this.isDead = true;
    // It is not closed: SQLite in Deno does not bear a statement of a closed database.
    this.store.transaction = () => {
      throw new Error("it was killed");
    };
    this.#dead.push(this.store);
    this.stories[Symbol.dispose]();
  }

  /** Starts it again. */
  start(): void {
    this.isDead = false;
    this.store = new EvidenceStore(this.file);
    this.outbox = new Outbox(this.store);
    this.stories = this.#begin();
    this.follow();
  }

  [Symbol.dispose](): void {
    this.stories[Symbol.dispose]();
    for (const store of new Set([...this.#dead, this.store])) store[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }
}
