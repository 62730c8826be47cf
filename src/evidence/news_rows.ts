/** What it takes to tell others of events, beside the events themselves. */

import { number, textOrNull } from "./cells.ts";
import type { EvidenceEvent } from "./event.ts";
import { withEvidenceErrors } from "./evidence_error.ts";
import { eventOf } from "./row.ts";
import type { EvidenceStore } from "./store.ts";

/** On what a session works. */
export interface PresentTicket {
  /** As it was given. */
  ticket: string | null;
  /** It is a user's word: nobody has looked it up yet. */
  isDoubtful: boolean;
}

/** What was done in a session. */
export interface SessionCounts {
  commands: number;
  failures: number;
}

/** Nobody works on more of them in earnest. */
const MOST_TICKETS = 100;
/** So many commands of a session are looked at for failures, at the most: some tenths of a second. */
const MOST_LOOKED_AT = 200_000;

const IS_DOUBTFUL =
  "coalesce(json_extract(data, '$.unverified'), 0) or coalesce(json_extract(data, '$.source'), '') = 'user'";

/** The statements; for one open store. */
export class NewsRows {
  readonly #opening;
  readonly #commands;
  readonly #present;
  readonly #verified;
  readonly #doubts;
  readonly #count;
  readonly #failures;
  readonly #tickets;
  readonly #closing;

  /** @throws {EvidenceError} as all of its methods do */
  constructor(readonly store: EvidenceStore) {
    const { database } = store;
    this.#opening = database.prepare("select * from event where seq = ? and kind = 'session opened'");
    this.#commands = database.prepare(
      "select * from event where seq in (select value from json_each(?)) and kind = 'command'",
    );
    this.#present = database.prepare(`select seq, ${IS_DOUBTFUL} as doubtful,
        json_extract(data, case kind when 'ticket switched' then '$.to' else '$.ticket' end) as ticket
      from event where data is not null and seq = coalesce((select seq from event
        where kind = 'ticket switched' and session = ? and data is not null and seq <= ?
        order by seq desc limit 1), ?)`);
    this.#verified = database.prepare(`select 1 from event where kind = 'agent' and session = ?
      and data is not null and seq > ? and seq <= ? and json_extract(data, '$.what') = 'ticket verified'
      and json_extract(data, '$.ticket') = ? limit 1`);
    this.#doubts = database.prepare(`select 1 from event where kind in ('session opened', 'ticket switched')
      and session = ? and data is not null and (${IS_DOUBTFUL}) limit 1`);
    // By indexes alone.
    this.#count = database.prepare(`select count(*) as count from event h
      join event c on c.shell = h.seq and c.kind = 'command'
      where h.kind = 'shell started' and h.session = ? and h.data is not null`);
    this.#failures = database.prepare(`select count(*) filter (where exit_code <> 0) as count from (
      select exit_code from event where kind in ('command', 'command ended') and session = ?
      limit ${MOST_LOOKED_AT})`);
    this.#tickets = database.prepare(`select ticket from (
        select seq, json_extract(data, '$.ticket') as ticket from event where seq = ?
        union all
        select seq, json_extract(data, '$.to') from event
          where kind = 'ticket switched' and session = ? and data is not null)
      group by ticket order by min(seq) limit ${MOST_TICKETS}`);
    this.#closing = database.prepare(`select 1 from event
      where kind = 'session closed' and session = ? and data is not null and seq < ? limit 1`);
  }

  /** A session's opening, by its `seq`. */
  opening(session: number): EvidenceEvent | undefined {
    const row = this.#guarded(() => this.#opening.get(session));
    return row && eventOf(row);
  }

  /** Commands, by their `seq`. */
  commands(seqs: readonly number[]): Map<number, EvidenceEvent> {
    if (seqs.length === 0) return new Map();
    const rows = this.#guarded(() => this.#commands.all(JSON.stringify(seqs)));
    return new Map(rows.map((row) => [number(row.seq), eventOf(row)]));
  }

  /** On what a session worked when that event was taken in. */
  ticketAt(session: number, seq: number): PresentTicket {
    return this.#guarded(() => {
      const row = this.#present.get(session, seq, session);
      const ticket = textOrNull(row?.ticket);
      const isDoubtful = ticket !== null && number(row?.doubtful) !== 0 &&
        this.#verified.get(session, number(row?.seq), seq, ticket) === undefined;
      return { ticket, isDoubtful };
    });
  }

  /** What was done in a session, as far as that is in evidence by now; of more than 200,000 commands the first ones' failures. */
  counts(session: number): SessionCounts {
    return this.#guarded(() => ({
      commands: number(this.#count.get(session)?.count),
      failures: number(this.#failures.get(session)?.count),
    }));
  }

  /** What a session has worked on, as it was given: the first one first, each once; of very many the first ones. */
  tickets(session: number): (string | null)[] {
    return this.#guarded(() => this.#tickets.all(session, session)).map(({ ticket }) => textOrNull(ticket));
  }

  /** Whether a session had ended when that event was taken in. */
  isOver(session: number, seq: number): boolean {
    return this.#guarded(() => this.#closing.get(session, seq)) !== undefined;
  }

  /** Whether a session has been on any ticket that nobody had looked up. */
  hasDoubts(session: number): boolean {
    return this.#guarded(() => this.#doubts.get(session)) !== undefined;
  }

  #guarded<Result>(work: () => Result): Result {
    return withEvidenceErrors(this.store.file, work);
  }
}
