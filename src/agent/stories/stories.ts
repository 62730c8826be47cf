/** Tells the tracker of each session what was done in it: a comment on its ticket that is kept up to date. */

import type { TrackerSettings } from "../../config/tracker_settings.ts";
import { MaskedEvents } from "../../evidence/masked.ts";
import type { Outbox } from "../../evidence/outbox.ts";
import type { EvidenceStore } from "../../evidence/store.ts";
import { StoryEvents } from "../../evidence/story_events.ts";
import { StoryRows } from "../../evidence/story_rows.ts";
import { nowUs } from "../../record/clock.ts";
import type { Tracker } from "../../trackers/tracker.ts";
import { log } from "../log.ts";
import type { Masking } from "./author.ts";
import { CONSUMER, News, type Reader } from "./news.ts";
import { type Outage, Writer } from "./writer.ts";

export type { Masking };

/** Where stories are told, and how. */
export interface Readership {
  /** One without a storybook is told nothing. */
  tracker: Tracker;
  mask: Masking;
  settings: TrackerSettings;
  /** Why the tracker is to be left alone now, as others have found out. */
  outage?: Outage;
}

/** How much of the evidence is looked through in a turn: see `News`. */
const LOOKS = 3;
/** How often stories are looked for whose sessions' events are gone, in milliseconds. */
const TIDY_MS = 3_600_000;

/**
 * The stories of a host. Each moment may be the agent's last: everything that it must know is in evidence.
 *
 * @example
 * ```ts
 * using stories = new Stories(store, new Outbox(store));
 * stories.follow({ tracker, mask, settings });
 * setInterval(() => stories.run(), 1000);
 * ```
 */
export class Stories implements Disposable {
  readonly #rows: StoryRows;
  readonly #events: StoryEvents;
  readonly #masked: MaskedEvents;
  #telling: { news: News; reader: Reader; writer: Writer; end: AbortController } | undefined;
  #tidyMs = -Infinity;

  /** @param clockMs a clock that nobody sets */
  constructor(
    readonly store: EvidenceStore,
    readonly outbox: Outbox,
    readonly clockMs: () => number = () => performance.now(),
  ) {
    this.#rows = new StoryRows(store.database);
    this.#events = new StoryEvents(store.database);
    this.#masked = new MaskedEvents(store);
  }

  /**
   * Goes on by other settings: to be called at the start, and at each reload, before the tracker of before is disposed.
   *
   * @throws {EvidenceError}
   */
  follow({ tracker, mask, settings, outage = () => undefined }: Readership): void {
    this[Symbol.dispose]();
    const book = tracker.storybook;
    const name = settings.kind === "local" ? "local" : `${settings.kind} ${settings.url}`;
    const asleep = this.store.transaction(() => {
      this.#rows.forgetTries();
      return this.#rows.wake(name);
    });
    if (asleep > 0) {
      log.warn("{count} stories wait for another tracker than the config's", { count: asleep });
    }
    if (!book || settings.kind === "local") return this.outbox.unregister(CONSUMER);
    const { store, outbox } = this;
    const [rows, events, masked] = [this.#rows, this.#events, this.#masked];
    const end = new AbortController();
    const { logsTime } = settings;
    const author = { store, outbox, rows, events, tracker, book, mask, masked, logsTime, end: end.signal };
    const news = new News(store, outbox, rows, events);
    const writer = new Writer(author, settings, rows.waiting(name), outage, this.clockMs);
    this.#telling = {
      news,
      writer,
      reader: { tracker: name, keyOf: (ticket) => tracker.keyOf(ticket) },
      end,
    };
  }

  /**
   * Takes in what is new, and begins to tell what is due; returns at once. To be called each second. No failure of the
   * tracker's is thrown.
   *
   * @throws {EvidenceError}
   */
  run(): void {
    if (this.clockMs() >= this.#tidyMs) this.#tidyUp();
    if (!this.#telling) return;
    const { news, reader, writer } = this.#telling;
    for (let looks = 0; looks < LOOKS; looks++) {
      const stories = news.take(reader, writer.trouble);
      if (!stories) break;
      for (const [story, urgency] of stories) {
        if (story.tracker === reader.tracker && story.standing !== "false") writer.add(story, urgency);
      }
    }
    writer.run();
  }

  /** Whether anything is being told just now. */
  get isBusy(): boolean {
    return this.#telling?.writer.isBusy ?? false;
  }

  /** What retention has removed nobody can tell any more. */
  #tidyUp(): void {
    this.#tidyMs = this.clockMs() + TIDY_MS;
    const untold = this.store.transaction(() => this.#rows.removeOld());
    for (const { ticket, session } of untold) {
      log.error("the story for {ticket} was not told: its session's evidence is gone", { ticket, session });
      this.store.transaction(() =>
        this.store.append({
          kind: "agent",
          atUs: nowUs(),
          session: null,
          shell: null,
          uid: null,
          data: { what: "story lost", words: "a session's evidence went before its story was told", ticket },
        }, nowUs())
      );
    }
  }

  /** Gives up what it is telling just now: the next agent finds out how far it came. */
  [Symbol.dispose](): void {
    this.#telling?.end.abort(new Error("the agent, or its tracker, has ended"));
    this.#telling = undefined;
  }
}
