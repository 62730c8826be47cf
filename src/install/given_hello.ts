/** Whom the installer gave `hello`. */

import { readJournal } from "./journal.ts";
import { LOGIN_SHELLS, usersIn } from "./old_shells.ts";
import type { Target } from "./target.ts";

/**
 * @returns the path of `hello` that they were given, by name, as the journal has it, which is root's alone; nobody where a
 *   run has not come to its end: what it was about to do may never have been done
 * @throws {Error} if the journal cannot be read, or is none
 */
export function givenHello(target: Pick<Target, "root">): Map<string, string> {
  const { entries, isFinished } = readJournal(target);
  const found = new Map<string, string>();
  for (const { kind, args } of isFinished ? entries : []) {
    if (kind !== LOGIN_SHELLS || typeof args !== "object" || args === null || !("to" in args)) continue;
    for (const { name } of usersIn(args)) found.set(name, String(args.to));
  }
  return found;
}
