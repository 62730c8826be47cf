/** HTTP's way to ask for patience. */

/** Whoever asks for more is asked again all the same: it may be a mistake. */
const LONGEST_MS = 24 * 60 * 60 * 1000;

/**
 * @param value of the header Retry-After: seconds, or a date
 * @param nowMs milliseconds since 1970
 * @returns milliseconds from now, at most those of a day; undefined where it says nothing
 *
 * @example
 * ```ts
 * retryAfterMs("30"); // 30000
 * ```
 */
export function retryAfterMs(value: string | null, nowMs: number = Date.now()): number | undefined {
  const text = value?.trim() ?? "";
  // A date has a blank in it: Date.parse takes too much else.
  const waitMs = /^[0-9]+$/.test(text)
    ? Number(text) * 1000
    : text.includes(" ")
    ? Date.parse(text) - nowMs
    : NaN;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), LONGEST_MS);
}
