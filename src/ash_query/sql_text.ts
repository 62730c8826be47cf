/**
 * SQL as text: where quotes and comments begin and end, and how a value is put into it so that it stays a value.
 */

/** What a character stands in: plain SQL, a quotation (by its opening character), or a comment. */
export type SqlPlace = "code" | "'" | '"' | "`" | "[" | "--" | "/*";

/** Follows SQL one character at a time, by SQLite's own rules. */
export class SqlScanner {
  place: SqlPlace = "code";
  /** The last character that may still be the first half of `--`, `/*` or its end. */
  #before = "";

  /** Goes on by one character. */
  next(character: string): void {
    const before = this.#before;
    this.#before = character;
    switch (this.place) {
      case "code":
        if (character === "'" || character === '"' || character === "`" || character === "[") {
          this.place = character;
        } else if (before === "-" && character === "-") {
          this.#enter("--");
        } else if (before === "/" && character === "*") {
          this.#enter("/*");
        }
        break;
      case "--":
        if (character === "\n") this.#enter("code");
        break;
      case "/*":
        if (before === "*" && character === "/") this.#enter("code");
        break;
      case "[":
        if (character === "]") this.#enter("code");
        break;
      default:
        // A doubled quote closes and opens again at once, which comes to the same.
        if (character === this.place) this.#enter("code");
    }
  }

  #enter(place: SqlPlace): void {
    this.place = place;
    this.#before = "";
  }
}

/** A value cannot stand where the query puts it. */
export class SqlValueError extends Error {
  override name = "SqlValueError";
}

/** A number that SQLite writes just so: not 007, 1e9 or 3.50, which it would change. */
const NUMBER = /^(?:0|-?[1-9][0-9]{0,17}|-?(?:0|[1-9][0-9]{0,5})\.[0-9]{0,3}[1-9])$/;

/**
 * SQL that is put together from its author's words and from values: the words are SQL, the values never are.
 *
 * @example
 * ```ts
 * const sql = new SqlWriter();
 * sql.words("select * from commands where cwd = '");
 * sql.value("/home/o'brien");
 * sql.words("'");
 * sql.text; // "select * from commands where cwd = '/home/o''brien'"
 * ```
 */
export class SqlWriter {
  text = "";
  #scanner = new SqlScanner();
  /** Set behind a literal that this writer has quoted: a quote right behind it would become part of it. */
  #closed = false;

  /** Adds SQL. */
  words(words: string): void {
    if (words === "") return;
    if (this.#closed && words.startsWith("'")) this.#add(" ");
    this.#closed = false;
    this.#add(words);
  }

  /**
   * Adds a value as what it is: within a quotation as its text; elsewhere a number as that number and any other as a
   * quoted literal; in a comment as words that cannot end it.
   *
   * @throws {SqlValueError} where the value cannot be told apart from SQL: a `]` within `[...]`, a NUL anywhere
   */
  value(value: string): void {
    if (value.includes("\0")) throw new SqlValueError("a value with a NUL character cannot stand in SQL");
    switch (this.#scanner.place) {
      case "code": {
        const last = this.text.at(-1) ?? " ";
        if (NUMBER.test(value)) {
          // `3-` and `-5` must not become a comment.
          this.#add(value.startsWith("-") && last === "-" ? ` ${value}` : value);
          this.#closed = false;
        } else {
          // Set off from what would make another literal of it: x'41', 'it''s'.
          this.#add((/[\s(,=<>|*/+]/.test(last) ? "'" : " '") + value.replaceAll("'", "''") + "'");
          this.#closed = true;
        }
        break;
      }
      case "--":
      case "/*":
        this.#add(value.replace(/[*/\r\n]/g, " "));
        break;
      case "[":
        if (value.includes("]")) throw new SqlValueError(`a value with "]" cannot stand within [...]`);
        this.#add(value);
        break;
      default:
        this.#add(value.replaceAll(this.#scanner.place, this.#scanner.place.repeat(2)));
    }
  }

  #add(text: string): void {
    for (const character of text) this.#scanner.next(character);
    this.text += text;
  }
}

/** The SQL is not one statement that only reads. */
export class SqlRefusedError extends Error {
  override name = "SqlRefusedError";
}

const READS = "only one statement that reads may run: SELECT, WITH, VALUES or EXPLAIN of these";

/**
 * Makes sure that a text is one statement that only reads. (The database is opened for reading alone as well: this
 * says sooner and more clearly what is wrong.)
 *
 * @param sql what somebody wants to run
 * @returns the statement without comments and without the semicolon behind it
 * @throws {SqlRefusedError} if it is anything else
 */
export function readingStatement(sql: string): string {
  const { statement, words } = firstStatement(withoutComments(sql));
  if (statement === "") throw new SqlRefusedError(`there is no SQL: ${READS}`);
  const verb = /^(?:explain\s+(?:query\s+plan\s+)?)?(select|with|values)\b/i.exec(statement)?.[1];
  if (verb === undefined) {
    const start = statement.split(/[\s(]/)[0]?.slice(0, 20) ?? "";
    throw new SqlRefusedError(`${start.toUpperCase()} is refused: ${READS}`);
  }
  const writes = verb.toLowerCase() !== "with"
    ? undefined
    : words.find((word, i) =>
      ["insert", "update", "delete"].includes(word) || (word === "replace" && words[i + 1] === "into")
    );
  if (writes !== undefined) {
    throw new SqlRefusedError(`WITH ... ${writes.toUpperCase()} is refused: ${READS}`);
  }
  return statement;
}

/** Puts a blank in the place of each comment. */
function withoutComments(sql: string): string {
  const scanner = new SqlScanner();
  let text = "";
  for (const character of sql) {
    const from = scanner.place;
    scanner.next(character);
    if (from === "--" || from === "/*") continue;
    // The first of the two characters that begin a comment was taken for an operator.
    if (scanner.place === "--" || scanner.place === "/*") text = text.slice(0, -1) + " ";
    else text += character;
  }
  if (!["code", "--", "/*"].includes(scanner.place)) {
    throw new SqlRefusedError(`the SQL ends within a quotation that ${scanner.place} began`);
  }
  return text.trim();
}

/** Takes the semicolon away, and lists the bare words outside of all parentheses, in lower case. */
function firstStatement(sql: string): { statement: string; words: string[] } {
  const scanner = new SqlScanner();
  // What is bare and outside of parentheses; blanks for all else.
  let bare = "";
  let depth = 0;
  let at = 0;
  for (const character of sql) {
    const from = scanner.place;
    scanner.next(character);
    const isCode = from === "code" && scanner.place === "code";
    if (isCode && character === ";") break;
    if (isCode && character === ")") depth--;
    bare += isCode && depth === 0 ? character : " ";
    if (isCode && character === "(") depth++;
    at += character.length;
  }
  const rest = sql.slice(at).replace(/^[;\s]+/, "");
  if (rest !== "") {
    throw new SqlRefusedError(
      `a second statement, ${JSON.stringify(rest.slice(0, 20))}, is refused: ${READS}`,
    );
  }
  return {
    statement: sql.slice(0, at).trim(),
    words: bare.toLowerCase().match(/[\w$\u0080-\uffff]+/g) ?? [],
  };
}
