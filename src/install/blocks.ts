/** Our own lines in files of others: between marks, or alone. Pure functions on texts; what is not ours stays to the byte. */

/** The marks around our lines in a file of others: the first one, and the last. */
export const FIRST = "# >>> srvaudit >>>";
const LAST = "# <<< srvaudit <<<";
/** A whole block; somebody's editor may have given its lines other ends. A first mark alone is none: nothing is known to end it. */
const BLOCK = /^# >>> srvaudit >>>\r?\n(?:(?!# >>> srvaudit >>>)[^\n]*\n)*?# <<< srvaudit <<<\r?(?:\n|$)/m;

/** @returns whether our lines are in it, and are these */
export function hasBlock(text: string, lines: string): boolean {
  return BLOCK.exec(text)?.[0] === blockOf(lines);
}

/**
 * Adds our lines at the end, or puts them in the place of those that are there.
 *
 * @param lines each with its end
 */
export function withBlock(text: string, lines: string): string {
  const block = blockOf(lines);
  if (BLOCK.test(text)) return text.replace(BLOCK, () => block);
  return (isWhole(text) ? text : `${text}\n`) + block;
}

/**
 * Removes our lines.
 *
 * @param wasWhole whether the text's last line had an end before ours were added
 *
 * @example
 * ```ts
 * withoutBlock(withBlock("umask 022", "echo\n"), false); // "umask 022"
 * ```
 */
export function withoutBlock(text: string, wasWhole: boolean): string {
  const found = BLOCK.exec(text);
  return found ? without(text, found.index, found[0].length, wasWhole) : text;
}

/** @returns whether a line stands in the text, whatever ends it */
export function hasLine(text: string, line: string): boolean {
  return text.split("\n").some((each) => each.trimEnd() === line);
}

/** Adds a line at the end. */
export function withLine(text: string, line: string): string {
  return `${isWhole(text) ? text : `${text}\n`}${line}\n`;
}

/**
 * Removes a line that `withLine` has added.
 *
 * @param wasWhole whether the text's last line had an end before
 */
export function withoutLine(text: string, line: string, wasWhole: boolean): string {
  const from = `\n${text}\n`.lastIndexOf(`\n${line}\n`);
  return from < 0 ? text : without(text, from, line.length + 1, wasWhole);
}

function blockOf(lines: string): string {
  return `${FIRST}\n${lines}${LAST}\n`;
}

function isWhole(text: string): boolean {
  return text === "" || text.endsWith("\n");
}

function without(text: string, from: number, length: number, wasWhole: boolean): string {
  const before = text.slice(0, from);
  const behind = text.slice(from + length);
  // The line end before ours is ours too, unless somebody has gone on behind it.
  return !wasWhole && behind === "" && before.endsWith("\n") ? before.slice(0, -1) : before + behind;
}
