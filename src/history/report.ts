/** A spool file that is wholly taken in. */
export interface Finished {
  /** Its name in the spool's folder. */
  file: string;
  /** The shell that wrote it; null for a login session's file. */
  pid: number | null;
}

/** What one ingest did. */
export interface IngestReport {
  /** How many commands were stored. */
  commands: number;
  /** How many shells were stored. */
  shells: number;
  /** How many of the login sessions' events were stored. */
  events: number;
  /** How many spool files were removed, with all that they held in the history. */
  removed: number;
  /** On a host with an agent: files that were finished just now. They stay until the agent has all of them, too. */
  finished: Finished[];
  /** The same, but finished by an earlier ingest. */
  waiting: Finished[];
  /** How many runs of bytes were no record and were skipped, by file. */
  damaged: { file: string; count: number }[];
  /** Files that could not be read: they stay. */
  unreadable: { file: string; reason: string }[];
  /** How many shells have said that they exit and are still there: a moment later there is more to do. */
  leaving: number;
  /** Where the damaged history was set aside to, if it was. To be said. */
  setAside?: string;
}

/** @returns the report of an ingest that has done nothing yet */
export function emptyReport(): IngestReport {
  return {
    commands: 0,
    shells: 0,
    events: 0,
    removed: 0,
    finished: [],
    waiting: [],
    damaged: [],
    unreadable: [],
    leaving: 0,
  };
}

/**
 * What a person must be told of an ingest, a line each; most often nothing.
 *
 * @returns the lines; names of files in them are as they are: to a terminal only through `visible()`
 */
export function sayings(report: IngestReport): string[] {
  const lines: string[] = [];
  if (report.setAside !== undefined) {
    lines.push(`the history was damaged: it is set aside as ${report.setAside}, and a new one has begun`);
  }
  for (const { file, count } of report.damaged) {
    lines.push(`${file}: skipped ${count} damaged ${count === 1 ? "record" : "records"}`);
  }
  for (const { file, reason } of report.unreadable) lines.push(`${file} cannot be read: ${reason}`);
  return lines;
}
