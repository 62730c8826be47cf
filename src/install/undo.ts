/** Puts back what the journal says was changed, the last change first. */

import { messageOf } from "../terminal/message_of.ts";
import type { Left } from "./change.ts";
import { giveShellsBack } from "./give_shells_back.ts";
import { type JournalEntry, readJournal, recordUndone, removeJournal } from "./journal.ts";
import { kindOf, WHO_GETS_IN } from "./kinds/kinds.ts";
import type { Target } from "./target.ts";

/**
 * Puts back what one run has changed of who gets in how; all that it has changed where it was the host's first run.
 *
 * @param run its number in the journal
 * @returns what is left as it is, as somebody has changed it since
 * @throws {Error} that says what could not be put back; what else there was is put back all the same
 */
export async function undoRun(target: Target, run: number): Promise<Left[]> {
  const journal = readJournal(target);
  const entries = journal.entries.filter((entry) => entry.run === run);
  const left = await undoEntries(target, entries.filter(({ kind }) => WHO_GETS_IN.includes(kind)));
  if (journal.firstRun !== run || journal.lastRun !== run) return left;
  // Hello goes: who got it by usermod meanwhile is in no journal.
  giveShellsBack(target);
  left.push(...await undoEntries(target, entries.filter(({ kind }) => !WHO_GETS_IN.includes(kind))));
  return left;
}

/** Puts back what any run has changed of who gets in how. @throws {Error} if somebody still has `hello` then */
export function undoWhoGetsIn(target: Target): Promise<Left[]> {
  return undoEntries(target, readJournal(target).entries.filter(({ kind }) => WHO_GETS_IN.includes(kind)));
}

/**
 * Puts back all that any run has changed.
 *
 * @param isKept tells what stays
 * @returns what is left as it is, as somebody has changed it since
 * @throws {Error} as `undoRun` does
 */
export function undoAll(
  target: Target,
  isKept: (entry: JournalEntry) => boolean = () => false,
): Promise<Left[]> {
  return undoEntries(target, readJournal(target).entries.filter((entry) => !isKept(entry)));
}

async function undoEntries(target: Target, entries: readonly JournalEntry[]): Promise<Left[]> {
  const left: Left[] = [];
  const errors: unknown[] = [];
  for (const entry of entries.toReversed()) {
    try {
      left.push(...await kindOf(entry.kind).undo(target, entry.args, entry.before));
      recordUndone(target, entry);
    } catch (error) {
      // As long as somebody has hello, hello stays.
      if (WHO_GETS_IN.includes(entry.kind)) throw error;
      // One thing that cannot be put back must not keep the others as they are.
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new Error(errors.map(messageOf).join("\n"), { cause: errors[0] });
  if (readJournal(target).entries.length === 0) removeJournal(target);
  return left;
}
