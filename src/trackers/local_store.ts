/**
 * The file of the local tickets: its schema, its making and its failures.
 *
 * Any number of processes may begin it at once. It is made whole under another name and then linked into place, so that
 * nobody ever sees half of a schema.
 */

import type { DatabaseSync } from "node:sqlite";
import { makePrivateFolder } from "../config/paths.ts";
import { openDatabase, type Refusal, refusalOf, schemaVersion, transaction } from "../sqlite/database.ts";
import { StatusNotAllowedError, TicketNotFoundError, TrackerUnavailableError } from "./tracker.ts";

const SCHEMA_VERSION = 1;

/** How long another process's write is waited for: a login must not hang. */
const BUSY_TIMEOUT_MS = 2000;

// `folded` is what a search looks through: SQLite itself knows upper and lower case of ASCII alone.
const SCHEMA = `
  create table ticket (
    key integer primary key autoincrement,
    subject text not null,
    folded text not null,
    status text not null,
    created_at_us integer not null,
    created_by text not null
  ) strict;
  create table note (
    id integer primary key,
    ticket integer not null references ticket (key),
    at_us integer not null,
    user text not null,
    text text not null,
    folded text not null
  ) strict;
  create index note_of_ticket on note (ticket);
  create table status (
    id integer primary key,
    ticket integer not null references ticket (key),
    at_us integer not null,
    user text not null,
    status text not null
  ) strict;
  create index status_of_ticket on status (ticket);
  pragma user_version = ${SCHEMA_VERSION};
`;

const ADVICE: Readonly<Record<Refusal, string>> = {
  locked: "another process holds it: try again",
  damaged: "it is damaged: move it away, and a new one is begun",
  full: "make room on the disk",
  "read-only": "see who owns it and its folder, and whether they can be written",
  other: "see whether the disk is well, and whether this user may work in its folder",
};

/**
 * Opens the store; makes it, for its owner alone, where it is not there.
 *
 * @throws {TrackerUnavailableError} if it is no store of tickets, or a newer one
 * @throws {Error} if SQLite or the file system refuses: see `guarded`
 */
export function openStore(file: string): DatabaseSync {
  const info = statOf(file);
  if (!info) makeStore(file);
  else if (((info.mode ?? 0) & 0o077) !== 0) Deno.chmodSync(file, 0o600);
  const database = connect(file);
  try {
    const version = schemaVersion(database);
    if (version === SCHEMA_VERSION) return database;
    throw new TrackerUnavailableError(
      version > SCHEMA_VERSION
        ? `${file} was written by a newer srvAudit (schema ${version}): update this one`
        : `${file} is not a store of tickets: move it away, and a new one is begun`,
    );
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Does the work; of every failure of SQLite or the file system it says which file it was and what to do.
 *
 * @throws {TrackerUnavailableError} for such a failure
 * @throws {TicketNotFoundError} @throws {StatusNotAllowedError} as the work threw it
 */
export function guarded<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (
      error instanceof TicketNotFoundError || error instanceof StatusNotAllowedError ||
      error instanceof TrackerUnavailableError || !(error instanceof Error)
    ) throw error;
    throw new TrackerUnavailableError(`${file}: ${error.message}: ${ADVICE[refusalOf(error)]}`, {
      cause: error,
    });
  }
}

function connect(file: string): DatabaseSync {
  const database = openDatabase(file, { busyTimeoutMs: BUSY_TIMEOUT_MS });
  try {
    database.exec("pragma foreign_keys = on; pragma synchronous = full;");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function makeStore(file: string): void {
  makePrivateFolder(file.slice(0, file.lastIndexOf("/")));
  const draft = `${file}.${Deno.pid}.${crypto.randomUUID()}`;
  try {
    Deno.openSync(draft, { createNew: true, write: true, mode: 0o600 }).close();
    const database = connect(draft);
    try {
      database.exec("pragma journal_mode = wal");
      transaction(database, () => database.exec(SCHEMA));
    } finally {
      // Closing the last connection moves the write-ahead log into the file: the file is whole by itself.
      database.close();
    }
    Deno.linkSync(draft, file);
  } catch (error) {
    // Another process was quicker: its store is as good.
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  } finally {
    for (const leftover of [draft, `${draft}-wal`, `${draft}-shm`]) {
      try {
        Deno.removeSync(leftover);
      } catch {
        // Not there: as it should be.
      }
    }
  }
}

function statOf(file: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
