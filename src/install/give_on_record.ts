/** What gives users plain shells again is on record before passwd is changed: the agent takes it for nobody's tampering. */

import { nowUs } from "../record/clock.ts";
import { addGivenShells } from "../record/given_shells.ts";
import { stateFolder } from "./journal.ts";
import { passwdLines } from "./passwd_file.ts";
import type { Target } from "./target.ts";

/**
 * Writes passwd, on record.
 *
 * @param now its bytes
 * @param then what they will be: the same users
 * @param write writes it
 * @param names whose shells were asked for; everybody's without this
 * @returns what `write` returns
 * @throws {Error} what `write` throws
 */
export function giveOnRecord<Result>(
  target: Pick<Target, "root">,
  now: Uint8Array,
  then: Uint8Array,
  write: () => Result,
  names: Iterable<string> = [],
): Result {
  // What this program was called with says which it is: `uninstall`, `rescue alice`, `put-back`.
  const by = [Deno.args[0] ?? "", ...names].join(" ");
  record(target, now, then, by);
  try {
    return write();
  } catch (error) {
    // Nobody was given anything: it must not be laid to us later.
    record(target, then, now, by);
    throw error;
  }
}

function record(target: Pick<Target, "root">, now: Uint8Array, then: Uint8Array, by: string): void {
  const before = passwdLines(now);
  const changed = passwdLines(then).filter(({ shell }, i) => shell !== before[i]?.shell);
  addGivenShells(stateFolder(target), {
    atUs: nowUs(),
    by,
    shells: Object.fromEntries(changed.map(({ name, shell }) => [name, shell])),
  });
}
