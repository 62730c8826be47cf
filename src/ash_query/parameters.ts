/**
 * The parameters in a query's SQL: what ASH leaves to a shell's here-document, without a shell.
 *
 * `$VAR` and `${VAR}`; `${VAR:-word}` and `${VAR-word}`; `${VAR:+word}` and `${VAR+word}`; `${VAR#pattern}` and
 * `##`, `%`, `%%`. A word may hold parameters itself. A backslash takes the meaning from `$`, a backquote, a backslash
 * and the end of a line. `$(...)` and backquotes would run a command: that is refused.
 *
 * The words are SQL, written by the query's author. A variable's value is never SQL: see `SqlWriter`.
 */

import { type PatternCharacter, strip } from "./glob.ts";
import { SqlValueError, SqlWriter } from "./sql_text.ts";

/** Says what a variable holds; undefined where it is not set. */
export type Lookup = (name: string) => string | undefined;

/** A query's parameters cannot be read, or a value cannot stand where it should. */
export class ParameterError extends Error {
  override name = "ParameterError";
}

/** A word's parts: text, and parameters. */
type Part = string | Parameter;

/** A part of a pattern: quoted text stands for itself. */
interface PatternPart {
  part: Part;
  isQuoted: boolean;
}

interface Parameter {
  name: string;
  /** What follows the name; undefined for a bare `${VAR}`. */
  action?:
    | { operator: "-" | "+"; isEmptyUnset: boolean; word: Part[] }
    | { operator: "#" | "##" | "%" | "%%"; pattern: PatternPart[] };
}

/**
 * Puts values in the place of parameters.
 *
 * @param template SQL as a query's author wrote it
 * @param lookup what the variables hold; asked only for those that count
 * @returns SQL that SQLite can run
 * @throws {ParameterError} where a parameter is none, or a value cannot stand in its place
 *
 * @example
 * ```ts
 * expandParameters("select '${PWD}'", () => "/home/o'brien"); // "select '/home/o''brien'"
 * ```
 */
export function expandParameters(template: string, lookup: Lookup): string {
  const parts = new TemplateReader(template).template();
  const sql = new SqlWriter();
  write(parts, sql, lookup);
  return sql.text;
}

function write(parts: readonly Part[], sql: SqlWriter, lookup: Lookup): void {
  for (const part of parts) {
    if (typeof part === "string") {
      sql.words(part);
      continue;
    }
    const chosen = choose(part, lookup);
    if (typeof chosen !== "string") {
      write(chosen, sql, lookup);
      continue;
    }
    try {
      sql.value(chosen);
    } catch (error) {
      if (error instanceof SqlValueError) throw new ParameterError(`\${${part.name}}: ${error.message}`);
      throw error;
    }
  }
}

/** @returns the variable's value, or the author's word that takes its place */
function choose({ name, action }: Parameter, lookup: Lookup): string | readonly Part[] {
  const value = lookup(name);
  if (action === undefined) return value ?? "";
  if ("pattern" in action) return strip(value ?? "", patternOf(action.pattern, lookup), action.operator);
  const isSet = value !== undefined && !(action.isEmptyUnset && value === "");
  if (action.operator === "+") return isSet ? action.word : [];
  return isSet ? value : action.word;
}

function patternOf(parts: readonly PatternPart[], lookup: Lookup): PatternCharacter[] {
  return parts.flatMap(({ part, isQuoted }) =>
    [...textOf(part, lookup)].map((character) => ({ character, isQuoted }))
  );
}

function textOf(part: Part, lookup: Lookup): string {
  if (typeof part === "string") return part;
  const chosen = choose(part, lookup);
  return typeof chosen === "string" ? chosen : chosen.map((inner) => textOf(inner, lookup)).join("");
}

/** Deeper than anybody writes, and far from the end of the stack. */
const DEEPEST = 100;

class TemplateReader {
  #at = 0;
  #depth = 0;

  constructor(readonly text: string) {}

  /** Reads a whole template. */
  template(): Part[] {
    return this.#word(false);
  }

  /**
   * Reads text and parameters: up to the end, or up to the `}` of the parameter that this is the word of. Double
   * quotes within such a word are the shell's, as in any here-document: they only keep a `}` from ending it.
   */
  #word(isInner: boolean): Part[] {
    const parts: Part[] = [];
    let isQuoted = false;
    while (this.#at < this.text.length) {
      const character = this.#peek();
      if (isInner && character === "}" && !isQuoted) break;
      if (isInner && character === '"') {
        isQuoted = !isQuoted;
        this.#take();
      } else if (character === "\\") {
        parts.push(this.#escaped(isInner ? '$`\\}"' : "$`\\"));
      } else if (character === "$" || character === "`") {
        parts.push(this.#dollar());
      } else {
        parts.push(this.#match(/[^$`\\"}]+/y) ?? this.#take());
      }
    }
    return joined(parts);
  }

  /** Reads a pattern, up to the `}` of its parameter. */
  #pattern(): PatternPart[] {
    const parts: PatternPart[] = [];
    let quote = "";
    while (this.#at < this.text.length) {
      const character = this.#peek();
      if (quote === "" && character === "}") break;
      if (character === quote) {
        quote = "";
        this.#take();
      } else if (quote === "" && (character === "'" || character === '"')) {
        quote = this.#take();
      } else if (quote === "'") {
        parts.push({ part: this.#take(), isQuoted: true });
      } else if (character === "\\") {
        this.#take();
        parts.push({ part: this.#take(), isQuoted: true });
      } else if (character === "$" || character === "`") {
        parts.push({ part: this.#dollar(), isQuoted: quote !== "" });
      } else {
        parts.push({ part: this.#take(), isQuoted: quote !== "" });
      }
    }
    return parts;
  }

  #dollar(): Part {
    const start = this.#at;
    if (this.#take() === "`" || this.#peek() === "(") {
      this.#fail(
        start,
        `would run a command, which is never done; write a backslash before the character itself`,
      );
    }
    if (this.#peek() === "{") return this.#braced(start);
    const name = this.#name();
    return name === undefined ? "$" : { name };
  }

  #braced(start: number): Parameter {
    if (++this.#depth > DEEPEST) this.#fail(start, `stands within more than ${DEEPEST} others`);
    this.#take();
    const name = this.#name();
    if (name === undefined) this.#fail(start, "has no variable's name behind the brace");
    const found = this.#match(/:?[-+]|##?|%%?/y) ?? "";
    const parameter: Parameter = { name };
    if (found === "#" || found === "##" || found === "%" || found === "%%") {
      parameter.action = { operator: found, pattern: this.#pattern() };
    } else if (found !== "") {
      parameter.action = {
        operator: found.endsWith("-") ? "-" : "+",
        isEmptyUnset: found.startsWith(":"),
        word: this.#word(true),
      };
    }
    if (this.#at >= this.text.length) this.#fail(start, `has no closing "}"`);
    if (this.#take() !== "}") {
      this.#fail(start, "is not a form that is known: there are :- - :+ + # ## % and %% behind a name");
    }
    this.#depth--;
    return parameter;
  }

  #escaped(special: string): string {
    this.#take();
    const next = this.#peek();
    if (next === "\n") {
      this.#take();
      return "";
    }
    return next !== "" && special.includes(next) ? this.#take() : "\\";
  }

  #name(): string | undefined {
    return this.#match(/[A-Za-z_][A-Za-z0-9_]*/y);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #peek(): string {
    const code = this.text.codePointAt(this.#at);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  #take(): string {
    const character = this.#peek();
    this.#at += character.length;
    return character;
  }

  #fail(start: number, problem: string): never {
    const end = this.text.slice(start, start + 30).split("\n")[0] ?? "";
    const line = this.text.slice(0, start).split("\n").length;
    throw new ParameterError(`line ${line} of the query's SQL: ${end} ${problem}`);
  }
}

/** Joins neighbouring texts. */
function joined(parts: readonly Part[]): Part[] {
  const whole: Part[] = [];
  for (const part of parts) {
    const last = whole.at(-1);
    if (typeof part === "string" && typeof last === "string") whole[whole.length - 1] = last + part;
    else whole.push(part);
  }
  return whole;
}
