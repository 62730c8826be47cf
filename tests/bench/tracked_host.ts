/** Hosts whose tickets are elsewhere: behind a proxy that counts, and delays. */

import { BrokenProxy } from "../support/broken_proxy.ts";
import { FakeJira } from "../support/jira/fake_jira.ts";
import { Redmine, REDMINE_KEYS } from "../support/redmine.ts";
import { AgentHost, until } from "./agent_host.ts";

/** What a tracker and the way to it are known by. */
export interface RemoteTracker extends AsyncDisposable {
  /** `Redmine`. */
  readonly name: string;
  readonly proxy: BrokenProxy;
  /** The lines of a host's config that name it. root is a user there who may do everything. */
  readonly config: readonly string[];
  /** Makes tickets. @returns their keys */
  tickets(count: number): Promise<string[]>;
}

/** A real one. */
export async function startRedmine(): Promise<RemoteTracker> {
  const redmine = await Redmine.start();
  const proxy = new BrokenProxy(redmine.url);
  return {
    name: "Redmine",
    proxy,
    config: [
      'pms="Redmine"',
      `redmineURL="${proxy.url}"`,
      `redmineKey="${REDMINE_KEYS.admin}"`,
      'redmineProject="ops"',
      'trackerUsers="root=alice"',
    ],
    async tickets(count) {
      const keys = [];
      for (let i = 0; i < count; i++) {
        keys.push(String(await redmine.issue("admin", { subject: `Benchmark ${i}` })));
      }
      return keys;
    },
    async [Symbol.asyncDispose]() {
      proxy[Symbol.dispose]();
      await redmine[Symbol.asyncDispose]();
    },
  };
}

/** A fake one, in this very process. */
export async function startJira(edition: "cloud" | "server"): Promise<RemoteTracker> {
  const jira = await FakeJira.start({ edition });
  const proxy = new BrokenProxy(jira.url);
  return {
    name: `Jira ${edition === "cloud" ? "Cloud" : "Server"} (a fake one)`,
    proxy,
    config: [
      'pms="jira"',
      `jiraURL="${proxy.url}"`,
      'jiraProjectKey="OPS"',
      `jiraMail="${jira.mail}"`,
      `jiraToken="${jira.token}"`,
      'trackerUsers="root=alice"',
    ],
    tickets(count) {
      const first = jira.world.issues[0];
      if (!first) throw new Error("the fake Jira has no issue");
      const keys = Array.from({ length: count }, (_, i) => `OPS-${1000 + i}`);
      jira.world.issues.push(
        ...keys.map((key, i) => ({ ...structuredClone(first), key, id: String(50_000 + i) })),
      );
      return Promise.resolve(keys);
    },
    async [Symbol.asyncDispose]() {
      proxy[Symbol.dispose]();
      await jira[Symbol.asyncDispose]();
    },
  };
}

/** Waits until all stories of so many sessions are told. */
export async function untilTold(host: AgentHost, sessions: number, isOver: boolean): Promise<void> {
  const told = `select count(*) from story where waiting_us is null and is_over = ${Number(isOver)}`;
  await until(`${sessions} stories`, 20, () => host.ask(told) >= sessions);
}
