/** Makes the changes of a plan, each on record before it is made. */

import type { Change } from "./change.ts";
import { entryOf, readJournal, recordChange } from "./journal.ts";
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
  const made: Change[] = [];
  for (const change of changes) {
    const { kind, about, args } = change;
    const known = entryOf(readJournal(target), kind.kind, about);
    const isDone = await kind.isDone(target, args);
    // Our marks say that a block is ours, even where no journal does.
    if (isDone && (known || kind.kind !== block.kind)) continue;
    const before = known ? known.before : await kind.before(target, args);
    recordChange(target, { run, kind: kind.kind, about, args, before });
    if (isDone) continue;
    await kind.apply(target, args);
    made.push(change);
  }
  return made;
}

/** @returns what is not so yet */
export async function pendingChanges(target: Target, changes: readonly Change[]): Promise<Change[]> {
  const pending: Change[] = [];
  for (const change of changes) {
    if (!await change.kind.isDone(target, change.args)) pending.push(change);
  }
  return pending;
}
