/** When something has happened, for receivers that do not take every time. */

/** Which times a receiver takes. */
export interface TimeWindow {
  /** How old news may be, in milliseconds. */
  pastMs: number;
  /** How far ahead of the receiver's clock it may be, in milliseconds. */
  futureMs: number;
}

/** A time that the receiver takes. */
export interface Timestamp {
  /** Milliseconds since 1970. */
  ms: number;
  /** It is the time of the delivery: the true one is outside of the window. */
  isOfDelivery: boolean;
}

/**
 * Receivers throw away what is too old or too far ahead, without a word. News that are late, or of a shell that says a wrong time,
 * get the time of their delivery, so that nobody keeps a command from being seen by setting a clock.
 */
export function timestampIn(window: TimeWindow, atUs: number, nowMs: number): Timestamp {
  const ms = Math.floor(atUs / 1000);
  const isTaken = ms >= nowMs - window.pastMs && ms <= nowMs + window.futureMs;
  return isTaken ? { ms, isOfDelivery: false } : { ms: Math.floor(nowMs), isOfDelivery: true };
}

/** @returns as in `2026-01-31T23:59:59.123456Z`; a number, as text, where no calendar has such a time */
export function isoTime(us: number): string {
  const date = new Date(Math.floor(us / 1000));
  if (Number.isNaN(date.getTime())) return String(us);
  const micros = ((us % 1000) + 1000) % 1000;
  return date.toISOString().replace("Z", `${String(Math.floor(micros)).padStart(3, "0")}Z`);
}
