/** Makes the changes of a plan, each on record before it is made. */

import type { Change } from "./change.ts";
import { entryOf, type Journal, readJournal, recordChange } from "./journal.ts";
import { WHO_GETS_IN } from "./kinds/kinds.ts";
import { block } from "./kinds/text.ts";
import type { Target } from "./target.ts";

/**
 * Makes what is not so yet. Whoever is killed amid goes on by calling it again.
 *
 * @param run the installer's, in the journal
 * @returns the changes that were made
 * @throws {Error} as the change does that cannot be made; those before it are made
 */
export async function applyChanges(
  target: Target,
  run: number,
  changes: readonly Change[],
): Promise<Change[]> {
  const journal = readJournal(target);
  const made: Change[] = [];
  for (const change of changes) {
    const { kind, about, args } = change;
    const isDone = await kind.isDone(target, args);
    if (isDone && isKnown(journal, change)) continue;
    // Who gets in is put back run by run: what an earlier run did of that, and was confirmed, stays.
    const isOfRun = WHO_GETS_IN.includes(kind.kind);
    const entry = entryOf(journal, kind.kind, about, isOfRun ? run : undefined) ??
      { run, kind: kind.kind, about, before: await kind.before(target, args) };
    recordChange(target, { ...entry, args });
    if (isDone) continue;
    await kind.apply(target, args);
    made.push(change);
  }
  return made;
}

/** @returns what is not so yet, or not on record */
export async function pendingChanges(
  target: Target,
  journal: Journal,
  changes: readonly Change[],
): Promise<Change[]> {
  const pending: Change[] = [];
  for (const change of changes) {
    if (!await change.kind.isDone(target, change.args) || !isKnown(journal, change)) pending.push(change);
  }
  return pending;
}

/** Whether what is so already is ours to undo by the journal, or was so before us. Our marks say that a block is ours. */
function isKnown(journal: Journal, { kind, about }: Change): boolean {
  return kind.kind !== block.kind || entryOf(journal, kind.kind, about) !== undefined;
}
