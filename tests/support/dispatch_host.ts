/** A host's evidence with sinks that fail at will, and an agent's part that can be killed and started again. */

import { Dispatch, type DispatchSettings } from "../../src/agent/dispatch/dispatch.ts";
import type { SinkName, SinkSettings } from "../../src/config/sink_settings.ts";
import type { EvidenceEvent, NewEvent } from "../../src/evidence/event.ts";
import { Outbox } from "../../src/evidence/outbox.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { SinkRows } from "../../src/evidence/sink_rows.ts";
import { nowUs } from "../../src/record/clock.ts";
import type { SinkNews } from "../../src/sinks/news.ts";
import {
  type Limits,
  type Outcome,
  type Sink,
  SinkDeniedError,
  type SinkMemory,
  SinkRefusedError,
  SinkUnavailableError,
} from "../../src/sinks/sink.ts";
import { ALL } from "./deliver.ts";
import { command, EvidenceFolder } from "./evidence_events.ts";

/** What becomes of a batch. */
export type Fate =
  | "taken"
  | "unavailable"
  | "denied"
  /** A slip of the sink's own. */
  | "faulty"
  /** It has it, and nobody hears of that. */
  | "taken unseen"
  /** The agent is killed before the receiver has it, and after. */
  | "killed"
  | "killed after"
  /** The agent is killed when what became of it is written. */
  | "killed writing";

/** How news is marked, in the text of a command, that the receiver never takes. */
export const BAD = { whole: "refuse the whole", one: "refuse this one", huge: "huge" };

/** A receiver, and all that it has heard: it outlives agents. */
export class MemoryReceiver {
  /** In the order in which it took them. */
  readonly taken: SinkNews[] = [];
  /** How many news were in each batch that was tried. */
  readonly batches: number[] = [];
  readonly fates: Fate[] = [];
  /** What is asked of it, where no fate is given. */
  refuses: (news: SinkNews) => "whole" | "one" | "denied" | undefined = ({ command }) =>
    command?.text.includes(BAD.whole) ? "whole" : command?.text.includes(BAD.one) ? "one" : undefined;
  limits: Limits = { count: 5, bytes: 1000, lingerMs: 0, paceMs: 0 };
  isBusy = false;
  /** Resolves what is under way, where it hangs. */
  hanging: PromiseWithResolvers<void> | undefined;
  memory: (memory: SinkMemory, batch: readonly SinkNews[]) => void = () => {};
  disposed = 0;

  constructor(readonly name: SinkName) {}

  /** How often each was taken, by `seq`. */
  get counts(): Map<number, number> {
    const counts = new Map<number, number>();
    for (const { seq } of this.taken) counts.set(seq, (counts.get(seq) ?? 0) + 1);
    return counts;
  }
}

/** One agent's way to it. */
class MemorySink implements Sink {
  readonly name: SinkName;

  constructor(readonly receiver: MemoryReceiver, readonly host: DispatchHost) {
    this.name = receiver.name;
  }

  get limits(): Limits {
    return this.receiver.limits;
  }

  sizeOf({ command }: SinkNews): number {
    return command?.text.includes(BAD.huge) ? 5000 : 100;
  }

  async deliver(batch: readonly SinkNews[], memory: SinkMemory): Promise<Outcome> {
    const { receiver, host } = this;
    if (receiver.isBusy) throw new Error("two batches at a time");
    receiver.isBusy = true;
    try {
      await receiver.hanging?.promise;
      await new Promise((resolve) => setTimeout(resolve));
      return this.#deliver(batch, memory, host.generation);
    } finally {
      receiver.isBusy = false;
    }
  }

  #deliver(batch: readonly SinkNews[], memory: SinkMemory, generation: number): Outcome {
    const { receiver, host } = this;
    const { limits, batches, taken } = receiver;
    batches.push(batch.length);
    if (batch.length > limits.count || batch.length * 100 > limits.bytes) {
      throw new Error("too much at a time");
    }
    receiver.memory(memory, batch);
    const fate = receiver.fates.shift() ?? "taken";
    if (fate === "unavailable") throw new SinkUnavailableError("it is down");
    if (fate === "denied") throw new SinkDeniedError("it does not take our key");
    if (fate === "faulty") throw new TypeError("undefined is not a function");
    if (fate === "killed") {
      host.kill(generation);
      throw new SinkUnavailableError("killed");
    }
    if (batch.some((news) => receiver.refuses(news) === "whole")) {
      throw new SinkRefusedError("something in it");
    }
    if (batch.some((news) => receiver.refuses(news) === "denied")) throw new SinkDeniedError("forbidden");
    const refused = batch.filter((news) => receiver.refuses(news) === "one");
    taken.push(...batch.filter((news) => !refused.includes(news)));
    if (fate === "killed after") host.kill(generation);
    if (fate === "killed writing") host.killBefore(0);
    if (fate === "taken unseen" || fate === "killed after") throw new SinkUnavailableError("no answer");
    return { refused: refused.map(({ id }) => ({ id, reason: "not this one" })), answer: "ok" };
  }

  [Symbol.dispose](): void {
    this.receiver.disposed++;
  }
}

/** One whose sinks take a test, or not, whatever becomes of the rest. */
class TestedDispatch extends Dispatch {
  constructor(readonly host: DispatchHost, ...args: ConstructorParameters<typeof Dispatch>) {
    super(...args);
  }

  override async takesTest(name: SinkName): Promise<boolean> {
    return this.host.takesTests && await super.takesTest(name);
  }
}

/** News as sinks are told, made of events in the simplest way; shells and the agent's own are none. */
export function simpleNews(events: readonly EvidenceEvent[]): SinkNews[] {
  return events.flatMap(({ seq, kind, atUs, session, command, data }): SinkNews[] => {
    if (kind === "agent" || kind === "shell started" || kind === "shell ended") return [];
    return [{
      id: `id-${seq}`,
      seq,
      kind: kind === "command ended" ? "command" : kind,
      atUs,
      host: "web01",
      session: {
        id: `session-${session}`,
        user: "alice",
        uid: 1000,
        from: "",
        tty: "",
        shell: "/bin/bash",
        mode: "interactive",
        openedUs: atUs,
        ...(typeof data?.emergency === "string" ? { emergency: data.emergency } : {}),
      },
      ticket: "OPS-17",
      ticketUrl: null,
      ...(command && {
        command: {
          text: new TextDecoder().decode(command.text),
          directory: "/",
          startUs: atUs,
          endUs: null,
          exitCode: null,
          pipeStates: [],
          tty: "",
          effectiveUid: 1000,
          isMasked: false,
          textState: "whole",
        },
      }),
    }];
  });
}

/** Settings that name a sink, and nothing else of it. */
export function sinkSettings(name: SinkName, wants = ALL): SinkSettings {
  return { name, wants } as unknown as SinkSettings;
}

/** Waits that are too short to be noticed. */
export const SHORT = { firstMs: 1, longestMs: 2, deniedMs: 2, troubleMs: 1 };

/** Longer than any test takes, in milliseconds. */
export const DAY_MS = 86_400_000;

/** Waits of which none is over in a test. */
export const LONG = { firstMs: DAY_MS, longestMs: DAY_MS, deniedMs: DAY_MS, troubleMs: 1 };

/** So many commands, all of them the same. */
export function commands(count: number): NewEvent[] {
  return Array.from({ length: count }, () => command("ls"));
}

/** @returns what it has taken, by the events' numbers */
export function seqsOf({ taken }: MemoryReceiver): number[] {
  return taken.map(({ seq }) => seq);
}

/** Waits until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** The host. */
export class DispatchHost implements Disposable {
  readonly #folder = new EvidenceFolder();
  readonly file = this.#folder.file;
  readonly #dead: EvidenceStore[] = [];
  store = new EvidenceStore(this.file);
  outbox = new Outbox(this.store);
  /** Whether sinks that deny something take a test. */
  takesTests = false;
  /** Counts the agents. */
  generation = 0;
  isDead = false;
  /** What was said to be told. */
  readonly said: number[] = [];
  readonly reader = {
    read: simpleNews,
    told: (news: readonly SinkNews[]) => void this.said.push(...news.map(({ seq }) => seq)),
  };
  dispatch: Dispatch;
  /** Of the config. */
  caFile = "";

  constructor(
    readonly receivers: readonly MemoryReceiver[],
    public settings = receivers.map(settingsOf),
    readonly pauses = SHORT,
  ) {
    this.dispatch = this.#begin();
    this.follow();
  }

  #begin(): Dispatch {
    return new TestedDispatch(this, this.outbox, ({ name }) => {
      const receiver = this.receivers.find((one) => one.name === name);
      if (!receiver) throw new Error(`no ${name} here`);
      return new MemorySink(receiver, this);
    }, this.pauses);
  }

  /** Goes on by the settings that there are now. */
  follow(): void {
    const { caFile } = this;
    const network = { proxy: "", noProxy: [], caFile } as unknown as DispatchSettings["network"];
    this.dispatch.follow({ sinks: this.settings, network, reader: this.reader, host: "web01" });
  }

  /** Puts events in evidence, in one transaction, as the intake does. @returns their numbers */
  put(...events: NewEvent[]): number[] {
    // What `killBefore` counts is the dispatcher's own.
    const transaction: EvidenceStore["transaction"] = EvidenceStore.prototype.transaction.bind(this.store);
    const seqs = transaction(() => events.map((event) => this.store.append(event, nowUs())));
    this.dispatch.poke();
    return seqs;
  }

  /** Waits until all is told, or it is killed. */
  async rest(): Promise<void> {
    while (!this.isDead && !this.isAtRest) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Whether nothing is to be told. */
  get isAtRest(): boolean {
    const { database } = this.store;
    const again = database.prepare("select count(*) as count from dead_letter where again").get();
    return Number(again?.count) === 0 && this.dispatch.status().every(({ depth }) => depth === 0) &&
      !this.receivers.some(({ isBusy }) => isBusy);
  }

  /** The dead letters of a sink, by their events' numbers. */
  dead(name: SinkName): number[] {
    const rows = this.store.database.prepare("select seq from dead_letter where sink = ? order by seq").all(
      name,
    );
    return rows.map(({ seq }) => Number(seq));
  }

  get rows(): SinkRows {
    return new SinkRows(this.store);
  }

  /** Kills it before so many more transactions of the dispatcher's: what is not written then never is. */
  killBefore(transactions: number): void {
    const { store, generation } = this;
    const work = store.transaction.bind(store);
    let left = transactions;
    store.transaction = (inner) => {
      if (left-- > 0) return work(inner);
      this.kill(generation);
      throw new Error("it was killed");
    };
  }

  /** Kills it: nothing that was under way is written any more. @param generation the agent that is meant */
  kill(generation = this.generation): void {
    if (this.isDead || generation !== this.generation) return;
    this.isDead = true;
    // It is not closed: SQLite in Deno does not bear a statement of a closed database.
    this.store.transaction = () => {
      throw new Error("it was killed");
    };
    this.#dead.push(this.store);
    this.dispatch[Symbol.dispose]();
  }

  /** Starts it again. */
  start(): void {
    this.isDead = false;
    this.generation++;
    this.store = new EvidenceStore(this.file);
    this.outbox = new Outbox(this.store);
    this.dispatch = this.#begin();
    this.follow();
  }

  /** Ends it well, and starts it again. */
  async restart(): Promise<void> {
    await this.dispatch.settle(1000);
    this.kill();
    this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispatch.settle(1000);
    this[Symbol.dispose]();
    await new Promise((resolve) => setTimeout(resolve));
  }

  [Symbol.dispose](): void {
    this.dispatch[Symbol.dispose]();
    for (const store of new Set([...this.#dead, this.store])) store[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }
}

function settingsOf({ name }: MemoryReceiver): SinkSettings {
  return sinkSettings(name);
}
