/** How long `ash_query` takes over a million commands, as a whole process. */

import { DatabaseSync } from "node:sqlite";
import { findProgram } from "../support/needs.ts";
import { succeed } from "../support/run.ts";
import { homeOfMillion, program } from "./place.ts";
import { milliseconds, type Row } from "./report.ts";
import { takeTurns, timeMs } from "./timing.ts";

const ROUNDS = 11;

/** A shell in the middle of the history, and a shell of today's. */
const SHELL = 1000;
const SHELL_OF_TODAY = 2001;

/** What is asked, from where, and what it may take. The directories are those of the history that every machine has. */
const QUERIES: readonly { name: string; directory: string; budgetMs?: number }[] = [
  { name: "CWD", directory: "/etc", budgetMs: 60 },
  { name: "RCWD", directory: "/var", budgetMs: 90 },
  { name: "RCWD", directory: "/srv" },
  { name: "ME", directory: "/", budgetMs: 50 },
  { name: "TODAY", directory: "/" },
];

/** Each query against an empty run of the same program, and against sqlite3 with the very same SQL. */
export async function measureQueries(): Promise<Row[]> {
  const home = homeOfMillion();
  const history = `${home}/.ash/history.db`;
  const env = { HOME: home, SRVAUDIT_ROOT: `${home}/root`, ASH_SESSION_ID: String(SHELL) };
  const hasSqlite = findProgram("sqlite3") !== undefined;
  addToday(history);
  const rows: Row[] = [];
  for (const { name, directory, budgetMs } of QUERIES) {
    const ours = [program("ash_query"), "-q", name];
    const there = { env, cwd: directory };
    const sql = (await succeed([program("ash_query"), "-p", name], there)).split("Actual SQL:")[1] ?? "";
    const found = (await succeed([...ours, "-f", "jsonl"], there)).split("\n").length - 1;
    if (found === 0) throw new Error(`${name} finds nothing from ${directory}`);
    const figures = await takeTurns(ROUNDS, {
      ours: () => timeMs(ours, env, directory),
      empty: () => timeMs([program("ash_query"), "--version"], env),
      sqlite: () => hasSqlite ? timeMs(["sqlite3", "-readonly", history, sql], env) : Promise.resolve(NaN),
    });
    const took = figures.ours;
    const sqlite = hasSqlite ? milliseconds(figures.sqlite) : "not here";
    rows.push({
      what: `ash_query ${name} over 1,000,000 commands, ${found} found`,
      measured: milliseconds(took),
      against: `ash_query --version: ${milliseconds(figures.empty)}; sqlite3: ${sqlite}`,
      result: `+${milliseconds(took - figures.empty)}`,
      ...(budgetMs === undefined ? {} : { budget: { text: `${budgetMs} ms`, kept: took <= budgetMs } }),
    });
  }
  return rows;
}

/** The million lies in the past; TODAY is to find two hundred commands of one more shell. */
function addToday(history: string): void {
  const database = new DatabaseSync(history);
  try {
    const columns = "shell_level, command_no, tty, euid, cwd, rval";
    const more = "duration, pipe_cnt, pipe_vals, command";
    database.exec(`
      begin immediate;
      delete from commands where session_id = ${SHELL_OF_TODAY};
      insert into commands (session_id, ${columns}, start_time, end_time, ${more})
        select ${SHELL_OF_TODAY}, ${columns}, strftime('%s', 'now'), strftime('%s', 'now'), ${more}
        from commands where session_id = ${SHELL} limit 200;
      commit;
      pragma wal_checkpoint(truncate);
    `);
  } finally {
    database.close();
  }
}
