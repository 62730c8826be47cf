/**
 * Takes the spools into evidence.
 *
 * Any moment may be the agent's last. So what a file says, and how far it was read, are put in evidence in one
 * transaction, and what the agent has in mind is changed only when that is on the disk.
 */

import type { EvidenceStore } from "../evidence/store.ts";
import type { FileUser } from "../posix/as_user.ts";
import { nowUs } from "../record/clock.ts";
import { howClosed } from "../record/closing.ts";
import type { SessionClosed, SessionEvent } from "../record/event.ts";
import { appendEvent } from "../record/spool.ts";
import { messageOf } from "../terminal/message_of.ts";
import { copyFollowed, type Followed, type Session } from "./followed.ts";
import { FollowedSpools, type Unreadable } from "./followed_spools.ts";
import { isDue, takeDue } from "./oddities.ts";
import { takeSessionRecords } from "./session_records.ts";
import { ShellRecords, type Taking } from "./shell_records.ts";
import type { Dirty } from "./spool_watcher.ts";
import { pathOf, rowFolder, type SpoolFolder, type SpoolTarget } from "./spool_folder.ts";
import type { FileReading } from "./spool_reading.ts";

/** What one run did. */
export interface TakenIn {
  /** Whether there is more to do at once. */
  isMore: boolean;
  /** How many commands were put in evidence. */
  commands: number;
  /**
   * Files and folders that could not be read, or not be written; they are tried again when they change, or with all of
   * their folder.
   */
  unreadable: Unreadable[];
}

/** Who is told what was said of sessions elsewhere than by the agent's own calls: the agent's open sessions. */
export interface SessionListener {
  /**
   * @param file the session's file: in the host's spool, or in a user's own for a session that began without the agent
   * @param owner whose that is
   */
  note(event: SessionEvent, file: string, owner?: FileUser): void;
}

/** An event that did not come from a session's file in the host's spool. */
interface Saying {
  event: SessionEvent;
  /** The session's file. */
  target: SpoolTarget;
  /** Whether it is to be put into that file, from which it will be taken in. */
  isToBeWritten: boolean;
}

/** What one transaction changes. */
interface Work {
  /** What is to be known of files when it is on the disk, by path. */
  files: Map<string, Followed>;
  sayings: Saying[];
}

/**
 * @example
 * ```ts
 * const takeIn = new TakeIn(store, { path: places.hostSpool, owner: undefined }, sessions);
 * let { isMore } = takeIn.run([{ folder: takeIn.host }]);
 * while (isMore) isMore = takeIn.run().isMore;
 * ```
 */
export class TakeIn {
  /** What is followed, and what of it waits. */
  readonly spools: FollowedSpools;
  readonly sinceUs = nowUs();

  /** @throws {EvidenceError} */
  constructor(readonly store: EvidenceStore, readonly host: SpoolFolder, readonly listener: SessionListener) {
    this.spools = new FollowedSpools(store, host);
  }

  /**
   * Takes a part of what is new into evidence, in one transaction at most.
   *
   * @param dirty what may have changed since the last time
   * @throws {EvidenceError} when evidence cannot be written: nothing was, and the next run begins with the same
   */
  run(dirty: Iterable<Dirty> = []): TakenIn {
    const { spools } = this;
    const taken: TakenIn = { isMore: false, commands: 0, unreadable: [] };
    const folders: SpoolFolder[] = [];
    for (const { folder, name } of dirty) {
      if (name === undefined) folders.push(folder);
      else spools.enqueue({ folder, name });
    }
    taken.unreadable.push(...spools.lookThrough(folders));
    const batch = spools.read();
    taken.unreadable.push(...batch.unreadable);
    const readings = batch.readings.filter((reading) => isNews(reading));
    const others = new Set(batch.readings).difference(new Set(readings));
    if (readings.length + batch.lost.length > 0) {
      const work: Work = {
        files: new Map(readings.map(({ file }) => [pathOf(file), file])),
        sayings: [],
      };
      try {
        taken.commands = this.store.transaction(() => this.#takeIn(readings, batch.lost, work));
      } catch (error) {
        spools.undo([...batch.readings.map(({ file }) => file), ...batch.lost]);
        throw error;
      }
      for (const file of work.files.values()) spools.keep(file);
      for (const target of batch.lost) spools.forget(target);
      this.#say(work.sayings, taken);
    }
    // Of what holds no whole record yet it is remembered that it was looked at, and no more.
    for (const { file } of others) spools.keep(file);
    for (const { file, isLast } of batch.readings) if (!isLast) spools.enqueue(file);
    taken.isMore = spools.hasMore;
    return taken;
  }

  /**
   * Looks for what no file system tells: processes that are gone, and what was kept back for a while. To be called each
   * second or so.
   *
   * @param isThorough whether to ask /proc, as it should be each half minute
   * @returns whether there is something to run for
   */
  sweep(isThorough = false): boolean {
    this.spools.sweep(isThorough);
    return this.spools.hasMore;
  }

  #takeIn(readings: readonly FileReading[], lost: readonly SpoolTarget[], work: Work): number {
    const { store, sinceUs, spools: { sessions } } = this;
    const taking: Taking = { store, sessions, takenUs: nowUs(), sinceUs };
    let commands = 0;
    const ended = new Set<number>();
    for (const reading of readings) {
      const { file } = reading;
      if (!file.isShell) {
        this.#takeSession(taking, reading, work.sayings);
        if (file.row.session !== null) ended.add(file.row.session);
      } else {
        commands += takeShell(taking, reading);
        if (file.row.session !== null && file.row.done) ended.add(file.row.session);
      }
    }
    for (const seq of ended) this.#finishSession(seq, work);
    for (const file of work.files.values()) {
      putOddities(taking, file);
      this.store.saveFollowed(file.row);
    }
    for (const { folder, name } of lost) this.store.forgetFollowed(rowFolder(folder), name);
    return commands;
  }

  #takeSession(taking: Taking, reading: FileReading, sayings: Saying[]): void {
    const { file } = reading;
    const events = takeSessionRecords(taking, file, reading.reading);
    const session = file.row.session === null ? undefined : taking.sessions.get(file.row.session);
    if (!session) return;
    // What a user's programs have said: of a session that began without the agent, or of the host's while there was none.
    if (file.folder.owner) {
      const target = session.isLate ? file : { folder: this.host, name: `${session.id}.session` };
      sayings.push(...events.map((event) => ({ event, target, isToBeWritten: false })));
    }
    if (!reading.isOver || !reading.isLast || session.closed) return;
    // Of a session of the host's that is for its own file to say: a user's folder is never written to from here.
    if (file.folder.owner && !session.isLate) return;
    const event = this.#closing(session, Math.max(reading.changedUs, file.aliveUs));
    sayings.push({ event, target: file, isToBeWritten: !session.isLate });
    if (!session.isLate) return;
    const { kind, atUs, ...data } = event;
    this.store.append({
      kind,
      atUs,
      session: session.seq,
      shell: null,
      uid: session.uid,
      data: { ...data, source: "agent" },
    }, taking.takenUs);
    session.closed = true;
  }

  /** For a session whose leader is gone, and that nobody closed. */
  #closing(session: Session, atUs: number): SessionClosed {
    const end = this.store.endOfShell(session.seq, session.leader);
    const exitCode = end?.exitCode ?? null;
    return {
      kind: "session closed",
      session: session.id,
      atUs: end?.atUs ?? atUs,
      how: howClosed(exitCode, session),
      ...(exitCode === null ? {} : { exitCode }),
    };
  }

  /** The files of a session that is closed, with no shell at work any more, are done with. */
  #finishSession(seq: number, work: Work): void {
    if (!this.spools.sessions.get(seq)?.closed) return;
    const files = new Map(this.spools.filesOf(seq).map((file) => [pathOf(file), file]));
    for (const [path, file] of work.files) if (file.row.session === seq) files.set(path, file);
    const isAtWork = (file: Followed) => file.isShell && !file.row.done;
    if ([...files.values()].some(isAtWork)) return;
    for (const [path, known] of files) {
      if (known.isShell) continue;
      const file = work.files.get(path) ?? copyFollowed(known);
      file.row.gone = true;
      file.row.done = true;
      work.files.set(path, file);
    }
  }

  /** Once that is on the disk. What cannot be written now is found to be missing again at the next sweep. */
  #say(sayings: readonly Saying[], taken: TakenIn): void {
    for (const { event, target, isToBeWritten } of sayings) {
      const file = pathOf(target);
      try {
        if (isToBeWritten) appendEvent(file, event);
      } catch (error) {
        taken.unreadable.push({ path: file, reason: messageOf(error) });
        continue;
      }
      if (isToBeWritten) this.spools.enqueue(target);
      this.listener.note(event, file, target.folder.owner);
    }
  }
}

/** Whether there is something to put in evidence, even if that is only how far the file was read. */
function isNews({ file, reading, isThere, isAnew, isOver }: FileReading): boolean {
  return reading.consumed > 0 || isOver || isAnew || (!isThere && file.row.position > 0) ||
    isDue(file.oddities, nowUs());
}

function takeShell(taking: Taking, reading: FileReading): number {
  const { file } = reading;
  const records = new ShellRecords(taking, file);
  if (reading.isAnew) records.beginAgain();
  records.take(reading.reading);
  if (reading.isOver && reading.isLast) records.finish(Math.max(reading.changedUs, file.aliveUs));
  return records.commands;
}

function putOddities({ store, takenUs }: Taking, { folder, name, row, oddities }: Followed): void {
  for (const finding of takeDue(oddities, takenUs, row.done)) {
    store.append({
      kind: finding.what === "gap" ? "agent" : "tamper",
      atUs: takenUs,
      session: row.session,
      shell: row.shell,
      uid: row.uid,
      data: { ...finding, file: name, folder: folder.path },
    }, takenUs);
  }
}
