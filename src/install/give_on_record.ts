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
 * @returns what `write` returns
 * @throws {Error} what `write` throws
 */
export function giveOnRecord<Result>(
  target: Pick<Target, "root">,
  now: Uint8Array,
  then: Uint8Array,
  write: () => Result,
): Result {
  record(target, now, then);
  try {
    return write();
  } catch (error) {
    // Nobody was given anything: it must not be laid to us later.
    record(target, then, now);
    throw error;
  }
}

/** What this program was called with says which it is: `uninstall`, `rescue`, `put-back`. */
function record(target: Pick<Target, "root">, now: Uint8Array, then: Uint8Array): void {
  const before = passwdLines(now);
  const changed = passwdLines(then).filter(({ shell }, i) => shell !== before[i]?.shell);
  addGivenShells(stateFolder(target), {
    atUs: nowUs(),
    by: Deno.args[0] ?? "",
    shells: Object.fromEntries(changed.map(({ name, shell }) => [name, shell])),
  });
}
