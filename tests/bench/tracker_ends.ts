/** How long it takes until the stories of many sessions are told that begin, and end, at once. */

import { findProgram, isThere } from "../support/needs.ts";
import { AgentHost, OpenSessions } from "./agent_host.ts";
import { milliseconds, notMeasured, type Row, times } from "./report.ts";
import { type RemoteTracker, startJira, startRedmine, untilTold } from "./tracked_host.ts";

/** How many sessions. A real Redmine is asked for its ticket's whole history after each comment, one after the other. */
const SESSIONS = { Redmine: 50, Jira: 200 };
const TICKETS = 20;
const DELAY_MS = 50;
/** How many stories the agent tells at the same time. */
const AT_ONCE = 4;
/** Of whom each has two told at the same time, at most. */
const USERS = 5;

/** Of a real Redmine and a fake Jira that answer after 50 ms. */
export async function measureStoriesAtOnce(): Promise<Row[]> {
  const what = `tracker: sessions at once`;
  if (Deno.uid() !== 0) return [notMeasured(what, "needs root")];
  if (!findProgram("perl")) return [notMeasured(what, "there is no perl here")];
  const rows: Row[] = [];
  if (isThere("Redmine")) {
    await using redmine = await startRedmine();
    rows.push(...await tellMany(redmine, SESSIONS.Redmine));
  } else rows.push(notMeasured(what, "needs Redmine"));
  await using jira = await startJira("cloud");
  rows.push(...await tellMany(jira, SESSIONS.Jira));
  return rows;
}

async function tellMany(remote: RemoteTracker, count: number): Promise<Row[]> {
  const keys = await remote.tickets(TICKETS);
  const { proxy } = remote;
  await using host = new AgentHost(remote.config);
  await host.start();
  proxy.faults = {};
  const sessions = await OpenSessions.open(host, count, { on: keys, users: USERS });
  proxy.faults = { delayMs: DELAY_MS };
  proxy.reset();
  const row = (what: string, began: number): Row => {
    const ms = performance.now() - began;
    const { requests, sent, received } = proxy.traffic;
    proxy.reset();
    const least = requests * DELAY_MS / AT_ONCE;
    return {
      what: `tracker: ${count} sessions on ${TICKETS} tickets ${what} at once, ${remote.name}`,
      measured: `told after ${milliseconds(ms)}: ${requests} requests, ${Math.round(sent / 1000)} kB sent, ${
        Math.round(received / 1000)
      } kB received`,
      against: `so many answers after ${DELAY_MS} ms each, ${AT_ONCE} at a time: ${milliseconds(least)}`,
      result: `${times(ms, least)} as long`,
    };
  };
  let began = performance.now();
  await untilTold(host, count, false);
  const begin = row("begin", began);
  began = performance.now();
  await sessions[Symbol.asyncDispose]();
  await untilTold(host, count, true);
  return [begin, row("end", began)];
}
