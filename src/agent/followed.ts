/** What the agent keeps in mind of the spool files that it follows, and of their login sessions. */

import type { FollowedFile } from "../evidence/followed.ts";
import type { EvidenceStore } from "../evidence/store.ts";
import { mayLive } from "../posix/liveness.ts";
import { bootId } from "../posix/process.ts";
import { copyOddities, noOddities, type Oddities } from "./oddities.ts";
import type { SpoolTarget } from "./spool_folder.ts";

/** A spool file that is not done with. */
export interface Followed extends SpoolTarget {
  /** What its name says that it is of. */
  isShell: boolean;
  /** As it is in the evidence's database, or is to be. */
  row: FollowedFile;
  /** How long the file was when it was last read: what lies between is a record that waits for its rest. */
  seen: number;
  /** How much to read of it at once: grows for a record that is longer than that. */
  piece: number;
  /** Whether it was read since the last sweep. */
  isFresh: boolean;
  /** When its process was last seen to live. */
  aliveUs: number;
  oddities: Oddities;
}

/** How much of a file is read at once. */
export const PIECE_BYTES = 256 * 1024;

/** @returns a file, as its row has it, that nothing more is known of */
export function followedOf(target: SpoolTarget, row: FollowedFile): Followed {
  return {
    ...target,
    isShell: target.name.endsWith(".shell"),
    row,
    seen: row.position,
    piece: PIECE_BYTES,
    isFresh: false,
    aliveUs: 0,
    oddities: noOddities(),
  };
}

/** @returns a copy that can be changed without changing this one: what a transaction works on */
export function copyFollowed(file: Followed): Followed {
  return { ...file, row: { ...file.row }, oddities: copyOddities(file.oddities) };
}

/** A login session of which files are followed. */
export interface Session {
  /** The `seq` of its opening. */
  seq: number;
  id: string;
  uid: number;
  leader: { pid: number; startTicks: number };
  bootId: string;
  mode: string;
  shell: string;
  /** In the order of time. */
  tickets: { ticket: string; sinceUs: number }[];
  closed: boolean;
  /** It began without the agent, and is told of in its user's own spool. */
  isLate: boolean;
}

/**
 * The sessions, read from evidence when they are first asked for. What a transaction that is undone has told of them is
 * forgotten with all the rest, and is read again.
 */
export class KnownSessions {
  readonly #bySeq = new Map<number, Session>();
  readonly #seqs = new Map<string, number>();
  /** Whether the open ones are all in mind. */
  #isComplete = false;
  readonly boot = bootId();

  constructor(readonly store: EvidenceStore) {}

  get(seq: number): Session | undefined {
    const known = this.#bySeq.get(seq);
    if (known) return known;
    const row = this.store.sessionBySeq(seq);
    if (!row) return undefined;
    const { opened } = row;
    const session: Session = {
      seq,
      id: row.id,
      uid: row.uid ?? -1,
      leader: { pid: Number(opened.leaderPid), startTicks: Number(opened.leaderStartTicks) },
      bootId: String(opened.bootId),
      mode: String(opened.mode),
      shell: String(opened.shell),
      tickets: row.tickets,
      closed: this.store.isSessionClosed(seq),
      isLate: opened.late === true,
    };
    this.#bySeq.set(seq, session);
    this.#seqs.set(session.id, seq);
    return session;
  }

  byId(id: string): Session | undefined {
    const seq = this.#seqs.get(id) ?? this.store.seqOfSession(id);
    return seq === undefined ? undefined : this.get(seq);
  }

  /** The session of that user that a process leads, among those in mind: open ones, and those whose files are followed. */
  ledBy(process: { pid: number; startTicks: number }, uid: number): Session | undefined {
    if (!this.#isComplete) { for (const { seq } of this.store.openSessions()) this.get(seq); }
    this.#isComplete = true;
    return [...this.#bySeq.values()].findLast(({ leader, uid: owner }) =>
      leader.pid === process.pid && leader.startTicks === process.startTicks && owner === uid
    );
  }

  forget(seq: number): void {
    const session = this.#bySeq.get(seq);
    this.#bySeq.delete(seq);
    if (session) this.#seqs.delete(session.id);
  }

  forgetAll(): void {
    this.#isComplete = false;
    this.#bySeq.clear();
    this.#seqs.clear();
  }

  /**
   * Whether the session's leader is gone.
   *
   * @param isGone how to ask for the process
   */
  isLeaderGone({ leader, bootId }: Session, isGone: GoneTest): boolean {
    return bootId !== this.boot || isGone(leader.pid, leader.startTicks);
  }
}

/** Tells whether a process is gone; without a start time, whether there is none of that number. */
export type GoneTest = (pid: number, startTicks: number | null) => boolean;

/** The ticket that a session was on at a time. */
export function ticketAt({ tickets }: Session, atUs: number): string | null {
  // Before the first one lies only what a clock that was set back makes of it.
  return (tickets.findLast((one) => one.sinceUs <= atUs) ?? tickets[0])?.ticket ?? null;
}

/** Asks as cheaply as can be: a yes is certain, a no is not. `isGone` of `posix/process.ts` asks /proc. */
export const isSurelyGone: GoneTest = (pid) => !mayLive(pid);
