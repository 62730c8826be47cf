/** How far the clock that counts microseconds may be off the wall's, in milliseconds, which is all that this one tells. */
const TOLERANCE_MS = 2;

let originMs = performance.timeOrigin;

/**
 * The time, as records have it: whole microseconds since 1970, as exact as the shells' own.
 *
 * `performance.now()` alone would never hear of a clock that is set, and the agent runs for months.
 */
export function nowUs(): number {
  const wallMs = Date.now();
  let ms = originMs + performance.now();
  if (Math.abs(ms - wallMs) > TOLERANCE_MS) {
    originMs += wallMs - ms;
    ms = wallMs;
  }
  return Math.round(ms * 1000);
}
