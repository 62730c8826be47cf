/** SQLite as every store of ours uses it: many processes at once, short waits, failures that can be told apart. */

import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../terminal/message_of.ts";

/** Why SQLite refused. */
export type Refusal =
  /** Another process writes, and did for the whole wait. */
  | "locked"
  /** The file's bytes are no database, or no whole one. */
  | "damaged"
  /** No room on the disk, or no quota; or the disk fails: SQLite says the same of both where it needs a -shm file. */
  | "full"
  /** The file or its folder cannot be written, or not be opened at all. */
  | "read-only"
  | "other";

/**
 * Tells why SQLite refused, by its words: Deno's node:sqlite hands on no code.
 *
 * @param error what was thrown
 */
export function refusalOf(error: unknown): Refusal {
  const words = messageOf(error);
  if (/database (table )?is locked|locking protocol/i.test(words)) return "locked";
  if (/not a database|malformed/i.test(words)) return "damaged";
  if (/is full|no space|quota|disk I\/O error/i.test(words)) return "full";
  if (
    /readonly database|unable to open|read-?only file system|permission denied|access denied/i.test(words)
  ) {
    return "read-only";
  }
  return "other";
}

/**
 * Does the work in one transaction that holds the write lock from its beginning: what is read in it stays true until
 * it is written.
 *
 * @param database an open one, in no transaction
 * @param work what to do; all of it is undone if it throws
 * @returns what the work returned
 * @throws {Error} what the work threw, or SQLite's own
 */
export function transaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec("begin immediate");
  try {
    const result = work();
    database.exec("commit");
    return result;
  } catch (error) {
    try {
      database.exec("rollback");
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full.
    }
    throw error;
  }
}

/**
 * Opens a file with a limit to how long others' locks are waited for.
 *
 * @param path the file
 * @param options readOnly: never write; busyTimeoutMs: how long to wait for others
 * @throws {Error} as SQLite puts it: `refusalOf` tells why
 */
export function openDatabase(
  path: string,
  options: { readOnly?: boolean; busyTimeoutMs: number },
): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: options.readOnly ?? false });
  try {
    database.exec(`pragma busy_timeout = ${Math.max(0, Math.round(options.busyTimeoutMs))}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The version of its schema that a database holds (`pragma user_version`); 0 for one that has none of ours. */
export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("pragma user_version").get()?.user_version ?? 0);
}

/**
 * Brings a database to the newest schema, in one transaction; one that is there already is only looked at.
 *
 * @param migrations what leads from one version to the next: the first entry from 0, and so on
 * @param tooNew makes what is thrown for a database that a newer program has brought further
 * @throws {Error} as `tooNew` makes it, or SQLite's own
 */
export function migrate(database: DatabaseSync, migrations: readonly string[], tooNew: () => Error): void {
  if (schemaVersion(database) === migrations.length) return;
  transaction(database, () => {
    // Another process may have done it while this one waited.
    const version = schemaVersion(database);
    if (version > migrations.length) throw tooNew();
    for (const script of migrations.slice(version)) database.exec(script);
    database.exec(`pragma user_version = ${migrations.length}`);
  });
}

/**
 * Makes a database's file for its owner alone, or closes one that is open to others: SQLite makes files with the mode
 * of the umask.
 *
 * @throws {Error} if it cannot be made, or is another's
 */
export function makePrivateFile(path: string): void {
  try {
    const mode = Deno.statSync(path).mode ?? 0;
    if ((mode & 0o077) !== 0) Deno.chmodSync(path, 0o600);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
  }
}
