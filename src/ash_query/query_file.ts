/**
 * ASH's query files.
 *
 * ```text
 * # a comment, up to the end of the line
 * NAME: {
 *   description: "What it shows."
 *   sql: { select command from commands where cwd = '${PWD}' }
 * }
 * ```
 *
 * A name is made of letters, digits, `_` and `-`. The two fields may stand in either order. The SQL ends at the brace
 * that closes the one it began with: braces are counted wherever they stand, as ASH counts them, within quotes too.
 */

/** A saved query. */
export interface Query {
  name: string;
  description: string;
  /** Its SQL as it stands in the file, parameters and all. */
  sql: string;
}

/** A query file breaks the grammar. */
export class QueryFileError extends Error {
  override name = "QueryFileError";

  /** @param line where, counted from 1 */
  constructor(readonly file: string, readonly line: number, readonly problem: string) {
    super(`${file}:${line}: ${problem}`);
  }
}

/**
 * Reads the queries of a file.
 *
 * @param text what the file holds
 * @param file its name, for messages
 * @returns the queries in the order of the file
 * @throws {QueryFileError} at the first thing that breaks the grammar
 *
 * @example
 * ```ts
 * parseQueries('ALL: { description: "All." sql: { select * from commands } }', "queries");
 * ```
 */
export function parseQueries(text: string, file: string): Query[] {
  return new Parser(text, file).queries();
}

class Parser {
  #at = 0;

  constructor(readonly text: string, readonly file: string) {}

  queries(): Query[] {
    const queries: Query[] = [];
    this.#skipBlanks();
    while (this.#at < this.text.length) {
      queries.push(this.#query());
      this.#skipBlanks();
    }
    return queries;
  }

  #query(): Query {
    const start = this.#at;
    const name = this.#match(/[A-Za-z0-9_-]+/y);
    if (name === undefined) this.#expected("a query's name (letters, digits, _ and -)");
    this.#character(":", `after the name ${name}`);
    this.#character("{", `to begin the query ${name}`);
    const query: Partial<Query> = {};
    while (true) {
      this.#skipBlanks();
      if (this.#match(/\}/y) !== undefined) break;
      if (this.#at >= this.text.length) this.#fail(`the query ${name} has no closing "}"`, start);
      const field = this.#match(/description|sql/y);
      if (field === undefined) this.#expected(`"description", "sql" or "}" in the query ${name}`);
      const fieldStart = this.#at - field.length;
      const key = field === "sql" ? "sql" : "description";
      if (query[key] !== undefined) this.#fail(`the query ${name} has more than one ${field}`, fieldStart);
      this.#character(":", `after "${field}"`);
      query[key] = key === "sql" ? this.#sql(name) : this.#description(name);
    }
    const { description, sql } = query;
    if (description === undefined) this.#fail(`the query ${name} has no description`, start);
    if (sql === undefined) this.#fail(`the query ${name} has no sql`, start);
    return { name, description, sql };
  }

  #description(name: string): string {
    this.#character('"', `to begin the description of ${name}`);
    const start = this.#at;
    const text = this.#match(/[^"\n]*/y) ?? "";
    if (this.#match(/"/y) === undefined) {
      this.#fail(`the description of ${name} has no closing '"' on its line`, start);
    }
    return text;
  }

  #sql(name: string): string {
    this.#character("{", `to begin the sql of ${name}`);
    const brace = this.#at - 1;
    this.#match(/[ \t]*/y);
    const start = this.#at;
    const braces = /[{}]/g;
    braces.lastIndex = start;
    for (let depth = 1; depth > 0;) {
      const found = braces.exec(this.text);
      if (!found) {
        this.#fail(`the sql of ${name} has no closing "}" (every "{" within it needs one too)`, brace);
      }
      depth += found[0] === "{" ? 1 : -1;
      this.#at = found.index + 1;
    }
    const sql = this.text.slice(start, this.#at - 1);
    const nul = sql.indexOf("\0");
    if (nul >= 0) this.#fail(`the sql of ${name} has a NUL character`, start + nul);
    return sql;
  }

  #skipBlanks(): void {
    this.#match(/(?:[ \t\r\n\ufeff]+|#[^\n]*)*/y);
  }

  #character(wanted: string, where: string): void {
    this.#skipBlanks();
    if (this.text[this.#at] !== wanted) this.#expected(`"${wanted}" ${where}`.replace('"""', `'"'`));
    this.#at++;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #expected(what: string): never {
    const found = this.text.codePointAt(this.#at);
    this.#fail(
      `expected ${what}, found ${
        found === undefined ? "the end of the file" : JSON.stringify(String.fromCodePoint(found))
      }`,
      this.#at,
    );
  }

  #fail(problem: string, at: number): never {
    let line = 1;
    for (let end = this.text.indexOf("\n"); end >= 0 && end < at; end = this.text.indexOf("\n", end + 1)) {
      line++;
    }
    throw new QueryFileError(this.file, line, problem);
  }
}
