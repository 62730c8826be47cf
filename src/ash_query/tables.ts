/**
 * ASH's two tables for people: `aligned` and `auto`.
 *
 * Both need to know all the rows before the first line can be written. The rows of a large result are not kept for
 * that: the query runs a second time.
 */

import { loadWidthOf, simpleWidthOf, type WidthOf } from "../terminal/width.ts";
import type { Result, Row } from "./database.ts";
import { type Page, textOf } from "./formats.ts";

/** Between two columns. */
const GAP = 4;
/** What one value may add to the width of its column, gap included: a longer one sticks out. */
const WIDEST = 80;
/** So many rows are kept rather than asked for again. */
const KEPT_ROWS = 10_000;

interface Survey {
  rows: () => Iterable<string[]>;
  count: number;
  /** Each column's width, gap included. */
  widths: number[];
  /** How often each column's value differs from that of the row before. */
  changes: number[];
  widthOf: WidthOf;
}

/** Makes the lines of `aligned`. */
export async function aligned(result: Result, page: Page): Promise<Iterable<string>> {
  return table(result, page, await survey(result, page), 0);
}

/** Makes the lines of `auto`: the leftmost columns are grouped where that takes less of the screen. */
export async function auto(result: Result, page: Page): Promise<Iterable<string>> {
  const surveyed = await survey(result, page);
  return table(result, page, surveyed, groupedColumns(surveyed));
}

async function survey(result: Result, page: Page): Promise<Survey> {
  const texts = (row: Row) => row.map((value) => textOf(value, page));
  let widthOf: WidthOf = simpleWidthOf;
  const measure = async (text: string) => {
    const widthOfAny = await loadWidthOf();
    widthOf = widthOfAny;
    return widthOfAny(text);
  };
  const widths: number[] = [];
  for (const column of result.columns) {
    const heading = page.hasHeadings ? textOf(column, page) : "";
    widths.push(GAP + (widthOf(heading) ?? await measure(heading)));
  }
  const changes = result.columns.map(() => 0);
  const kept: string[][] = [];
  let before: string[] = result.columns.map(() => "");
  let count = 0;
  for (const values of result.rows()) {
    const row = texts(values);
    for (let i = 0; i < row.length; i++) {
      const text = row[i] ?? "";
      // An await for each cell of a million rows would take longer than the query.
      const width = widthOf(text) ?? await measure(text);
      const wanted = Math.min(WIDEST, GAP + width);
      if (wanted > (widths[i] ?? 0)) widths[i] = wanted;
      if (text !== before[i]) changes[i] = (changes[i] ?? 0) + 1;
    }
    before = row;
    count++;
    if (count <= KEPT_ROWS) kept.push(row);
    else kept.length = 0;
  }
  const again = function* () {
    for (const values of result.rows()) yield texts(values);
  };
  return { rows: count <= KEPT_ROWS ? () => kept : again, count, widths, changes, widthOf };
}

/**
 * How many columns are grouped: the number that makes the smallest rectangle of text, the larger number where two do.
 * The rectangle is ASH's estimate: a grouped column adds a line for each change and an indent, and takes its width
 * away from the lines.
 */
function groupedColumns({ count, widths, changes }: Survey): number {
  let height = count;
  let width = widths.reduce((sum, one) => sum + one, 0);
  const areas = [height * width];
  widths.forEach((own, i) => {
    height += changes[i] ?? 0;
    width = Math.max(width - own, own) + GAP * (i + 1);
    areas.push(height * width);
  });
  const smallest = Math.min(...areas);
  // The last area stands for all columns grouped, which leaves no line to group under: ASH then groups none.
  return Math.max(0, areas.slice(0, -1).lastIndexOf(smallest));
}

function* table(result: Result, page: Page, surveyed: Survey, grouped: number): Generator<string> {
  if (surveyed.count === 0) return;
  const { widths, widthOf } = surveyed;
  const lastColumn = widths.length - 1;
  const padded = (text: string, i: number) =>
    i === lastColumn
      ? text
      : text + " ".repeat(Math.max(0, (widths[i] ?? 0) - (widthOf(text) ?? text.length)));
  const indent = (level: number) => " ".repeat(GAP * level);
  const rest = (cells: readonly string[]) => {
    let line = "";
    for (let i = grouped; i < cells.length; i++) line += padded(cells[i] ?? "", i);
    return line + "\n";
  };

  if (page.hasHeadings) {
    const headings = result.columns.map((column) => textOf(column, page));
    const text = headings.slice(0, grouped).map((heading, i) => `${heading}\n${indent(i + 1)}`).join("") +
      rest(headings);
    yield page.isColoured ? text.replace(/\S[^\n]*/g, "\x1b[1m$&\x1b[0m") : text;
  }
  let groups: string[] = [];
  let isFirst = true;
  for (const row of surveyed.rows()) {
    let line = "";
    for (let i = 0; i < grouped; i++) {
      const text = row[i] ?? "";
      if (!isFirst && text === groups[i]) {
        line += indent(1);
        continue;
      }
      line += `${text}\n${indent(i + 1)}`;
      // What stands to the right of a new value begins anew; ASH writes no line for an empty value there.
      groups = row.slice(0, i + 1).concat(Array<string>(grouped - i - 1).fill(""));
    }
    isFirst = false;
    yield line + rest(row);
  }
}
