/** Which spool files are followed, how far each is read, and which of them wait to be read on. */

import type { FollowedFile } from "../evidence/followed.ts";
import type { EvidenceStore } from "../evidence/store.ts";
import { FileRefusedError } from "../posix/plain_file.ts";
import { isGone } from "../posix/process.ts";
import { nowUs } from "../record/clock.ts";
import { shellOfName } from "../record/host_spool.ts";
import { isSessionId } from "../record/session_id.ts";
import { messageOf } from "../terminal/message_of.ts";
import {
  copyFollowed,
  type Followed,
  followedOf,
  type GoneTest,
  isSurelyGone,
  KnownSessions,
  type Session,
} from "./followed.ts";
import { isDue, notice, type Oddity } from "./oddities.ts";
import {
  inFolder,
  kindOf,
  look,
  namesIn,
  pathOf,
  rowFolder,
  type SpoolFolder,
  type SpoolTarget,
} from "./spool_folder.ts";
import { BatchBuffer, type FileReading, LONG_TAIL_BYTES, newRow, readOn } from "./spool_reading.ts";
import { Turns } from "./turns.ts";

/** So many files are read for one transaction, however little is new in each. */
const BATCH_FILES = 512;

/** So many shells and sessions are followed in a user's own folder at once: more than any honest user has. */
const MOST_FILES = 2048;

/** A file or a folder that could not be read, or not be written, and why. */
export interface Unreadable {
  path: string;
  reason: string;
}

/** What was read for one transaction. */
export interface Batch {
  /** Sessions' files first: shells' commands need their tickets. */
  readings: FileReading[];
  /** Files that were done with, and are gone. */
  lost: SpoolTarget[];
  unreadable: Unreadable[];
}

/** What the agent has in mind of the spools: as the evidence's database has it, and a little more. */
export class FollowedSpools {
  readonly sessions: KnownSessions;
  /** Every file that is not done with, by its path. */
  readonly #files = new Map<string, Followed>();
  /** Those that are done with, and how long they are. */
  readonly #settled = new Map<string, number>();
  readonly #sessionTurns = new Turns<SpoolTarget>();
  readonly #shellTurns = new Turns<SpoolTarget>();
  /** How many files are followed in each folder. */
  readonly #counts = new Map<string, number>();
  readonly #complained = new Set<string>();
  /** Why a folder cannot be looked through, by its path. */
  readonly #refused = new Map<string, string>();
  /** The folders that were looked through since the agent began. */
  readonly #looked = new Set<string>();
  readonly #shellBuffer = new BatchBuffer();
  readonly #sessionBuffer = new BatchBuffer();

  /** @throws {EvidenceError} */
  constructor(readonly store: EvidenceStore, readonly host: SpoolFolder) {
    this.sessions = new KnownSessions(store);
    for (const row of store.followed()) {
      // The group is a guess, until the folder is adopted and what is dirty in it comes with the right one.
      const folder = row.folder === "" ? host : { path: row.folder, owner: { uid: row.uid, gid: row.uid } };
      const target = { folder, name: row.name };
      if (row.done) this.#settled.set(pathOf(target), row.position);
      else this.keep(followedOf(target, row));
    }
  }

  /** How many files are followed. */
  get size(): number {
    return this.#files.size;
  }

  /** Every file that is followed, and not done with. */
  values(): IterableIterator<Followed> {
    return this.#files.values();
  }

  /** Whether a file is done with: all of it is in evidence, and no more comes. */
  isDone(target: SpoolTarget): boolean {
    return this.#settled.has(pathOf(target));
  }

  /** Whether something waits to be read. */
  get hasMore(): boolean {
    return !this.#sessionTurns.isEmpty || !this.#shellTurns.isEmpty;
  }

  /** The files of a session, by the `seq` of its opening, that are not done with. */
  filesOf(session: number): Followed[] {
    return [...this.#files.values()].filter(({ row }) => row.session === session);
  }

  /** How many bytes wait in those files that are in line. */
  waitingBytes(): number {
    let bytes = 0;
    for (const turns of [this.#sessionTurns, this.#shellTurns]) {
      for (const target of turns.waiting()) {
        try {
          bytes += Math.max(
            0,
            (look(target)?.size ?? 0) - (this.#files.get(pathOf(target))?.row.position ?? 0),
          );
        } catch {
          // What cannot be read does not wait.
        }
      }
    }
    return bytes;
  }

  /** Puts a file in line. What is no spool file's name is passed by. */
  enqueue({ folder, name }: SpoolTarget): void {
    const kind = kindOf(folder, name);
    if (!kind) return;
    const path = pathOf({ folder, name });
    const turns = kind === "session" ? this.#sessionTurns : this.#shellTurns;
    turns.add(this.#userOf(path, folder, name), path, { folder, name });
  }

  /** In the host's folder a file's owner tells whose shell it is of. */
  #userOf(path: string, folder: SpoolFolder, name: string): number {
    const known = folder.owner?.uid ?? this.#files.get(path)?.row.uid;
    if (known !== undefined) return known;
    try {
      return look({ folder, name })?.uid ?? 0;
    } catch {
      // Who reads it will find the same, and say so.
      return 0;
    }
  }

  /** Notices something odd about a file that is followed, and puts it in line. */
  notice(target: SpoolTarget, what: Oddity, why: string): void {
    const file = this.#files.get(pathOf(target));
    if (!file) return;
    notice(file.oddities, what, why);
    this.enqueue(file);
  }

  /** Puts every file of these folders in line that is not as it was. @returns what cannot be read */
  lookThrough(folders: readonly SpoolFolder[]): Unreadable[] {
    // All folders are looked through at once each half minute: what is known is gone through once for all of them.
    const known = folders.length === 0 ? undefined : this.#namesByFolder();
    return folders.flatMap((folder) => this.#lookThrough(folder, known?.get(folder.path) ?? []));
  }

  /** The names of all files that are followed, or done with, by their folder's path. */
  #namesByFolder(): Map<string, string[]> {
    const names = new Map<string, string[]>();
    for (const paths of [this.#files, this.#settled]) {
      for (const path of paths.keys()) {
        const end = path.lastIndexOf("/");
        const there = names.get(path.slice(0, end));
        if (there) there.push(path.slice(end + 1));
        else names.set(path.slice(0, end), [path.slice(end + 1)]);
      }
    }
    return names;
  }

  #lookThrough(folder: SpoolFolder, known: readonly string[]): Unreadable[] {
    try {
      this.#complained.delete(folder.path);
      const names = namesIn(folder) ?? [];
      const there = new Set(names);
      if (names.length > 0) {
        inFolder(folder, () => names.filter((name) => this.#hasChanged({ folder, name })))
          .forEach((name) => this.enqueue({ folder, name }));
      }
      this.#looked.add(folder.path);
      this.#refused.delete(folder.path);
      for (const name of known) if (!there.has(name)) this.enqueue({ folder, name });
      return [];
    } catch (error) {
      const reason = messageOf(error);
      // Each folder is looked through each half minute.
      if (this.#refused.get(folder.path) === reason) return [];
      this.#refused.set(folder.path, reason);
      return [{ path: folder.path, reason }];
    }
  }

  #hasChanged(target: SpoolTarget): boolean {
    const path = pathOf(target);
    const known = this.#files.get(path);
    const facts = look(target);
    if (!known) return facts?.size !== this.#settled.get(path);
    return facts?.size !== known.seen || (known.row.inode !== facts.inode && known.row.inode !== "");
  }

  /** Puts in line the files whose process is gone, and those of which something was put off. */
  sweep(isThorough: boolean): void {
    const now = nowUs();
    const test = isThorough ? isGone : isSurelyGone;
    for (const file of this.#files.values()) {
      if (this.#isOver(file, test, [])) this.enqueue(file);
      else {
        file.aliveUs = now;
        file.isFresh = false;
        if (file.seen - file.row.position >= LONG_TAIL_BYTES || isDue(file.oddities, now)) this.enqueue(file);
      }
    }
  }

  /** Whether nobody writes to the file any more. */
  #isOver(file: Followed, test: GoneTest, shells: readonly Followed[]): boolean {
    const { folder, row } = file;
    const session = row.session === null ? undefined : this.sessions.get(row.session);
    if (!file.isShell) {
      return session !== undefined && !session.closed && this.#looked.has(folder.path) &&
        this.sessions.isLeaderGone(session, test) && !this.#mayLeaderSpeak(session, shells);
    }
    const isOfAnotherBoot = session !== undefined && session.bootId !== this.sessions.boot;
    return row.gone || isOfAnotherBoot || (row.pid !== null && test(row.pid, row.startTicks));
  }

  /**
   * Whether the last word of a session's leader may be unread: how it ended is said there.
   *
   * @param shells files that are being read
   */
  #mayLeaderSpeak({ leader }: Session, shells: readonly Followed[]): boolean {
    const isLeaders = ({ row }: Followed) => row.pid === leader.pid && row.startTicks === leader.startTicks;
    const isShellOf = (file: Followed) => file.isShell && isLeaders(file);
    if (shells.some(isLeaders) || [...this.#files.values()].some(isShellOf)) return true;
    return [...this.#shellTurns.waiting()].some(({ folder, name }) =>
      folder.owner !== undefined || shellOfName(name)?.pid === leader.pid
    );
  }

  /**
   * Reads what is new in the files whose turn it is. The bytes of shells' files are read before those of sessions': so no
   * command is put in evidence without a switch of tickets that came before it.
   */
  read(): Batch {
    const batch: Batch = { readings: [], lost: [], unreadable: [] };
    this.#shellBuffer.clear();
    this.#sessionBuffer.clear();
    const looked = new Set<string>();
    for (let i = 0; i < BATCH_FILES && this.#shellBuffer.room > 0; i++) {
      const target = this.#shellTurns.next();
      if (!target) break;
      this.#readOne(target, this.#shellBuffer, batch, []);
    }
    const shells = batch.readings;
    const files = shells.map(({ file }) => file);
    batch.readings = [];
    for (const target of shells.flatMap((reading) => this.#sessionFilesFor(reading))) {
      if (!looked.has(pathOf(target))) this.#readOne(target, this.#sessionBuffer, batch, files);
      looked.add(pathOf(target));
    }
    for (let i = 0; i < BATCH_FILES && this.#sessionBuffer.room > 0; i++) {
      const target = this.#sessionTurns.next();
      if (!target) break;
      if (!looked.has(pathOf(target))) this.#readOne(target, this.#sessionBuffer, batch, files);
    }
    batch.readings.push(...shells);
    return batch;
  }

  #readOne(target: SpoolTarget, buffer: BatchBuffer, batch: Batch, shells: readonly Followed[]): void {
    const path = pathOf(target);
    try {
      const file = this.#begin(target, batch);
      if (!file) return;
      const isNew = !this.#files.has(path);
      const reading = readOn(file, this.#isOver(file, isGone, shells), nowUs(), buffer);
      // Something that never was a spool file: a link, a name that was gone before it was looked at.
      if (!reading || (isNew && !reading.isThere)) return;
      batch.readings.push(reading);
    } catch (error) {
      if (!(error instanceof FileRefusedError)) throw error;
      this.#complain(target.folder, { path, reason: error.message }, batch);
    }
  }

  /** Once for a folder until it is next looked through: its owner must not fill the log. */
  #complain({ path }: SpoolFolder, unreadable: Unreadable, batch: Batch): void {
    if (!this.#complained.has(path)) batch.unreadable.push(unreadable);
    this.#complained.add(path);
  }

  #countIn(folder: SpoolFolder): number {
    return this.#counts.get(folder.path) ?? 0;
  }

  /** A copy of what is known of a file, to work on; undefined where nothing is to be done with it. */
  #begin(target: SpoolTarget, batch: Batch): Followed | undefined {
    const path = pathOf(target);
    const known = this.#files.get(path);
    if (known) return { ...copyFollowed(known), folder: target.folder };
    const folder = rowFolder(target.folder);
    const size = this.#settled.get(path);
    if (size === undefined) {
      if (!target.folder.owner || this.#countIn(target.folder) < MOST_FILES) {
        return followedOf(target, newRow(folder, target.name));
      }
      const reason = `more than ${MOST_FILES} shells and sessions at once: no more are followed there`;
      this.#complain(target.folder, { path: target.folder.path, reason }, batch);
      return undefined;
    }
    const facts = look(target);
    if (!facts) batch.lost.push(target);
    if (!facts || facts.size === size) return undefined;
    // Who writes to a file that was done with begins it again.
    const row: FollowedFile = this.store.followedFile(folder, target.name) ?? newRow(folder, target.name);
    return followedOf(target, { ...row, done: false, taken: false });
  }

  /** Where a login session of the shell's may tell which ticket it is on. */
  #sessionFilesFor({ file, reading }: FileReading): SpoolTarget[] {
    const { folder, row } = file;
    const ids = new Set<string>();
    const known = row.session === null ? undefined : this.sessions.get(row.session);
    if (known) ids.add(known.id);
    const named = folder.owner ? undefined : shellOfName(file.name)?.session;
    if (named) ids.add(named);
    if (folder.owner) {
      for (const { record } of reading.records) {
        if (record.type === "shell" && isSessionId(record.session) && ids.size < 8) ids.add(record.session);
      }
    }
    return [...ids].flatMap((id) => {
      const targets = [{ folder: this.host, name: `${id}.session` }];
      if (folder.owner) {
        targets.push({ folder, name: `${id}.session` }, { folder, name: `${id}.own.session` });
      }
      return targets;
    });
  }

  /** A transaction was undone: what it was to do waits again. */
  undo(targets: readonly SpoolTarget[]): void {
    this.sessions.forgetAll();
    for (const target of targets) this.enqueue(target);
  }

  /** What is known of a file now: what it rests on is on the disk. */
  keep(file: Followed): void {
    const path = pathOf(file);
    if (!file.row.done) {
      if (!this.#files.has(path)) this.#counts.set(file.folder.path, this.#countIn(file.folder) + 1);
      this.#files.set(path, file);
      return;
    }
    if (this.#files.delete(path)) this.#counts.set(file.folder.path, this.#countIn(file.folder) - 1);
    this.#settled.set(path, file.row.position);
    if (!file.isShell && file.row.session !== null) {
      this.sessions.forget(file.row.session);
    }
  }

  /** A file that was done with is gone. */
  forget(target: SpoolTarget): void {
    this.#settled.delete(pathOf(target));
  }
}
