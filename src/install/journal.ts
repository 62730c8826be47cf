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
  /** Which run of the installer made it last. */
  run: number;
  kind: string;
  about: string;
  args: Json;
  /** What was there before the first run that made it. */
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
}

type Line =
  | JournalEntry
  | { run: number; begun: string; version: string }
  | { run: number; finished: string }
  | { undone: { kind: string; about: string } };

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
  lines.forEach((each, i) => {
    const line = lineOf(each, `${fileOf(target)}:${i + 1}`);
    if ("undone" in line) entries.delete(keyOf(line.undone));
    else if ("kind" in line) entries.set(keyOf(line), line);
    else {
      journal.firstRun ||= line.run;
      journal.lastRun = line.run;
      journal.isFinished = "finished" in line;
    }
  });
  return { ...journal, entries: [...entries.values()] };
}

function lineOf(text: string, place: string): Line {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(
      `${place} is not a line of srvAudit's: what was changed on this host cannot be told from it`,
    );
  }
}

function keyOf({ kind, about }: { kind: string; about: string }): string {
  return `${kind}\0${about}`;
}

/** @returns what the journal has of a change, or undefined if it was never made, or was undone */
export function entryOf(journal: Journal, kind: string, about: string): JournalEntry | undefined {
  return journal.entries.find((entry) => entry.kind === kind && entry.about === about);
}

/** Puts a change on record, before it is made. */
export function recordChange(target: Target, entry: JournalEntry): void {
  append(target, entry);
}

/** Puts on record that a change is undone. */
export function recordUndone(target: Target, { kind, about }: JournalEntry): void {
  append(target, { undone: { kind, about } });
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
