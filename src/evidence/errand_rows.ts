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
  due_us integer not null,
  tries integer not null default 0,
  error text
);
create index errand_in_order on errand (uid, due_us, seq);
create index errand_of_ticket on errand (uid, ticket);
`;

/** Something that is to be done for an event. */
export interface Errand {
  /** The event's. */
  seq: number;
  uid: number;
  /** The key as it was typed; empty for a ticket that is to be made. */
  ticket: string;
  /** Not before that. */
  dueUs: number;
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
  readonly #putOffTicket;
  readonly #done;
  readonly #event;
  readonly #count;
  readonly #waiting;

  /** @throws {EvidenceError} as all of its methods do */
  constructor(readonly store: EvidenceStore) {
    const { database } = store;
    // Behind those on the same ticket that wait.
    this.#add = database.prepare(`insert or ignore into errand (seq, uid, ticket, due_us) values
      (?, ?, ?, max(?, coalesce((select max(due_us) from errand where uid = ? and ticket = ?), 0)))`);
    // However many wait, this takes a step or two for each user.
    this.#due = database.prepare(`with recursive who (uid) as (select min(uid) from errand
        union all select (select min(uid) from errand where uid > who.uid) from who where uid is not null)
      select e.* from who join errand e on e.seq =
        (select seq from errand x where x.uid = who.uid and due_us <= ? order by due_us, seq limit 1)`);
    this.#putOff = database.prepare("update errand set tries = ?, due_us = ?, error = ? where seq = ?");
    this.#putOffTicket = database.prepare(
      "update errand set due_us = max(due_us, ?) where uid = ? and ticket = ?",
    );
    this.#done = database.prepare("delete from errand where seq = ?");
    this.#event = database.prepare("select * from event where seq = ?");
    this.#count = database.prepare("select count(*) as count from errand where uid = ?");
    this.#waiting = database.prepare(`select count(*) as count,
      (select error from errand where error is not null order by seq limit 1) as error from errand`);
  }

  /** Adds one; one that is there stays as it is. */
  add({ seq, uid, ticket, dueUs }: Omit<Errand, "tries">): void {
    this.#guarded(() => this.#add.run(seq, uid, ticket, dueUs, uid, ticket));
  }

  /** The first errand of each user whose time has come. */
  due(nowUs: number): Errand[] {
    return this.#guarded(() => this.#due.all(nowUs)).map((row) => ({
      seq: Number(row.seq),
      uid: Number(row.uid),
      ticket: String(row.ticket),
      dueUs: Number(row.due_us),
      tries: Number(row.tries),
    }));
  }

  /**
   * Leaves one for later.
   *
   * @param error why it is not done, or null
   */
  putOff({ seq, tries, dueUs }: Errand, error: string | null): void {
    this.#guarded(() => this.#putOff.run(tries, dueUs, error, seq));
  }

  /** Leaves for later what is to be done on the same ticket, too, so that it stays in order. */
  putOffWithTicket(errand: Errand, error: string): void {
    this.#guarded(() => this.#putOffTicket.run(errand.dueUs, errand.uid, errand.ticket));
    this.putOff(errand, error);
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

  /** How many of a user's wait. */
  countOf(uid: number): number {
    return Number(this.#guarded(() => this.#count.get(uid))?.count ?? 0);
  }

  waiting(): ErrandsWaiting {
    const row = this.#guarded(() => this.#waiting.get());
    return { count: Number(row?.count ?? 0), error: typeof row?.error === "string" ? row.error : null };
  }

  #guarded<Result>(work: () => Result): Result {
    return withEvidenceErrors(this.store.file, work);
  }
}
