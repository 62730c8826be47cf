/** Counts what shells have written against what is in evidence. */

import type { DatabaseSync } from "node:sqlite";
import { canonicalText, chainHash, COLUMN_NAMES, isSameHash, NO_HASH } from "../../src/evidence/chain.ts";
import { readRecords } from "../../src/record/spool.ts";
import { openDatabase } from "../../src/sqlite/database.ts";
import type { Typed, Typist } from "./typist.ts";

/** What the count says; all but `commands` and `events` are 0 where all is well. */
export interface Count {
  events: number;
  /** That must be in evidence. */
  commands: number;
  lost: number;
  doubled: number;
  /** In evidence, but nobody wrote it. */
  invented: number;
  /** Shells whose commands stand in another order. */
  disordered: number;
  /** With another exit code, or other pipe states. */
  wrongEnds: number;
  /** Rows after which the chain does not go on. */
  chainBreaks: number;
  /** Sessions that were not opened once and closed once, as they ended. */
  wrongSessions: number;
  /** Events that say that somebody did what no honest shell does. */
  tamper: number;
  /** What was wrong first, in words. */
  firsts: string[];
}

const decoder = new TextDecoder();

/** A session as it must be in evidence. */
export interface Expected {
  typist: Typist;
  commands: readonly Typed[];
  /** `HOW EXITCODE`, the code empty where there is none. */
  closed: string;
}

interface Row {
  text: string;
  exitCode: number | null;
  pipeStates: string | null;
}

const COMMANDS = `select c.text as text, coalesce(c.exit_code, e.exit_code) as exitCode,
    coalesce(c.pipe_states, e.pipe_states) as pipeStates
  from event o
    join event s on s.kind = 'shell started' and s.session = o.seq and json_extract(s.data, '$.pid') = ?
    join event c on c.kind = 'command' and c.shell = s.seq
    left join event e on e.kind = 'command ended' and e.command = c.seq
  where o.kind = 'session opened' and json_extract(o.data, '$.session') = ? order by c.seq`;

/** Opens the evidence as a reader, for as long as it asks. */
export function withEvidence<Answer>(root: string, ask: (database: DatabaseSync) => Answer): Answer {
  const file = `${root}/var/lib/srvaudit/evidence.db`;
  const database = openDatabase(file, { readOnly: true, busyTimeoutMs: 10_000 });
  try {
    return ask(database);
  } finally {
    database.close();
  }
}

/** @returns how many commands have their end in evidence, or the certainty that there is none; and sessions theirs */
export function countTaken(root: string): { commands: number; closed: number } {
  return withEvidence(root, (database) => ({
    commands: countOf(
      database,
      "kind = 'command ended' or kind = 'command' and (end_us is not null or exit_code is not null)",
    ),
    closed: countOf(database, "kind = 'session closed'"),
  }));
}

function countOf(database: DatabaseSync, condition: string): number {
  return Number(database.prepare(`select count(*) as n from event where ${condition}`).get()?.n);
}

/** Compares evidence with all that must be in it. */
export function count(root: string, expected: readonly Expected[]): Count {
  return withEvidence(root, (database) => countIn(database, expected));
}

function countIn(database: DatabaseSync, expected: readonly Expected[]): Count {
  const total: Count = {
    events: countOf(database, "true"),
    commands: 0,
    lost: 0,
    doubled: 0,
    invented: 0,
    disordered: 0,
    wrongEnds: 0,
    chainBreaks: countBreaks(database),
    wrongSessions: 0,
    tamper: countOf(database, "kind = 'tamper'"),
    firsts: [],
  };
  const tampers = database.prepare("select data from event where kind = 'tamper' limit 3").all();
  total.firsts.push(...tampers.map(({ data }) => `tamper: ${data}`));
  const ask = database.prepare(COMMANDS);
  for (const one of expected) {
    const { typist: { number, pid, session } } = one;
    const rows = ask.all(pid, session) as unknown as Row[];
    countShell(total, `shell ${number}`, one.commands, rows);
    const found = sessionIn(database, session);
    if (found !== `opened closed ${one.closed}`) {
      total.wrongSessions++;
      total.firsts.push(`shell ${number}: ${found || "no session"}, not closed ${one.closed}`);
    }
  }
  const all = countOf(database, "kind = 'command'");
  const known = total.commands - total.lost + total.doubled + total.invented;
  if (all !== known) {
    total.invented += all - known;
    total.firsts.push(`${all - known} commands of no shell`);
  }
  return total;
}

function countShell(total: Count, name: string, wanted: readonly Typed[], rows: readonly Row[]): void {
  total.commands += wanted.length;
  const found = Map.groupBy(rows, ({ text }) => text);
  const say = (what: string, text: string) => total.firsts.push(`${name}: ${what}: ${text}`);
  let isComplete = true;
  for (const { text, exitCode, pipeStates } of wanted) {
    const [row, ...more] = found.get(text) ?? [];
    if (!row) {
      total.lost++;
      isComplete = false;
      say("lost", text);
      continue;
    }
    found.delete(text);
    total.doubled += more.length;
    if (more.length > 0) say("doubled", text);
    isComplete &&= more.length === 0;
    if (row.exitCode !== exitCode || row.pipeStates !== pipeStates) {
      total.wrongEnds++;
      say(`ended ${row.exitCode} (${row.pipeStates}), not ${exitCode} (${pipeStates})`, text);
    }
  }
  for (const [text, rest] of found) {
    total.invented += rest.length;
    isComplete = false;
    say("invented", text);
  }
  if (isComplete && rows.some(({ text }, i) => text !== wanted[i]?.text)) {
    total.disordered++;
    say("another order", rows.find(({ text }, i) => text !== wanted[i]?.text)?.text ?? "");
  }
}

/** `opened closed HOW EXITCODE` for a session that was opened once and closed once. */
function sessionIn(database: DatabaseSync, session: string): string {
  return database.prepare(
    `select iif(x.kind = 'session opened', 'opened',
        'closed ' || json_extract(x.data, '$.how') || ' ' || coalesce(json_extract(x.data, '$.exitCode'), '')) as said
      from event o join event x on x.session = o.seq and x.kind in ('session opened', 'session closed')
      where o.kind = 'session opened' and json_extract(o.data, '$.session') = ? order by x.seq`,
  ).all(session).map(({ said }) => said).join(" ");
}

/** How many rows of the chain are in memory at once. */
const PAGE = 1000;

/** Walks the chain by its definition alone: `srvaudit verify` is asked besides. */
function countBreaks(database: DatabaseSync): number {
  // Not by iterate(): it lets its statement be collected while it reads, and crashes (Deno 2.4).
  const page = database.prepare(`select * from event where seq > ? order by seq limit ${PAGE}`);
  let breaks = 0;
  let previous: Uint8Array = new Uint8Array(NO_HASH);
  let last = 0;
  while (true) {
    const rows = page.all(last);
    if (rows.length === 0) return breaks;
    for (const row of rows) {
      const cells = COLUMN_NAMES.map((name) => row[name] as string | number | null | Uint8Array);
      const stored = row.hash instanceof Uint8Array ? row.hash : new Uint8Array();
      if (Number(row.seq) !== last + 1 || !isSameHash(chainHash(previous, canonicalText(cells)), stored)) {
        breaks++;
      }
      previous = stored;
      last = Number(row.seq);
    }
  }
}

/**
 * What a spool file says of commands: the truth where there was no room to record all that was typed.
 *
 * @param bytes all of the file
 */
export function commandsIn(bytes: Uint8Array): Typed[] {
  const commands: Typed[] = [];
  let open: { number: number; at: number } | undefined;
  for (const { record } of readRecords(bytes).records) {
    if (record.type === "start") {
      open = { number: record.number, at: commands.length };
      commands.push({ text: decoder.decode(record.text), exitCode: null, pipeStates: null });
    } else if (record.type === "end" && open?.number === record.number) {
      const command = commands[open.at];
      if (command) {
        command.exitCode = record.exitCode;
        command.pipeStates = (record.pipeStates.length > 0 ? record.pipeStates : [record.exitCode]).join("_");
      }
      open = undefined;
    }
  }
  return commands;
}
