/**
 * Keeps the history fresh for those who read it with sqlite3: ingests once, then whenever the spool has news, until
 * that has been silent for a while. One process a user, and none for a command.
 */

import { HistoryError } from "../history/history.ts";
import { ingest } from "../history/ingest.ts";
import { kindOf } from "../history/spool_folder.ts";
import { leaveTerminal } from "../posix/libc.ts";
import { tryLock } from "../posix/lock.ts";

/** How long news are gathered before they are taken in, in milliseconds. */
const GATHER_MS = 500;

/**
 * @param spool the spool's folder
 * @param history the database
 * @param silenceMs how long the spool must be silent until this returns, in milliseconds
 * @returns when it was silent for so long, or is no more, or another process is at this work
 */
export async function linger(spool: string, history: string, silenceMs: number): Promise<void> {
  leaveTerminal();
  // Whoever wants to unmount the folder that the shell stood in need not wait for us.
  Deno.chdir("/");
  do {
    using lock = isThere(spool) ? tryLock(`${spool}/.ingest.lock`) : undefined;
    if (!lock) return;
    using watcher = Deno.watchFs(spool, { recursive: false });
    await followUntilSilence(spool, history, watcher, silenceMs);
    // What was written just now, while this still held the lock and so kept another from starting, is seen here.
  } while (isThere(spool) && tryIngest(spool, history) === "news");
}

async function followUntilSilence(
  spool: string,
  history: string,
  watcher: Deno.FsWatcher,
  silenceMs: number,
): Promise<void> {
  const events = watcher[Symbol.asyncIterator]();
  let next = events.next();
  let quietSince = performance.now();
  let dueAt: number | undefined = quietSince;
  while (isThere(spool)) {
    const now = performance.now();
    if (dueAt !== undefined && now >= dueAt) {
      const result = tryIngest(spool, history);
      // A shell that is about to exit, or a database that others hold: to be seen to a moment later.
      dueAt = result === "again" && now - quietSince < silenceMs ? now + 1000 : undefined;
    }
    const wakeAt = Math.min(dueAt ?? Infinity, quietSince + silenceMs);
    const event = await within(next, wakeAt - performance.now());
    if (event === undefined) {
      if (dueAt === undefined && performance.now() - quietSince >= silenceMs) return;
      continue;
    }
    if (event.done) return;
    next = events.next();
    if (isNews(event.value)) quietSince = performance.now();
    // What is removed may be the whole folder: its own end is no event.
    else if (event.value.kind !== "remove") continue;
    dueAt ??= performance.now() + GATHER_MS;
  }
}

/** Reading (ours) and removing (ours) are no news; nor are the shells' scratch files. */
function isNews(event: Deno.FsEvent): boolean {
  return (event.kind === "create" || event.kind === "modify") &&
    event.paths.some((path) => kindOf(path.slice(path.lastIndexOf("/") + 1)) !== undefined);
}

/** Nobody reads what this process could say: what fails now is tried again with the next news. */
function tryIngest(spool: string, history: string): "news" | "again" | "silence" {
  try {
    const report = ingest(spool, history);
    if (report.leaving > 0) return "again";
    return report.commands + report.shells + report.events > 0 ? "news" : "silence";
  } catch (error) {
    if (error instanceof HistoryError) return error.reason === "locked" ? "again" : "silence";
    throw error;
  }
}

function isThere(folder: string): boolean {
  try {
    return Deno.statSync(folder).isDirectory;
  } catch {
    return false;
  }
}

/** The promise's value, or undefined if it takes longer than that. */
async function within<Value>(promise: Promise<Value>, timeoutMs: number): Promise<Value | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, timeoutMs));
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
