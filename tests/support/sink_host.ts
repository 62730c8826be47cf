/** A host with an sshd, a user and the compiled agent, that tells all six sinks what goes on. */

import assert from "node:assert/strict";
import { TestAgent } from "./agent.ts";
import { AllSinks, type Hearer, HEARERS } from "./all_sinks.ts";
import { countNews, TO_TELL, type ToTell, toTell } from "./news_count.ts";
import { type Finished, run } from "./run.ts";
import { TestHost, type TestUser, until } from "./sshd.ts";

/** What it needs. */
export const SINK_NEEDS = ["root", "sshd", "sqlite3", "expect", "rsyslogd", "openssl"] as const;

/** What the agent says of a sink. */
export interface SinkState {
  state: string;
  depth: number;
  dead: number;
}

/** The host, its user, who may break the glass, and the sinks. */
export class SinkHost implements AsyncDisposable {
  private constructor(
    readonly sinks: AllSinks,
    readonly host: TestHost,
    readonly user: TestUser,
    readonly agent: TestAgent,
  ) {}

  static async start(): Promise<SinkHost> {
    await using stack = new AsyncDisposableStack();
    const sinks = stack.use(await AllSinks.start());
    const host = stack.use(await TestHost.start());
    const user = await host.addUser();
    const config = [...sinks.config, `breakGlassGroup="${user.name}"`];
    const agent = stack.use(await TestAgent.start(host, config));
    await Deno.chmod(`${host.root}/etc/srvaudit/config`, 0o640);
    stack.move();
    return new SinkHost(sinks, host, user, agent);
  }

  /** All that sinks are to be told, by the evidence. */
  async events(): Promise<ToTell[]> {
    return toTell(await this.agent.ask<ToTell>(TO_TELL));
  }

  /**
   * Waits until sinks have heard of all that is in evidence: nothing is lost, nothing invented, and everything came in the order
   * of the evidence.
   *
   * @returns how many came more than once, of each sink
   */
  async allHeard(names: readonly Hearer[] = HEARERS): Promise<number[]> {
    const doubled: number[] = [];
    for (const name of names) {
      const count = async () => countNews(await this.events(), await this.sinks.heard(name));
      await until(`all events at ${name}`, async () => (await count()).lost === 0).catch(async (error) => {
        throw new Error(`${error}: ${JSON.stringify(await count())}\n${this.agent.said}`);
      });
      const { doubled: more, ...wrong } = await count();
      assert.deepEqual(wrong, { lost: 0, invented: 0, disordered: 0 }, name);
      doubled.push(more);
    }
    assert.deepEqual(this.sinks.spoilt, []);
    return doubled;
  }

  /** Waits until Slack has heard of all: a message a second, by its published rate. */
  async slackHeard(): Promise<void> {
    await until("Slack is told of all", async () => (await this.states()).slack?.depth === 0);
  }

  /** Runs `srvaudit` as root. */
  srvaudit(...args: string[]): Promise<Finished> {
    return run(this.host.asRoot([this.host.program("srvaudit"), ...args]));
  }

  /** How the sinks are, by their names. */
  async states(): Promise<Record<string, SinkState>> {
    const { text } = await this.srvaudit("sink", "list", "--json");
    const all: (SinkState & { name: string })[] = JSON.parse(text);
    return Object.fromEntries(all.map(({ name, state, depth, dead }) => [name, { state, depth, dead }]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
    await this.host[Symbol.asyncDispose]();
    await this.sinks[Symbol.asyncDispose]();
  }
}
