/** Moments, as Jira writes them: `2026-01-31T17:04:05.000+0000`. */

/** @returns the moment in microseconds since 1970; 0 for what is none */
export function usOf(moment: string | null | undefined): number {
  // ECMAScript's own form has a colon in the offset.
  const ms = Date.parse((moment ?? "").replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
  return Number.isNaN(ms) ? 0 : ms * 1000;
}

/** @returns the moment as Jira takes it: it refuses `Z`, and any number of fractional digits but three */
export function momentOf(us: number): string {
  return new Date(Math.floor(us / 1000)).toISOString().replace("Z", "+0000");
}
