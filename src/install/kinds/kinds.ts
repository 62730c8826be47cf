/** Every kind of change that there is, by the name that the journal has for it. */

import type { ChangeKind, Json } from "../change.ts";

const KINDS: readonly ChangeKind<Json, Json>[] = [];

/** The kinds that decide who gets in, and how: what the safety timer puts back. */
export const WHO_GETS_IN: readonly string[] = [];

/** @throws {Error} if this version of srvAudit knows no such kind */
export function kindOf(name: string): ChangeKind<Json, Json> {
  const found = KINDS.find(({ kind }) => kind === name);
  if (found) return found;
  throw new Error(
    `the journal has a change of a kind that this version does not know: ${name}: take a newer one`,
  );
}
