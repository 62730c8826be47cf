/** How far each spool file is taken in, and whether there is anything to do. */

import type { DatabaseSync } from "node:sqlite";
import { isGone as isProcessGone } from "../posix/process.ts";
import { kindOf, type Listing, type SpoolFile } from "./spool_folder.ts";

/** A row of `srvaudit_spool`. */
export interface Progress {
  file: string;
  inode: string;
  /** How far its records are stored, in bytes. */
  position: number;
  /** How far it has been looked at. */
  seen: number;
  /** How many runs of bytes were no record. */
  damaged: number;
  /** The row in `sessions` of the shell that writes it. */
  sessionId: number | null;
  loginSession: string | null;
  /** The machine whose process writes it: a home may be shared by several. */
  host: string;
  /** The shell, or the login session's leader; null while nobody has said who it is. */
  pid: number | null;
  startTicks: number | null;
  /** Whether the shell has said that it exits. */
  leaving: boolean;
  /** Whether that process is known to be gone. */
  gone: boolean;
  /** Whether all is taken in, so that the file can go. */
  done: boolean;
}

const COLUMNS =
  `file, inode, position, seen, damaged, session_id as sessionId, login_session as loginSession, host,
  pid, start_ticks as startTicks, leaving, gone, done`;

/** How long a file of another machine must be silent until its shell is taken for gone. */
const SILENCE_US = 7 * 24 * 3600 * 1_000_000;

/** What there is to do. */
export interface News {
  news: Look[];
  /** Files that are done with and only wait to be removed. */
  finished: Progress[];
  /** Links to files that the agent has removed. */
  lost: string[];
}

/** A spool file and what is known of it: either may be missing. */
export interface Look {
  name: string;
  file: SpoolFile | undefined;
  progress: Progress | undefined;
  /** Whether its process was gone before any of its bytes were read, so that these are its last. */
  isGone: boolean;
}

/** @returns the files that are not done with, by name */
export function readProgress(database: DatabaseSync): Map<string, Progress> {
  const rows = database.prepare(`select ${COLUMNS} from srvaudit_spool where done = 0`).all();
  return new Map(rows.map(progressOf).map((progress) => [progress.file, progress]));
}

/** @returns what gives what is known of one file, done with or not: prepared once, since many may wait */
export function progressFinder(database: DatabaseSync): (file: string) => Progress | undefined {
  const statement = database.prepare(`select ${COLUMNS} from srvaudit_spool where file = ?`);
  return (file) => {
    const row = statement.get(file);
    return row && progressOf(row);
  };
}

function progressOf(row: Record<string, unknown>): Progress {
  const number = (value: unknown) => typeof value === "number" ? value : null;
  return {
    file: String(row.file),
    inode: String(row.inode),
    position: Number(row.position),
    seen: Number(row.seen),
    damaged: Number(row.damaged),
    sessionId: number(row.sessionId),
    loginSession: typeof row.loginSession === "string" ? row.loginSession : null,
    host: String(row.host),
    pid: number(row.pid),
    startTicks: number(row.startTicks),
    leaving: row.leaving === 1,
    gone: row.gone === 1,
    done: row.done === 1,
  };
}

/**
 * Looks at all spool files, and at the processes that write them.
 *
 * @param listing the folder's
 */
export function findNews(database: DatabaseSync, listing: Listing): News {
  const { files } = listing;
  const known = readProgress(database);
  const find = progressFinder(database);
  const elsewhere = new Set<string>();
  const lost: string[] = [];
  for (const [name, madeUs] of listing.away) {
    if (isLost(listing, known.get(name) ?? find(name), madeUs)) lost.push(name);
    else elsewhere.add(name);
  }
  const news: Look[] = [];
  const finished: Progress[] = [];
  const shellsAtWork = new Set(
    [...known.values()].filter((row) => kindOf(row.file) === "shell").map((row) => row.loginSession),
  );
  for (const file of files.values()) {
    let progress = known.get(file.name);
    if (!progress) {
      progress = find(file.name);
      if (progress?.done && progress.inode === file.inode && progress.seen === file.size) {
        finished.push(progress);
        continue;
      }
    }
    const look = { name: file.name, file, progress, isGone: isGone(progress, file) };
    if (isNews(look, shellsAtWork)) news.push(look);
  }
  for (const progress of known.values()) {
    if (files.has(progress.file) || elsewhere.has(progress.file)) continue;
    const look = { name: progress.file, file: undefined, progress, isGone: isGone(progress, undefined) };
    if (isNews(look, shellsAtWork)) news.push(look);
  }
  return { news, finished, lost };
}

/** Whether the file behind a link is gone for good. One that another machine's agent has made is there, but not here. */
function isLost(listing: Listing, progress: Progress | undefined, madeUs: number): boolean {
  if (!listing.hasHostSpool) return false;
  return progress ? progress.host === Deno.hostname() : Date.now() * 1000 - madeUs > SILENCE_US;
}

function isNews({ file, progress, isGone }: Look, shellsAtWork: ReadonlySet<string | null>): boolean {
  if (!progress) return true;
  if (file && (file.size !== progress.seen || file.inode !== progress.inode)) return true;
  if (!progress.gone) return isGone;
  // A login session that is closed stays until its last shell is gone.
  return !shellsAtWork.has(progress.loginSession);
}

function isGone(progress: Progress | undefined, file: SpoolFile | undefined): boolean {
  if (!progress) return false;
  if (progress.gone) return true;
  // What was said of a session while the agent was down, and the session itself nobody has seen here.
  if (progress.pid === null) return kindOf(progress.file) === "session" && (!file || isSilent(file));
  if (progress.host !== Deno.hostname()) return !file || isSilent(file);
  // No start time: the shell's introduction was damaged, and only the pid is known.
  return isProcessGone(progress.pid, progress.startTicks);
}

function isSilent({ changedUs }: SpoolFile): boolean {
  return Date.now() * 1000 - changedUs > SILENCE_US;
}
