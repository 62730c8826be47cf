/** How fast the agent takes spool files into evidence. */

import { encodeRecord } from "../../src/record/spool.ts";
import { openDatabase } from "../../src/sqlite/database.ts";
import { findProgram } from "../support/needs.ts";
import { succeed } from "../support/run.ts";
import { end, GONE, opened, shell, start, T0 } from "../support/spool_files.ts";
import { AgentHost, until } from "./agent_host.ts";
import { Home } from "./place.ts";
import { milliseconds, notMeasured, type Row, times } from "./report.ts";
import { takeTurns, timeMs } from "./timing.ts";

const SHELLS = 20;
const COMMANDS = 10_000;
const ROUNDS = 3;

/** The rate, against sqlite3 that inserts the very rows, in transactions of the same size. */
export async function measureAgentIngest(): Promise<Row[]> {
  const what = "agent: ingest";
  if (Deno.uid() !== 0) return [notMeasured(what, "needs root")];
  const files = makeFiles({ shells: SHELLS, commands: COMMANDS, ticket: "1" });
  const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  let events = 0;
  let batches = 0;
  let copy: { home: Home; load: string } | undefined;
  let peakKib = Infinity;
  try {
    const figures = await takeTurns(ROUNDS, {
      ours: async () => {
        await using host = new AgentHost();
        // What an agent's start takes is not the spool's.
        const startMs = await host.start();
        await host.stop();
        for (const [name, content] of files) Deno.writeFileSync(`${host.spool}/${name}`, content);
        const began = performance.now();
        await host.start();
        const all = `select count(*) >= ${SHELLS} from event where kind = 'shell ended'`;
        await until("all in evidence", 10, () => host.ask(all) === 1);
        const took = performance.now() - began - startMs;
        peakKib = Math.min(peakKib, host.kib("status", "VmHWM"));
        const commands = host.ask("select count(*) from event where kind = 'command'");
        if (commands !== SHELLS * COMMANDS) throw new Error(`${commands} commands are in evidence`);
        await host.stop();
        events = host.ask("select count(*) from event");
        batches = host.ask("select count(distinct taken_us) from event");
        copy ??= await copyOf(host);
        return took;
      },
      sqlite: () => copy ? bulkInsertMs(copy) : Promise.resolve(NaN),
    });
    const took = figures.ours;
    const perSecond = (count: number) => `${Math.round(count / took * 1000)}`;
    return [
      {
        what: `${what}, ${SHELLS * COMMANDS} commands in ${SHELLS} spool files`,
        measured: `${milliseconds(took)}: ${perSecond(SHELLS * COMMANDS)} commands, ${
          perSecond(events)
        } events, ${(bytes / took / 1000).toFixed(1)} MB a second`,
        against: copy
          ? `sqlite3, the same rows, synchronous=FULL, ${batches} transactions: ${
            milliseconds(figures.sqlite)
          }`
          : "there is no sqlite3 here",
        result: copy ? `${times(took, figures.sqlite)} as long` : "",
        budget: { text: "50000 a second", kept: SHELLS * COMMANDS / took * 1000 >= 50_000 },
      },
      {
        what: "agent: peak memory at that",
        measured: `${(peakKib / 1024).toFixed(1)} MiB`,
        against: "",
        result: "",
      },
    ];
  } finally {
    copy?.home[Symbol.dispose]();
  }
}

/** What lies in a host's spool. */
export interface Spooled {
  /** Each of a session of its own, which has ended. */
  shells: number;
  /** Of each shell. */
  commands: number;
  ticket: string;
}

/** Puts sessions that have ended, with a shell each, into a host's spool. */
export function fillHostSpool(host: AgentHost, spooled: Spooled): void {
  for (const [name, content] of makeFiles(spooled)) Deno.writeFileSync(`${host.spool}/${name}`, content);
}

function makeFiles({ shells, commands, ticket }: Spooled): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let i = 0; i < shells; i++) {
    const event = opened({
      mode: "interactive",
      ticket,
      leaderPid: GONE.pid,
      leaderStartTicks: GONE.startTicks,
    });
    const closed = { kind: "session closed", session: event.session, atUs: T0 + 1, how: "logout" } as const;
    files.set(
      `${event.session}.session`,
      joined([encodeRecord({ type: "event", event }), encodeRecord({ type: "event", event: closed })]),
    );
    const records = [encodeRecord(shell({ session: event.session, ...GONE }))];
    for (let number = 1; number <= commands; number++) {
      records.push(encodeRecord(start(number, `grep -rn 'needle ${i} ${number}' /var/log | head`)));
      records.push(encodeRecord(end(number)));
    }
    files.set(`${event.session}.${GONE.pid}-${GONE.startTicks}-${T0 + i}.shell`, joined(records));
  }
  return files;
}

function joined(records: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const record of records) {
    bytes.set(record, at);
    at += record.length;
  }
  return bytes;
}

/** A copy of the evidence, and the SQL that inserts its rows anew, in the agent's own transactions. */
async function copyOf(host: AgentHost): Promise<{ home: Home; load: string } | undefined> {
  if (!findProgram("sqlite3")) return undefined;
  const home = new Home();
  const file = `${home.folder}/evidence.db`;
  await succeed(["sqlite3", host.evidence, `vacuum into '${file}'`]);
  const database = openDatabase(file, { readOnly: true, busyTimeoutMs: 1000 });
  const batches = database.prepare("select min(seq) as least, max(seq) as most from event group by taken_us")
    .all();
  const schema = database.prepare(
    "select sql from sqlite_master where sql is not null and tbl_name = 'event' order by type = 'table' desc",
  ).all();
  database.close();
  const load = [
    "pragma journal_mode = wal; pragma synchronous = full;",
    ...schema.map(({ sql }) => `${sql};`),
    `attach '${file}' as taken;`,
    ...batches.map(({ least, most }) =>
      `begin; insert into event select * from taken.event where seq between ${least} and ${most}; commit;`
    ),
  ].join("\n");
  Deno.writeTextFileSync(`${home.folder}/load.sql`, load);
  return { home, load: `${home.folder}/load.sql` };
}

async function bulkInsertMs({ load }: { load: string }): Promise<number> {
  using home = new Home();
  return await timeMs(["sqlite3", `${home.folder}/copy.db`, `.read ${load}`]);
}
