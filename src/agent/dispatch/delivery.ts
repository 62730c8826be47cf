/**
 * One sink's way through the evidence: what it wants, in order, one batch at a time, at least once. It waits for no other.
 *
 * How far it has come is on the disk as soon as a batch was taken, in one transaction with what the sink has refused of it and
 * must remember. So whenever the agent is killed, the batch that was under way is told again, and no other.
 */

import type { SinkStatus } from "../../desk/protocol.ts";
import { EvidenceError } from "../../evidence/evidence_error.ts";
import type { Outbox } from "../../evidence/outbox.ts";
import type { DeadLetter, SinkRows } from "../../evidence/sink_rows.ts";
import { nowUs } from "../../record/clock.ts";
import type { Wants } from "../../config/sink_settings.ts";
import type { SinkNews } from "../../sinks/news.ts";
import { type Sink, SinkDeniedError, SinkRefusedError, SinkUnavailableError } from "../../sinks/sink.ts";
import { isWanted } from "../../sinks/wants.ts";
import { messageOf } from "../../terminal/message_of.ts";
import { log } from "../log.ts";
import { AgeWatch } from "./age_watch.ts";
import { Batch, lettersOf } from "./batch.ts";
import { Circuit, PAUSES, type Pauses } from "./circuit.ts";
import type { Ledger } from "./ledger.ts";
import { patiently, turn } from "../../net/patience.ts";
import type { Shelf } from "./shelf.ts";
import { StagedMemory } from "./staged_memory.ts";
import { Waker } from "./waker.ts";

/** How long a sink may take over a batch, in milliseconds. */
const PATIENCE_MS = 30_000;
/** Whoever refuses so many in a row, each for itself, and then a test, is ill: no news is to blame. */
const ILL_AFTER = 10;
/** After so many failures that are no sink's own errors, what stands first in the queue is to blame. */
const FAULTY_AFTER = 8;
/** How many dead letters there may be: where there are more, nothing is told before somebody has looked. */
export const MOST_DEAD = 10_000;
/** How many dead letters are looked up at a time. */
const LETTERS = 500;
/** No sink may wait longer for more news, in milliseconds: what was typed is to be on its way within a second. */
const LONGEST_LINGER_MS = 500;

/** What all deliveries work with. */
export interface Office {
  outbox: Outbox;
  rows: SinkRows;
  ledger: Ledger;
  shelf: Shelf;
}

/** A sink, and what it wants. */
export interface Addressee {
  sink: Sink;
  wants: Wants;
}

/** How a delivery is. */
export type DeliveryState = Pick<SinkStatus, "state" | "reason" | "sinceUs" | "depth" | "oldestUs">;

/** Notes what became of news; within the transaction that it is written in. */
type Keep = (told: readonly SinkNews[], refused: readonly DeadLetter[]) => void;

/** @returns the name under which a sink's place is kept */
export function consumerOf(sink: string): string {
  return `sink:${sink}`;
}

/** Goes on from its making to its disposal. */
export class Delivery implements Disposable {
  readonly name: string;
  /** Fulfilled when it has come to its end. */
  readonly over: Promise<void>;
  readonly #consumer: string;
  readonly #circuit: Circuit;
  readonly #end = new AbortController();
  /** Waits for news; and for time to pass. */
  readonly #idle = new Waker();
  readonly #pause = new Waker();
  readonly #age: AgeWatch;
  /** The `seq` up to which everything is told, dead, or not wanted; and how much of that is on the disk. */
  #place: number;
  #saved: number;
  /** Writes what became of a batch, where that could not be done yet. */
  #unsaved: (() => Promise<void>) | undefined;
  /** Who takes the place of the addressee. */
  #next: Addressee | undefined;
  #isStopping = false;
  #hasNews = true;
  /** Somebody may have mended something while a batch was under way: its failure says nothing of that. */
  #isMended = false;
  /** How many news go at a time: fewer after a failure, and then more again. */
  #most = Infinity;
  #refusedInARow = 0;
  /** When the next batch may go. */
  #paceMs = 0;
  /** Whether it has taken a test since the present batch was begun. */
  #hasTakenTest = false;
  #saidDenied = false;

  /**
   * @param takesTest tells the sink what no user has had a hand in
   * @throws {EvidenceError}
   */
  constructor(
    readonly office: Office,
    private addressee: Addressee,
    readonly takesTest: () => Promise<boolean>,
    readonly pauses: Pauses = PAUSES,
  ) {
    this.name = addressee.sink.name;
    this.#consumer = consumerOf(this.name);
    this.#circuit = new Circuit(pauses);
    this.#age = new AgeWatch(this.name);
    office.outbox.register(this.#consumer, nowUs());
    this.#place = this.#saved = office.outbox.placeOf(this.#consumer) ?? office.shelf.head;
    this.over = this.#work();
  }

  /** There may be news. Returns at once. */
  poke(): void {
    this.#hasNews = true;
    this.#idle.wake();
  }

  /** Waits for nothing any more: somebody may have mended something. */
  retry(): void {
    this.#isMended = true;
    this.#pause.wake();
    this.poke();
  }

  /** Goes on with another, as soon as the batch that is under way has come to its end. */
  follow(addressee: Addressee): void {
    this.#next?.sink[Symbol.dispose]();
    this.#next = addressee;
    this.retry();
  }

  /** @throws {EvidenceError} */
  get state(): DeliveryState {
    const { rows, shelf } = this.office;
    const { state, reason, sinceUs } = this.#circuit;
    const depth = Math.max(0, shelf.head - this.#place);
    return { state, reason, sinceUs, depth, oldestUs: depth > 0 ? rows.takenAfterUs(this.#place) : null };
  }

  /** Says in the log whether it is late; to be called every few seconds. @throws {EvidenceError} */
  lookAtAge(nowUs: number): void {
    this.#age.look(this.state, nowUs);
  }

  /** Whether it has come further than the disk knows. */
  get hasMoved(): boolean {
    return !this.#unsaved && this.#place > this.#saved;
  }

  /** Writes how far it has come through what is not wanted; within a transaction. @throws {EvidenceError} */
  savePlace(): void {
    if (!this.hasMoved) return;
    this.office.outbox.passed(this.#consumer, this.#place);
    this.#saved = this.#place;
  }

  /** Begins nothing any more; what is under way comes to its end. */
  stop(): void {
    this.#isStopping = true;
    this.#pause.wake();
    this.#idle.wake();
  }

  /** Gives up what is under way, too: it will be told again. */
  [Symbol.dispose](): void {
    this.stop();
    this.#end.abort(new Error("the agent has ended, or the sink is switched off"));
  }

  async #work(): Promise<void> {
    // Whoever makes it comes to an end first.
    await turn();
    while (!this.#isStopping) {
      try {
        const isMore = await this.#step();
        if (!isMore && !this.#hasNews && !this.#isStopping) await this.#idle.wait(Infinity);
      } catch (error) {
        if (this.#isStopping) break;
        const pauseMs = this.#failed(error);
        if (!this.#isMended) await this.#pause.wait(pauseMs);
      }
    }
    this.addressee.sink[Symbol.dispose]();
    this.#next?.sink[Symbol.dispose]();
  }

  /** @returns whether there may be more to do */
  async #step(): Promise<boolean> {
    this.#isMended = false;
    await this.#unsaved?.();
    this.#takeNext();
    const { count, again } = this.office.rows.countDead(this.name);
    if (again > 0) {
      await this.#redeliver();
      return true;
    }
    if (count >= MOST_DEAD) {
      const mend = `see srvaudit status, and then: srvaudit redeliver ${this.name}`;
      throw new SinkDeniedError(`${this.name} has refused ${count} news, and is told nothing more: ${mend}`);
    }
    this.#hasNews = false;
    const batch = await this.#gather();
    if (batch.news.length === 0 || this.#isStopping) return false;
    await this.#tell(batch, (told, refused) => {
      const { outbox, rows } = this.office;
      this.#place = Math.max(this.#place, told.at(-1)?.seq ?? 0);
      for (const letter of refused) rows.addDead(this.name, letter, nowUs());
      if (refused.length < told.length) outbox.delivered(this.#consumer, this.#place, nowUs());
      else outbox.passed(this.#consumer, this.#place);
    });
    if (this.#refusedInARow >= ILL_AFTER) {
      if (!(await this.takesTest())) {
        throw new SinkUnavailableError(`${this.name} has refused the last ${this.#refusedInARow} news`);
      }
      this.#refusedInARow = 0;
    }
    return true;
  }

  #takeNext(): void {
    if (!this.#next) return;
    this.addressee.sink[Symbol.dispose]();
    this.addressee = this.#next;
    this.#next = undefined;
    this.#most = Infinity;
  }

  /** Reads what comes next, and waits a little for more to go with it. */
  async #gather(): Promise<Batch> {
    const { sink } = this.addressee;
    const batch = new Batch(sink, this.#most, this.#place);
    const endMs = performance.now() + LONGEST_LINGER_MS;
    await this.#fill(batch, endMs);
    const lingerMs = Math.min(sink.limits.lingerMs, LONGEST_LINGER_MS);
    if (batch.news.length > 0 && !batch.isFull && !batch.isUrgent && lingerMs > 0) {
      await this.#pause.wait(lingerMs);
      await this.#fill(batch, endMs);
    }
    return batch;
  }

  /** @param endMs after that what there is goes: making news of what somebody has typed may take long */
  async #fill(batch: Batch, endMs: number): Promise<void> {
    const { shelf } = this.office;
    const { wants } = this.addressee;
    while (!batch.isFull && !this.#isStopping && batch.upTo < shelf.head) {
      await shelf.free();
      if (batch.news.length > 0 && performance.now() > endMs) return;
      const { news, upTo } = shelf.read(batch.upTo, wants.events === "commands");
      for (const one of news) if (isWanted(one, wants)) batch.add(one);
      batch.reached(upTo);
      const [first] = batch.news;
      this.#place = Math.max(this.#place, first ? first.seq - 1 : upTo);
    }
  }

  /** Tells once more what was refused, in its order, before anything else. */
  async #redeliver(): Promise<void> {
    const { outbox, rows, shelf } = this.office;
    const batch = new Batch(this.addressee.sink, this.#most, 0);
    // Retention has removed what they were, or nobody is to hear of it any more.
    const gone: number[] = [];
    for (const seq of rows.lettersAgain(this.name, LETTERS)) {
      const news = shelf.readOne(seq);
      if (news) batch.add(news);
      else gone.push(seq);
      if (batch.isFull) break;
      if (news) await shelf.free();
    }
    if (gone.length > 0) {
      await this.office.ledger.enter(() => gone.forEach((seq) => rows.dropDead(this.name, seq)));
    }
    if (batch.news.length === 0) return;
    await this.#tell(batch, (told, refused) => {
      for (const { seq } of told) rows.dropDead(this.name, seq);
      for (const letter of refused) rows.addDead(this.name, letter, nowUs());
      if (refused.length < told.length) outbox.delivered(this.#consumer, this.#place, nowUs());
    });
    // That these are refused is nothing new.
    this.#refusedInARow = 0;
  }

  async #tell({ news, excess }: Batch, keep: Keep): Promise<void> {
    this.#hasTakenTest = false;
    if (excess === undefined) return await this.#tellSome(news, keep);
    const reason = `it is too large: ${excess}, where ${this.name} takes ${this.addressee.sink.limits.bytes}`;
    await this.#settle(news, news.map(({ seq }) => ({ seq, reason })), keep);
  }

  /** Where all of it is refused for some of it, each half is told for itself, until what is to blame is alone. */
  async #tellSome(news: readonly SinkNews[], keep: Keep): Promise<void> {
    const { sink } = this.addressee;
    const waitMs = this.#paceMs - performance.now();
    if (waitMs > 0) await this.#pause.wait(waitMs);
    if (this.#isStopping) return;
    this.#paceMs = performance.now() + sink.limits.paceMs;
    const memory = new StagedMemory(this.office.rows, this.name);
    let letters: DeadLetter[];
    try {
      const { refused } = await patiently(
        PATIENCE_MS,
        this.#end.signal,
        () => new SinkUnavailableError(`${this.name} has not taken a batch in ${PATIENCE_MS / 1000} s`),
        (signal) => sink.deliver(news, memory, signal),
      );
      letters = lettersOf(refused, news);
      if (letters.length === news.length) this.#refusedInARow += news.length;
    } catch (error) {
      this.#most = Math.max(1, news.length >> 1);
      if (!(await this.#isRefusal(error))) throw error;
      const [first] = news;
      if (news.length === 1 && first) {
        this.#refusedInARow++;
        return await this.#settle(news, [{ seq: first.seq, reason: messageOf(error) }], keep);
      }
      const half = news.length >> 1;
      await this.#tellSome(news.slice(0, half), keep);
      // Not to find out of each of a thousand that it is refused, too.
      if (this.#refusedInARow >= ILL_AFTER) return;
      return await this.#tellSome(news.slice(half), keep);
    }
    await this.#settle(news, letters, keep, memory);
  }

  /** Whether it is about something in the batch: then that is found, and does not hold up the queue for ever. */
  async #isRefusal(error: unknown): Promise<boolean> {
    if (error instanceof SinkRefusedError) return true;
    const isPassing = error instanceof SinkUnavailableError || error instanceof EvidenceError;
    if (isPassing || this.#isStopping) return false;
    // Who takes a test is well, and denies what somebody has typed: filters of attacks (403) read commands, too.
    if (error instanceof SinkDeniedError) return this.#hasTakenTest ||= await this.takesTest();
    // What is nobody's word is somebody's slip.
    return this.#circuit.failures >= FAULTY_AFTER;
  }

  /** Writes what became of a batch, in one transaction; where that cannot be done now, it is done before anything else. */
  async #settle(
    told: readonly SinkNews[],
    refused: readonly DeadLetter[],
    keep: Keep,
    memory?: StagedMemory,
  ): Promise<void> {
    if (refused.length < told.length) this.#works();
    this.#unsaved = async () => {
      await this.office.ledger.enter(() => {
        keep(told, refused);
        memory?.write(nowUs());
        this.office.shelf.told(told, nowUs());
      });
      this.#saved = this.#place;
      this.#unsaved = undefined;
    };
    await this.#unsaved();
  }

  #works(): void {
    this.#refusedInARow = 0;
    this.#most *= 2;
    if (this.#circuit.works() && this.#saidDenied) {
      log.info("{sink} takes what it is told again", { sink: this.name });
    }
    this.#saidDenied = false;
  }

  /** @returns how long it is left alone, in milliseconds */
  #failed(error: unknown): number {
    // Whoever takes evidence in says so.
    if (error instanceof EvidenceError) return this.pauses.troubleMs;
    const reason = messageOf(error);
    const isNew = this.#circuit.reason !== reason;
    const pauseMs = this.#circuit.failed(error, nowUs());
    if (error instanceof SinkDeniedError && !this.#saidDenied) {
      this.#saidDenied = true;
      log.error("{reason}: {sink} is told nothing until that is mended: srvaudit doctor", {
        reason,
        sink: this.name,
      });
    }
    try {
      if (isNew) this.office.outbox.failed(this.#consumer, reason, nowUs());
    } catch (fault) {
      // It is in the agent's status, too; where evidence cannot be written somebody says so.
      if (!(fault instanceof EvidenceError)) throw fault;
    }
    return pauseMs;
  }
}
