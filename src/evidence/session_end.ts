/** What evidence knows of a login session's end. */

import type { DatabaseSync } from "node:sqlite";
import type { EvidenceStore } from "./store.ts";

/** A shell's end, as evidence has it. */
export interface ShellEnd {
  atUs: number;
  /** Null where the shell said none. */
  exitCode: number | null;
}

/** The statements, prepared once for an open database. */
const prepared = new WeakMap<DatabaseSync, ReturnType<typeof prepare>>();

function statements({ database }: EvidenceStore): ReturnType<typeof prepare> {
  const known = prepared.get(database) ?? prepare(database);
  prepared.set(database, known);
  return known;
}

function prepare(database: DatabaseSync) {
  return {
    closed: database.prepare(
      "select 1 from event where kind = 'session closed' and session = ? and data is not null limit 1",
    ),
    end: database.prepare(
      `select x.at_us as atUs, json_extract(x.data, '$.exitCode') as exitCode
      from event s join event x on x.kind = 'shell ended' and x.shell = s.seq and x.data is not null
      where s.kind = 'shell started' and s.session = ? and s.data is not null
        and json_extract(s.data, '$.pid') = ? and json_extract(s.data, '$.startTicks') = ?
      order by s.seq desc, x.seq limit 1`,
    ),
  };
}

/** @returns whether the session is closed; `seq` is that of its opening */
export function isClosed(store: EvidenceStore, seq: number): boolean {
  return statements(store).closed.get(seq) !== undefined;
}

/**
 * @param session the `seq` of the session's opening
 * @returns how the last shell of that process in that session ended, or undefined if there is no such shell, or no end
 */
export function endOfShell(
  store: EvidenceStore,
  session: number,
  process: { pid: number; startTicks: number },
): ShellEnd | undefined {
  const row = statements(store).end.get(session, process.pid, process.startTicks);
  return row && { atUs: Number(row.atUs), exitCode: row.exitCode === null ? null : Number(row.exitCode) };
}
