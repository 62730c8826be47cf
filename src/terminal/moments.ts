/**
 * Moments as people name them: `2h`, `yesterday`, `2026-11-22`, `2026-11-22T14:30`.
 *
 * Written here rather than taken from a library: those that were looked at take a date without a time for UTC's, or a
 * bare `100` for milliseconds, or load a language's grammar at every start.
 */

/** A stretch of time, in seconds since 1970: a day, a minute or a second, as exact as it was named. */
export interface Moment {
  fromS: number;
  /** The first second behind it. */
  toS: number;
}

/** The moment cannot be read. */
export class MomentError extends Error {
  override name = "MomentError";

  constructor(text: string) {
    super(
      `${JSON.stringify(text)} is no time: write 90s, 30m, 2h, 3d, 1w, today, yesterday, ` +
        "2026-11-22, 2026-11-22T14:30 or 14:30",
    );
  }
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/**
 * Reads a moment. What has no zone is local time.
 *
 * @param text what somebody wrote
 * @param now the present
 * @returns the moment; an age such as `2h` means the second that lies so far back
 * @throws {MomentError} if it is none
 *
 * @example
 * ```ts
 * parseMoment("2h", new Date()).fromS; // two hours ago
 * ```
 */
export function parseMoment(text: string, now: Date): Moment {
  const age = /^([0-9]{1,9})([smhdw])$/.exec(text);
  if (age) {
    const fromS = Math.floor(now.getTime() / 1000) - Number(age[1]) * (SECONDS[age[2] ?? ""] ?? 0);
    return { fromS, toS: fromS + 1 };
  }
  const [year, month, day] = [now.getFullYear(), now.getMonth(), now.getDate()];
  if (text === "today") return dayOf(year, month, day);
  if (text === "yesterday") return dayOf(year, month, day - 1);
  const time = /^([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?$/;
  const iso =
    /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(Z|[-+][0-9]{2}:?[0-9]{2})?)?$/
      .exec(text);
  const date = iso ? { year: Number(iso[1]), month: Number(iso[2]) - 1, day: Number(iso[3]) } : {
    year,
    month,
    day,
  };
  if (iso && !isDate(date)) throw new MomentError(text);
  const clock = time.exec(iso ? iso[4] ?? "" : text);
  if (!clock) {
    if (!iso) throw new MomentError(text);
    return dayOf(date.year, date.month, date.day);
  }
  const [hour, minute, second] = [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0)];
  const offset = iso?.[5] === undefined ? undefined : offsetMinutes(iso[5]);
  if (hour > 23 || minute > 59 || second > 59 || Number.isNaN(offset)) throw new MomentError(text);
  const ms = offset === undefined
    ? new Date(date.year, date.month, date.day, hour, minute, second).getTime()
    : Date.UTC(date.year, date.month, date.day, hour, minute - offset, second);
  const fromS = Math.floor(ms / 1000);
  return { fromS, toS: fromS + (clock[3] === undefined ? 60 : 1) };
}

/** A local day: 23 or 25 hours long where the clocks are changed. */
function dayOf(year: number, month: number, day: number): Moment {
  const second = (date: Date) => Math.floor(date.getTime() / 1000);
  return { fromS: second(new Date(year, month, day)), toS: second(new Date(year, month, day + 1)) };
}

/** Whether there is such a day: JavaScript would take 30 February for 2 March. */
function isDate({ year, month, day }: { year: number; month: number; day: number }): boolean {
  const date = new Date(Date.UTC(year, month, day));
  return date.getUTCMonth() === month && date.getUTCDate() === day;
}

function offsetMinutes(zone: string): number {
  if (zone === "Z") return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  return hours > 23 || minutes > 59 ? NaN : (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

/**
 * A time as the clock on this wall shows it.
 *
 * @param us microseconds since 1970
 *
 * @example
 * ```ts
 * localTime(1_795_353_000_000_000); // "2026-11-22 14:30:00" in Greenwich
 * ```
 */
export function localTime(us: number): string {
  const time = new Date(us / 1000);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ` +
    `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/**
 * A length of time in its two greatest units, for people.
 *
 * @param us microseconds
 *
 * @example
 * ```ts
 * lengthOfTime(7_380_000_000); // "2h 3m"
 * ```
 */
export function lengthOfTime(us: number): string {
  const seconds = Math.max(0, Math.floor(us / 1e6));
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([number]) => number > 0);
  if (first < 0) return "0s";
  return parts.slice(first, first + 2).filter(([number]) => number > 0).map(([number, unit]) =>
    `${number}${unit}`
  )
    .join(" ");
}
