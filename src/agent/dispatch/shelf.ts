/**
 * The newest events of the evidence, as news: made once for all sinks that are where news comes in. A sink that is far behind
 * reads for itself, a little at a time, and pushes nothing off the shelf.
 */

import type { EvidenceEvent } from "../../evidence/event.ts";
import type { SinkRows } from "../../evidence/sink_rows.ts";
import type { SinkNews } from "../../sinks/news.ts";

/** Makes news of events: a `NewsReader`. */
export interface NewsMaker {
  /** Of each event its news, or nothing, in their order. */
  read(events: readonly EvidenceEvent[]): SinkNews[];
  /** Some of what it has made was told: within the transaction that says so. */
  told(news: readonly SinkNews[], nowUs: number): void;
}

/** A stretch of the evidence. */
export interface Stretch {
  /** In their order. */
  news: SinkNews[];
  /** The `seq` up to which these are all. */
  upTo: number;
}

/** How many events are read at a time: between that, peers have their turn. */
const AT_A_TIME = 100;
/** How long making news of them may take, in milliseconds, and for how many times as long others have their turn then. */
const LONGEST_MS = 10;
const OTHERS_SHARE = 3;
/** What is kept on the shelf at most: events, and their bytes, about. */
const MOST = { events: 1000, bytes: 2_000_000 };

interface Place {
  event: EvidenceEvent;
  bytes: number;
  /** Undefined where nobody has wanted to know yet. */
  news: readonly SinkNews[] | undefined;
}

/** What has come in of late. */
export class Shelf {
  /** Without a gap. */
  #places: Place[] = [];
  #bytes = 0;
  #freeMs = 0;
  #maker: NewsMaker | undefined;
  /** By whom each was made: what is under way may be of one who has been followed by another. */
  readonly #makers = new WeakMap<SinkNews, NewsMaker>();

  constructor(readonly rows: SinkRows) {}

  /** The last event's `seq`. @throws {EvidenceError} */
  get head(): number {
    return this.rows.store.head().seq;
  }

  /** News is made otherwise from now on: what is made already does not count. */
  follow(maker: NewsMaker): void {
    this.#maker = maker;
    this.#empty();
  }

  /** Some of what was read here was told: within the transaction that says so. @throws {EvidenceError} */
  told(news: readonly SinkNews[], nowUs: number): void {
    for (const [maker, made] of Map.groupBy(news, (one) => this.#makers.get(one))) maker?.told(made, nowUs);
  }

  /** Returns when it may be read again: secrets are looked for in all of it, and others have the most of the agent's time. */
  async free(): Promise<void> {
    for (let ms = 0; ms >= 0; ms = this.#freeMs - performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }

  /**
   * What comes next behind an event, so much that it takes a few milliseconds.
   *
   * @param withCommands whether commands are wanted; those that are not cost nothing
   * @throws {EvidenceError}
   */
  read(after: number, withCommands: boolean): Stretch {
    const startMs = performance.now();
    const [first, last] = [this.#places[0]?.event.seq, this.#places.at(-1)?.event.seq];
    if (first !== undefined && after + 1 < first) {
      const { events, upTo } = this.rows.eventsAfter(after, AT_A_TIME, withCommands);
      return this.#stretch(events.map((event) => ({ event, bytes: 0, news: undefined })), upTo, startMs);
    }
    if (last === undefined || after >= last) this.#extend(after, last);
    const start = this.#places.findIndex(({ event }) => event.seq > after);
    const places = start < 0 ? [] : this.#places.slice(start, start + AT_A_TIME);
    const wanted = withCommands ? places : places.filter(({ event }) => !isOfCommand(event));
    return this.#stretch(wanted, places.at(-1)?.event.seq ?? after, startMs);
  }

  /** The news of those places; of the first ones, where more would take too long. */
  #stretch(places: readonly Place[], upTo: number, startMs: number): Stretch {
    const news: SinkNews[] = [];
    for (const place of places) {
      news.push(...place.news ??= this.#make(place.event));
      const tookMs = performance.now() - startMs;
      this.#freeMs = startMs + tookMs * (1 + OTHERS_SHARE);
      if (tookMs > LONGEST_MS) return { news, upTo: place === places.at(-1) ? upTo : place.event.seq };
    }
    return { news, upTo };
  }

  /** One event's, for once; undefined where retention has removed it, or it is no news any more. @throws {EvidenceError} */
  readOne(seq: number): SinkNews | undefined {
    const event = this.rows.event(seq);
    return event && this.#stretch([{ event, bytes: 0, news: undefined }], seq, performance.now()).news[0];
  }

  #make(event: EvidenceEvent): SinkNews[] {
    const maker = this.#maker;
    if (!maker) return [];
    const made = maker.read([event]);
    for (const one of made) this.#makers.set(one, maker);
    return made;
  }

  #extend(after: number, last: number | undefined): void {
    // What is missing in between nobody has asked for.
    if (last !== after) this.#empty();
    for (const event of this.rows.eventsAfter(after, AT_A_TIME, true).events) {
      const bytes = bytesOf(event);
      this.#places.push({ event, bytes, news: undefined });
      this.#bytes += bytes;
    }
    let excess = 0;
    while (this.#bytes > MOST.bytes || this.#places.length - excess > MOST.events) {
      const { event, bytes } = this.#places[excess] ?? {};
      if (bytes === undefined || (event?.seq ?? 0) > after) break;
      this.#bytes -= bytes;
      excess++;
    }
    this.#places.splice(0, excess);
  }

  #empty(): void {
    this.#places = [];
    this.#bytes = 0;
  }
}

function isOfCommand({ kind }: EvidenceEvent): boolean {
  return kind === "command" || kind === "command ended";
}

/** Of the event and of its news, about. */
function bytesOf({ command, data }: EvidenceEvent): number {
  const facts = command ? command.directory.length + command.text.length : JSON.stringify(data ?? {}).length;
  return 500 + 3 * facts;
}
