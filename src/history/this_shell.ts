import type { DatabaseSync } from "node:sqlite";
import { ancestors, bootId } from "../posix/process.ts";

/**
 * The shell that this process was started from, by what the kernel says of its ancestors.
 *
 * @param database a history that is open, for reading or writing
 * @returns the row in `sessions` of the nearest ancestor that has one that is still open, or undefined if none has
 *
 * @example
 * ```ts
 * const database = openHistoryForReading(paths().history);
 * const session = database && shellRowOfThisProcess(database); // what ASH calls ASH_SESSION_ID
 * ```
 */
export function shellRowOfThisProcess(database: DatabaseSync): number | undefined {
  const isOurs = database.prepare("select 1 from sqlite_master where name = 'srvaudit_shells'").get();
  if (!isOurs) return undefined;
  const find = database.prepare(`select session_id as id from srvaudit_shells
    where pid = ? and start_ticks = ? and boot_id = ? and end_us is null order by session_id desc limit 1`);
  const boot = bootId();
  for (const process of ancestors()) {
    const row = find.get(process.pid, process.startTicks, boot);
    if (row) return Number(row.id);
  }
  return undefined;
}
