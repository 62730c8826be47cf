/**
 * What went wrong, in words, whatever was thrown.
 *
 * @returns text that may hold what others wrote: `visible()` before a terminal sees it
 *
 * @example
 * ```ts
 * messageOf(new TypeError("no such file")); // "no such file"
 * messageOf("no such file"); // "no such file"
 * ```
 */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
