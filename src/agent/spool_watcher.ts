/** Notices which spool files have changed: inotify, and a look through all folders for what that may miss. */

import { Inotify } from "../posix/inotify.ts";
import type { Poller } from "../posix/poller.ts";
import { inFolder, kindOf, type SpoolFolder } from "./spool_folder.ts";

/** What was noticed: a file that has changed, or, without a name, a folder to be looked through. */
export interface Dirty {
  folder: SpoolFolder;
  name?: string;
}

/** When it acts, in milliseconds. */
export interface WatcherTiming {
  /** How long more is waited for when something was noticed: what comes meanwhile is told of together. */
  gatherMs: number;
  /** How often all folders are looked through. */
  rescanMs: number;
  /** When a folder that was not there as it was adopted is looked for again, before that. */
  againMs: number;
}

const TIMING: WatcherTiming = { gatherMs: 4, rescanMs: 30_000, againMs: 1000 };

/**
 * Watches the host's spool and users' own. What is noticed costs what has changed, however many files lie still.
 *
 * @example
 * ```ts
 * using watcher = new SpoolWatcher(poller, host, (dirty) => takeIn.run(dirty));
 * watcher.adopt({ path: "/home/alice/.ash/spool", owner: { uid: 1000, gid: 1000 } });
 * ```
 */
export class SpoolWatcher implements Disposable {
  readonly #inotify = new Inotify();
  readonly #folders = new Map<string, SpoolFolder>();
  readonly #byId = new Map<number, SpoolFolder>();
  readonly #rescan: ReturnType<typeof setInterval>;
  #gathering: ReturnType<typeof setTimeout> | undefined;
  readonly #absent = new Set<SpoolFolder>();
  #looking: ReturnType<typeof setTimeout> | undefined;
  /** By path, so that each is there once. */
  #dirty = new Map<string, Dirty>();

  /**
   * @param onDirty is called, never from within another call, with what has changed
   * @throws {SystemCallError} if there is no descriptor left
   */
  constructor(
    readonly poller: Poller,
    host: SpoolFolder,
    readonly onDirty: (dirty: Dirty[]) => void,
    readonly timing: WatcherTiming = TIMING,
  ) {
    // The kernel does the gathering: nothing is read until the time is up.
    poller.watch(this.#inotify.fd, { read: true }, () => this.#gather());
    this.#rescan = setInterval(() => this.rescan(), timing.rescanMs);
    this.adopt(host);
  }

  /**
   * Watches a folder as well, from what is in it now on. One that is not there is looked for again in a moment, since who
   * speaks to the agent for the first time makes hers just after that, and then at each rescan.
   */
  adopt(folder: SpoolFolder): void {
    this.#folders.set(folder.path, folder);
    if (!this.#watch(folder)) this.#lookAgain(folder);
    this.#gather();
  }

  #lookAgain(folder: SpoolFolder): void {
    this.#absent.add(folder);
    this.#looking ??= setTimeout(() => {
      this.#looking = undefined;
      for (const one of this.#absent) if (this.#folders.get(one.path) === one) this.#watch(one);
      this.#absent.clear();
      this.#gather();
    }, this.timing.againMs);
  }

  /** Watches a user's folder no longer. */
  release(path: string): void {
    this.#folders.delete(path);
    for (const [id, folder] of this.#byId) {
      if (folder.path !== path) continue;
      this.#byId.delete(id);
      this.#inotify.unwatch(id);
    }
  }

  /** Has every folder looked through, as if all was new. */
  rescan(): void {
    for (const folder of this.#folders.values()) this.#watch(folder);
    this.#gather();
  }

  /** By the name that the folder has now: it may be another one than it was. @returns whether it is there */
  #watch(folder: SpoolFolder): boolean {
    this.#dirty.set(folder.path, { folder });
    try {
      // Behind the path that leads to a user's own there is a link of the kernel's, which is to be followed.
      const end = folder.owner ? "/." : "";
      this.#byId.set(inFolder(folder, (here) => this.#inotify.watch(here + end)), folder);
      return true;
    } catch {
      // Not there, or not to be read now: who looks through it will say so.
      return false;
    }
  }

  #gather(): void {
    if (this.#gathering !== undefined) return;
    this.poller.change(this.#inotify.fd, {});
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined;
      this.#readChanges();
      this.poller.change(this.#inotify.fd, { read: true });
      const dirty = [...this.#dirty.values()];
      this.#dirty = new Map();
      if (dirty.length > 0) this.onDirty(dirty);
    }, this.timing.gatherMs);
  }

  #readChanges(): void {
    for (const { id, name, kind } of this.#inotify.read()) {
      const folder = this.#byId.get(id);
      if (kind === "overflow") this.rescan();
      else if (folder && kind === "changed") {
        if (kindOf(folder, name)) this.#dirty.set(`${folder.path}/${name}`, { folder, name });
      } else if (folder) {
        this.#byId.delete(id);
        this.#inotify.unwatch(id);
        if (this.#folders.get(folder.path) === folder) this.#watch(folder);
      }
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#rescan);
    clearTimeout(this.#gathering);
    clearTimeout(this.#looking);
    this.poller.unwatch(this.#inotify.fd);
    this.#inotify[Symbol.dispose]();
  }
}
