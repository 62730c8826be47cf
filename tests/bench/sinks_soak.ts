/**
 * Many sessions that type while all six sinks are told: one fails, one is slow and one is dead for a while, and the agent is
 * killed. What each has heard in the end is counted against evidence.
 */

import { AllSinks, type Hearer, HEARERS } from "../support/all_sinks.ts";
import { findProgram } from "../support/needs.ts";
import { countNews, TO_TELL, type ToTell, toTell } from "../support/news_count.ts";
import { AgentHost, pause, percentile, until } from "./agent_host.ts";
import { milliseconds, notMeasured, type Row } from "./report.ts";
import { logInAtOnce, type, type Typing, withoutFreshening } from "./soak_typing.ts";

/** How large a soak is: stretches in seconds. */
export interface SoakSize {
  sessions: number;
  /** How often each types, in milliseconds. */
  everyMs: number;
  /** Without any sink; with all six, all well; with three of them sick; and the same after a SIGKILL. */
  stretches: { alone: number; well: number; sick: number; killed: number };
  /** How long the sick ones may take for what they have missed, in seconds. */
  patience: number;
  /** How long Slack may take for all: a message a second, by its rate. */
  slackPatience: number;
}

/** What `make bench` has room for. */
export const SHORT: SoakSize = {
  sessions: 20,
  everyMs: 500,
  stretches: { alone: 5, well: 8, sick: 6, killed: 4 },
  patience: 60,
  slackPatience: 0,
};

/** `make soak`. */
export const LONG: SoakSize = {
  sessions: 200,
  everyMs: 2000,
  stretches: { alone: 60, well: 60, sick: 60, killed: 60 },
  patience: 300,
  slackPatience: 900,
};

/** Between two stretches. */
const CALM_MS = 1500;

/** The sick ones, and how: the others are well. */
const SICK = {
  datadog: "answers 500",
  newRelic: "takes 2 s an answer",
  otlp: "refuses connections",
} as const;

/** What a stretch of time has cost the agent. */
interface Cost {
  commands: number;
  seconds: number;
  cpuMs: number;
  /** The most, in KiB: all, and without what files hold. */
  residentKib: number;
  ownKib: number;
}

/** The short form. */
export function measureSinksSoak(): Promise<Row[]> {
  return soakSinks(SHORT);
}

/** Types, breaks, kills, mends, and counts. */
export async function soakSinks(size: SoakSize): Promise<Row[]> {
  const what = `sinks, ${size.sessions} sessions`;
  if (Deno.uid() !== 0) return [notMeasured(what, "needs root")];
  for (const program of ["script", "rsyslogd", "openssl"]) {
    if (!findProgram(program)) return [notMeasured(what, `there is no ${program} here`)];
  }
  const alone = await typeAlone(size);
  await using sinks = await AllSinks.start();
  await using host = new AgentHost(sinks.config);
  using _freshening = withoutFreshening(host);
  await host.start();
  const terminals = await logInAtOnce(host, size.sessions);
  await using typing = type(terminals, size.everyMs);
  const well = await stretch(host, typing, "well", size.stretches.well);
  await calm(typing);
  const { datadog, newRelic, otlp } = sinks.proxies;
  datadog.faults = { answer: { status: 500 } };
  newRelic.faults = { delayMs: 2000 };
  otlp.refuse();
  const sick = await stretch(host, typing, "sick", size.stretches.sick);
  await calm(typing);
  await host.kill();
  typing.phase = "killed";
  await host.start();
  await pause(size.stretches.killed * 1000);
  typing.phase = "mended";
  datadog.faults = newRelic.faults = {};
  otlp.listen();
  await typing[Symbol.asyncDispose]();
  const open = `select sum(kind = 'session opened') - sum(kind = 'session closed') from event`;
  await until("the end of all sessions", 100, () => host.ask(open) === 0);
  const told = await untilTold(host, sinks, size);
  const slack = await untilSlackKnows(sinks, size);
  return [
    ...costRows(what, { alone, well, sick }),
    ...await delayRows(what, host, sinks),
    ...told.map((row) => ({
      ...row,
      what: `${what}: ${row.what}`,
      budget: { text: "0 lost, 0 out of order", kept: row.isWhole },
    })),
    { ...slack, what: `${what}: ${slack.what}` },
  ];

  async function typeAlone(size: SoakSize): Promise<Cost> {
    await using host = new AgentHost();
    using _freshening = withoutFreshening(host);
    await host.start();
    await using typing = type(await logInAtOnce(host, size.sessions), size.everyMs);
    return await stretch(host, typing, "alone", size.stretches.alone);
  }
}

/** What belongs to a stretch is to arrive in it: what is typed meanwhile belongs to none. */
async function calm(typing: Typing): Promise<void> {
  typing.phase = "between";
  await pause(CALM_MS);
}

/** Lets them type for so many seconds, and looks how much the agent takes. */
async function stretch(host: AgentHost, typing: Typing, phase: string, seconds: number): Promise<Cost> {
  typing.phase = phase;
  const [beganMs, ticks, typed] = [performance.now(), host.ticks(), typing.typed];
  const cost = { commands: 0, seconds: 0, cpuMs: 0, residentKib: 0, ownKib: 0 };
  while (performance.now() < beganMs + seconds * 1000) {
    await pause(200);
    cost.residentKib = Math.max(cost.residentKib, host.kib("status", "VmRSS"));
    cost.ownKib = Math.max(cost.ownKib, host.kib("status", "RssAnon"));
  }
  cost.commands = typing.typed - typed;
  cost.seconds = (performance.now() - beganMs) / 1000;
  cost.cpuMs = (host.ticks() - ticks) * 10;
  return cost;
}

function costRows(what: string, { alone, well, sick }: Record<"alone" | "well" | "sick", Cost>): Row[] {
  const mebibytes = (kib: number) => `${(kib / 1024).toFixed(1)} MiB`;
  const memory = (cost: Cost) => `${mebibytes(cost.residentKib)}, ${mebibytes(cost.ownKib)} of it its own`;
  const cpu = ({ cpuMs, commands }: Cost) => cpuMs / commands;
  const names: [string, Cost][] = [["all six are well", well], ["three are sick", sick]];
  return names.flatMap(([name, cost]) => [
    {
      what: `${what}: the agent's memory, ${name}`,
      measured: memory(cost),
      against: `no sinks: ${memory(alone)}`,
      result: `+${mebibytes(cost.residentKib - alone.residentKib)}, +${
        mebibytes(cost.ownKib - alone.ownKib)
      } its own`,
    },
    {
      what: `${what}: the agent's time of a processor, ${name}`,
      measured: `${(cost.cpuMs / cost.seconds / 10).toFixed(1)} % of one, ${
        milliseconds(cpu(cost))
      } a command`,
      against: `no sinks: ${(alone.cpuMs / alone.seconds / 10).toFixed(1)} %, ${
        milliseconds(cpu(alone))
      } a command`,
      result: `${cpu(cost) < cpu(alone) ? "" : "+"}${milliseconds(cpu(cost) - cpu(alone))} a command, ${
        Math.round(cost.commands / cost.seconds)
      } a second`,
    },
  ]);
}

/** From the Enter key, by the time that the hook took, until the receiver had it. */
async function delayRows(what: string, host: AgentHost, sinks: AllSinks): Promise<Row[]> {
  const commands = typedCommands(host);
  const rows: Row[] = [];
  const stretches: [phase: string, words: string, names: readonly Hearer[]][] = [
    ["well", "all six are well", HEARERS],
    ["sick", "three are sick", HEARERS.filter((name) => !(name in SICK))],
    ["killed", "three are sick, from a SIGKILL on", HEARERS.filter((name) => !(name in SICK))],
  ];
  for (const [phase, words, names] of stretches) {
    for (const name of names) {
      const arrivals = await sinks.arrivals(name);
      const delays = [...commands.values()].filter((command) => command.phase === phase).map((
        { atMs, ids },
      ) => Math.min(...ids.map((id) => arrivals.get(id) ?? Infinity)) - atMs);
      const [p50, p99] = [percentile(delays, 50), percentile(delays, 99)];
      rows.push({
        what: `${what}: Enter to ${name}, ${words}`,
        measured: `p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}`,
        against: `${delays.length} commands`,
        result: `most ${milliseconds(Math.max(...delays))}`,
        ...(phase === "killed" ? {} : { budget: { text: "p99 1 s", kept: p99 < 1000 } }),
      });
    }
  }
  return rows;
}

interface TypedCommand {
  phase: string;
  /** When Enter was pressed. */
  atMs: number;
  /** Of the news of its start, and of its end. */
  ids: string[];
}

/** Those that were typed by the soak, by their `seq`. */
function typedCommands(host: AgentHost): Map<number, TypedCommand> {
  const ids = new Map(toTell(host.rows<ToTell>(TO_TELL)).map(({ seq, id }) => [seq, id]));
  const rows = host.rows<{ seq: number; start: number; atUs: number; text: string }>(
    `select e.seq as seq, c.seq as start, c.at_us as atUs, cast(c.text as text) as text from event c
      join event e on e.seq = c.seq or e.command = c.seq where c.kind = 'command' and c.text like ': soak %'`,
  );
  const commands = new Map<number, TypedCommand>();
  for (const { seq, start, atUs, text } of rows) {
    const phase = text.split(" ")[2] ?? "";
    const known = commands.get(start) ?? { phase, atMs: atUs / 1000, ids: [] };
    known.ids.push(ids.get(seq) ?? "");
    commands.set(start, known);
  }
  return commands;
}

/** Waits for each, and counts. */
async function untilTold(
  host: AgentHost,
  sinks: AllSinks,
  { patience }: SoakSize,
): Promise<(Row & { isWhole: boolean })[]> {
  const beganMs = performance.now();
  const rows: (Row & { isWhole: boolean })[] = [];
  for (const name of HEARERS) {
    const count = async () => countNews(toTell(host.rows<ToTell>(TO_TELL)), await sinks.heard(name));
    let { lost, invented, disordered, doubled } = await count();
    while (lost > 0 && performance.now() < beganMs + patience * 1000) {
      await pause(500);
      ({ lost, invented, disordered, doubled } = await count());
    }
    const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
    rows.push({
      what: `${name}${name in SICK ? `, which ${SICK[name as keyof typeof SICK]}` : ""}, counted in the end`,
      measured:
        `${lost} lost, ${disordered} out of order, ${invented} invented, ${doubled} twice by the same id`,
      against: `${toTell(host.rows<ToTell>(TO_TELL)).length} events`,
      result: name in SICK ? `told of all ${seconds} s after it was mended` : "",
      isWhole: lost + invented + disordered === 0,
    });
  }
  return rows;
}

async function untilSlackKnows(sinks: AllSinks, { sessions, slackPatience }: SoakSize): Promise<Row> {
  const beganMs = performance.now();
  const seconds = () => (performance.now() - beganMs) / 1000;
  while (sinks.slackOver < sessions && seconds() < slackPatience) await pause(500);
  const sent = sinks.slack.requests.length;
  return {
    what: "Slack, which takes a message a second",
    measured: `${sinks.slackOver} of ${sessions} sessions are shown as over`,
    against: `${sent} requests`,
    result: `${seconds().toFixed(1)} s after the others were told of all`,
  };
}
