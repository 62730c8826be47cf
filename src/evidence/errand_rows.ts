/** What is still to be done at the tracker for events that are in evidence: see `agent/errands.ts`. */

import { eventOf } from "./row.ts";
import type { EvidenceEvent } from "./event.ts";
import { withEvidenceErrors } from "./evidence_error.ts";
import type { EvidenceStore } from "./store.ts";

/** As SQL; a migration of `schema.ts`. */
export const ERRAND_TABLE = `
-- What is to be done at the tracker for an event. seq: the event's. ticket: '' for one that is to be made.
-- due_us: not before that. error: why it was not done at the last try.
create table errand (
  seq integer primary key,
  uid integer not null,
  ticket text not null,
  tries integer not null default 0,
  due_us integer not null default 0,
  error text
);
create index errand_in_order on errand (uid, ticket, seq);
`;

/** Something that is to be done for an event. */
export interface Errand {
  /** The event's. */
  seq: number;
  uid: number;
  /** The key as it was typed; empty for a ticket that is to be made. */
  ticket: string;
  /** How often it was begun. */
  tries: number;
}

/** What waits. */
export interface ErrandsWaiting {
  count: number;
  /** Why the oldest that was tried was not done, or null. */
  error: string | null;
}

/** The errands of a store. Each call is on the disk when it returns; within a transaction of the store's, when that is. */
export class ErrandRows {
  readonly #add;
  readonly #due;
  readonly #putOff;
  readonly #done;
  readonly #event;
  readonly #waiting;

  /** @throws {EvidenceError} as all of its methods do */
  constructor(readonly store: EvidenceStore) {
    const { database } = store;
    this.#add = database.prepare("insert or ignore into errand (seq, uid, ticket) values (?, ?, ?)");
    // The first of each ticket alone is looked at: the others come behind it. SQLite gives the row of the minimum.
    this.#due = database.prepare(`select e.seq, e.uid, e.ticket, e.tries from errand e
      join (select min(seq) as seq from (select min(seq) as seq, uid, due_us from errand group by uid, ticket)
        where due_us <= ? group by uid) first on first.seq = e.seq order by e.seq`);
    this.#putOff = database.prepare("update errand set tries = ?, due_us = ?, error = ? where seq = ?");
    this.#done = database.prepare("delete from errand where seq = ?");
    this.#event = database.prepare("select * from event where seq = ?");
    this.#waiting = database.prepare(`select count(*) as count,
      (select error from errand where error is not null order by seq limit 1) as error from errand`);
  }

  /** Adds one; one that is there stays as it is. */
  add({ seq, uid, ticket }: Omit<Errand, "tries">): void {
    this.#guarded(() => this.#add.run(seq, uid, ticket));
  }

  /** The first errand of each user whose time has come, in order; on one ticket none comes before those that are older. */
  due(nowUs: number): Errand[] {
    return this.#guarded(() => this.#due.all(nowUs)).map((row) => ({
      seq: Number(row.seq),
      uid: Number(row.uid),
      ticket: String(row.ticket),
      tries: Number(row.tries),
    }));
  }

  /**
   * Leaves one for later.
   *
   * @param tries how often it was begun
   * @param dueUs not before that
   * @param error why it is not done
   */
  putOff(seq: number, tries: number, dueUs: number, error: string): void {
    this.#guarded(() => this.#putOff.run(tries, Math.round(dueUs), error, seq));
  }

  /** It need not be done any more. */
  done(seq: number): void {
    this.#guarded(() => this.#done.run(seq));
  }

  /** What it is for; undefined where retention has removed that. */
  event(seq: number): EvidenceEvent | undefined {
    const row = this.#guarded(() => this.#event.get(seq));
    return row && eventOf(row);
  }

  waiting(): ErrandsWaiting {
    const row = this.#guarded(() => this.#waiting.get());
    return { count: Number(row?.count ?? 0), error: typeof row?.error === "string" ? row.error : null };
  }

  #guarded<Result>(work: () => Result): Result {
    return withEvidenceErrors(this.store.file, work);
  }
}
