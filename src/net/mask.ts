/** Hides the secrets in what leaves the host: passwords and keys that people have typed. */

import { RE2JS, RE2Set } from "re2js";
import type { MaskPattern } from "../config/mask_patterns.ts";
import { wordEnd } from "./shell_word.ts";

/** What stands where a secret was. */
export const MASKED = "*****";
/** What holds no secret: nothing, a variable's name, a place that was masked already, the rest of `==`. */
const NO_SECRET = /^(?:""|''|\\?"?\$(?:\w+|\{\w+\})?\\?"?|\*{5}|[=~!]+)$/;
/**
 * How many characters may be read for one text, by all patterns together: about half a second, at worst. What is left of it
 * then is hidden, all of it. That is no time: the same text is to come out the same each time, on however busy a host.
 */
const MOST_READ = 500_000;
/** A match may have been looked for far behind its end: so many characters there take as long as one in it. */
const AHEAD = 16;
/** The tables of an expression grow with what it reads: after so many characters it is made anew. */
const FRESH_FOR = 65_536;
/** How much memory the tables of all expressions together may take, in bytes. */
const MOST_MEMORY = 2 * 1024 * 1024;

/** What is left of a text. */
export interface MaskedText {
  text: string;
  /** The names of the patterns that hit, each once. */
  masked: string[];
}

/**
 * Patterns of secrets, ready for use.
 *
 * They are RE2's: whatever the pattern and the text, a match takes time in proportion to the text's length, and no more.
 * JavaScript's own would let a user hang the agent with a line that she types.
 *
 * @example
 * ```ts
 * new Mask(DEFAULT_MASK).apply("mysql -phunter2 shop").text; // "mysql -p***** shop"
 * ```
 */
export class Mask {
  #compiled: { patterns: readonly Pattern[]; all: RE2Set } | undefined;

  /** @param patterns as `readMask` has checked them */
  constructor(readonly patterns: readonly MaskPattern[]) {}

  /**
   * Hides what the patterns find.
   *
   * @param mostRead how many characters may be read for it: with 0, a text that has any secret is hidden as a whole
   */
  apply(text: string, mostRead: number = MOST_READ): MaskedText {
    // Not before: what never leaves the host is not masked, and they take megabytes.
    const { patterns, all } = this.#compiled ??= compiled(this.patterns);
    const masked = new Set<string>();
    const budget = { left: mostRead };
    let result = text;
    for (const index of all.match(text).toSorted((one, other) => one - other)) {
      const pattern = patterns[index];
      if (!pattern) continue;
      const after = budget.left <= 0 ? MASKED : pattern.hide(result, budget);
      if (after === result) continue;
      masked.add(pattern.name);
      result = after;
    }
    return { text: result, masked: [...masked] };
  }
}

function compiled(patterns: readonly MaskPattern[]): { patterns: readonly Pattern[]; all: RE2Set } {
  // Most texts hold no secret: one look at all expressions at once says so.
  const all = new RE2Set(RE2Set.UNANCHORED, 0, MOST_MEMORY);
  for (const { expression } of patterns) all.add(expression);
  return { patterns: patterns.map((pattern) => new Pattern(pattern)), all };
}

/** One of them. */
class Pattern {
  readonly name: string;
  readonly #expression: string;
  #compiled: { expression: RE2JS; group: "secret" | "word" | 0; hasRead: number } | undefined;

  constructor({ name, expression }: MaskPattern) {
    this.name = name;
    this.#expression = expression;
  }

  /** @param budget how many characters may be read: what this takes is taken off */
  hide(text: string, budget: { left: number }): string {
    const { expression, group } = this.#ready(text.length);
    const matcher = expression.matcher(text);
    let result = "";
    let done = 0;
    let from = 0;
    while (from <= text.length && matcher.find(from)) {
      const start = Math.max(matcher.start(group), done);
      const end = Math.max(group === "word" ? wordEnd(text, start) : matcher.end(group), start);
      const secret = text.slice(start, end);
      if (secret !== "" && !NO_SECRET.test(secret)) {
        result += text.slice(done, start) + MASKED;
        done = end;
      }
      // A match, and what was hidden, are passed by: the next one begins behind.
      const next = Math.max(matcher.end(), end, from + 1);
      budget.left -= next - from + (text.length - next) / AHEAD;
      if (budget.left < 0) return result + MASKED;
      from = next;
    }
    budget.left -= text.length - from;
    return done === 0 ? text : result + text.slice(done);
  }

  #ready(length: number): { expression: RE2JS; group: "secret" | "word" | 0 } {
    if (!this.#compiled || this.#compiled.hasRead > FRESH_FOR) {
      const expression = RE2JS.compile(this.#expression);
      const groups = expression.namedGroups();
      const group = "secret" in groups ? "secret" : "word" in groups ? "word" : 0;
      this.#compiled = { expression, group, hasRead: 0 };
    }
    this.#compiled.hasRead += length;
    return this.#compiled;
  }
}
