/** What open sessions cost the agent: memory, time of a processor; and what the agent costs a login. */

import { AllSinks, HEARERS } from "../support/all_sinks.ts";
import { findProgram } from "../support/needs.ts";
import { AgentHost, OpenSessions, pause, percentile } from "./agent_host.ts";
import { peakKib } from "./memory.ts";
import { Home, program, PROGRAMS } from "./place.ts";
import { microseconds, milliseconds, notMeasured, type Row } from "./report.ts";
import { takeTurns, timeMs } from "./timing.ts";
import { startJira, untilTold } from "./tracked_host.ts";

const SESSIONS = [0, 1, 100, 1000] as const;
/** How long an idle agent is watched. */
const IDLE_MS = 60_000;
const ROUNDS = 20;

/** Memory and idle time of one agent after the other, with ever more sessions; and how long each opening takes. */
export async function measureAgentSessions(): Promise<Row[]> {
  const what = "agent: open sessions";
  if (Deno.uid() !== 0) return [notMeasured(what, "needs root")];
  if (!findProgram("perl")) return [notMeasured(what, "there is no perl here")];
  const empty = await emptyProgramKib();
  const rows: Row[] = [];
  const residents = new Map<number, number>();
  for (const count of SESSIONS) {
    await using host = new AgentHost();
    await host.start();
    await using sessions = await OpenSessions.open(host, count);
    await pause(2000);
    const isLong = count === 0 || count === 1000;
    const before = host.ticks();
    if (isLong) await pause(IDLE_MS);
    const used = (host.ticks() - before) * 10;
    const resident = host.kib("smaps_rollup", "Rss");
    const own = host.kib("smaps_rollup", "Pss");
    residents.set(count, resident);
    const none = residents.get(0) ?? NaN;
    const each = count > 1 ? `, ${((resident - none) / count).toFixed(1)} KiB a session` : "";
    rows.push({
      what: `agent: resident memory, ${count} open sessions`,
      measured: `${mebibytes(resident)} (its share of shared pages alone: ${mebibytes(own)})`,
      against: `an empty program of ours: ${mebibytes(empty)}`,
      result: `+${mebibytes(resident - empty)}${each}`,
      ...(count === 1000 ? { budget: { text: "80 MiB", kept: resident <= 80 * 1024 } } : {}),
    });
    if (isLong) {
      rows.push({
        what: `agent: idle for a minute, ${count} open sessions`,
        measured: `${used} ms of a processor`,
        against: "",
        result: `${(used / IDLE_MS * 100).toFixed(2)} %`,
      });
    }
    const { tookUs } = sessions;
    if (count >= 100) {
      rows.push({
        what: `agent: session.open, ${count} one after the other`,
        measured: `p50 ${microseconds(percentile(tookUs, 50))}, p99 ${microseconds(percentile(tookUs, 99))}`,
        against: `the last tenth: p50 ${microseconds(percentile(tookUs.slice(-count / 10), 50))}`,
        result: "",
      });
    }
  }
  for (const count of [0, 1000]) rows.push(await residentWithTracker(count, residents.get(count) ?? NaN));
  for (const count of [0, 1000]) rows.push(await residentWithSinks(count, residents.get(count) ?? NaN));
  return rows;
}

/** The same where a tracker elsewhere is told of every session. */
async function residentWithTracker(count: number, without: number): Promise<Row> {
  await using jira = await startJira("cloud");
  const keys = await jira.tickets(20);
  await using host = new AgentHost(jira.config);
  await host.start();
  await using _sessions = await OpenSessions.open(host, count, { on: keys });
  await untilTold(host, count, false);
  await pause(2000);
  const resident = host.kib("smaps_rollup", "Rss");
  return {
    what: `agent: resident memory, ${count} open sessions, which a Jira is told of`,
    measured: mebibytes(resident),
    against: `tickets on the host: ${mebibytes(without)}`,
    result: `${resident < without ? "" : "+"}${mebibytes(resident - without)}`,
    ...(count === 1000 ? { budget: { text: "80 MiB", kept: resident <= 80 * 1024 } } : {}),
  };
}

/** The same where all six sinks are told of every session. */
async function residentWithSinks(count: number, without: number): Promise<Row> {
  const what = `agent: resident memory, ${count} open sessions, which all six sinks are told of`;
  if (!findProgram("rsyslogd")) return notMeasured(what, "there is no rsyslogd here");
  await using sinks = await AllSinks.start();
  await using host = new AgentHost(sinks.config);
  await host.start();
  await using _sessions = await OpenSessions.open(host, count);
  for (const name of HEARERS) while ((await sinks.heard(name)).length < count) await pause(100);
  await pause(2000);
  const resident = host.kib("smaps_rollup", "Rss");
  return {
    what,
    measured: mebibytes(resident),
    against: `no sinks: ${mebibytes(without)}`,
    result: `${resident < without ? "" : "+"}${mebibytes(resident - without)}`,
    ...(count === 1000 ? { budget: { text: "80 MiB", kept: resident <= 80 * 1024 } } : {}),
  };
}

/** What the runtime has resident before it does anything; NaN where there is no time(1). */
async function emptyProgramKib(): Promise<number> {
  const time = findProgram("time");
  if (!time) return NaN;
  using home = new Home();
  return await peakKib(time, [program("hello"), "--version"], home.env);
}

/** A login's command and a nested shell, with an agent and without. */
export async function measureAgentLogin(): Promise<Row[]> {
  const what = "agent: a login";
  if (Deno.uid() !== 0) return [notMeasured(what, "needs root")];
  await using host = new AgentHost();
  await host.start();
  using home = new Home();
  const nested = (env: Record<string, string>) => {
    const rc = `${env.HOME}/rc`;
    Deno.writeTextFileSync(rc, `unset HISTFILE\nPS1=\n. ${PROGRAMS}/shell/attach.bash\n`);
    const line = `printf 'exit\\n' | bash --noprofile --rcfile ${rc} -i 2>/dev/null`;
    return timeMs(["sh", "-c", line], env);
  };
  const figures = await takeTurns(ROUNDS, {
    login: () => timeMs([program("hello"), "-c", "true"], host.home.env),
    loginAlone: () => timeMs([program("hello"), "-c", "true"], home.env),
    shell: () => nested(host.home.env),
    shellAlone: () => nested(home.env),
  });
  const row = (what: string, ours: number, alone: number): Row => ({
    what,
    measured: milliseconds(ours),
    against: `without an agent: ${milliseconds(alone)}`,
    result: `${ours < alone ? "" : "+"}${milliseconds(ours - alone)}`,
  });
  return [
    row("agent: hello -c true", figures.login, figures.loginAlone),
    row("agent: a bash within a session, start to end", figures.shell, figures.shellAlone),
  ];
}

function mebibytes(kib: number): string {
  return `${(kib / 1024).toFixed(1)} MiB`;
}
