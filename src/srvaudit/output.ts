/** How `srvaudit` speaks: answers on stdout, messages on stderr, tables that fit the terminal. */

import { visible } from "../terminal/visible.ts";
import { loadWidthOf } from "../terminal/width.ts";

export { NobodyReadsError, print, say } from "../terminal/speak.ts";

/** It cannot be done, and this is all that there is to say about it: exit code 1. */
export class CannotError extends Error {
  override name = "CannotError";
}

/** @returns the columns of the terminal on stdout; Infinity where there is none, so that nothing is cut there */
export function terminalWidth(): number {
  if (!Deno.stdout.isTerminal()) return Infinity;
  try {
    // A terminal that knows no size says 0.
    return Deno.consoleSize().columns || Infinity;
  } catch {
    return Infinity;
  }
}

/** A column of a table. */
export interface Column<Row> {
  title: string;
  cell: (row: Row) => string;
  /** Where the terminal is too narrow, columns with the greatest number go first; those without one stay. */
  goes?: number;
}

const GAP = "  ";
const CUT = "…";

/**
 * A table with a line of titles. Columns that do not fit the width go, as they are told; then what sticks out is cut.
 *
 * @param width in cells
 * @returns its lines, each with its end; text from outside is harmless in them
 */
export async function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): Promise<string> {
  const widthOf = await loadWidthOf();
  const shown = columns.map((column) => {
    const cells = [column.title, ...rows.map((row) => visible(column.cell(row)))];
    // Not Math.max(...cells): there may be more of them than a call takes.
    return {
      goes: column.goes,
      cells,
      width: cells.reduce((most, cell) => Math.max(most, widthOf(cell)), 0),
    };
  });
  const total = () => shown.reduce((sum, column) => sum + column.width + GAP.length, -GAP.length);
  while (total() > width) {
    const last = shown.reduce((most, { goes = -1 }) => Math.max(most, goes), -1);
    if (last < 0) break;
    shown.splice(shown.findLastIndex(({ goes }) => goes === last), 1);
  }
  return [undefined, ...rows].map((_, i) => {
    const line = shown.map(({ cells, width }) => {
      const cell = cells[i] ?? "";
      return cell + " ".repeat(width - widthOf(cell));
    });
    return cutTo(line.join(GAP).trimEnd(), width, widthOf) + "\n";
  }).join("");
}

/**
 * @param width in cells
 * @returns the text, its end left away where it is wider than that
 */
function cutTo(text: string, width: number, widthOf: (text: string) => number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (widthOf(kept + segment) > width - 1) break;
    kept += segment;
  }
  return width > 0 ? kept + CUT : "";
}

/** @returns bytes as people count them: `512 B`, `4.2 MB` */
export function byteCount(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
