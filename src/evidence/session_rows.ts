/** The login sessions in evidence, as the agent needs them. */

import type { DatabaseSync } from "node:sqlite";

/** A login session that was opened and not closed. */
export interface OpenSessionRow {
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

/** The statements that find them; for one open database. */
export class SessionRows {
  readonly #open;
  readonly #bySeq;
  readonly #byId;
  readonly #switches;

  constructor(database: DatabaseSync) {
    this.#open = database.prepare(`${OPENED} and not exists (select 1 from event x
      where x.kind = 'session closed' and x.session = event.seq and x.data is not null) order by seq`);
    this.#bySeq = database.prepare(`${OPENED} and seq = ?`);
    this.#byId = database.prepare(`select seq from event where kind = 'session opened'
      and json_extract(data, '$.session') = ? order by seq limit 1`);
    this.#switches = database.prepare(`select at_us, json_extract(data, '$.to') as ticket from event
      where kind = 'ticket switched' and session = ? and data is not null order by at_us, seq`);
  }

  /** Those not closed, oldest first. */
  open(): OpenSessionRow[] {
    return this.#open.all().map((row) => this.#sessionOf(row));
  }

  bySeq(seq: number): OpenSessionRow | undefined {
    const row = this.#bySeq.get(seq);
    return row && this.#sessionOf(row);
  }

  /** The `seq` of the session's opening; of several of one id, which only a forger makes, the first. */
  seqOf(id: string): number | undefined {
    const row = this.#byId.get(id);
    return row && Number(row.seq);
  }

  #sessionOf(row: Record<string, unknown>): OpenSessionRow {
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
      uid: row.uid === null ? null : Number(row.uid),
      user: String(opened.user ?? ""),
      openedUs,
      opened,
      tickets: [...first, ...switches],
    };
  }
}
