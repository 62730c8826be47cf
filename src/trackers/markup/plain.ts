/** What stands in a comment is text that can be read: nothing in it acts, and all of it can be stored. */

import { visible } from "../../terminal/visible.ts";

/**
 * Makes any text fit for a comment: control characters are shown (`visible`), a tab is four blanks, half a character and what
 * Unicode has never meant for anybody's text (no XML takes U+FFFE) are shown as well or replaced. It does nothing to its own result.
 *
 * @param text what anybody wrote; lines may end as on any system
 * @returns lines, each ended by `\n` but the last
 */
export function plainText(text: string): string {
  return shown(text.replace(/\r\n?/g, "\n"), "\n");
}

/**
 * The same for what is one line: a line break is shown, as `^J`.
 *
 * @param text what should be one line
 */
export function plainLine(text: string): string {
  return shown(text, "");
}

function shown(text: string, keep: string): string {
  return visible(text.toWellFormed().replaceAll("\t", "    "), keep)
    .replace(/\p{Noncharacter_Code_Point}/gu, (character) => `\\u${character.codePointAt(0)?.toString(16)}`);
}
