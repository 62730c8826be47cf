/** Opens `~/.ash/history.db`: makes it, takes an ASH database over, sets a damaged one aside. */

import type { DatabaseSync } from "node:sqlite";
import { makePrivateFolder } from "../config/paths.ts";
import {
  makePrivateFile,
  migrate,
  openDatabase,
  type Refusal,
  refusalOf,
  schemaVersion,
} from "../sqlite/database.ts";
import { messageOf } from "../terminal/message_of.ts";
import { MIGRATIONS, SCHEMA_VERSION } from "./schema.ts";

/** How long another process's lock is waited for, in milliseconds. */
const BUSY_TIMEOUT_MS = 1800;

/** The history cannot be read or written. Nothing is lost by it: what is not in it is still in the spool. */
export class HistoryError extends Error {
  override name = "HistoryError";

  /**
   * @param file the database
   * @param reason why; `newer`: a newer srvAudit has changed its schema
   */
  constructor(readonly file: string, readonly reason: Refusal | "newer", cause?: unknown) {
    super(`${file}: ${explain(reason, cause)}`, { cause });
  }
}

function explain(reason: Refusal | "newer", cause: unknown): string {
  switch (reason) {
    case "locked":
      return "another process is writing to the history; what is new stays in the spool until the next time";
    case "damaged":
      return "the history is damaged and could not be set aside; move it away by hand";
    case "full":
      return "the disk is full, or fails: see df; what is new stays in the spool until there is room";
    case "read-only":
      return "the history cannot be written: look at the folder's owner and mode, and how it is mounted";
    case "newer":
      return "a newer srvaudit has made this history; use that one";
    case "other":
      return `the history cannot be used: ${messageOf(cause)}`;
  }
}

/** Runs something and gives what it throws as a HistoryError. */
export function withHistoryErrors<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof HistoryError) throw error;
    const reason = error instanceof Deno.errors.PermissionDenied ? "read-only" : refusalOf(error);
    throw new HistoryError(file, reason, error);
  }
}

/**
 * Opens the history for reading alone.
 *
 * @returns the database, or undefined if there is none, or none of ours yet: then it must be opened for writing first
 * @throws {HistoryError}
 */
export function openHistoryForReading(file: string): DatabaseSync | undefined {
  if (!exists(file)) return undefined;
  return withHistoryErrors(file, () => {
    const database = openDatabase(file, { readOnly: true, busyTimeoutMs: BUSY_TIMEOUT_MS });
    try {
      if (schemaVersion(database) === SCHEMA_VERSION) return database;
    } catch (error) {
      database.close();
      throw error;
    }
    database.close();
    return undefined;
  });
}

/**
 * Opens the history for writing: makes it where it is not there, for its owner alone, and brings it to our schema.
 *
 * @throws {HistoryError}
 *
 * @example
 * ```ts
 * const history = openHistory("/home/alice/.ash/history.db");
 * ```
 */
export function openHistory(file: string): DatabaseSync {
  return withHistoryErrors(file, () => {
    makePrivateFolder(file.slice(0, file.lastIndexOf("/")));
    makePrivateFile(file);
    const database = openDatabase(file, { busyTimeoutMs: BUSY_TIMEOUT_MS });
    try {
      // The newest commit is on the disk before its spool file is removed.
      database.exec("pragma synchronous = full");
      if (database.prepare("pragma journal_mode").get()?.journal_mode !== "wal") enterWal(database);
      migrate(database, MIGRATIONS, () => new HistoryError(file, "newer"));
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/**
 * Readers and a writer at once. The change needs the database for itself for a moment, and SQLite does not wait for
 * that: where others are there too, the next time will do.
 */
function enterWal(database: DatabaseSync): void {
  try {
    database.exec("pragma journal_mode = wal");
  } catch (error) {
    if (refusalOf(error) !== "locked") throw error;
  }
}

/** Whether there is a file, of any kind. */
export function exists(file: string): boolean {
  try {
    Deno.statSync(file);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The inode of a file, or undefined if there is none. */
export function inodeOf(file: string): string | undefined {
  try {
    return String(Deno.statSync(file).ino);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Sets a damaged history aside, with its -wal and -shm, so that a new one can begin. Of several processes that find
 * the damage at once, one does it.
 *
 * @param file the database
 * @param damagedInode the inode of the file that the damage was seen in
 * @returns its new name, or undefined if another process was first
 * @throws {Error} if it cannot be renamed
 */
export function setAside(file: string, damagedInode: string | undefined): string | undefined {
  using lock = Deno.openSync(`${file}.lock`, { write: true, create: true, mode: 0o600 });
  lock.lockSync(true);
  if (damagedInode === undefined || inodeOf(file) !== damagedInode) return undefined;
  const base = `${file}.damaged-${new Date().toISOString().replace(/\.[0-9]+Z$/, "Z")}`;
  let name = base;
  for (let i = 2; exists(name); i++) name = `${base}-${i}`;
  // The journal first: a new database would take an old one's for its own.
  for (const suffix of ["-wal", "-shm", "-journal"]) {
    if (exists(file + suffix)) Deno.renameSync(file + suffix, name + suffix);
  }
  Deno.renameSync(file, name);
  return name;
}
