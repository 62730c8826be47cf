/** Hides the secrets in what leaves the host: passwords and keys that people have typed. */

import { RE2JS } from "re2js";
import type { MaskPattern } from "../config/mask_patterns.ts";
import { wordEnd } from "./shell_word.ts";

/** What stands where a secret was. */
export const MASKED = "*****";
/** What holds no secret: nothing, a variable's name, a place that was masked already, the rest of `==`. */
const NO_SECRET = /^(?:""|''|\\?"?\$(?:\w+|\{\w+\})?\\?"?|\*{5}|[=~!]+)$/;
/** How long one text may take, in milliseconds; what is left of it then is hidden, all of it. */
const PATIENCE_MS = 1_000;

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
  readonly #patterns: { name: string; expression: RE2JS; group: "secret" | "word" | undefined }[];

  /** @param patterns as `readMask` has checked them */
  constructor(patterns: readonly MaskPattern[]) {
    this.#patterns = patterns.map(({ name, expression }) => {
      const compiled = RE2JS.compile(expression);
      const groups = compiled.namedGroups();
      const group = "secret" in groups ? "secret" : "word" in groups ? "word" : undefined;
      return { name, expression: compiled, group };
    });
  }

  /** Hides what the patterns find. */
  apply(text: string): MaskedText {
    const masked = new Set<string>();
    const deadline = performance.now() + PATIENCE_MS;
    let result = text;
    for (const pattern of this.#patterns) {
      const after = hide(result, pattern, deadline);
      if (after === result) continue;
      masked.add(pattern.name);
      result = after;
    }
    return { text: result, masked: [...masked] };
  }
}

function hide(
  text: string,
  { expression, group }: { expression: RE2JS; group: "secret" | "word" | undefined },
  deadline: number,
): string {
  const matcher = expression.matcher(text);
  let result = "";
  let done = 0;
  let from = 0;
  while (from <= text.length && matcher.find(from)) {
    const start = Math.max(matcher.start(group ?? 0), done);
    const end = Math.max(group === "word" ? wordEnd(text, start) : matcher.end(group ?? 0), start);
    const secret = text.slice(start, end);
    if (secret !== "" && !NO_SECRET.test(secret)) {
      result += text.slice(done, start) + MASKED;
      done = end;
    }
    // A match, and what was hidden, are passed by: the next one begins behind.
    from = Math.max(matcher.end(), end, from + 1);
    if (performance.now() > deadline) return result + text.slice(done, from) + MASKED;
  }
  return done === 0 ? text : result + text.slice(done);
}
