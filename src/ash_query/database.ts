/** Asks a history database, and changes nothing in it. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { shellRowOfThisProcess } from "../history/this_shell.ts";
import { openDatabase } from "../sqlite/database.ts";
import { messageOf } from "../terminal/message_of.ts";
import { textOfBytes } from "./binary_text.ts";
import { readingStatement } from "./sql_text.ts";

/** What one cell holds; bytes (a BLOB, or text beyond ASCII) as text that keeps them all. */
export type Value = null | bigint | number | string;

/** One row, in the order of the columns. */
export type Row = Value[];

/** What a query has found. */
export interface Result {
  /** The columns' names; the same name may come twice. */
  columns: string[];
  /** Runs the query and yields its rows one by one. May be called again. */
  rows(): Iterable<Row>;
}

/** The database cannot be asked, or does not understand the question. */
export class DatabaseError extends Error {
  override name = "DatabaseError";
}

const VIEW = '"the query"';

/** A history database, open for reading alone. */
export class HistoryDatabase {
  #database: DatabaseSync;
  /**
   * The statements whose rows are being read. `iterate()` does not hold on to its statement (Deno 2.4): were it
   * collected as garbage meanwhile, the next row would be read from freed memory.
   */
  readonly #running = new Set<StatementSync>();

  /**
   * @param path its file
   * @throws {DatabaseError} if there is none
   */
  constructor(readonly path: string) {
    try {
      Deno.statSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw cannot(path, error);
      throw new DatabaseError(
        `there is no database ${path}: nothing has been recorded yet, or --database must name another`,
      );
    }
    try {
      // ASH's own tools keep the older journal, where a writer makes readers wait.
      this.#database = openDatabase(path, { readOnly: true, busyTimeoutMs: 5000 });
      this.#database.exec("select 1 from sqlite_master limit 1");
    } catch (error) {
      throw cannot(path, error);
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  /** Whether there is a table (or a view) of that name. */
  has(table: string): boolean {
    return this.#database.prepare("select 1 from sqlite_master where name = ?").get(table) !== undefined;
  }

  /** The row in `sessions` of the nearest shell that this process was started from, where there is one. */
  shellRow(): number | undefined {
    return shellRowOfThisProcess(this.#database);
  }

  /**
   * Runs one statement that only reads.
   *
   * @param sql the statement
   * @param limit how many rows to take at most; the rest is never fetched
   * @returns its columns and its rows
   * @throws {SqlRefusedError} if it would do anything but read
   * @throws {DatabaseError} if SQLite cannot run it
   */
  query(sql: string, limit = Infinity): Result {
    const statement = readingStatement(sql);
    return /^explain\b/i.test(statement) ? this.#explain(statement, limit) : this.#select(statement, limit);
  }

  /**
   * A view (of this connection alone) tells the columns' names: rows come as objects, in which a name that comes
   * twice, or is a number, would lose its column or its place. So the columns are numbered: c0, c1, ...
   *
   * `iterate()` takes an error for the end of the rows (Deno 2.4). So the end is a row of its own: where it is
   * missing, something went wrong.
   */
  #select(statement: string, limit: number): Result {
    this.#run(`drop view if exists ${VIEW}`);
    this.#run(`create temp view ${VIEW} as ${statement}`);
    const names = this.#names();
    const columns = names.map((_, i) => `c${i}`);
    const sql = `with numbered(${columns.join()}) as (select * from ${VIEW}) ` +
      `select 0 as ended, ${columns.map(cell).join()} from numbered ` +
      `union all select 1, ${columns.map(() => "null").join()}`;
    let prepared: StatementSync | undefined = this.#prepare(sql);
    const rows = () => {
      // Prepared at once, so that a mistake shows at once; but one statement does not run twice.
      const next = prepared ?? this.#prepare(sql);
      prepared = undefined;
      return this.#rows(next, columns, limit, () => this.#failure(sql, columns));
    };
    return { columns: withoutNumbers(names), rows };
  }

  *#rows(
    prepared: StatementSync,
    columns: readonly string[],
    limit: number,
    failure: () => DatabaseError,
  ): Generator<Row> {
    let count = 0;
    prepared.setReadBigInts(true);
    this.#running.add(prepared);
    try {
      for (const row of prepared.iterate()) {
        if (row["ended"] === 1n) return;
        yield columns.map((column) => valueOf(row[column]));
        if (++count >= limit) return;
      }
    } finally {
      this.#running.delete(prepared);
    }
    throw failure();
  }

  /** Finds out what cut the rows short: all() tells, here of a single row that needs all the others. */
  #failure(sql: string, columns: readonly string[]): DatabaseError {
    try {
      this.#database.prepare(`select ${columns.map((column) => `max(${column})`).join()} from (${sql})`)
        .all();
    } catch (error) {
      return cannot(this.path, error);
    }
    return new DatabaseError(`${this.path}: the query was cut short: ask again`);
  }

  #explain(statement: string, limit: number): Result {
    const prepared = this.#prepare(statement);
    prepared.setReadBigInts(true);
    const found = prepared.all();
    const rows = found.slice(0, limit).map((row) => Object.values(row).map(valueOf));
    return { columns: Object.keys(found[0] ?? {}), rows: () => rows };
  }

  #names(): string[] {
    const table = VIEW.slice(1, -1);
    try {
      return this.#database.prepare("select name from pragma_table_info(?) order by cid").all(table)
        .map((row) => String(row["name"]));
    } catch (error) {
      throw cannot(this.path, error);
    }
  }

  #prepare(sql: string): StatementSync {
    try {
      return this.#database.prepare(sql);
    } catch {
      // prepare() keeps to itself what is wrong; exec() tells.
      this.#run(`explain ${sql}`);
      throw new DatabaseError(`${this.path}: SQLite cannot prepare the query`);
    }
  }

  #run(sql: string): void {
    try {
      this.#database.exec(sql);
    } catch (error) {
      throw cannot(this.path, error);
    }
  }
}

/**
 * Text comes as a C string, in which a NUL is its end and what is no UTF-8 is lost. Whatever is not ASCII, or has a
 * NUL, is therefore asked for as bytes.
 */
function cell(column: string): string {
  return `case when typeof(${column}) = 'text' and ` +
    `(length(${column}) <> octet_length(${column}) or ${column} glob '*[^\x01-\x7f]*') ` +
    `then cast(${column} as blob) else ${column} end as ${column}`;
}

function valueOf(value: unknown): Value {
  if (value instanceof Uint8Array) return textOfBytes(value);
  if (value === null || typeof value === "bigint" || typeof value === "number") return value;
  return String(value);
}

/** SQLite tells columns of one name apart as `id`, `id:1`, ... */
function withoutNumbers(names: readonly string[]): string[] {
  return names.map((name, i) => {
    const original = name.replace(/:[0-9]+$/, "");
    return names.slice(0, i).includes(original) ? original : name;
  });
}

function cannot(path: string, error: unknown): DatabaseError {
  const message = messageOf(error)
    .replace(/ in (?:create temp view|explain|with numbered)[\s\S]* at offset [0-9]+$/, "");
  if (/no such table: (?:main\.)?srvaudit_/.test(message)) {
    return new DatabaseError(
      `${path} knows no tickets and no login sessions: it is a plain ASH history (${message})`,
    );
  }
  return new DatabaseError(`${path}: ${message}`);
}
