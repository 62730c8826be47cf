/** How long a login waits for a tracker that is elsewhere, and what it asks it. */

import { isThere } from "../support/needs.ts";
import { start, type Terminal } from "../support/pty.ts";
import { AgentHost, until } from "./agent_host.ts";
import { program } from "./place.ts";
import { milliseconds, notMeasured, type Row } from "./report.ts";
import { timeMs } from "./timing.ts";
import { type RemoteTracker, startRedmine, untilTold } from "./tracked_host.ts";

const ROUNDS = 2;
/** In docs/security.md: so long a login waits for a tracker that does not answer. */
const LONGEST_MS = 5000;

/** What is measured of each login. */
type Moment = "prompt" | "shell" | "first shell" | "status" | "note" | "command";

/** The least of all rounds. */
class Figures {
  readonly #least = new Map<Moment, { ms: number; requests: number }>();

  add(moment: Moment, ms: number, requests: number): void {
    const before = this.of(moment);
    this.#least.set(moment, { ms: Math.min(before.ms, ms), requests: Math.min(before.requests, requests) });
  }

  of(moment: Moment): { ms: number; requests: number } {
    return this.#least.get(moment) ?? { ms: Infinity, requests: Infinity };
  }
}

/** Logins by hand, with a Redmine that answers sooner or later, in turns with tickets on the host itself. */
export async function measureTrackerLogin(): Promise<Row[]> {
  const what = "tracker: a login";
  for (const need of ["root", "script", "Redmine"]) {
    if (!isThere(need)) return [notMeasured(what, `needs ${need}`)];
  }
  await using redmine = await startRedmine();
  await using local = new AgentHost(['showBanner="no"']);
  await local.start();
  await makeFirstTicket(local);
  const rows: Row[] = [];
  for (const delayMs of [0, 50, 5000]) {
    rows.push(...rowsOf(delayMs, await measureWay(redmine, delayMs, local)));
  }
  return rows;
}

function rowsOf(delayMs: number, { remote, local }: Record<"remote" | "local", Figures>): Row[] {
  const way = `Redmine answers ${delayMs === 0 ? "at once" : `after ${milliseconds(delayMs)}`}`;
  const row = (what: string, moment: Moment, than: Moment = moment): Row => {
    const { ms, requests } = remote.of(moment);
    const base = local.of(than).ms;
    return {
      what: `${what}, ${way}`,
      measured: `${milliseconds(ms)}, ${requests} requests`,
      against: `tickets on the host: ${milliseconds(base)}`,
      result: `${ms < base ? "" : "+"}${milliseconds(ms - base)}`,
    };
  };
  const isSlow = delayMs > 1000;
  const first = { text: "5 s", kept: remote.of("first shell").ms <= LONGEST_MS };
  return [
    row("hello: from exec to the ticket prompt", "prompt"),
    ...(isSlow
      ? [{
        ...row("hello: from the number to the shell, the first login", "first shell", "shell"),
        budget: first,
      }]
      : []),
    row(`hello: from the number to the shell${isSlow ? ", those after it" : ""}`, "shell"),
    row(`saticket status${isSlow ? ": refused" : ""}`, "status"),
    row("saticket note", "note"),
    row("agent: hello -c true", "command"),
  ];
}

async function makeFirstTicket(host: AgentHost): Promise<void> {
  await using terminal = logIn(host);
  await terminal.expect(/blank for new[^\r\n]*: $/);
  await terminal.send("\r");
  await terminal.expect(/Enter subject for new ticket: $/);
  await terminal.send("Benchmark\r");
  await terminal.expect(/READY> $/);
}

async function measureWay(redmine: RemoteTracker, delayMs: number, local: AgentHost) {
  const { proxy } = redmine;
  const isSlow = delayMs > 1000;
  proxy.faults = {};
  // Each login a ticket of its own: what was found is remembered for a minute.
  const keys = await redmine.tickets(ROUNDS);
  await using host = new AgentHost([...redmine.config, 'storySeconds="3600"', 'showBanner="no"']);
  proxy.reset();
  await host.start();
  await until("the answer to the agent's first question", 5, () => proxy.traffic.received > 0);
  proxy.faults = { delayMs };
  const figures = { remote: new Figures(), local: new Figures() };
  for (const [round, key] of keys.entries()) {
    await playLogin(local, "1", figures.local, () => 0);
    proxy.reset();
    let seen = 0;
    const asked = () => {
      const before = seen;
      seen = proxy.traffic.requests;
      return seen - before;
    };
    await playLogin(host, key, figures.remote, asked, isSlow && round === 0);
    // So that its story's requests are not taken for the next one's.
    if (!isSlow) await untilTold(host, round + 1, true);
  }
  return figures;
}

/**
 * One login, and what is typed at its shell.
 *
 * @param asked how many requests there were since this was asked last
 * @param isFirst whether it is the one that finds the tracker silent
 */
async function playLogin(
  host: AgentHost,
  key: string,
  figures: Figures,
  asked: () => number,
  isFirst = false,
): Promise<void> {
  const add = (moment: Moment, ms: number) => figures.add(moment, ms, asked());
  const began = performance.now();
  await using terminal = logIn(host);
  await terminal.expect(/blank for new[^\r\n]*: $/);
  add("prompt", performance.now() - began);
  add(isFirst ? "first shell" : "shell", await answered(terminal, key));
  add("status", await answered(terminal, `${program("saticket")} status 'In Progress'`));
  add("note", await answered(terminal, `${program("saticket")} note 'a note'`));
  add("command", await timeMs([program("hello"), "-c", "true"], host.home.env));
}

async function answered(terminal: Terminal, typed: string): Promise<number> {
  const began = performance.now();
  await terminal.send(`${typed}\r`);
  await terminal.expect(/READY> $/);
  return performance.now() - began;
}

function logIn(host: AgentHost): Terminal {
  Deno.writeTextFileSync(`${host.home.folder}/.bashrc`, "unset HISTFILE\nPS1='READY> '\n");
  return start(program("hello"), [], {
    PATH: "/usr/bin:/bin",
    LC_ALL: "C.UTF-8",
    ...host.home.env,
    TERM: "dumb",
  });
}
