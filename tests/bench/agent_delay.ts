/** How long it takes from the Enter key until a command can be read in evidence. */

import { openDatabase } from "../../src/sqlite/database.ts";
import { findProgram } from "../support/needs.ts";
import { start, type Terminal } from "../support/pty.ts";
import { AgentHost, pause, percentile } from "./agent_host.ts";
import { program } from "./place.ts";
import { milliseconds, notMeasured, type Row } from "./report.ts";

const COMMANDS = 300;
const OTHERS = 20;
/** How often each of the others types. */
const OTHERS_MS = 100;

/** With nobody else at work, and with some. */
export async function measureAgentDelay(): Promise<Row[]> {
  const what = "agent: Enter to evidence";
  if (Deno.uid() !== 0) return [notMeasured(what, "needs root")];
  if (!findProgram("script")) return [notMeasured(what, "there is no script(1) here")];
  await using host = new AgentHost();
  await host.start();
  await using terminal = await logIn(host);
  const idle = await delays(host, terminal, "idle");
  const others: Terminal[] = [];
  for (let i = 0; i < OTHERS; i++) others.push(await logIn(host));
  let isOver = false;
  const typing = others.map(async (other) => {
    for (let i = 0; !isOver; i++) {
      await other.send(`true ${i}\r`);
      await pause(OTHERS_MS);
    }
  });
  const busy = await delays(host, terminal, "busy");
  isOver = true;
  await Promise.all(typing);
  for (const other of others) await other[Symbol.asyncDispose]();
  return [
    row(`${what}, nobody else`, idle),
    row(`${what}, ${OTHERS} other shells, a command every ${OTHERS_MS} ms each`, busy),
  ];
}

function row(what: string, delaysMs: readonly number[]): Row {
  const p99 = percentile(delaysMs, 99);
  return {
    what: `${what}, ${delaysMs.length} commands`,
    measured: `p50 ${milliseconds(percentile(delaysMs, 50))}, p99 ${milliseconds(p99)}`,
    against: `least ${milliseconds(Math.min(...delaysMs))}`,
    result: `most ${milliseconds(Math.max(...delaysMs))}`,
    budget: { text: "p99 1 s", kept: p99 < 1000 },
  };
}

async function logIn(host: AgentHost): Promise<Terminal> {
  Deno.writeTextFileSync(`${host.home.folder}/.bashrc`, "unset HISTFILE\nPS1='READY> '\n");
  const terminal = start(program("hello"), [], {
    PATH: "/usr/bin:/bin",
    LC_ALL: "C.UTF-8",
    ...host.home.env,
    TERM: "dumb",
  });
  await terminal.expect(/blank for new[^\r\n]*: $/);
  await terminal.send("\r");
  await terminal.expect(/Enter subject for new ticket: $/);
  await terminal.send("Benchmark\r");
  await terminal.expect(/READY> $/);
  return terminal;
}

/** By the time that the hook took when the line was read, and the clock of a reader that looks every millisecond. */
async function delays(host: AgentHost, terminal: Terminal, name: string): Promise<number[]> {
  const database = openDatabase(host.evidence, { readOnly: true, busyTimeoutMs: 1000 });
  try {
    const last = database.prepare("select max(seq) as seq from event");
    const find = database.prepare("select at_us from event where seq > ? and kind = 'command' and text = ?");
    const found: number[] = [];
    for (let i = 1; i <= COMMANDS; i++) {
      const text = `: ${name} ${i}`;
      const from = Number(last.get()?.seq);
      await terminal.send(`${text}\r`);
      let row;
      while ((row = find.get(from, text)) === undefined) await pause(1);
      found.push(Date.now() - Number(row.at_us) / 1000);
      await pause(i * 7 % 40);
    }
    return found;
  } finally {
    database.close();
  }
}
