/** What the benchmark says: one row for each measurement. */

import type { Result } from "../../src/ash_query/database.ts";
import { FORMATS } from "../../src/ash_query/formats.ts";

/** One measurement. */
export interface Row {
  what: string;
  /** Ours, with its unit. */
  measured: string;
  /** What it is compared with, and that one's figure. */
  against: string;
  /** The ratio or the difference of the two. */
  result: string;
  /** What DESIGN 8 promises, where it does. */
  budget?: { text: string; kept: boolean };
}

/** A measurement for which something is missing here. */
export function notMeasured(what: string, why: string): Row {
  return { what, measured: "not measured", against: "", result: why };
}

/** @param ms milliseconds */
export function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

/** @param us microseconds */
export function microseconds(us: number): string {
  return us < 10_000 ? `${us.toFixed(us < 100 ? 1 : 0)} µs` : milliseconds(us / 1000);
}

/** How many times `larger` is as much as `smaller`. */
export function times(larger: number, smaller: number): string {
  const ratio = larger / smaller;
  return `${ratio.toFixed(ratio < 10 ? 1 : 0)} times`;
}

/**
 * Prints all rows as one table.
 *
 * @param format a format of ash_query's: `aligned`, or `markdown` for docs/performance.md
 * @throws {Error} if there is no such format
 */
export async function print(rows: readonly Row[], format: string): Promise<void> {
  const result: Result = {
    columns: ["what", "measured", "against", "so", "budget", "kept"],
    *rows() {
      for (const { what, measured, against, result, budget } of rows) {
        yield [
          what,
          measured,
          against,
          result,
          budget?.text ?? "",
          budget ? (budget.kept ? "yes" : "NO") : "",
        ];
      }
    },
  };
  const lines = FORMATS.get(format)?.lines(result, {
    hasHeadings: true,
    isTerminal: false,
    isColoured: false,
  });
  if (!lines) throw new Error(`there is no format ${format}: see ash_query -F`);
  for (const line of await lines) await Deno.stdout.write(new TextEncoder().encode(line));
}
