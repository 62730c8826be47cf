/** Local tickets: one SQLite file a user, for hosts without a ticket system. Any number of processes may work on it. */

import type { DatabaseSync } from "node:sqlite";
import { nowUs } from "../record/clock.ts";
import { transaction } from "../sqlite/database.ts";
import { guarded, openStore } from "./local_store.ts";
import { StatusNotAllowedError, type Ticket, type TicketDetails, TicketNotFoundError } from "./tracker.ts";
import { FINAL_STATUSES, FIRST_STATUS, isOpenStatus, statusesAfter } from "./workflow.ts";

/** A search's limits. */
export interface SearchOptions {
  /** The most tickets to return; all, if it is not given. */
  limit?: number | undefined;
  /** Closed and rejected tickets as well. */
  closedToo?: boolean | undefined;
}

/** Where a part of a search goes on, and how much it may look at. */
export interface PartOptions {
  /** Only tickets of a lower number than this. */
  below: number;
  /** How many tickets are looked at, at most. */
  tickets: number;
  /** Closed and rejected tickets as well. */
  closedToo: boolean;
}

/** So much of a note is searched, in characters: a search must end. */
const SEARCHED_OF_NOTE = 4096;
/** So many of a ticket's notes, the newest, are searched by `searchPart`. */
const SEARCHED_NOTES = 200;
/** So much of a ticket's notes, the newest, is in its details, in bytes; and so many of its statuses. */
const SHOWN_NOTE_BYTES = 4_000_000;
const SHOWN_STATUSES = 1000;

/**
 * The local tickets' store.
 *
 * @example
 * ```ts
 * using tracker = new LocalTracker("/root/.ash/tickets.db", "root");
 * const ticket = tracker.create("Replace the disk");
 * tracker.setStatus(ticket.key, "In Progress");
 * ```
 */
export class LocalTracker implements Disposable {
  readonly #database: DatabaseSync;

  /**
   * Opens the store; makes it, for its owner alone, where it is not there.
   *
   * @param file its path
   * @param user who makes tickets, sets statuses and adds notes
   * @throws {TrackerUnavailableError} if it cannot be opened or is damaged
   */
  constructor(readonly file: string, readonly user: string) {
    this.#database = guarded(file, () => openStore(file));
  }

  /** @returns the ticket, or undefined if there is none by that key */
  find(key: string): Ticket | undefined {
    return this.#guarded(() => this.#find(key));
  }

  /**
   * @returns the ticket with its notes and statuses: the newest, where there are more than anybody can read
   * @throws {TicketNotFoundError} if there is none by that key
   */
  details(key: string): TicketDetails {
    return this.#guarded(() => {
      const ticket = this.#existing(key);
      const created = this.#rows("select created_at_us, created_by from ticket where key = ?", key)[0];
      return {
        ...ticket,
        createdAtUs: Number(created?.["created_at_us"]),
        createdBy: String(created?.["created_by"]),
        notes: this.#rows(
          `select at_us, user, cast(text as blob) as text from note where id in (select id from
            (select id, sum(octet_length(text)) over (order by id desc) as bytes from note where ticket = ?)
            where bytes <= ${SHOWN_NOTE_BYTES}) order by id`,
          key,
        ).map((row) => ({
          atUs: Number(row["at_us"]),
          user: String(row["user"]),
          text: textOf(row["text"]),
        })),
        statuses: this.#rows(
          `select at_us, user, status from
            (select * from status where ticket = ? order by id desc limit ${SHOWN_STATUSES}) order by id`,
          key,
        ).map(
          (row) => ({
            atUs: Number(row["at_us"]),
            user: String(row["user"]),
            status: String(row["status"]),
          }),
        ),
      };
    });
  }

  /**
   * Finds the tickets that have every one of the words in their subject or notes, or as their key (`17`, `#17`); upper
   * and lower case are the same in every script. No character of a word has a meaning of its own. Of a note its first 4096
   * characters count.
   *
   * @param words separated by blanks; no words find every ticket
   * @returns the tickets, newest first
   */
  search(words: string, options: SearchOptions = {}): Ticket[] {
    const { condition, values } = conditionOf(words, "note where");
    const finals = options.closedToo ? [] : FINAL_STATUSES;
    return this.#guarded(() =>
      this.#rows(
        `select key, cast(subject as blob) as subject, status from ticket
         where ${condition} and ${noneOf(finals)} order by key desc limit ?`,
        ...values,
        ...finals,
        options.limit ?? -1,
      ).map(ticketOf)
    );
  }

  /**
   * Does a part of such a search, for who must not be held up by the whole of it: it costs no more than so many tickets.
   *
   * @returns what was found among them, and which number to go on below; undefined at the end
   */
  searchPart(words: string, { below, tickets, closedToo }: PartOptions): { found: Ticket[]; next?: number } {
    const newest = `(select folded, ticket from note where note.ticket = part.key
      order by id desc limit ${SEARCHED_NOTES}) as note where`;
    const { condition, values } = conditionOf(words, newest);
    const finals = closedToo ? [] : FINAL_STATUSES;
    const rows = this.#guarded(() =>
      this.#rows(
        `select key, status, case when ${condition} then cast(subject as blob) end as subject from
           (select * from ticket where key < ? and ${noneOf(finals)} order by key desc limit ?) as part
         order by key desc`,
        ...values,
        below,
        ...finals,
        tickets,
      )
    );
    const found = rows.filter(({ subject }) => subject !== null).map(ticketOf);
    return rows.length < tickets ? { found } : { found, next: Number(rows.at(-1)?.["key"]) };
  }

  /** Makes a ticket, in the first status of the workflow. */
  create(subject: string): Ticket {
    return this.#write(() => {
      const atUs = nowUs();
      const row = this.#rows(
        `insert into ticket (subject, folded, status, created_at_us, created_by) values (?, ?, ?, ?, ?)
         returning key`,
        subject.toWellFormed(),
        fold(subject),
        FIRST_STATUS,
        atUs,
        this.user,
      )[0];
      const key = String(row?.["key"]);
      this.#rememberStatus(key, FIRST_STATUS, atUs);
      return this.#existing(key);
    });
  }

  /** The statuses that the workflow allows the ticket to go to now. @throws {TicketNotFoundError} */
  nextStatuses(key: string): string[] {
    return this.#guarded(() => [...statusesAfter(this.#existing(key).status)]);
  }

  /**
   * Sets a ticket's status; the one that it has already changes nothing.
   *
   * @throws {TicketNotFoundError} if there is none by that key
   * @throws {StatusNotAllowedError} if the workflow does not lead there from the present one
   */
  setStatus(key: string, status: string): Ticket {
    return this.#write(() => {
      const ticket = this.#existing(key);
      if (ticket.status === status) return ticket;
      const allowed = statusesAfter(ticket.status);
      if (!allowed.includes(status)) {
        throw new StatusNotAllowedError(
          `ticket ${key} cannot go from ${ticket.status} to ${status}: choose one of ${allowed.join(", ")}`,
        );
      }
      this.#rows("update ticket set status = ? where key = ?", status, key);
      this.#rememberStatus(key, status, nowUs());
      return this.#existing(key);
    });
  }

  /** @throws {TicketNotFoundError} if there is none by that key */
  addNote(key: string, text: string): void {
    this.#write(() => {
      this.#existing(key);
      this.#rows(
        "insert into note (ticket, at_us, user, text, folded) values (?, ?, ?, ?, ?)",
        key,
        nowUs(),
        this.user,
        text.toWellFormed(),
        fold(text.slice(0, SEARCHED_OF_NOTE)).slice(0, SEARCHED_OF_NOTE),
      );
    });
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #rememberStatus(key: string, status: string, atUs: number): void {
    this.#rows(
      "insert into status (ticket, at_us, user, status) values (?, ?, ?, ?)",
      key,
      atUs,
      this.user,
      status,
    );
  }

  #find(key: string): Ticket | undefined {
    const row = this.#rows(
      "select key, cast(subject as blob) as subject, status from ticket where key = ?",
      keyOf(key),
    )[0];
    return row && ticketOf(row);
  }

  #existing(key: string): Ticket {
    const ticket = this.#find(key);
    if (!ticket) throw new TicketNotFoundError(`there is no ticket ${key}`);
    return ticket;
  }

  #rows(sql: string, ...values: (string | number | null)[]): Row[] {
    return this.#database.prepare(sql).all(...values) as Row[];
  }

  #guarded<T>(work: () => T): T {
    return guarded(this.file, work);
  }

  /** The write lock is taken at once: a transaction that began as a reader could not wait for it. */
  #write<T>(work: () => T): T {
    return this.#guarded(() => transaction(this.#database, work));
  }
}

type Row = Record<string, unknown>;

/** @param notes where a ticket's notes are found, up to the condition */
function conditionOf(
  words: string,
  notes: string,
): { condition: string; values: (string | number | null)[] } {
  const wanted = wordsOf(words);
  const conditions = wanted.map(() =>
    `(key = ? or instr(folded, ?) > 0 or exists (select 1 from ${notes} note.ticket = key and instr(note.folded, ?) > 0))`
  );
  return {
    condition: conditions.join(" and ") || "true",
    values: wanted.flatMap((word) => [keyOf(word.replace(/^#/, "")), fold(word), fold(word)]),
  };
}

function noneOf(statuses: readonly string[]): string {
  return statuses.length === 0 ? "true" : `status not in (${statuses.map(() => "?").join(", ")})`;
}

/** The words that a search asks for, each once. */
export function wordsOf(words: string): string[] {
  return [...new Set(words.split(/\s+/).filter((word) => word !== ""))];
}

function ticketOf(row: Row): Ticket {
  const status = String(row["status"]);
  return { key: String(row["key"]), subject: textOf(row["subject"]), status, open: isOpenStatus(status) };
}

/** Text is read as bytes: node:sqlite would end it at the first NUL. */
function textOf(bytes: unknown): string {
  return bytes instanceof Uint8Array ? decoder.decode(bytes) : "";
}

// A byte order mark at the front is text like any other.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A key as a number, or null for what cannot be one: compared with a key, that is never true. */
function keyOf(text: string): number | null {
  return /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : null;
}

/** What two texts have in common that differ in upper and lower case, or in how an accent is written, alone. */
function fold(text: string): string {
  return text.toWellFormed().normalize("NFKD").toUpperCase();
}
