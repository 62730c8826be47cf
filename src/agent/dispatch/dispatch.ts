/**
 * Tells sinks what goes on record. Each has a delivery of its own, which waits for no other; what a sink was not told stays in
 * evidence, and not in memory.
 */

import type { SinkName, SinkSettings } from "../../config/sink_settings.ts";
import type { NetworkSettings } from "../../config/tracker_settings.ts";
import type { SinkStatus, SinkTested } from "../../desk/protocol.ts";
import type { Outbox } from "../../evidence/outbox.ts";
import { SinkRows } from "../../evidence/sink_rows.ts";
import { nowUs } from "../../record/clock.ts";
import { openSink } from "../../sinks/open_sinks.ts";
import { type Sink, SinkDeniedError } from "../../sinks/sink.ts";
import { sendTest } from "../../sinks/test_news.ts";
import { messageOf } from "../../terminal/message_of.ts";
import { log } from "../log.ts";
import { PAUSES } from "./circuit.ts";
import { type Addressee, consumerOf, Delivery } from "./delivery.ts";
import { Ledger } from "./ledger.ts";
import { type NewsMaker, Shelf } from "./shelf.ts";

/** What it works by. */
export interface DispatchSettings {
  sinks: readonly SinkSettings[];
  network: NetworkSettings;
  /** What they are told of events. */
  reader: NewsMaker;
  /** This host's name. */
  host: string;
}

/** Every how many runs it looks whether sinks are late, and removes what nobody needs any more. */
const RUNS = { age: 10, tidy: 3600 };
/** How long what a sink must remember is kept at most, in microseconds: it forgets sessions itself when they are over. */
const MEMORY_US = 90 * 86_400_000_000;
/** How long a test may take, in milliseconds. */
const TEST_MS = 20_000;

/** There is no such sink, or it is off. */
export class NoSinkError extends Error {
  override name = "NoSinkError";
}

interface Post {
  settings: SinkSettings;
  delivery: Delivery;
}

/**
 * The sinks of a host.
 *
 * @example
 * ```ts
 * using dispatch = new Dispatch(new Outbox(store));
 * dispatch.follow({ sinks: settings.sinks, network: settings.network, reader, host });
 * intake.onNews = () => dispatch.poke();
 * setInterval(() => dispatch.run(), 1000);
 * ```
 */
export class Dispatch implements Disposable {
  readonly #rows: SinkRows;
  readonly #posts = new Map<SinkName, Post>();
  readonly #shelf: Shelf;
  readonly #ledger: Ledger;
  #settings: DispatchSettings | undefined;
  /** What the CA file said when sinks were made last. */
  #trusted: string | undefined;
  #runs = 0;

  /**
   * @param open makes a sink; those that the config names, where nothing else is said
   * @param pauses others than the usual ones
   */
  constructor(readonly outbox: Outbox, readonly open: typeof openSink = openSink, readonly pauses = PAUSES) {
    this.#rows = new SinkRows(outbox.store);
    this.#shelf = new Shelf(this.#rows);
    this.#ledger = new Ledger(outbox.store);
  }

  /**
   * Goes on by other settings: to be called at the start, and at each reload. A sink that is new is told of what comes from
   * now on; one that is there goes on where it is, and is tried again if it was left alone. A batch that is under way comes to
   * its end first.
   *
   * @throws {EvidenceError}
   */
  follow(dispatchSettings: DispatchSettings): void {
    const { sinks, network, reader } = dispatchSettings;
    this.#shelf.follow(reader);
    const trusted = textOf(network.caFile);
    const isSameNetwork = isSame(network, this.#settings?.network) && trusted === this.#trusted;
    this.#settings = dispatchSettings;
    this.#trusted = trusted;
    for (const settings of sinks) {
      const post = this.#posts.get(settings.name);
      if (post && isSameNetwork && isSame(settings, post.settings)) {
        post.delivery.retry();
        continue;
      }
      const addressee = { sink: this.#open(settings, network), wants: settings.wants };
      if (post) {
        post.settings = settings;
        post.delivery.follow(addressee);
      } else this.#posts.set(settings.name, { settings, delivery: this.#begin(addressee) });
    }
    this.#switchOff(new Set(sinks.map(({ name }) => name)));
  }

  /** There may be news: to be called after each transaction of the intake. Returns at once. */
  poke(): void {
    for (const { delivery } of this.#posts.values()) delivery.poke();
  }

  /**
   * Looks after the sinks; returns at once. To be called each second.
   *
   * @throws {EvidenceError}
   */
  run(): void {
    const { store } = this.outbox;
    const deliveries = [...this.#posts.values()].map(({ delivery }) => delivery);
    if (deliveries.some(({ hasMoved }) => hasMoved)) {
      store.transaction(() => deliveries.forEach((delivery) => delivery.savePlace()));
    }
    if (this.#runs % RUNS.age === 0) deliveries.forEach((delivery) => delivery.lookAtAge(nowUs()));
    if (this.#runs % RUNS.tidy === 0) this.#tidy();
    this.#runs++;
    this.poke();
  }

  /** How each sink is. @throws {EvidenceError} */
  status(): SinkStatus[] {
    const states = new Map(this.outbox.states().map((state) => [state.name, state]));
    return [...this.#posts].map(([name, { settings, delivery }]) => {
      const kept = states.get(consumerOf(name));
      return {
        name,
        wants: settings.wants,
        ...delivery.state,
        successUs: kept?.successUs ?? null,
        error: kept?.error ?? null,
        errorUs: kept?.errorUs ?? null,
        dead: this.#rows.countDead(name).count,
      };
    });
  }

  /**
   * Has what sinks have refused sent to them again, in its order.
   *
   * @param name which sink's; all of them where it does not say
   * @returns how many there are of each
   * @throws {NoSinkError}
   * @throws {EvidenceError}
   */
  redeliver(name: SinkName | undefined): { sink: SinkName; count: number }[] {
    const names = name === undefined ? [...this.#posts.keys()] : [name];
    return names.map((sink) => {
      const { delivery } = this.#post(sink);
      const count = this.#rows.sendAgain(sink);
      if (count > 0) delivery.retry();
      return { sink, count };
    });
  }

  /**
   * Sends one marked news through a sink at once, past its queue, over a connection of its own.
   *
   * @throws {NoSinkError}
   */
  async test(name: SinkName): Promise<SinkTested> {
    const { settings, delivery } = this.#post(name);
    const { network, host } = this.#settings ?? raise(name);
    using sink = this.#open(settings, network);
    const tested = await sendTest(sink, host, TEST_MS);
    if (tested.ok) delivery.retry();
    return tested;
  }

  /** Whether a sink takes a marked news now: what it does not take then it has something against. */
  async takesTest(name: SinkName): Promise<boolean> {
    // It may be switched off meanwhile.
    return this.#posts.has(name) && (await this.test(name)).ok;
  }

  /**
   * Begins nothing any more, and lets what is under way come to its end.
   *
   * @param ms how long that may take; what takes longer will be told again
   */
  async settle(ms: number): Promise<void> {
    const deliveries = [...this.#posts.values()].map(({ delivery }) => delivery);
    for (const delivery of deliveries) delivery.stop();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
    await Promise.race([Promise.all(deliveries.map(({ over }) => over)), late]);
    clearTimeout(timer);
  }

  [Symbol.dispose](): void {
    for (const { delivery } of this.#posts.values()) delivery[Symbol.dispose]();
    this.#posts.clear();
  }

  #begin(addressee: Addressee): Delivery {
    const office = { outbox: this.outbox, rows: this.#rows, ledger: this.#ledger, shelf: this.#shelf };
    const { name } = addressee.sink;
    return new Delivery(office, addressee, () => this.takesTest(name), this.pauses);
  }

  /** A sink that cannot be made is one that takes nothing: the others are none the worse for it. */
  #open(settings: SinkSettings, network: NetworkSettings): Sink {
    try {
      return this.open(settings, network);
    } catch (error) {
      return brokenSink(settings.name, error);
    }
  }

  #post(name: SinkName): Post {
    return this.#posts.get(name) ?? raise(name);
  }

  /** Those that the config does not name any more. */
  #switchOff(on: ReadonlySet<string>): void {
    for (const { name: consumer, depth } of this.outbox.states()) {
      if (!consumer.startsWith(consumerOf(""))) continue;
      const name = consumer.slice(consumerOf("").length);
      if (on.has(name)) continue;
      const dead = this.#rows.countDead(name).count;
      this.outbox.store.transaction(() => {
        this.outbox.unregister(consumer);
        this.#rows.forget(name);
      });
      log.info(
        "{sink} is switched off: it was not told of the last {depth} events, nor of {dead} that it refused",
        {
          sink: name,
          depth,
          dead,
        },
      );
    }
    for (const [name, { delivery }] of this.#posts) {
      if (on.has(name)) continue;
      this.#posts.delete(name);
      delivery[Symbol.dispose]();
    }
  }

  #tidy(): void {
    const { store } = this.outbox;
    const gone = store.transaction(() => {
      this.#rows.removeStale(nowUs() - MEMORY_US);
      return this.#rows.removeGone();
    });
    if (gone > 0) {
      log.warn(
        "{count} events that sinks had refused are not in evidence any more: nobody can send them again",
        {
          count: gone,
        },
      );
    }
  }
}

function raise(name: string): never {
  throw new NoSinkError(`${name} is not switched on: see docs/configuration.md`);
}

function brokenSink(name: SinkName, error: unknown): Sink {
  const denied = new SinkDeniedError(`${name} cannot be used: ${messageOf(error)}`, { cause: error });
  return {
    name,
    limits: { count: 1, bytes: Infinity, lingerMs: 0, paceMs: 0 },
    sizeOf: () => 0,
    deliver: () => Promise.reject(denied),
    [Symbol.dispose]: () => {},
  };
}

/** @returns undefined for a file that cannot be read: whoever needs it says so */
function textOf(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch {
    return undefined;
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
