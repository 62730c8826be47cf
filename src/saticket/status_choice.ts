import { CannotError } from "./cannot.ts";

/**
 * Finds out which status is meant.
 *
 * @param typed a number of the list of next ones, counted from 1; or a name, or how one begins, in upper or lower case,
 * with blanks, `-` or `_` between its words
 * @param present the ticket's status
 * @param next the statuses that it may go to
 * @returns the status as it is written
 * @throws {CannotError} if none is meant, or more than one could be
 *
 * @example
 * ```ts
 * chooseStatus("in-p", "New", ["In Progress", "Closed"]); // "In Progress"
 * ```
 */
export function chooseStatus(typed: string, present: string, next: readonly string[]): string {
  const choices = [present, ...next];
  const wanted = plain(typed);
  const numbered = /^[0-9]+$/.test(wanted) ? next[Number(wanted) - 1] : undefined;
  const exact = numbered ?? choices.find((status) => plain(status) === wanted);
  if (exact !== undefined) return exact;
  const begun = wanted === "" ? [] : choices.filter((status) => plain(status).startsWith(wanted));
  const [only, another] = begun;
  if (only !== undefined && another === undefined) return only;
  throw new CannotError(
    another === undefined
      ? `the status cannot be "${typed}" now (it is ${present}): choose one of ${next.join(", ")}`
      : `"${typed}" may mean ${begun.join(" or ")}: write more of it`,
  );
}

function plain(name: string): string {
  return name.trim().toLowerCase().replace(/[\s_-]+/g, " ");
}
