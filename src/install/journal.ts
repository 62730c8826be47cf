/**
 * The journal: what was changed on this host, and what was there before. A change stands in it before it is made.
 *
 * JSON lines in `/var/lib/srvaudit/install.journal`, root's alone. A run that was killed goes on under its number.
 */

import type { Json } from "./change.ts";
import { removeIfThere } from "./host_file.ts";
import type { Target } from "./target.ts";

/** A change that was made, or was about to be. */
export interface JournalEntry {
  /** Which run of the installer made it. */
  run: number;
  kind: string;
  about: string;
  args: Json;
  /** What was there before that run. */
  before: Json;
}

/** What the journal says. */
export interface Journal {
  /** What is to be undone to have the host as it was, in the order in which it was made. */
  entries: readonly JournalEntry[];
  /** The first run's number that it knows of, and the last one's; 0 where there was none. */
  firstRun: number;
  lastRun: number;
  /** Whether the last run came to its end. */
  isFinished: boolean;
  /** When each run has begun, or gone on, in milliseconds since 1970. */
  begunMs: ReadonlyMap<number, number>;
}

type Line =
  | JournalEntry
  | { run: number; begun: string; version: string }
  | { run: number; finished: string }
  | { undone: Name };

/** What tells a change from all others. */
type Name = Pick<JournalEntry, "run" | "kind" | "about">;

const encoder = new TextEncoder();

/** `/var/lib/srvaudit`, with what stands before it. */
export function stateFolder(target: Pick<Target, "root">): string {
  return `${target.root}/var/lib/srvaudit`;
}

function fileOf(target: Pick<Target, "root">): string {
  return `${stateFolder(target)}/install.journal`;
}

/**
 * Reads the journal. A last line that a kill has torn counts for nothing: its change was not made yet.
 *
 * @throws {Error} if it cannot be read, or is not a journal
 */
export function readJournal(target: Pick<Target, "root">): Journal {
  let text = "";
  try {
    text = Deno.readTextFileSync(fileOf(target));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter(Boolean);
  const entries = new Map<string, JournalEntry>();
  const journal = { firstRun: 0, lastRun: 0, isFinished: true };
  const begunMs = new Map<number, number>();
  lines.forEach((each, i) => {
    const line = lineOf(each, `${fileOf(target)}:${i + 1}`);
    if ("undone" in line) entries.delete(keyOf(line.undone));
    else if ("kind" in line) entries.set(keyOf(line), line);
    else {
      journal.firstRun ||= line.run;
      journal.lastRun = line.run;
      journal.isFinished = "finished" in line;
      if ("begun" in line) begunMs.set(line.run, Date.parse(line.begun));
    }
  });
  return { ...journal, begunMs, entries: [...entries.values()] };
}

function lineOf(text: string, place: string): Line {
  try {
    const line: unknown = JSON.parse(text);
    if (isLine(line)) return line;
  } catch {
    // Not JSON: the same as JSON of another kind.
  }
  throw new Error(
    `${place} is not a line of srvAudit's: what was changed on this host cannot be told from it`,
  );
}

function isLine(value: unknown): value is Line {
  const line = fieldsOf(value);
  if ("undone" in line) return isName(line.undone);
  if ("kind" in line) return isName(line) && "args" in line && "before" in line;
  return Number.isInteger(line.run) && [line.begun, line.finished].some((time) => typeof time === "string");
}

function isName(value: unknown): boolean {
  const { run, kind, about } = fieldsOf(value);
  return Number.isInteger(run) && typeof kind === "string" && typeof about === "string";
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return { ...(typeof value === "object" ? value : {}) };
}

function keyOf({ run, kind, about }: Name): string {
  return `${run}\0${kind}\0${about}`;
}

/**
 * @param run which run made it; undefined: any, the first one
 * @returns what the journal has of a change, or undefined if it was never made, or was undone
 */
export function entryOf(
  { entries }: Journal,
  kind: string,
  about: string,
  run?: number,
): JournalEntry | undefined {
  return entries.find((entry) =>
    entry.kind === kind && entry.about === about && (run === undefined || entry.run === run)
  );
}

/** Puts a change on record, before it is made. */
export function recordChange(target: Target, entry: JournalEntry): void {
  append(target, entry);
}

/** Puts on record that a change is undone. */
export function recordUndone(target: Target, { run, kind, about }: JournalEntry): void {
  append(target, { undone: { run, kind, about } });
}

/** Puts on record that a run begins. */
export function recordBegin(target: Target, run: number, version: string): void {
  append(target, { run, begun: new Date().toISOString(), version });
}

/** Puts on record that a run came to its end: the next one is another. */
export function recordFinish(target: Target, run: number): void {
  append(target, { run, finished: new Date().toISOString() });
}

/** Removes the journal: the host is as it was. */
export function removeJournal(target: Target): void {
  removeIfThere(fileOf(target));
}

function append(target: Target, line: Line): void {
  const path = fileOf(target);
  Deno.mkdirSync(stateFolder(target), { recursive: true, mode: 0o700 });
  using file = Deno.openSync(path, { create: true, read: true, write: true, mode: 0o600 });
  file.seekSync(wholeBytes(path), Deno.SeekMode.Start);
  let bytes = encoder.encode(JSON.stringify(line) + "\n");
  while (bytes.length > 0) bytes = bytes.subarray(file.writeSync(bytes));
  file.syncSync();
}

/** @returns how long the journal is without a last line that a kill has torn; that one goes */
function wholeBytes(path: string): number {
  const bytes = Deno.readFileSync(path);
  const whole = bytes.lastIndexOf(0x0a) + 1;
  if (whole < bytes.length) Deno.truncateSync(path, whole);
  return whole;
}
