/** How wide text is on a terminal. */

import { eastAsianWidth } from "get-east-asian-width";

/** Counts the cells that a text takes; `undefined` where it cannot tell. */
export type WidthOf = (text: string) => number | undefined;

const BEYOND_ASCII = /[^\x20-\x7e]/;
/**
 * Anything but characters that stand for themselves, whatever stands beside them: ASCII with tabs and line breaks,
 * Latin, Greek, Cyrillic, punctuation and symbols, Chinese, Japanese and Korean. What may join with another character
 * (accents, joiners, emoji), turns into no cell at all, or begins an escape sequence is not among them.
 */
const BEYOND_SIMPLE = new RegExp(
  "[^\\t\\n\\r\\x20-\\x7e\\xa0-\\xac\\xae-\\u02ff\\u0370-\\u0482\\u048a-\\u052f\\u1e00-\\u1fff" +
    "\\u2000-\\u200a\\u2010-\\u2027\\u202f-\\u205f\\u2070-\\u20cf\\u2100-\\u2bff" +
    "\\u2e80-\\u3029\\u3030-\\u3098\\u309b-\\u3163\\u3165-\\ua48c\\uac00-\\ud7a3\\uf900-\\ufaff\\uff01-\\uff9d]",
);
/** From here on a character may be two cells wide. */
const FIRST_WIDE = 0x1100;

/**
 * Measures simple text, which is nearly all that there is, at once.
 *
 * @param text any text
 * @returns its cells, or `undefined` where only {@linkcode loadWidthOf}'s measure can tell
 *
 * @example
 * ```ts
 * simpleWidthOf("naïve 漢字"); // 10
 * simpleWidthOf("e\u0301"); // undefined: an accent that joins the e
 * ```
 */
export function simpleWidthOf(text: string): number | undefined {
  if (!BEYOND_ASCII.test(text)) return text.length;
  if (BEYOND_SIMPLE.test(text)) return undefined;
  let width = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20) continue;
    width += code < FIRST_WIDE ? 1 : eastAsianWidth(code);
  }
  return width;
}

/**
 * Loads what it takes to measure any text (é is 1 cell, 漢 is 2, a combining accent none).
 *
 * @returns the measure
 *
 * @example
 * ```ts
 * const widthOf = await loadWidthOf();
 * widthOf("e\u0301"); // 1
 * ```
 */
export async function loadWidthOf(): Promise<(text: string) => number> {
  // Not at the top: it takes longer to load than most queries take.
  const { default: stringWidth } = await import("string-width");
  return (text) => simpleWidthOf(text) ?? stringWidth(text);
}
