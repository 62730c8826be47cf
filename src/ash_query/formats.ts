/**
 * The formats that results are written in. `aligned`, `auto` and `null` are ASH's, byte for byte; of nothing found
 * they, like ASH, make no line at all.
 */

import { visible, visibleJson } from "../terminal/visible.ts";
import { bytesOfText, hasStrayBytes, showStrayBytes } from "./binary_text.ts";
import type { Result, Value } from "./database.ts";
import { aligned, auto } from "./tables.ts";

/** What the output is for. */
export interface Page {
  /** Whether there is a line with the columns' names. */
  hasHeadings: boolean;
  /** Whether it goes to a terminal: then no character from outside may act there. */
  isTerminal: boolean;
  isColoured: boolean;
}

/** A way to write a result. */
export interface Format {
  description: string;
  /** Makes the lines, one by one: memory does not grow with the result. */
  lines(result: Result, page: Page): Iterable<string> | Promise<Iterable<string>>;
}

/** The formats by their names, in the order in which they are listed. */
export const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ["aligned", { description: "Columns are aligned and separated with spaces.", lines: aligned }],
  ["auto", { description: "Like aligned; repeated values on the left are grouped.", lines: auto }],
  ["csv", { description: "Columns are separated by commas (RFC 4180).", lines: csv }],
  ["json", { description: "One JSON array with an object for each row.", lines: json }],
  ["jsonl", { description: "A JSON object for each row, each on its line.", lines: jsonLines }],
  ["markdown", { description: "A table for a ticket or a wiki (GitHub's Markdown).", lines: markdown }],
  ["null", { description: "Columns are separated by NUL characters, unquoted.", lines: nullSeparated }],
]);

/**
 * Collects lines into pieces that are worth a write.
 *
 * @param lines lines, each with its end
 */
export function* chunksOf(lines: Iterable<string>): Generator<Uint8Array> {
  let text = "";
  for (const line of lines) {
    text += line;
    if (text.length < 65_536) continue;
    yield bytesOfText(text);
    text = "";
  }
  if (text !== "") yield bytesOfText(text);
}

/**
 * A cell's text.
 *
 * @param keep control characters that may stay on a terminal
 */
export function textOf(value: Value, page: Page, keep = ""): string {
  if (value === null) return "";
  if (typeof value === "number") return textOfReal(value);
  if (typeof value === "bigint") return String(value);
  return page.isTerminal ? showStrayBytes(visible(value, keep)) : value;
}

/** Writes a REAL as SQLite itself does: 15 significant digits, and always a point. */
export function textOfReal(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "Inf" : "-Inf";
  const isSmall = value !== 0 && Math.abs(value) < 1e-4;
  const [digits = "", exponent] = (isSmall ? value.toExponential(14) : value.toPrecision(15)).split("e");
  const short = digits.includes(".") ? digits.replace(/0+$/, "").replace(/\.$/, ".0") : `${digits}.0`;
  return exponent === undefined ? short : `${short}e${exponent.replace(/^([-+])([0-9])$/, "$10$2")}`;
}

function* nullSeparated(result: Result, page: Page): Generator<string> {
  yield* delimited(result, page, "\0", "\n", (text) => text);
}

function* csv(result: Result, page: Page): Generator<string> {
  // An empty line would be no record: a single empty field is quoted.
  const isAlone = result.columns.length === 1;
  yield* delimited(
    result,
    page,
    ",",
    "\r\n",
    (text) => /[",\r\n]/.test(text) || (isAlone && text === "") ? `"${text.replaceAll('"', '""')}"` : text,
  );
}

function* delimited(
  { columns, rows }: Result,
  page: Page,
  separator: string,
  end: string,
  quote: (text: string) => string,
): Generator<string> {
  const line = (cells: readonly Value[]) =>
    cells.map((cell) => quote(textOf(cell, page, "\n"))).join(separator) + end;
  let isFirst = true;
  for (const row of rows()) {
    if (isFirst && page.hasHeadings) yield line(columns);
    isFirst = false;
    yield line(row);
  }
}

function* json(result: Result): Generator<string> {
  let before = "[\n  ";
  for (const object of objects(result)) {
    yield before + object;
    before = ",\n  ";
  }
  yield before === "[\n  " ? "[]\n" : "\n]\n";
}

function* jsonLines(result: Result): Generator<string> {
  for (const object of objects(result)) yield object + "\n";
}

function* objects({ columns, rows }: Result): Generator<string> {
  const seen = new Set<string>();
  const keys = columns.map((column) => {
    // A key that comes twice would hide the first.
    let key = column;
    for (let n = 2; seen.has(key); n++) key = `${column}_${n}`;
    seen.add(key);
    return visibleJson(key);
  });
  for (const row of rows()) {
    yield `{${row.map((value, i) => `${keys[i]}:${jsonValue(value)}`).join(",")}}`;
  }
}

function jsonValue(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "bigint") return String(value);
  // JSON has no infinity, but its numbers have no end.
  if (typeof value === "number") {
    return Number.isFinite(value) ? textOfReal(value) : `${Math.sign(value) * 9}e999`;
  }
  return hasStrayBytes(value) ? `{"base64":"${base64(value)}"}` : visibleJson(value);
}

function base64(text: string): string {
  return btoa(Array.from(bytesOfText(text), (byte) => String.fromCharCode(byte)).join(""));
}

function* markdown({ columns, rows }: Result, page: Page): Generator<string> {
  const shown = { ...page, isTerminal: true };
  const line = (cells: readonly Value[]) =>
    `| ${cells.map((cell) => markdownText(textOf(cell, shown, "\n"))).join(" | ")} |\n`;
  let isFirst = true;
  for (const row of rows()) {
    if (isFirst) yield line(columns) + `|${" --- |".repeat(columns.length)}\n`;
    isFirst = false;
    yield line(row);
  }
}

/** Takes the meaning from whatever Markdown or HTML would read something into. */
function markdownText(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|~&$]/g, "\\$&").replaceAll("\n", "<br>");
}
