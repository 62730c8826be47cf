/** Whom the installer gave `hello`, and from whom an admin has taken it since. */

import { readGivenShells } from "../record/given_shells.ts";
import { type Journal, readJournal, stateFolder } from "./journal.ts";
import { LOGIN_SHELLS, usersIn } from "./old_shells.ts";
import type { Target } from "./target.ts";

/**
 * @returns the path of `hello` that they were given, by name, as the journal has it, which is root's alone; nobody where a
 *   run has not come to its end: what it was about to do may never have been done
 * @throws {Error} if the journal cannot be read, or is none
 */
export function givenHello(target: Pick<Target, "root">): Map<string, string> {
  return new Map(givings(readJournal(target)).map(({ name, to }) => [name, to]));
}

/**
 * Whom `srvaudit rescue NAME` gave a shell after that: she is to be without `hello`. On the day when nobody could log in
 * nobody was named.
 *
 * @returns the shells that they were given, by name
 * @throws {Error} if the journal cannot be read, or is none
 */
export function takenHello(target: Pick<Target, "root">): Map<string, string> {
  const journal = readJournal(target);
  const rescues = readGivenShells(stateFolder(target)).filter(({ by }) => by.startsWith("rescue "));
  return new Map(
    givings(journal).flatMap(({ name, run }): [string, string][] => {
      const sinceUs = (journal.begunMs.get(run) ?? Infinity) * 1000;
      const shell = rescues.findLast(({ atUs, shells }) => atUs > sinceUs && Object.hasOwn(shells, name))
        ?.shells[name];
      return shell === undefined ? [] : [[name, shell]];
    }),
  );
}

function givings({ entries, isFinished }: Journal): { name: string; to: string; run: number }[] {
  return (isFinished ? entries : []).flatMap(({ kind, args, run }) => {
    if (kind !== LOGIN_SHELLS || typeof args !== "object" || args === null || !("to" in args)) return [];
    return usersIn(args).map(({ name }) => ({ name, to: String(args.to), run }));
  });
}
