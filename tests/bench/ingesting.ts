/** How fast a spool file comes into the history. */

import { encodeRecord } from "../../src/record/spool.ts";
import { findProgram } from "../support/needs.ts";
import { succeed } from "../support/run.ts";
import { end, shell, start } from "../support/spool_files.ts";
import { Home, program } from "./place.ts";
import { milliseconds, type Row, times } from "./report.ts";
import { takeTurns, timeMs } from "./timing.ts";

export const COMMANDS = 100_000;
const ROUNDS = 3;
const TABLES = ["sessions", "commands", "srvaudit_shells", "srvaudit_commands"];

/** The rate, and against sqlite3 that inserts the same rows into the same schema in one transaction. */
export async function measureIngest(): Promise<Row[]> {
  using filled = new Home();
  fillSpool(filled.folder);
  await succeed([program("srvaudit"), "ingest"], { env: filled.env });
  const history = `${filled.folder}/.ash/history.db`;
  const hasSqlite = findProgram("sqlite3") !== undefined;
  const schema = hasSqlite ? await succeed(["sqlite3", history, schemaOf]) : "";
  const figures = await takeTurns(ROUNDS, {
    ours: async () => {
      using home = new Home();
      fillSpool(home.folder);
      const took = await timeMs([program("srvaudit"), "ingest"], home.env);
      checkTakenIn(home.folder);
      return took;
    },
    sqlite: () => hasSqlite ? bulkInsertMs(history, schema) : Promise.resolve(NaN),
  });
  const took = figures.ours;
  const perSecond = COMMANDS / took * 1000;
  const bulk = figures.sqlite;
  return [{
    what: `srvaudit ingest, a spool file of ${COMMANDS} commands`,
    measured: `${milliseconds(took)}: ${Math.round(perSecond)} a second`,
    against: hasSqlite
      ? `sqlite3, the same rows, one transaction: ${milliseconds(bulk)}`
      : "there is no sqlite3 here",
    result: hasSqlite ? `${times(took, bulk)} as long` : "",
    budget: { text: "50000 a second", kept: perSecond >= 50_000 },
  }];
}

/** Puts one shell's spool file, with so many commands, into a home. */
export function fillSpool(home: string): void {
  const spool = `${home}/.ash/spool`;
  Deno.mkdirSync(spool, { recursive: true, mode: 0o700 });
  spoolBytes ??= makeSpoolBytes();
  Deno.writeFileSync(`${spool}/4711-1700000000000000.shell`, spoolBytes);
}

let spoolBytes: Uint8Array | undefined;

function makeSpoolBytes(): Uint8Array {
  const records = [encodeRecord(shell())];
  for (let number = 1; number <= COMMANDS; number++) {
    records.push(encodeRecord(start(number, `grep -rn 'needle ${number}' /var/log | head`)));
    records.push(encodeRecord(end(number)));
  }
  const bytes = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const record of records) {
    bytes.set(record, at);
    at += record.length;
  }
  return bytes;
}

/** The statements that make a schema anew, SQLite's own tables aside. */
const schemaOf = "select sql || ';' from sqlite_master where sql is not null and name not like 'sqlite_%'";

async function bulkInsertMs(history: string, schema: string): Promise<number> {
  using home = new Home();
  const copy = `${home.folder}/copy.db`;
  await succeed(["sqlite3", copy, `pragma journal_mode = wal; ${schema}`]);
  // A limit, since sqlite3 would copy whole pages otherwise.
  const inserts = TABLES.map((table) =>
    `insert into ${table} select * from taken.${table} limit ${2 * COMMANDS};`
  );
  const sql = `attach '${history}' as taken; begin; ${inserts.join(" ")} commit;`;
  return await timeMs(["sqlite3", copy, sql]);
}

function checkTakenIn(home: string): void {
  const left = [...Deno.readDirSync(`${home}/.ash/spool`)].filter(({ name }) => name.endsWith(".shell"));
  if (left.length > 0) throw new Error(`${home}: the spool file was not taken in whole`);
}
