/** Hides the secrets in what leaves the host: passwords and keys that people have typed. */

import { RE2JS, RE2Set } from "re2js";
import type { MaskPattern } from "../config/mask_patterns.ts";
import { wordEnd } from "./shell_word.ts";

/** What stands where a secret was. */
export const MASKED = "*****";
/** What holds no secret: nothing, a variable's name, a place that was masked already, the rest of `==`. */
const NO_SECRET = /^(?:""|''|\\?"?\$(?:\w+|\{\w+\})?\\?"?|\*{5}|[=~!]+)$/;
/** How long one text may take, in milliseconds; what is left of it then is hidden, all of it. */
const PATIENCE_MS = 500;
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

  /** Hides what the patterns find. */
  apply(text: string): MaskedText {
    // Not before: what never leaves the host is not masked, and they take megabytes.
    const { patterns, all } = this.#compiled ??= compiled(this.patterns);
    const masked = new Set<string>();
    const deadline = performance.now() + PATIENCE_MS;
    let result = text;
    for (const index of all.match(text).toSorted((one, other) => one - other)) {
      const pattern = patterns[index];
      if (!pattern) continue;
      const after = performance.now() > deadline ? MASKED : pattern.hide(result, deadline);
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

  hide(text: string, deadline: number): string {
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
      from = Math.max(matcher.end(), end, from + 1);
      if (performance.now() > deadline) return result + MASKED;
    }
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
