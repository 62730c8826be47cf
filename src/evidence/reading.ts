/** Questions to the evidence: of whoever may read the file, while the agent writes it. Nothing is ever written here. */

import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { openDatabase, schemaVersion } from "../sqlite/database.ts";
import { number, text } from "./cells.ts";
import { canonicalText, type Cell, chainHash, COLUMN_NAMES, isSameHash, NO_HASH } from "./chain.ts";
import type { Head } from "./event.ts";
import { EvidenceError, withEvidenceErrors } from "./evidence_error.ts";
import {
  consumerOf,
  type ConsumerState,
  eventOf,
  type EvidenceSession,
  type ReadEvent,
  sessionOf,
} from "./read_rows.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { type DeadLetters, deadLetters } from "./sink_state.ts";
import { NO_STORIES, type StoriesState, storiesState } from "./story_state.ts";

export type { ConsumerState, DeadLetters, EvidenceSession, ReadEvent, StoriesState };

/** How long a lock of the agent's is waited for: readers of a WAL hardly ever meet one. */
const BUSY_TIMEOUT_MS = 2000;

/** Which sessions are asked for; all that is given must hold. */
export interface SessionFilter {
  /** A name, or a number. */
  user?: string | undefined;
  /** One that it was on at any time. */
  ticket?: string | undefined;
  /** Not ended before this. */
  sinceUs?: number | undefined;
  /** Begun before this. */
  untilUs?: number | undefined;
  isOpen?: boolean | undefined;
  host?: string | undefined;
  /** An address, or how it begins. */
  from?: string | undefined;
  isEmergency?: boolean | undefined;
  limit: number;
}

/** Which events are asked for. */
export interface EventFilter {
  /** The user of the session; of an event of no session, whose it is. */
  user?: { name: string; uid: number | undefined } | undefined;
  /** The session's id, or how it begins or ends. */
  session?: string | undefined;
  ticket?: string | undefined;
}

/** How much there is. */
export interface Extent {
  /** The first and the last event's number; 0 for none. */
  first: number;
  last: number;
  /** When the newest event happened; 0 for none. */
  newestUs: number;
}

/**
 * The evidence, open for reading.
 *
 * @example
 * ```ts
 * using evidence = new EvidenceReader("/var/lib/srvaudit/evidence.db");
 * evidence.sessions({ isOpen: true, limit: 100 }).map(({ user }) => user);
 * ```
 */
export class EvidenceReader implements Disposable {
  readonly #database: DatabaseSync;

  /**
   * @param file the database
   * @throws {EvidenceError} if it cannot be read
   * @throws {Deno.errors.NotFound} if it is not there
   * @throws {Deno.errors.PermissionDenied} if its folder is closed to this user
   */
  constructor(readonly file: string) {
    // SQLite does not say that a file is missing, or closed to this user. It is not opened to find out: with any descriptor of
    // a file the kernel drops every POSIX lock of this process on it, SQLite's as well.
    Deno.statSync(file);
    this.#database = withEvidenceErrors(file, () => {
      const database = openDatabase(file, { readOnly: true, busyTimeoutMs: BUSY_TIMEOUT_MS });
      try {
        const version = schemaVersion(database);
        if (version > SCHEMA_VERSION) throw new EvidenceError(file, "newer");
        // One that the agent is about to make, or another's file.
        if (version === 0) throw new EvidenceError(file, "other", new Error("it has no evidence in it yet"));
        return database;
      } catch (error) {
        database.close();
        throw error;
      }
    });
  }

  /** @returns the sessions, newest first */
  sessions(filter: SessionFilter): EvidenceSession[] {
    const { where, values } = conditionsOf(filter);
    return this.#all(
      `select s.*, (select max(at_us) from (
           select max(e.at_us) as at_us from event e where e.session = s.seq and e.data is not null and e.kind in (
             'session opened', 'ticket switched', 'note', 'status', 'session closed', 'shell started', 'shell ended', 'tamper')
           union all
           select max(coalesce(c.end_us, c.at_us)) from event h join event c on c.shell = h.seq and c.kind = 'command'
             where h.kind = 'shell started' and h.session = s.seq and h.data is not null)) as last_us
         from login_session s where s.seq in (
           select seq from login_session where ${where} order by opened_us desc, seq desc limit ?)
         order by s.opened_us desc, s.seq desc`,
      [...values, filter.limit],
    ).map(sessionOf);
  }

  /** @returns the events behind that number, in their order, so many at most */
  eventsAfter(seq: number, filter: EventFilter, limit: number): ReadEvent[] {
    const { where, values } = eventConditions(filter);
    return this.#all(`${EVENTS} where e.seq > ? and ${where} order by e.seq limit ?`, [seq, ...values, limit])
      .map(eventOf);
  }

  /** @returns the last events up to that number, in their order, so many at most */
  eventsUpTo(seq: number, filter: EventFilter, limit: number): ReadEvent[] {
    const { where, values } = eventConditions(filter);
    const rows = this.#all(
      `${EVENTS} where e.seq <= ? and ${where} order by e.seq desc limit ?`,
      [seq, ...values, limit],
    );
    return rows.map(eventOf).reverse();
  }

  /** @returns how far each consumer is, by name */
  consumers(): ConsumerState[] {
    return this.#all(
      `select name, delivered, max(0, (select coalesce(max(seq), 0) from event) - delivered) as waiting,
         success_us, error, error_us from consumer order by name`,
      [],
    ).map(consumerOf);
  }

  /** @returns what of the sessions' stories is not told to the tracker; nothing in evidence that knows of none */
  stories(): StoriesState {
    return withEvidenceErrors(
      this.file,
      () => schemaVersion(this.#database) < 2 ? NO_STORIES : storiesState(this.#database),
    );
  }

  /** @returns what sinks have refused; nothing in evidence that knows of no sinks */
  deadLetters(): DeadLetters[] {
    return withEvidenceErrors(
      this.file,
      () => schemaVersion(this.#database) < 4 ? [] : deadLetters(this.#database),
    );
  }

  extent(): Extent {
    const [row = {}] = this.#all(
      `select coalesce(min(seq), 0) as first, coalesce(max(seq), 0) as last,
         coalesce((select at_us from event order by seq desc limit 1), 0) as newest_us from event`,
      [],
    );
    return { first: number(row.first), last: number(row.last), newestUs: number(row.newest_us) };
  }

  /** @returns where the chain stands, or undefined where nothing has ever been on it */
  head(): Head | undefined {
    const [row] = this.#all(
      "select seq, hash from event union all select seq, hash from anchor order by seq desc limit 1",
      [],
    );
    return row?.hash instanceof Uint8Array ? { seq: number(row.seq), hash: row.hash } : undefined;
  }

  /**
   * Computes the hashes of the newest events anew: a quick look, where `verify.ts` walks the whole chain.
   *
   * @param count how many
   * @returns the number of the first event whose hash is not what it should be, or undefined
   */
  tailBreak(count: number): number | undefined {
    const rows = this.#all(`select * from event order by seq desc limit ?`, [count + 1]).reverse();
    const [before] = this.#all(
      "select seq, hash from anchor where seq = (select min(seq) from event) - 1",
      [],
    );
    // The first of the chain comes after its anchor, or after nothing; of any other part the first is known by its hash.
    const isWhole = rows.length <= count;
    let previous: unknown = isWhole ? before?.hash ?? NO_HASH : rows.shift()?.hash;
    for (const row of rows) {
      if (!(previous instanceof Uint8Array) || !(row.hash instanceof Uint8Array)) return number(row.seq);
      const hash = chainHash(previous, canonicalText(COLUMN_NAMES.map((name) => row[name] as Cell)));
      if (!isSameHash(hash, row.hash)) return number(row.seq);
      previous = hash;
    }
    return undefined;
  }

  /** @returns how far each spool file of a folder is in evidence, in bytes; '' for the host's */
  positions(folder: string): Map<string, number> {
    const rows = this.#all("select name, position from spool where folder = ?", [folder]);
    return new Map(rows.map((row) => [text(row.name), number(row.position)]));
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #all(sql: string, values: readonly SQLInputValue[]): Record<string, unknown>[] {
    return withEvidenceErrors(this.file, () => this.#database.prepare(sql).all(...values));
  }
}

/** An event `e`, its session `o`, and, of a command's end, the command `c`. */
const EVENTS = `select e.seq, e.at_us, e.kind, e.uid, e.shell, e.data, e.command,
    coalesce(e.directory, c.directory) as directory, coalesce(e.text, c.text) as text,
    coalesce(e.text_state, c.text_state) as text_state, coalesce(e.tty, c.tty) as tty,
    coalesce(e.effective_uid, c.effective_uid) as effective_uid,
    case when e.kind = 'command' then e.at_us else c.at_us end as start_us,
    e.end_us, e.exit_code, e.pipe_states,
    json_extract(o.data, '$.session') as session_id, json_extract(o.data, '$.user') as user,
    json_extract(coalesce(o.data, e.data), '$.host') as host,
    case e.kind when 'command' then e.ticket when 'command ended' then c.ticket
      when 'ticket switched' then json_extract(e.data, '$.to')
      else coalesce(json_extract(e.data, '$.ticket'),
        (select coalesce(json_extract(x.data, '$.to'), json_extract(x.data, '$.ticket')) from event x
          where x.kind in ('ticket switched', 'session opened') and x.session = e.session and x.data is not null
            and x.seq <= e.seq order by x.seq desc limit 1)) end as own_ticket
  from event e
    left join event o on o.seq = e.session
    left join event c on c.seq = e.command`;

interface Conditions {
  where: string;
  values: SQLInputValue[];
}

/** Joins those conditions whose value is given. */
function allOf(conditions: readonly (readonly [unknown, string, ...SQLInputValue[]])[]): Conditions {
  const given = conditions.filter(([value]) => value !== undefined && value !== false);
  return {
    where: given.map(([, sql]) => `(${sql})`).join(" and ") || "true",
    values: given.flatMap(([, , ...values]) => values),
  };
}

function conditionsOf(filter: SessionFilter): Conditions {
  const { user = "", ticket = "", sinceUs = 0, untilUs = 0, host = "", from = "" } = filter;
  return allOf([
    [filter.user, "user = ? or cast(uid as text) = ?", user, user],
    [
      filter.ticket,
      `seq in (select session from event where kind = 'session opened' and data is not null
           and json_extract(data, '$.ticket') = ?
         union select session from event where kind = 'ticket switched' and data is not null
           and json_extract(data, '$.to') = ?)`,
      ticket,
      ticket,
    ],
    [filter.sinceUs, "closed_us is null or closed_us >= ?", sinceUs],
    [filter.untilUs, "opened_us < ?", untilUs],
    [filter.isOpen, "closed_us is null"],
    [filter.host, "host = ?", host],
    [filter.from, "substr(from_address, 1, length(?)) = ?", from, from],
    [filter.isEmergency, "emergency is not null"],
  ]);
}

function eventConditions(filter: EventFilter): Conditions {
  const { user, session = "", ticket = "" } = filter;
  return allOf([
    [
      user,
      "json_extract(o.data, '$.user') = ? or (o.data is null and e.uid = ?)",
      user?.name ?? "",
      user?.uid ?? null,
    ],
    [
      filter.session,
      "substr(json_extract(o.data, '$.session'), 1, length(?)) = ? or " +
      "substr(json_extract(o.data, '$.session'), -length(?)) = ?",
      ...Array<string>(4).fill(session),
    ],
    [filter.ticket, "own_ticket = ?", ticket],
  ]);
}
