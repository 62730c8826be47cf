/** What is to be known of sinks beside their places in the outbox: what they would not take, and what they must not forget. */

import { numberOrNull } from "./cells.ts";
import type { EvidenceEvent } from "./event.ts";
import { withEvidenceErrors } from "./evidence_error.ts";
import { eventOf } from "./row.ts";
import type { EvidenceStore } from "./store.ts";

/** As SQL; a migration of `schema.ts`. */
export const SINK_TABLES = `
-- Events that a sink has refused for good. Rows go with their events. again: whether it is to be sent once more.
create table dead_letter (
  sink text not null,
  seq integer not null,
  at_us integer not null,
  reason text not null,
  again integer not null default 0,
  primary key (sink, seq)
) without rowid;
create index dead_letter_again on dead_letter (sink, seq) where again;

-- What a sink must not forget: the message of a session, say.
create table sink_memory (
  sink text not null,
  name text not null,
  value text not null,
  at_us integer not null,
  primary key (sink, name)
) without rowid;
`;

/** An event that a sink has refused. */
export interface DeadLetter {
  seq: number;
  reason: string;
}

/** How much of a reason is kept, in characters: it may be a receiver's whole page. */
const LONGEST_REASON = 500;

/** So many bytes of events are read at a time, about. */
const READ_BYTES = 512 * 1024;
/** So many events are looked over at a time, where commands are left out. */
const LOOKED_OVER = 2000;

const SIZE = `200 + coalesce(length(data), 0) + coalesce(length(directory), 0) + coalesce(length(text), 0)
  + coalesce(length(directory_bytes), 0) + coalesce(length(text_bytes), 0)`;
const WANTED = "(? or kind not in ('command', 'command ended'))";

/** The statements. Each call is on the disk when it returns; within a transaction of the store's, when that is. */
export class SinkRows {
  readonly #addLetter;
  readonly #dropLetter;
  readonly #again;
  readonly #letters;
  readonly #count;
  readonly #gone;
  readonly #get;
  readonly #set;
  readonly #unset;
  readonly #stale;
  readonly #sizes;
  readonly #events;
  readonly #event;
  readonly #taken;
  readonly #forget;

  /** @throws {EvidenceError} as all of its methods do */
  constructor(readonly store: EvidenceStore) {
    const { database } = store;
    this.#addLetter = database.prepare(
      "insert or replace into dead_letter (sink, seq, at_us, reason) values (?, ?, ?, ?)",
    );
    this.#dropLetter = database.prepare("delete from dead_letter where sink = ? and seq = ?");
    this.#again = database.prepare("update dead_letter set again = 1 where sink = ?");
    this.#letters = database.prepare(
      "select seq from dead_letter where sink = ? and again order by seq limit ?",
    );
    this.#count = database.prepare(
      "select count(*) as count, count(*) filter (where again) as again from dead_letter where sink = ?",
    );
    this.#gone = database.prepare(
      "delete from dead_letter where seq < (select min(seq) from event) or not exists (select 1 from event)",
    );
    this.#get = database.prepare("select value from sink_memory where sink = ? and name = ?");
    this.#set = database.prepare(
      "insert or replace into sink_memory (sink, name, value, at_us) values (?, ?, ?, ?)",
    );
    this.#unset = database.prepare("delete from sink_memory where sink = ? and name = ?");
    this.#stale = database.prepare("delete from sink_memory where at_us < ?");
    this.#sizes = database.prepare(
      `select seq, ${SIZE} as size from event where seq > ? and seq <= ? and ${WANTED} order by seq limit ?`,
    );
    this.#events = database.prepare(
      `select * from event where seq > ? and seq <= ? and ${WANTED} order by seq`,
    );
    this.#event = database.prepare("select * from event where seq = ?");
    this.#taken = database.prepare("select taken_us from event where seq > ? order by seq limit 1");
    this.#forget = ["dead_letter", "sink_memory"].map((table) =>
      database.prepare(`delete from ${table} where sink = ?`)
    );
  }

  /** It was refused; if it had been before, this reason counts. */
  addDead(sink: string, { seq, reason }: DeadLetter, nowUs: number): void {
    const text = reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}...` : reason;
    this.#guarded(() => this.#addLetter.run(sink, seq, nowUs, text.toWellFormed().replaceAll("\0", "")));
  }

  /** It is dead no more. */
  dropDead(sink: string, seq: number): void {
    this.#guarded(() => this.#dropLetter.run(sink, seq));
  }

  /** All of a sink's are to be sent once more. @returns how many there are */
  sendAgain(sink: string): number {
    return Number(this.#guarded(() => this.#again.run(sink).changes));
  }

  /** The first of those that are to be sent once more, by their events' `seq`. */
  lettersAgain(sink: string, limit: number): number[] {
    return this.#guarded(() => this.#letters.all(sink, limit)).map(({ seq }) => Number(seq));
  }

  /** How many there are, and how many of them are to be sent once more. */
  countDead(sink: string): { count: number; again: number } {
    const row = this.#guarded(() => this.#count.get(sink));
    return { count: Number(row?.count ?? 0), again: Number(row?.again ?? 0) };
  }

  /** Dead letters whose events retention has removed go. @returns how many */
  removeGone(): number {
    return Number(this.#guarded(() => this.#gone.run().changes));
  }

  remembered(sink: string, name: string): string | undefined {
    const value = this.#guarded(() => this.#get.get(sink, name))?.value;
    return typeof value === "string" ? value : undefined;
  }

  /** @param value null to forget it */
  remember(sink: string, name: string, value: string | null, nowUs: number): void {
    this.#guarded(() =>
      value === null ? this.#unset.run(sink, name) : this.#set.run(sink, name, value, nowUs)
    );
  }

  /** What was remembered before that time goes. */
  removeStale(beforeUs: number): void {
    this.#guarded(() => this.#stale.run(beforeUs));
  }

  /** All that is known of a sink goes. */
  forget(sink: string): void {
    this.#guarded(() => this.#forget.forEach((statement) => statement.run(sink)));
  }

  /**
   * The events behind one, in their order: so many that it takes a few milliseconds to read them, one of them at least.
   *
   * @param withCommands whether commands are among them
   * @returns them, and the `seq` up to which these are all
   */
  eventsAfter(
    after: number,
    limit: number,
    withCommands: boolean,
  ): { events: EvidenceEvent[]; upTo: number } {
    return this.#guarded(() => {
      const head = this.store.head().seq;
      const end = Math.min(head, after + (withCommands ? limit : LOOKED_OVER));
      const wanted = Number(withCommands);
      const sizes = this.#sizes.all(after, end, wanted, limit);
      let [upTo, bytes] = [after, 0];
      for (const { seq, size } of sizes) {
        bytes += Number(size);
        if (bytes > READ_BYTES && upTo > after) {
          return { events: this.#events.all(after, upTo, wanted).map(eventOf), upTo };
        }
        upTo = Number(seq);
      }
      if (sizes.length < limit) upTo = end;
      return { events: this.#events.all(after, upTo, wanted).map(eventOf), upTo };
    });
  }

  /** One event; undefined where retention has removed it. */
  event(seq: number): EvidenceEvent | undefined {
    const row = this.#guarded(() => this.#event.get(seq));
    return row && eventOf(row);
  }

  /** When the first event behind that one was taken into evidence; null where there is none. */
  takenAfterUs(seq: number): number | null {
    return numberOrNull(this.#guarded(() => this.#taken.get(seq))?.taken_us);
  }

  #guarded<Result>(work: () => Result): Result {
    return withEvidenceErrors(this.store.file, work);
  }
}
