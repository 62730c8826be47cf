/** Times in a story, as the clock on the host's wall shows them. */

import { lengthOfTime, localTime } from "../../terminal/moments.ts";

/**
 * @param us microseconds since 1970
 * @returns the day, and how far the host's time is from UTC then
 *
 * @example
 * ```ts
 * dayOf(1_795_353_000_000_000); // "2026-11-22 UTC+01:00" in Paris
 * ```
 */
export function dayOf(us: number): string {
  return `${localTime(us).slice(0, -9)} ${zoneOf(us)}`;
}

/** @returns the time of the day: `14:30:00` */
export function timeOf(us: number): string {
  return localTime(us).slice(-8);
}

/** @returns day, time and zone: `2026-11-22 14:30:00 UTC+01:00` */
export function stampOf(us: number): string {
  return `${localTime(us)} ${zoneOf(us)}`;
}

function zoneOf(us: number): string {
  const minutes = -new Date(us / 1000).getTimezoneOffset();
  if (minutes === 0 || Number.isNaN(minutes)) return "UTC";
  const two = (value: number) => String(Math.floor(Math.abs(value))).padStart(2, "0");
  return `UTC${minutes < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}

/** @returns how long something took: `0.31 s`, `12.3 s`, `5m 12s` */
export function tookOf(us: number): string {
  // A clock that was set back makes nothing take less than no time.
  const seconds = Math.max(0, us) / 1e6;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  return lengthOfTime(us);
}
