/** The login sessions in evidence, as the agent needs them. */

import type { DatabaseSync } from "node:sqlite";
import { numberOrNull } from "./cells.ts";

/** A login session, open or not. */
export interface SessionRow {
  /** The `seq` of its "session opened". */
  seq: number;
  /** Its UUIDv7. */
  id: string;
  uid: number | null;
  user: string;
  openedUs: number;
  /** What "session opened" holds, as in `SessionOpened`. */
  opened: Record<string, unknown>;
  /** The tickets that it was on, in the order of time; the last one is the present one. */
  tickets: { sinceUs: number; ticket: string }[];
}

const OPENED = "select seq, at_us, uid, data from event where kind = 'session opened' and data is not null";

/** A shell's end. */
export interface ShellEnd {
  atUs: number;
  /** Null where the shell said none. */
  exitCode: number | null;
}

/** The statements that find them; for one open database. */
export class SessionRows {
  readonly #open;
  readonly #bySeq;
  readonly #byId;
  readonly #switches;
  readonly #closing;
  readonly #shellEnd;

  constructor(database: DatabaseSync) {
    this.#open = database.prepare(`${OPENED} and not exists (select 1 from event x
      where x.kind = 'session closed' and x.session = event.seq and x.data is not null) order by seq`);
    this.#bySeq = database.prepare(`${OPENED} and seq = ?`);
    this.#byId = database.prepare(`select seq from event where kind = 'session opened'
      and json_extract(data, '$.session') = ? order by seq limit 1`);
    this.#switches = database.prepare(`select at_us, json_extract(data, '$.to') as ticket from event
      where kind = 'ticket switched' and session = ? and data is not null order by at_us, seq`);
    this.#closing = database.prepare(
      "select 1 from event where kind = 'session closed' and session = ? and data is not null limit 1",
    );
    this.#shellEnd = database.prepare(`select x.at_us, json_extract(x.data, '$.exitCode') as exit_code
      from event s join event x on x.kind = 'shell ended' and x.shell = s.seq and x.data is not null
      where s.kind = 'shell started' and s.session = ? and s.data is not null
        and json_extract(s.data, '$.pid') = ? and json_extract(s.data, '$.startTicks') = ?
      order by s.seq desc, x.seq limit 1`);
  }

  /** Those not closed, oldest first. */
  open(): SessionRow[] {
    return this.#open.all().map((row) => this.#sessionOf(row));
  }

  bySeq(seq: number): SessionRow | undefined {
    const row = this.#bySeq.get(seq);
    return row && this.#sessionOf(row);
  }

  /** The `seq` of the session's opening; of several of one id, which only a forger makes, the first. */
  seqOf(id: string): number | undefined {
    const row = this.#byId.get(id);
    return row && Number(row.seq);
  }

  /** Whether the session is closed; `seq` is that of its opening. */
  isClosed(seq: number): boolean {
    return this.#closing.get(seq) !== undefined;
  }

  /** How the last shell of a process in a session ended; undefined if there is no such shell, or no end. */
  endOfShell(seq: number, { pid, startTicks }: { pid: number; startTicks: number }): ShellEnd | undefined {
    const row = this.#shellEnd.get(seq, pid, startTicks);
    return row && { atUs: Number(row.at_us), exitCode: numberOrNull(row.exit_code) };
  }

  #sessionOf(row: Record<string, unknown>): SessionRow {
    const seq = Number(row.seq);
    const openedUs = Number(row.at_us);
    const opened: Record<string, unknown> = { ...JSON.parse(String(row.data)) };
    const first = typeof opened.ticket === "string" ? [{ sinceUs: openedUs, ticket: opened.ticket }] : [];
    const switches = this.#switches.all(seq).map((one) => ({
      sinceUs: Number(one.at_us),
      ticket: String(one.ticket),
    }));
    return {
      seq,
      id: String(opened.session),
      uid: numberOrNull(row.uid),
      user: String(opened.user ?? ""),
      openedUs,
      opened,
      tickets: [...first, ...switches],
    };
  }
}
