/** Texts, as they may leave the host: not too long, and without the secrets that are found in them. */

import { readable } from "../record/readable.ts";

/** Hides secrets: a `Mask` of `net/mask.ts`. */
export interface Masking {
  /** @param mostRead how much may be read for it; with 0, a text that has any secret is hidden as a whole */
  apply(text: string, mostRead?: number): { text: string; masked: readonly string[] };
}

/** So much of a text is told, in characters: all of it is in evidence, and may be megabytes. */
export const MOST_TOLD = 20_000;
/** So much where it must not take long. */
const MOST_IN_HASTE = 200;
/** More than enough bytes for so many characters. */
const MOST_BYTES = 4 * MOST_TOLD;

/** What belongs together: which patterns have hit in any of it is known in the end. */
export class Outward {
  /** The names of those that hit, each once. */
  readonly patterns = new Set<string>();
  /** Whether something was too long. */
  isCut = false;

  /** @param isHasty whether whose texts they are has had more than her share of the time that secrets are looked for in */
  constructor(readonly mask: Masking, readonly isHasty: boolean = false) {}

  /**
   * What a user has typed; anything but a text is an empty one.
   *
   * @param most how much of it is told, in characters
   */
  text(value: unknown, most = MOST_TOLD): string {
    const whole = typeof value === "string" ? value : "";
    const longest = this.isHasty ? Math.min(most, MOST_IN_HASTE) : most;
    const isTooLong = whole.length > longest;
    // Half of a character is none.
    const start = isTooLong ? whole.slice(0, longest).replace(/[\ud800-\udbff]$/, "") : whole;
    const { text, masked } = this.mask.apply(start, this.isHasty ? 0 : undefined);
    for (const pattern of masked) this.patterns.add(pattern);
    if (!isTooLong) return text;
    this.isCut = true;
    return `${text}\n... and more, in the host's evidence`;
  }

  /** Bytes, of which those that are no text are written out. */
  bytes(bytes: Uint8Array): string {
    return this.text(readable(bytes.subarray(0, MOST_BYTES)).text);
  }
}
