/**
 * Takes what the shells have recorded from the spool into the history.
 *
 * Any number of processes may do so at once, and any of them may be killed at any moment: the rows and how far the
 * file is taken in are written in one transaction, and only a file that is wholly taken in, by a transaction that is
 * on the disk, is removed.
 */

import type { DatabaseSync } from "node:sqlite";
import { refusalOf, transaction } from "../sqlite/database.ts";
import {
  exists,
  HistoryError,
  inodeOf,
  openHistory,
  openHistoryForReading,
  setAside,
  withHistoryErrors,
} from "./history.ts";
import { Batch } from "./batch.ts";
import { findNews, type Progress, readProgress } from "./progress.ts";
import { emptyReport, type Finished, type IngestReport } from "./report.ts";
import { kindOf, listSpool, removeSpoolFile } from "./spool_folder.ts";
import { Store } from "./store.ts";

/** What else than the user reads the spool, and makes files for it. */
export interface Host {
  /** The agent's folder: links into it are followed. */
  hostSpool: string;
  /** Whether there is an agent. It reads the spool, too: so no finished file is removed, but named in the report. */
  hasAgent: boolean;
}

const NO_AGENT: Partial<Host> = { hasAgent: false };

/**
 * Brings the history up to date. Where there is nothing new, nothing is written and no lock is taken.
 *
 * @param spool the spool's folder
 * @param history the database; made where it is not there
 * @param host whether there is an agent
 * @throws {HistoryError} if the history cannot be written: nothing is lost, the spool keeps it
 *
 * @example
 * ```ts
 * const { spool, history } = paths();
 * const report = ingest(spool, history);
 * ```
 */
export function ingest(spool: string, history: string, host: Partial<Host> = NO_AGENT): IngestReport {
  let report = emptyReport();
  return withHistoryErrors(history, () => {
    const inode = inodeOf(history);
    try {
      if (hasNews(spool, history, host, report)) takeAllIn(spool, history, host, report);
    } catch (error) {
      if (!isDamage(error)) throw error;
      // What was counted so far went into the damaged one.
      report = emptyReport();
      const name = setAside(history, inode);
      if (name !== undefined) report.setAside = name;
      takeAllIn(spool, history, host, report);
    }
    return report;
  });
}

function isDamage(error: unknown): boolean {
  return error instanceof HistoryError ? error.reason === "damaged" : refusalOf(error) === "damaged";
}

function hasNews(spool: string, history: string, host: Partial<Host>, report: IngestReport): boolean {
  const listing = listSpool(spool, host.hostSpool);
  const database = openHistoryForReading(history);
  if (!database) return listing.files.size > 0;
  try {
    const { news, finished, lost } = findNews(database, listing);
    for (const link of lost) if (removeSpoolFile(spool, link, null)) report.removed++;
    if (host.hasAgent) report.waiting = finished.map(finishedFile);
    else remove(spool, finished.map(finishedFile), report);
    if (news.length > 0) return true;
    report.leaving = countLeaving(database);
    return false;
  } finally {
    database.close();
  }
}

function takeAllIn(spool: string, history: string, host: Partial<Host>, report: IngestReport): void {
  const database = openHistory(history);
  try {
    const inode = inodeOf(history);
    const store = new Store(database);
    const batch = new Batch(spool, host.hostSpool, store, report);
    while (transaction(database, () => batch.run())) {
      // Another process may have set this very database aside: then the files must go into the new one.
      if (inodeOf(history) !== inode) break;
      const finished = batch.finished.map(finishedFile);
      if (host.hasAgent) report.finished.push(...finished.filter(({ file }) => exists(`${spool}/${file}`)));
      else remove(spool, finished, report);
    }
    report.leaving = countLeaving(database);
  } finally {
    database.close();
  }
}

function countLeaving(database: DatabaseSync): number {
  return [...readProgress(database).values()].filter((progress) => progress.leaving).length;
}

function finishedFile({ file, pid }: Progress): Finished {
  return { file, pid: kindOf(file) === "shell" ? pid : null };
}

/**
 * Removes spool files that nobody needs any more.
 *
 * @param report is told how many of them are gone
 */
export function remove(spool: string, finished: readonly Finished[], report: IngestReport): void {
  for (const { file, pid } of finished) if (removeSpoolFile(spool, file, pid)) report.removed++;
}
