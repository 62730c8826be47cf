/**
 * Keeps the history fresh for those who read it with sqlite3: ingests once, then whenever the spool has news, until
 * that has been silent for a while. One process a user, and none for a command.
 */

import type { Paths } from "../config/paths.ts";
import { type Asking, ingestAndRelease } from "../desk/release.ts";
import { HistoryError } from "../history/history.ts";
import { kindOf, listSpool } from "../history/spool_folder.ts";
import { leaveTerminal } from "../posix/libc.ts";
import { tryLock } from "../posix/lock.ts";

/** How long news are gathered before they are taken in, in milliseconds. */
const GATHER_MS = 500;

/** How long the agent is waited for, in milliseconds. Nobody waits for this process. */
const AGENT_TIMEOUT_MS = 2000;

/** Where what lies. */
type Places = Pick<Paths, "spool" | "history" | "hostSpool" | "policy" | "socket">;

/**
 * @param places the user's spool and history, and what the host's agent has of them
 * @param silenceMs how long the spool must be silent until this returns, in milliseconds
 * @returns when it was silent for so long, or is no more, or another process is at this work
 */
export async function linger(places: Places, silenceMs: number): Promise<void> {
  const { spool } = places;
  leaveTerminal();
  // Whoever wants to unmount the folder that the shell stood in need not wait for us.
  Deno.chdir("/");
  let about: Asking["about"] = "all";
  do {
    using lock = isThere(spool) ? tryLock(`${spool}/.ingest.lock`) : undefined;
    if (!lock) return;
    let hasNewLink = true;
    while (hasNewLink && isThere(spool)) {
      using watcher = watch(places);
      hasNewLink = await followUntilSilence(places, watcher, silenceMs, about);
      about = "new";
    }
    // What was written just now, while this still held the lock and so kept another from starting, is seen here.
  } while (isThere(spool) && await tryIngest(places, about) === "news");
}

/** Watches the folder, and those files that are but linked to in it. */
function watch({ spool, hostSpool }: Places): Deno.FsWatcher {
  const linked = [...listSpool(spool, hostSpool).files.values()].map(({ path }) => path)
    .filter((path) => !path.startsWith(`${spool}/`));
  try {
    return Deno.watchFs([spool, ...linked], { recursive: false });
  } catch {
    // One of them is gone by now, or they are more than the kernel lets one watch.
    return Deno.watchFs(spool, { recursive: false });
  }
}

/** @returns whether there may be a link to a file that is not watched yet; else there was silence, or the folder is no more */
async function followUntilSilence(
  places: Places,
  watcher: Deno.FsWatcher,
  silenceMs: number,
  about: Asking["about"],
): Promise<boolean> {
  const events = watcher[Symbol.asyncIterator]();
  let next = events.next();
  let quietSince = performance.now();
  let dueAt: number | undefined = quietSince;
  while (isThere(places.spool)) {
    const now = performance.now();
    if (dueAt !== undefined && now >= dueAt) {
      const result = await tryIngest(places, about);
      about = "new";
      // A shell that is about to exit, or a database that others hold: to be seen to a moment later.
      dueAt = result === "again" && now - quietSince < silenceMs ? now + 1000 : undefined;
    }
    const wakeAt = Math.min(dueAt ?? Infinity, quietSince + silenceMs);
    const event = await within(next, wakeAt - performance.now());
    if (event === undefined) {
      if (dueAt === undefined && performance.now() - quietSince >= silenceMs) return false;
      continue;
    }
    if (event.done) return false;
    next = events.next();
    // No watcher of Deno's sees a link come: linkSpool() touches the folder for that.
    if (event.value.kind === "modify" && event.value.paths.includes(places.spool)) return true;
    if (isNews(event.value)) quietSince = performance.now();
    // What is removed may be the whole folder: its own end is no event.
    else if (event.value.kind !== "remove") continue;
    dueAt ??= performance.now() + GATHER_MS;
  }
  return false;
}

/** Reading (ours) and removing (ours) are no news; nor are the shells' scratch files. */
function isNews(event: Deno.FsEvent): boolean {
  return (event.kind === "create" || event.kind === "modify") &&
    event.paths.some(isSpoolFile);
}

function isSpoolFile(path: string): boolean {
  return kindOf(path.slice(path.lastIndexOf("/") + 1)) !== undefined;
}

/** Nobody reads what this process could say: what fails now is tried again with the next news. */
async function tryIngest(places: Places, about: Asking["about"]): Promise<"news" | "again" | "silence"> {
  try {
    const report = await ingestAndRelease(places, { about, timeoutMs: AGENT_TIMEOUT_MS });
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
