/** What it costs the agent's intake that a tracker is told of what it takes in. */

import { AgentHost, until } from "./agent_host.ts";
import { fillHostSpool } from "./agent_ingest.ts";
import { milliseconds, notMeasured, type Row, times } from "./report.ts";
import { takeTurns } from "./timing.ts";
import { startJira } from "./tracked_host.ts";

const SHELLS = 10;
const COMMANDS = 3000;
const ROUNDS = 2;

/** With a Jira that is told of it at the same time, and without; in the agent's time of a processor, too. */
export async function measureTrackerIngest(): Promise<Row[]> {
  const what = "agent: ingest";
  if (Deno.uid() !== 0) return [notMeasured(what, "needs root")];
  await using jira = await startJira("cloud");
  const [ticket = ""] = await jira.tickets(1);
  const used = { told: Infinity, alone: Infinity };
  const takeIn = async (name: keyof typeof used, config: readonly string[]) => {
    await using host = new AgentHost(config);
    const startMs = await host.start();
    await host.stop();
    fillHostSpool(host, { shells: SHELLS, commands: COMMANDS, ticket });
    const began = performance.now();
    await host.start();
    const all = `select count(*) >= ${SHELLS} from event where kind = 'shell ended'`;
    await until("all in evidence", 10, () => host.ask(all) === 1);
    const took = performance.now() - began - startMs;
    used[name] = Math.min(used[name], host.ticks() * 10);
    return took;
  };
  const figures = await takeTurns(ROUNDS, {
    told: () => takeIn("told", jira.config),
    alone: () => takeIn("alone", []),
  });
  const rate = (ms: number) => `${Math.round(SHELLS * COMMANDS / ms * 1000)} commands a second`;
  return [{
    what: `${what}, ${SHELLS * COMMANDS} commands in ${SHELLS} spool files, a Jira is told meanwhile`,
    measured: `${rate(figures.told)}; ${milliseconds(used.told)} of a processor, its start included`,
    against: `tickets on the host: ${rate(figures.alone)}; ${milliseconds(used.alone)}`,
    result: `${times(figures.told, figures.alone)} as long, ${
      times(used.told, used.alone)
    } the time of a processor`,
  }];
}
