/** Texts, as they may leave the host: not too long, and without the secrets that are found in them. */

import { readable } from "../record/readable.ts";

/** Hides secrets: a `Mask` of `net/mask.ts`. */
export interface Masking {
  apply(text: string): { text: string; masked: readonly string[] };
}

/** So much of a text is told, in characters: all of it is in evidence, and may be megabytes. */
export const MOST_TOLD = 20_000;
/** No character of UTF-8 is longer, in bytes. */
const LONGEST_CHARACTER = 4;

/** What belongs together: which patterns have hit in any of it is known in the end. */
export class Outward {
  /** The names of those that hit, each once. */
  readonly patterns = new Set<string>();
  /** Whether something was too long. */
  isCut = false;

  constructor(readonly mask: Masking) {}

  /**
   * What a user has typed; anything but a text is an empty one.
   *
   * @param most how much of it is told, in characters
   */
  text(value: unknown, most = MOST_TOLD): string {
    return this.#out(typeof value === "string" ? value : "", most, false);
  }

  /** Bytes, of which those that are no text are written out. */
  bytes(bytes: Uint8Array): string {
    const first = firstOf(bytes, MOST_TOLD * LONGEST_CHARACTER);
    return this.#out(readable(first).text, MOST_TOLD, first.length < bytes.length);
  }

  #out(text: string, most: number, isCutAlready: boolean): string {
    const isTooLong = text.length > most;
    // Half of a character is none.
    const start = isTooLong ? text.slice(0, most).replace(/[\ud800-\udbff]$/, "") : text;
    const { text: hidden, masked } = this.mask.apply(start);
    for (const pattern of masked) this.patterns.add(pattern);
    if (!isTooLong && !isCutAlready) return hidden;
    this.isCut = true;
    return `${hidden}\n... and more, in the host's evidence`;
  }
}

/** The first bytes, without a piece of a character at their end. */
function firstOf(bytes: Uint8Array, most: number): Uint8Array {
  if (bytes.length <= most) return bytes;
  let end = most;
  while (end > most - LONGEST_CHARACTER && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
