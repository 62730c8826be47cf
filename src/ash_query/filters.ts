/** Questions without SQL: `--since`, `--until`, `--cwd`, `--failed`, `--ticket`, `--grep`. */

import { messageOf } from "../terminal/message_of.ts";
import { parseMoment } from "../terminal/moments.ts";
import { type Options, UsageError } from "./options.ts";
import { SqlWriter } from "./sql_text.ts";

/** Where the question is asked. */
export interface Place {
  now: Date;
  /** The shell's directory, which `--cwd` starts from. */
  directory: string;
  /** Whether the database has srvAudit's tables beside ASH's. */
  hasTickets: boolean;
}

/**
 * Puts the filters into SQL: the listing of all commands that pass every one of them, in the order of their time.
 *
 * @param options the command line
 * @param limit how many commands; the newest are taken
 * @returns one SELECT
 * @throws {UsageError} at a value that cannot be read, by its flag
 */
export function listing(options: Options, limit: number, place: Place): string {
  const conditions = [
    ...timeConditions(options, place.now),
    ...(options.cwd === undefined ? [] : [directoryCondition(options.cwd, place.directory)]),
    ...(options.failed ? ["c.rval <> 0"] : []),
    ...(options.ticket === undefined ? [] : [ticketCondition(options.ticket, place.hasTickets)]),
    ...(options.grep === undefined ? [] : [`instr(c.command, ${quoted(options.grep)}) > 0`]),
  ];
  const where = conditions.length === 0 ? "" : `where ${conditions.join("\n    and ")}`;
  const [ticketColumn, ticketTable] = place.hasTickets
    ? ["t.ticket, ", "left join srvaudit_commands t on t.command_id = c.id"]
    : ["", ""];
  const newest = Number.isFinite(limit) ? `order by c.start_time desc, c.id desc limit ${limit}` : "";
  return `
with chosen as (
  select c.* from commands c
  ${where}
  ${newest}
)
select
  datetime(c.start_time, 'unixepoch', 'localtime') as "when", ${ticketColumn}c.session_id as session,
  c.rval as exit, c.duration as secs, c.cwd as "where", c.command as what
from chosen c ${ticketTable}
order by c.start_time, c.id`;
}

function timeConditions({ since, until }: Options, now: Date): string[] {
  const read = (flag: string, text: string) => {
    try {
      return parseMoment(text, now);
    } catch (error) {
      throw new UsageError(`--${flag}: ${messageOf(error)}`);
    }
  };
  const from = since === undefined ? undefined : read("since", since).fromS;
  // To the very end of what was named: a whole day, a whole minute.
  const to = until === undefined ? undefined : read("until", until).toS;
  if (from !== undefined && to !== undefined && from >= to) {
    throw new UsageError(`--since ${since} comes after --until ${until}: no time lies between them`);
  }
  return [
    ...(from === undefined ? [] : [`c.start_time >= ${from}`]),
    ...(to === undefined ? [] : [`c.start_time < ${to}`]),
  ];
}

function directoryCondition(directory: string, from: string): string {
  if (directory === "") throw new UsageError("--cwd: the directory's name is empty");
  const path = absolute(directory, from);
  // "0" follows "/": all that begins with `path/` is one range of the index.
  const below = path === "/" ? ["/", "0"] : [`${path}/`, `${path}0`];
  return `(c.cwd = ${quoted(path)} or (c.cwd >= ${quoted(below[0] ?? "")} and c.cwd < ${
    quoted(below[1] ?? "")
  }))`;
}

/** Follows `.` and `..` by name alone, as the shell does: the directory need not be there any more. */
function absolute(path: string, from: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${from}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function ticketCondition(ticket: string, hasTickets: boolean): string {
  if (ticket === "") throw new UsageError("--ticket: the ticket's key is empty");
  if (!hasTickets) {
    throw new UsageError("--ticket: this database knows no tickets: it is a plain ASH history");
  }
  return `c.id in (select command_id from srvaudit_commands where ticket = ${quoted(ticket)})`;
}

/** A value as a literal of SQL; within quotes always, since a ticket `17` is text. */
function quoted(value: string): string {
  const sql = new SqlWriter();
  sql.words("'");
  sql.value(value);
  sql.words("'");
  return sql.text;
}
