/**
 * Cuts what happened into pieces, each of which fits into any comment: a command into lines of a fixed width in front, a note
 * into quotes.
 */

import { visible } from "../../terminal/visible.ts";
import type { CommandEntry, Entry } from "./entry.ts";
import { dayOf, stampOf, timeOf, tookOf } from "./times.ts";

/** The smallest part of a story that is never divided between two comments. */
export type Piece =
  /** A line among lines of a fixed width; those of another day stand under another date. */
  | { kind: "code"; day: string; line: string }
  | { kind: "quote"; by: string; text: string }
  | { kind: "text"; text: string };

/** The longest text of a piece, in UTF-16: with every character as long as any markup writes it, some fit into a comment. */
const LONGEST = 700;
/** A longer directory is told by its end, a longer word of any other kind by its beginning. */
const LONGEST_DIRECTORY = 120;
const LONGEST_LINE = 400;

/** Fixed widths: what is not known yet must take up as much as what will be. */
const STATUS_WIDTH = 11;
const TOOK_WIDTH = 8;

/**
 * What further lines of a command, and the rest of a long one, begin with. An entry begins with a digit, and no command with either.
 */
const NEXT_LINE = "          | ";
const SAME_LINE = "          \\ ";

/**
 * @param entry something that happened
 * @returns its pieces, one at least. Those of a command are as many, and as long, however it ends.
 */
export function piecesOf(entry: Entry): Piece[] {
  switch (entry.kind) {
    case "command":
      return linesOf(entry).map((line) => ({ kind: "code", day: dayOf(entry.atUs), line }));
    case "note": {
      const by = `${entry.user}, ${stampOf(entry.atUs)}${entry.isMasked ? " (masked)" : ""}`;
      const chunks = chunksOf(visible(entry.text.replace(/\r\n?/g, "\n"), "\n\t"), LONGEST);
      return chunks.map((text, i) => ({ kind: "quote", by: i === 0 ? by : `${by} (it goes on)`, text }));
    }
    case "line":
      return [{
        kind: "text",
        text: `${stampOf(entry.atUs)}: ${clipped(visible(entry.text), LONGEST_LINE)}`,
      }];
  }
}

function linesOf(command: CommandEntry): string[] {
  const lines = visible(command.text.replace(/\r\n?/g, "\n"), "\n\t").replace(/\n+$/, "").split("\n");
  return lines.flatMap((line, i) =>
    chunksOf(line, LONGEST).map((chunk, j) => {
      if (i === 0 && j === 0) return `${beginningOf(command)}${chunk}`.trimEnd();
      return (j === 0 ? NEXT_LINE : SAME_LINE) + chunk;
    })
  );
}

/** All that stands before a command: nothing in it can be taken for the command's own text. */
function beginningOf(command: CommandEntry): string {
  const { atUs, tty, as, isRoot, isMasked, textState } = command;
  const remarks = [
    ...(tty === "" ? [] : [`on ${quoted(clipped(tty, 40))}`]),
    ...(as === undefined ? [] : [as === 0 ? "as root" : `as user ${as}`]),
    ...(isMasked ? ["masked"] : []),
    ...(textState === "partial" ? ["only the first command of the line is known"] : []),
    ...(textState === "missing" ? ["the shell did not give the text"] : []),
  ];
  return [
    timeOf(atUs),
    padded(statusOf(command), STATUS_WIDTH),
    tookOfCommand(command).padStart(TOOK_WIDTH).slice(0, TOOK_WIDTH),
    directoryOf(command.directory),
    ...(remarks.length === 0 ? [] : [`(${remarks.join(", ")})`]),
    isRoot ? "# " : "$ ",
  ].join("  ");
}

function statusOf({ end }: CommandEntry): string {
  if (end === "running") return "running";
  if (end === "unknown") return "exit ?";
  const { exitCode, pipeStates } = end;
  const states = pipeStates.length > 1 ? pipeStates.join("|") : String(exitCode);
  const longest = STATUS_WIDTH - "exit ".length;
  return `exit ${states.length <= longest ? states : `..${states.slice(2 - longest)}`}`;
}

function tookOfCommand({ atUs, end }: CommandEntry): string {
  return typeof end === "string" || end.endUs === null ? "" : tookOf(end.endUs - atUs);
}

function padded(text: string, width: number): string {
  return text.padEnd(width).slice(0, width);
}

/** A directory whose name could be taken for more than a name is quoted, as a shell would have it. */
function directoryOf(directory: string): string {
  const path = visible(directory);
  return quoted(path.length <= LONGEST_DIRECTORY ? path : `..${tailOf(path, LONGEST_DIRECTORY - 2)}`);
}

function quoted(word: string): string {
  return /^[\p{L}\p{N}@%+=:,./~_^-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** @returns the text, or its beginning with ` ...` behind it */
export function clipped(text: string, longest: number): string {
  return text.length <= longest ? text : `${chunksOf(text, longest)[0]} ...`;
}

function tailOf(text: string, longest: number): string {
  return text.slice(-longest).replace(/^[\udc00-\udfff]/, "");
}

/** Divides a text, at ends of lines where there are any near, and never within a character. @returns one chunk at least */
function chunksOf(text: string, longest: number): string[] {
  const chunks: string[] = [];
  let from = 0;
  while (text.length - from > longest) {
    let to = from + longest;
    const lineEnd = text.lastIndexOf("\n", to - 1);
    if (lineEnd > from + longest / 2) {
      chunks.push(text.slice(from, lineEnd));
      from = lineEnd + 1;
      continue;
    }
    if (/[\ud800-\udbff]/.test(text[to - 1] ?? "")) to--;
    chunks.push(text.slice(from, to));
    from = to;
  }
  return [...chunks, text.slice(from)];
}
