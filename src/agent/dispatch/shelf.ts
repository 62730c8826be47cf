/**
 * The newest events of the evidence, as news: made once for all sinks that are where news comes in. A sink that is far behind
 * reads for itself, a little at a time, and pushes nothing off the shelf.
 */

import type { EvidenceEvent } from "../../evidence/event.ts";
import type { SinkRows } from "../../evidence/sink_rows.ts";
import type { SinkNews } from "../../sinks/news.ts";

/** Makes news of events: of each none or one, in their order. */
export type MakeNews = (events: readonly EvidenceEvent[]) => SinkNews[];

/** A stretch of the evidence. */
export interface Stretch {
  /** In their order. */
  news: SinkNews[];
  /** The `seq` up to which these are all. */
  upTo: number;
}

/** How many events are read at a time: between that, peers have their turn. */
const AT_A_TIME = 100;
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

  constructor(readonly rows: SinkRows, public make: MakeNews) {}

  /** The last event's `seq`. @throws {EvidenceError} */
  get head(): number {
    return this.rows.store.head().seq;
  }

  /** News is made otherwise from now on: what is made already does not count. */
  follow(make: MakeNews): void {
    this.make = make;
    this.#empty();
  }

  /**
   * What comes next behind an event, so much that it takes a few milliseconds.
   *
   * @param withCommands whether commands are wanted; those that are not cost nothing
   * @throws {EvidenceError}
   */
  read(after: number, withCommands: boolean): Stretch {
    const [first, last] = [this.#places[0]?.event.seq, this.#places.at(-1)?.event.seq];
    if (first !== undefined && after + 1 < first) return this.#readElsewhere(after, withCommands);
    if (first === undefined || last === undefined || after >= last) this.#extend(after, last);
    const start = this.#places.findIndex(({ event }) => event.seq > after);
    if (start < 0) return { news: [], upTo: after };
    const places = this.#places.slice(start, start + AT_A_TIME);
    const wanted = places.filter(({ event }) => withCommands || !isOfCommand(event));
    const missing = wanted.filter(({ news }) => !news);
    const made = this.make(missing.map(({ event }) => event));
    for (const place of missing) place.news = made.filter(({ seq }) => seq === place.event.seq);
    return { news: wanted.flatMap(({ news }) => news ?? []), upTo: places.at(-1)?.event.seq ?? after };
  }

  /** One event's, for once. Undefined where retention has removed it; empty where it is no news any more. */
  readOne(seq: number): SinkNews[] | undefined {
    const event = this.rows.event(seq);
    return event && this.make([event]);
  }

  #readElsewhere(after: number, withCommands: boolean): Stretch {
    const { events, upTo } = this.rows.eventsAfter(after, AT_A_TIME, withCommands);
    return { news: this.make(events), upTo };
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
