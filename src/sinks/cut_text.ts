/** Texts that are too long for whom they are for: what is left of them, and how much is gone. */

/** The beginning of a text. */
export interface CutText {
  text: string;
  /** How many characters (UTF-16) are gone from its end; 0 for a text that is whole. */
  cut: number;
}

/**
 * Keeps the beginning of a text, and no half of a character.
 *
 * @param most how many characters (UTF-16) may stay
 */
export function cutToLength(text: string, most: number): CutText {
  if (text.length <= most) return { text, cut: 0 };
  const end = most > 0 && isHighSurrogate(text.charCodeAt(most - 1)) ? most - 1 : most;
  return { text: text.slice(0, end), cut: text.length - end };
}

/** @returns what is left of a text, which says how much is gone */
export function marked({ text, cut }: CutText): string {
  return cut === 0 ? text : `${text} [${cut} more characters]`;
}

/**
 * Cuts a name, or what is as short: there is no room to say more than that something is gone.
 *
 * @param most how many characters (UTF-16) may stay, the last one's … included
 */
export function ellipsized(text: string, most: number): string {
  return text.length <= most ? text : `${cutToLength(text, most - 1).text}…`;
}

/**
 * Keeps as much of a text as has room in JSON: there a control character takes up six bytes.
 *
 * @param most how many bytes it may have in JSON, its quotes not counted
 *
 * @example
 * ```ts
 * cutToJsonBytes("a\x01b", 7); // { text: "a\x01", cut: 1 }
 * ```
 */
export function cutToJsonBytes(text: string, most: number): CutText {
  if (text.length * 6 <= most) return { text, cut: 0 };
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += jsonBytes(character);
    if (bytes > most) break;
    end += character.length;
  }
  return { text: text.slice(0, end), cut: text.length - end };
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function jsonBytes(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x10000) return 4;
  if (code < 0x20) return "\b\t\n\f\r".includes(character) ? 2 : 6;
  if (character === '"' || character === "\\") return 2;
  // Half a character stands in JSON as an escape.
  if (code >= 0xd800 && code < 0xe000) return 6;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
}
