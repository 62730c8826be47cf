/** How long to wait before something that failed is tried again. */

/** Between which lengths, in milliseconds. */
export interface BackoffSettings {
  /** The most that the first wait may be; each further one may be twice as long. */
  firstMs: number;
  /** The most that any may be. */
  longestMs: number;
}

/** What is done about a receiver's own wish goes no further than this, in milliseconds. */
const LONGEST_WISH_MS = 3_600_000;

/**
 * Exponential backoff with full jitter: a thousand hosts that lost the same receiver at the same moment come back one by one.
 *
 * @param failures how often it has failed in a row, this time included: 1 or more
 * @param wishMs how long the receiver wants to be left alone at least (Retry-After); it is heeded up to an hour
 * @param random as Math.random
 * @returns milliseconds; never less than a tenth of what it may be at most, so that nothing is hammered
 *
 * @example
 * ```ts
 * backoffMs({ firstMs: 1000, longestMs: 60_000 }, 3); // 400 to 4000
 * ```
 */
export function backoffMs(
  { firstMs, longestMs }: BackoffSettings,
  failures: number,
  wishMs = 0,
  random: () => number = Math.random,
): number {
  const mostMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30));
  const jittered = mostMs * (0.1 + 0.9 * random());
  if (wishMs <= jittered) return jittered;
  // Not all hosts at the same moment, either, and none too early.
  return Math.min(wishMs, LONGEST_WISH_MS) + jittered;
}
