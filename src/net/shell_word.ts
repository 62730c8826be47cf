/** Where a word of a command line ends, as a shell would read it. */

/** What ends a word that is not quoted. */
const ENDS = " \t\r\n;|&<>()`";

/**
 * Finds the end of a word. Commands stand in quotes of others (`ssh host "mysql -pX"`), and it is not known in which: a quote
 * that does not begin the word belongs to it only if it is of the same kind as one that does, or is closed before a blank.
 *
 * @param start where the word begins
 * @returns where it has ended; `start`, if there is no word
 *
 * @example
 * ```ts
 * const line = `mysql -p'a b' shop`;
 * line.slice(8, wordEnd(line, 8)); // "'a b'"
 * ```
 */
export function wordEnd(text: string, start: number): number {
  const first = quoteAt(text, start);
  // What looks like the beginning of a quoted word may be the end of what stands around.
  if (first !== undefined && isBlank(text[afterQuoteAt(text, start)])) return start;
  let at = start;
  while (at < text.length) {
    const quote = quoteAt(text, at);
    if (quote !== undefined) {
      const end = quotedEnd(text, at, quote, quote === first);
      if (end === undefined) break;
      at = end;
    } else if (text[at] === "\\") at += 2;
    else if (ENDS.includes(text.charAt(at))) break;
    else at += 1;
  }
  return Math.min(at, text.length);
}

/** A quote that stands in quotes has a backslash in front. */
function quoteAt(text: string, at: number): string | undefined {
  const character = text.charAt(at);
  if (character === '"' || character === "'") return character;
  return text.startsWith('\\"', at) ? '\\"' : undefined;
}

function afterQuoteAt(text: string, at: number): number {
  return at + (quoteAt(text, at)?.length ?? 0);
}

function isBlank(character: string | undefined): boolean {
  return character === undefined || /\s/.test(character);
}

/**
 * @param mayHaveBlanks whether the word began with such a quote; then the text's end closes it as well
 * @returns undefined if the quote does not belong to the word
 */
function quotedEnd(text: string, start: number, quote: string, mayHaveBlanks: boolean): number | undefined {
  let at = start + quote.length;
  while (at < text.length) {
    if (text.startsWith(quote, at)) return at + quote.length;
    if (!mayHaveBlanks && isBlank(text[at])) return undefined;
    at += quote !== "'" && text[at] === "\\" ? 2 : 1;
  }
  return mayHaveBlanks ? text.length : undefined;
}
