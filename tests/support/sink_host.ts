/** A host with an sshd, users and the compiled agent, that tells all six sinks what goes on; and the count of what they have heard. */

import assert from "node:assert/strict";
import { newsId } from "../../src/sinks/news_id.ts";
import { TestAgent } from "./agent.ts";
import { AllSinks, type Heard, type Hearer, HEARERS } from "./all_sinks.ts";
import { type Finished, run } from "./run.ts";
import { TestHost, type TestUser, until } from "./sshd.ts";

/** What they need. */
export const SINK_NEEDS = ["root", "sshd", "sqlite3", "expect", "rsyslogd", "openssl"] as const;

/** The kinds of events that sinks are told of. */
const NEWS =
  `('session opened', 'session closed', 'ticket switched', 'note', 'status', 'command', 'command ended', 'tamper')`;

/** An event of the evidence that sinks are told of. */
export interface Event {
  seq: number;
  id: string;
  kind: string;
}

/** The host, its user who may break the glass, and the sinks. */
export class SinkHost implements AsyncDisposable {
  private constructor(
    readonly sinks: AllSinks,
    readonly host: TestHost,
    readonly user: TestUser,
    readonly agent: TestAgent,
  ) {}

  /** @param config further lines of the host's config */
  static async start(config: readonly string[] = []): Promise<SinkHost> {
    await using stack = new AsyncDisposableStack();
    const sinks = stack.use(await AllSinks.start());
    const host = stack.use(await TestHost.start());
    const user = await host.addUser();
    const agent = stack.use(
      await TestAgent.start(host, [...sinks.config, `breakGlassGroup="${user.name}"`, ...config]),
    );
    await Deno.chmod(`${host.root}/etc/srvaudit/config`, 0o640);
    stack.move();
    return new SinkHost(sinks, host, user, agent);
  }

  /** All that is to be told, by the evidence. */
  async events(): Promise<Event[]> {
    const rows = await this.agent.ask<{ seq: number; hash: string; kind: string }>(
      `select seq, hex(hash) as hash, kind from event where kind in ${NEWS} order by seq`,
    );
    return rows.map(({ seq, hash, kind }) => ({ seq, kind, id: newsId(bytesOf(hash)) }));
  }

  /**
   * Waits until sinks have heard of all that is in evidence, and counts: nothing is missing, nothing is there that is not in
   * evidence, and what is heard first stands in the order of the evidence.
   *
   * @returns how many came more than once, of each sink
   */
  async allHeard(names: readonly Hearer[] = HEARERS): Promise<number[]> {
    const doubles: number[] = [];
    for (const name of names) {
      let events = await this.events();
      const heard = await until(`all events at ${name}`, async () => {
        events = await this.events();
        const heard = await this.sinks.heard(name);
        const ids = new Set(heard.map(({ id }) => id));
        return events.every(({ id }) => ids.has(id)) && heard;
      }).catch(async (error) => {
        const ids = new Set((await this.sinks.heard(name)).map(({ id }) => id));
        const missing = events.filter(({ id }) => !ids.has(id));
        throw new Error(`${error}: ${JSON.stringify(missing.slice(0, 5))}\n${this.agent.said}`);
      });
      doubles.push(countDoubles(name, heard, events));
    }
    assert.deepEqual(this.sinks.spoilt, []);
    return doubles;
  }

  /** Runs `srvaudit` as root. */
  srvaudit(...args: string[]): Promise<Finished> {
    return run(this.host.asRoot([this.host.program("srvaudit"), ...args]));
  }

  /** What the agent says of its sinks, by their names. */
  async states(): Promise<Record<string, { state: string; depth: number; dead: number }>> {
    const { text } = await this.srvaudit("sink", "list", "--json");
    const all = JSON.parse(text) as { name: string; state: string; depth: number; dead: number }[];
    return Object.fromEntries(all.map(({ name, state, depth, dead }) => [name, { state, depth, dead }]));
  }

  /** Has the agent read another config: the usual lines without some keys, and with others. */
  async reload(without: readonly string[], lines: readonly string[] = []): Promise<void> {
    const usual = this.sinks.config.filter((line) => !without.some((key) => line.startsWith(`${key}=`)));
    const saidBefore = this.agent.said.length;
    await TestAgent.configure(this.host, [...usual, ...lines]);
    this.agent.signal("SIGHUP");
    await until(
      "a config that is read",
      () => Promise.resolve(/was read again/.test(this.agent.said.slice(saidBefore))),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
    await this.host[Symbol.asyncDispose]();
    await this.sinks[Symbol.asyncDispose]();
  }
}

/** @returns how many of them are there once more */
function countDoubles(name: string, heard: readonly Heard[], events: readonly Event[]): number {
  const seqs = new Map(events.map(({ id, seq }) => [id, seq]));
  const first = [...new Set(heard.map(({ id }) => id))].map((id) => seqs.get(id) ?? `unknown: ${id}`);
  assert.deepEqual(first, events.map(({ seq }) => seq), `the order of events at ${name}`);
  return heard.length - first.length;
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
