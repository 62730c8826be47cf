/**
 * Walks the chain and names the first break.
 *
 * What it finds by itself: a row that was edited, removed, added or moved, as long as the hashes behind it were not made
 * anew; an anchor that retention has not confirmed; and a database that shows other than what is in it (views, triggers).
 * What it cannot find by itself: rows removed at the very end, and a tail whose hashes were all made anew, which who is root
 * can do. Both are found by a head that was taken off the host earlier: `since`.
 */

import { Buffer } from "node:buffer";
import type { DatabaseSync } from "node:sqlite";
import { openDatabase, schemaVersion } from "../sqlite/database.ts";
import { numberOrNull, textOrNull } from "./cells.ts";
import {
  canonicalText,
  type Cell,
  chainHash,
  COLUMN_NAMES,
  COLUMNS,
  hexOf,
  isSameHash,
  NO_HASH,
} from "./chain.ts";
import type { Head } from "./event.ts";
import { EvidenceError, withEvidenceErrors } from "./evidence_error.ts";
import type { EarlierHead } from "./head.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { alteredObjects } from "./schema_check.ts";

/** How long a lock is waited for, in milliseconds. */
const BUSY_TIMEOUT_MS = 5000;

/** How many rows are in memory at a time. */
const PAGE = 100;

/** What is wrong where the chain breaks. */
export type BreakKind =
  /** The row is not what was taken in, or the one before it is not. */
  | "hash differs"
  /** One row or more is not there. */
  | "missing"
  /** A row stands where none can: before the beginning. */
  | "out of place"
  /** A cell holds what the agent never writes: another type, or bytes that no reader shows. */
  | "not readable"
  /** The chain begins later than retention has said that it does. */
  | "anchor not confirmed"
  /** A consumer was given events that are not there any more: the end was removed. */
  | "end missing";

/** Where a chain breaks. */
export interface ChainBreak {
  kind: BreakKind;
  /** The row's number: of the first one that is missing, or that is not what it was. */
  seq: number;
  /** In words. */
  what: string;
  /** The id and the user of the login session that it lies in, as far as the rows there still say. */
  session: string | null;
  user: string | null;
  /** The time of that row, or of the next one that is there; microseconds. Null where there is none. */
  atUs: number | null;
}

/** What became of a head that was taken earlier. */
export type SinceResult =
  /** It is in the chain: everything up to it is what it was then. */
  | "found"
  /** Another hash stands there: the evidence was rewritten. */
  | "rewritten"
  /** The chain ends before it: the end was removed. */
  | "end missing"
  /** It is older than all that is left. Retention has removed it since, or whoever wants that to be believed. */
  | "removed by retention"
  /** The chain breaks before it. */
  | "not reached";

/** What the walk has found. */
export interface VerifyResult {
  /** Whether nothing at all is wrong, and the head that was asked for is in the chain. */
  isIntact: boolean;
  file: string;
  /** How many events were found to be in order. */
  events: number;
  /** Where the chain begins after: 0 unless retention has removed something. */
  anchor: Head;
  /** The last event that is in order: what to keep off the host for the next `since`. */
  head: Head;
  broken: ChainBreak | null;
  /** Views, triggers, tables and indexes that are not as srvAudit makes them, by name. */
  altered: string[];
  since: SinceResult | null;
}

/**
 * Walks the whole chain, in constant memory, as it is at this moment; the agent may go on writing.
 *
 * @param file the database
 * @param options since: a head that was taken earlier
 * @throws {EvidenceError} if it cannot be read at all
 * @throws {Deno.errors.NotFound} if it is not there
 *
 * @example
 * ```ts
 * const { isIntact, broken, head } = verifyEvidence(hostPaths().evidence);
 * ```
 */
export function verifyEvidence(file: string, options: { since?: EarlierHead } = {}): VerifyResult {
  // SQLite does not say that a file is missing. (To open and close it here would take its locks from this process's store.)
  Deno.statSync(file);
  return withEvidenceErrors(file, () => {
    const database = openDatabase(file, { readOnly: true, busyTimeoutMs: BUSY_TIMEOUT_MS });
    try {
      // One state of the database for the whole walk.
      database.exec("begin");
      const version = schemaVersion(database);
      if (version > SCHEMA_VERSION) throw new EvidenceError(file, "newer");
      if (version === 0) throw new EvidenceError(file, "other", new Error("it has no evidence in it"));
      return new Walk(file, database, options.since).run();
    } finally {
      database.close();
    }
  });
}

type Row = Record<string, unknown>;

const TEXTS = COLUMN_NAMES.filter((name) => COLUMNS[name] === "text");
const SELECT = `select *, ${TEXTS.map((name) => `ifnull(octet_length(${name}), 0)`).join(" + ")} as octets
  from event where seq > ? order by seq limit ?`;
const AS_BYTES = `select ${TEXTS.map((name) => `cast(${name} as blob) as ${name}`).join()}
  from event where seq = ?`;
const encoder = new TextEncoder();

class Walk {
  readonly #page;
  readonly #asBytes;
  readonly #anchor: Head;
  #last: Head;
  #events = 0;
  #retention: { upTo: unknown; hash: unknown } | undefined;
  #since: SinceResult | null = null;

  constructor(
    readonly file: string,
    readonly database: DatabaseSync,
    readonly earlier: EarlierHead | undefined,
  ) {
    this.#page = database.prepare(SELECT);
    this.#asBytes = database.prepare(AS_BYTES);
    const anchor = database.prepare("select seq, hash from anchor").get();
    this.#anchor = {
      seq: Number(anchor?.seq ?? 0),
      hash: anchor?.hash instanceof Uint8Array ? anchor.hash : NO_HASH,
    };
    this.#last = this.#anchor;
  }

  run(): VerifyResult {
    if (this.earlier) this.#since = this.#meet(this.#anchor);
    const broken = this.#beyondNumbers() ?? this.#rows() ?? this.#atTheEnd();
    const altered = alteredObjects(this.database);
    if (this.earlier && this.#since === null) {
      this.#since = this.earlier.seq < this.#anchor.seq
        ? "removed by retention"
        : broken
        ? "not reached"
        : "end missing";
    }
    // A head that is gone proves nothing: whoever rewrites the evidence can say that retention removed it.
    const isSinceGood = this.#since === null || this.#since === "found";
    return {
      isIntact: broken === null && altered.length === 0 && isSinceGood,
      file: this.file,
      events: this.#events,
      anchor: this.#anchor,
      head: this.#last,
      broken,
      altered,
      since: this.#since,
    };
  }

  /** A row where no event of ours can be. */
  #beyondNumbers(): ChainBreak | null {
    const row = this.database.prepare(`select 1 from event where seq < 1 or seq > ${Number.MAX_SAFE_INTEGER}`)
      .get();
    return row ? this.#breakAt("out of place", 0, undefined, "a row has a number that no event has") : null;
  }

  #rows(): ChainBreak | null {
    for (let after = 0;;) {
      const rows = this.#read(after);
      for (const row of rows) {
        const broken = this.#check(row);
        if (broken) return this.#anchorBreak() ?? broken;
        after = Number(row.seq);
      }
      if (rows.length === 0) return null;
    }
  }

  /** A page of rows; where a cell in it cannot be read at all, those before that one, and then that one by its seq. */
  #read(after: number): Row[] {
    try {
      return this.#page.all(after, PAGE);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    const numbers = this.database.prepare("select seq from event where seq > ? order by seq limit ?")
      .all(after, PAGE).map(({ seq }) => Number(seq));
    const rows: Row[] = [];
    for (const seq of numbers) {
      try {
        rows.push(...this.#page.all(seq - 1, 1));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        rows.push({ seq });
        break;
      }
    }
    return rows;
  }

  #check(row: Row): ChainBreak | null {
    const seq = Number(row.seq);
    const expected = this.#last.seq + 1;
    if (seq < expected) return this.#breakAt("out of place", seq, row, "a row stands before the beginning");
    if (seq > expected) {
      const what = seq === expected + 1 ? "a row is missing" : `${seq - expected} rows are missing`;
      return this.#breakAt("missing", expected, row, what);
    }
    const cells = this.#cellsOf(row);
    if (typeof cells === "string") return this.#breakAt("not readable", seq, row, cells);
    const hash = chainHash(this.#last.hash, canonicalText(cells));
    if (!(row.hash instanceof Uint8Array) || !isSameHash(hash, row.hash)) {
      const what = "the row, or the one before it, is not the one that was taken in";
      return this.#breakAt("hash differs", seq, row, what);
    }
    this.#last = { seq, hash };
    this.#events++;
    if (row.kind === "agent") this.#noteRetention(row.data);
    if (this.earlier) this.#since ??= this.#meet(this.#last);
    return null;
  }

  /** The cells as they are hashed, or what is wrong with one. */
  #cellsOf(row: Row): Cell[] | string {
    const cells: Cell[] = [];
    let octets = 0;
    let isDoubtful = false;
    for (const name of COLUMN_NAMES) {
      const cell = row[name];
      if (typeof cell === "string" && COLUMNS[name] === "text") {
        octets += Buffer.byteLength(cell);
        isDoubtful ||= cell.includes("\ufffd");
        cells.push(cell);
      } else if (typeof cell === "number" && COLUMNS[name] === "number") cells.push(cell);
      else if (cell instanceof Uint8Array && COLUMNS[name] === "bytes") cells.push(cell);
      else if (cell === null) cells.push(cell);
      else return `${name} holds what the agent never writes`;
    }
    // What lies behind a NUL is not read; what is no UTF-8 is read as U+FFFD, which may have as many bytes.
    const isShown = octets === row.octets && (!isDoubtful || this.#isExact(row));
    return isShown ? cells : "a text in it has bytes that no reader shows";
  }

  #isExact(row: Row): boolean {
    const bytes = this.#asBytes.get(Number(row.seq));
    return TEXTS.every((name) => {
      const text = row[name];
      const stored = bytes?.[name];
      return typeof text !== "string" ||
        (stored instanceof Uint8Array && isSameHash(stored, encoder.encode(text)));
    });
  }

  #noteRetention(data: unknown): void {
    if (typeof data !== "string" || !data.includes('"retention"')) return;
    try {
      const { what, upTo, hash } = JSON.parse(data);
      if (what === "retention") this.#retention = { upTo, hash };
    } catch {
      // What is no JSON was never written by the agent, and says nothing of retention.
    }
  }

  #meet(head: Head): SinceResult | null {
    if (head.seq === 0 || head.seq !== this.earlier?.seq) return null;
    return hexOf(head.hash) === this.earlier.hashHex.toLowerCase() ? "found" : "rewritten";
  }

  #atTheEnd(): ChainBreak | null {
    if (!this.#isConfirmed(this.#retention)) return this.#unconfirmed();
    const ahead = this.database.prepare(
      "select name, delivered from consumer where delivered > ? order by delivered limit 1",
    ).get(this.#last.seq);
    if (!ahead) return null;
    const what = `${ahead.name} was told of events up to ${ahead.delivered}: they were removed`;
    return this.#breakAt("end missing", this.#last.seq + 1, undefined, what);
  }

  /** Where the chain breaks at its first row, it may be the anchor that was moved. */
  #anchorBreak(): ChainBreak | null {
    if (this.#events > 0 || this.#anchor.seq === 0) return null;
    const said = this.database.prepare(`select json_extract(data, '$.upTo') as upTo,
        json_extract(data, '$.hash') as hash from event
      where kind = 'agent' and json_valid(data) and json_extract(data, '$.what') = 'retention'
      order by seq desc limit 1`).get();
    return this.#isConfirmed(said) ? null : this.#unconfirmed();
  }

  #isConfirmed(said: { upTo?: unknown; hash?: unknown } | undefined): boolean {
    return (said?.upTo ?? 0) === this.#anchor.seq &&
      (said === undefined || said.hash === hexOf(this.#anchor.hash));
  }

  #unconfirmed(): ChainBreak {
    const { seq } = this.#anchor;
    const what =
      `the chain begins after ${seq}, and no retention has said so: rows were removed at its beginning`;
    return this.#breakAt("anchor not confirmed", seq, this.#page.all(seq, 1)[0], what);
  }

  #breakAt(kind: BreakKind, seq: number, row: Row | undefined, what: string): ChainBreak {
    const opened = row && typeof row.session === "number"
      ? this.database.prepare(
        `select json_extract(data, '$.session') as id, json_extract(data, '$.user') as user
          from event where seq = ? and json_valid(data)`,
      ).get(row.session)
      : undefined;
    return {
      kind,
      seq,
      what,
      session: textOrNull(opened?.id),
      user: textOrNull(opened?.user),
      atUs: numberOrNull(row?.at_us),
    };
  }
}
