/**
 * Who is told of events, and how far each has been.
 *
 * The events themselves are the outbox: a consumer has a place in their order, and what is behind that is to come. So an
 * event and its place in every outbox are one row, written at once or not at all.
 */

import { numberOrNull, textOrNull } from "./cells.ts";
import type { EvidenceEvent, EvidenceKind } from "./event.ts";
import { withEvidenceErrors } from "./evidence_error.ts";
import { eventOf } from "./row.ts";
import type { EvidenceStore } from "./store.ts";

/** How far a consumer is. */
export interface OutboxState {
  name: string;
  /** The `seq` up to which it was told. */
  delivered: number;
  /** How many events are to come. */
  depth: number;
  /** When the first of those was taken into evidence, or null if there is none. */
  oldestUs: number | null;
  /** When it was last told of one, or null. */
  successUs: number | null;
  /** Why the last try failed, or null if it did not. */
  error: string | null;
  errorUs: number | null;
}

/**
 * The outbox of a store. Each call is on the disk when it returns; within a transaction of the store's, when that is.
 *
 * @example
 * ```ts
 * const outbox = new Outbox(store);
 * outbox.register("slack", nowUs());
 * const events = outbox.pending("slack", 100);
 * await tell(events);
 * outbox.delivered("slack", events.at(-1)?.seq ?? 0, nowUs());
 * ```
 */
export class Outbox {
  readonly #register;
  readonly #unregister;
  readonly #pending;
  readonly #delivered;
  readonly #passed;
  readonly #failed;
  readonly #place;
  readonly #states;

  /** @throws {EvidenceError} as all of its methods do */
  constructor(readonly store: EvidenceStore) {
    const { database } = store;
    this.#register = database.prepare(`insert or ignore into consumer (name, delivered, since_us)
      select ?, coalesce((select max(seq) from event), (select seq from anchor), 0), ?`);
    this.#unregister = database.prepare("delete from consumer where name = ?");
    this.#pending = database.prepare(`select e.* from consumer c join event e on e.seq > c.delivered
      where c.name = ? and (? is null or e.kind in (select value from json_each(?))) order by e.seq limit ?`);
    this.#delivered = database.prepare(`update consumer set
      delivered = max(delivered, min(?, coalesce((select max(seq) from event), 0))), success_us = ?,
      error = null, error_us = null where name = ?`);
    this.#passed = database.prepare("update consumer set delivered = max(delivered, ?) where name = ?");
    this.#place = database.prepare("select delivered from consumer where name = ?");
    this.#failed = database.prepare("update consumer set error = ?, error_us = ? where name = ?");
    // The events have no gap, so that none need be counted.
    this.#states = database.prepare(`select c.*,
        max(0, coalesce((select max(seq) from event), 0) - c.delivered) as depth,
        (select taken_us from event e where e.seq > c.delivered order by e.seq limit 1) as oldest_us
      from consumer c order by name`);
  }

  /** Makes a consumer known, from the present head on; one that is known stays where it is. */
  register(name: string, nowUs: number): void {
    this.#guarded(() => this.#register.run(name, nowUs));
  }

  /** Forgets a consumer, so that retention does not wait for it any more. */
  unregister(name: string): void {
    this.#guarded(() => this.#unregister.run(name));
  }

  /**
   * The next events for a consumer, in their order, so many at most.
   *
   * @param kinds those that it wants; all of them where it does not say
   */
  pending(name: string, limit: number, kinds?: readonly EvidenceKind[]): EvidenceEvent[] {
    const wanted = kinds ? JSON.stringify(kinds) : null;
    return this.#guarded(() => this.#pending.all(name, wanted, wanted, limit).map(eventOf));
  }

  /**
   * It was told of all events up to that one. A place only ever moves on.
   *
   * @throws {Error} if there is no such consumer
   */
  delivered(name: string, upTo: number, nowUs: number): void {
    known(name, this.#guarded(() => this.#delivered.run(upTo, nowUs, name).changes));
  }

  /**
   * It need not be told of what is left up to that event: nothing is said of how it is.
   *
   * @throws {Error} if there is no such consumer
   */
  passed(name: string, upTo: number): void {
    known(name, this.#guarded(() => this.#passed.run(upTo, name).changes));
  }

  /** The `seq` up to which it was told; undefined for one that is not known. */
  placeOf(name: string): number | undefined {
    return numberOrNull(this.#guarded(() => this.#place.get(name))?.delivered) ?? undefined;
  }

  /**
   * It could not be told. Its place stays.
   *
   * @throws {Error} if there is no such consumer
   */
  failed(name: string, error: string, nowUs: number): void {
    known(name, this.#guarded(() => this.#failed.run(error, nowUs, name).changes));
  }

  /** All consumers, by name. */
  states(): OutboxState[] {
    return this.#guarded(() => this.#states.all()).map((row) => ({
      name: String(row.name),
      delivered: Number(row.delivered),
      depth: Number(row.depth),
      oldestUs: numberOrNull(row.oldest_us),
      successUs: numberOrNull(row.success_us),
      error: textOrNull(row.error),
      errorUs: numberOrNull(row.error_us),
    }));
  }

  #guarded<Result>(work: () => Result): Result {
    return withEvidenceErrors(this.store.file, work);
  }
}

function known(name: string, changes: number | bigint): void {
  if (Number(changes) === 0) throw new Error(`${name} is no consumer of events: register it first`);
}
