/** The database that is asked. */

import { paths } from "../config/paths.ts";
import { sayings } from "../history/report.ts";
import { messageOf } from "../terminal/message_of.ts";

/** How long the agent is waited for, in milliseconds, now and then, before a query's answer comes. */
const AGENT_TIMEOUT_MS = 300;

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
 * @param say told of whatever went wrong: what is there can be asked all the same
 */
export async function bringUpToDate(file: string, say: (message: string) => void): Promise<void> {
  const places = paths();
  if (realPath(file) !== realPath(places.history)) return;
  const { ingestAndRelease } = await import("../desk/release.ts");
  try {
    const report = await ingestAndRelease(places, { about: "new", timeoutMs: AGENT_TIMEOUT_MS });
    for (const message of sayings(report)) say(message);
  } catch (error) {
    say(`the newest commands are missing here: ${messageOf(error)}`);
  }
}

function realPath(file: string): string {
  try {
    return Deno.realPathSync(file);
  } catch {
    // Not there yet: its name is all that it has.
    return file;
  }
}
