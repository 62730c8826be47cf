/** The evidence: opens it, adds to it, and knows how far everything is. */

import type { DatabaseSync } from "node:sqlite";
import { makePrivateFolder } from "../config/paths.ts";
import { makePrivateFile, migrate, openDatabase, transaction } from "../sqlite/database.ts";
import { canonicalText, chainHash, COLUMN_NAMES, NO_HASH } from "./chain.ts";
import type { Head, NewEvent } from "./event.ts";
import { EvidenceError, withEvidenceErrors } from "./evidence_error.ts";
import { type FollowedFile, FollowedFiles } from "./followed.ts";
import { cellsOf } from "./row.ts";
import { MIGRATIONS } from "./schema.ts";
import { type SessionRow, SessionRows, type ShellEnd } from "./session_rows.ts";

/** How long another process's lock is waited for, in milliseconds: all others only read. */
const BUSY_TIMEOUT_MS = 1000;

/**
 * The host's evidence, open for writing.
 *
 * @example
 * ```ts
 * using store = new EvidenceStore(hostPaths().evidence);
 * store.transaction(() => {
 *   store.append({ kind: "agent", atUs, session: null, shell: null, uid: null, data: { what: "started" } }, nowUs());
 *   store.saveFollowed(file);
 * });
 * ```
 */
export class EvidenceStore implements Disposable {
  /** For the files beside this one alone. */
  readonly database: DatabaseSync;
  readonly #insert;
  readonly #last;
  readonly #files: FollowedFiles;
  readonly #sessions: SessionRows;
  /** Within a transaction: where the chain stands. */
  #head: Head | undefined;

  /**
   * Opens the evidence: makes it where it is not there, for its owner alone, and brings it to our schema.
   *
   * @param file the database, in a folder of its own
   * @throws {EvidenceError}
   */
  constructor(readonly file: string) {
    this.database = withEvidenceErrors(file, () => openForWriting(file));
    const { database } = this;
    try {
      this.#insert = database.prepare(
        `insert into event (${COLUMN_NAMES.join()}, hash) values (${COLUMN_NAMES.map(() => "?").join()}, ?)`,
      );
      // The anchor where retention has left nothing else.
      this.#last = database.prepare(`select seq, hash from event union all select seq, hash from anchor
        order by seq desc limit 1`);
      this.#files = new FollowedFiles(database);
      this.#sessions = new SessionRows(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.database.close();
  }

  /**
   * Does the work in one transaction, which is on the disk when this returns.
   *
   * @param work what to do; all of it is undone if it throws, and the head is what it was
   * @returns what the work returned
   * @throws {EvidenceError} where the database refused: nothing was written
   * @throws {Error} what else the work threw
   */
  transaction<Result>(work: () => Result): Result {
    return withEvidenceErrors(this.file, () => {
      try {
        return transaction(this.database, () => {
          this.#head = this.#readHead();
          return work();
        });
      } finally {
        this.#head = undefined;
      }
    });
  }

  /**
   * Adds an event at the end of the chain; only within a transaction.
   *
   * @param event whatever its numbers and texts: there is none that evidence does not take
   * @param takenUs the present time
   * @returns its `seq`
   * @throws {Error} outside of a transaction, and where SQLite refuses
   */
  append(event: NewEvent, takenUs: number): number {
    if (!this.#head) throw new Error("evidence is added to within a transaction alone");
    const seq = this.#head.seq + 1;
    const cells = cellsOf(event, seq, takenUs);
    const hash = chainHash(this.#head.hash, canonicalText(cells));
    this.#insert.run(...cells, hash);
    this.#head = { seq, hash };
    return seq;
  }

  /** Where the chain stands: 0 and no hash at its very beginning. @throws {EvidenceError} */
  head(): Head {
    return this.#head ?? withEvidenceErrors(this.file, () => this.#readHead());
  }

  /** All spool files that are known: what is removed is forgotten. */
  followed(): FollowedFile[] {
    return this.#files.all();
  }

  followedFile(folder: string, name: string): FollowedFile | undefined {
    return this.#files.one(folder, name);
  }

  saveFollowed(file: FollowedFile): void {
    this.#files.save(file);
  }

  forgetFollowed(folder: string, name: string): void {
    this.#files.forget(folder, name);
  }

  /** The login sessions that were opened and not closed, oldest first. */
  openSessions(): SessionRow[] {
    return this.#sessions.open();
  }

  /** A login session, open or not, by the `seq` of its opening. */
  sessionBySeq(seq: number): SessionRow | undefined {
    return this.#sessions.bySeq(seq);
  }

  /** The `seq` of the opening of a login session, by its id. */
  seqOfSession(id: string): number | undefined {
    return this.#sessions.seqOf(id);
  }

  /** Whether a login session is closed, by the `seq` of its opening. */
  isSessionClosed(seq: number): boolean {
    return this.#sessions.isClosed(seq);
  }

  /**
   * @param session the `seq` of the session's opening
   * @returns how the last shell of that process in that session ended, or undefined if there is no such shell, or no end
   */
  endOfShell(session: number, process: { pid: number; startTicks: number }): ShellEnd | undefined {
    return this.#sessions.endOfShell(session, process);
  }

  #readHead(): Head {
    const row = this.#last.get();
    if (!row) return { seq: 0, hash: NO_HASH };
    if (!(row.hash instanceof Uint8Array)) throw new EvidenceError(this.file, "damaged");
    return { seq: Number(row.seq), hash: row.hash };
  }
}

function openForWriting(file: string): DatabaseSync {
  makePrivateFolder(file.slice(0, file.lastIndexOf("/")));
  makePrivateFile(file);
  const database = openDatabase(file, { busyTimeoutMs: BUSY_TIMEOUT_MS });
  try {
    // The newest commit is on the disk before its spool file is removed.
    database.exec("pragma synchronous = full");
    // Takes effect in a new file alone: so that retention can give room back to the disk.
    database.exec("pragma auto_vacuum = incremental");
    database.exec("pragma journal_mode = wal");
    migrate(database, MIGRATIONS, () => new EvidenceError(file, "newer"));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
