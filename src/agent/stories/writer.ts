/** Writes the stories of one tracker: what is due, a few at a time, with pauses where the tracker wants or needs them. */

import { EvidenceError } from "../../evidence/evidence_error.ts";
import type { StoryRow } from "../../evidence/story_rows.ts";
import { backoffMs } from "../../net/backoff.ts";
import { nowUs } from "../../record/clock.ts";
import { messageOf } from "../../terminal/message_of.ts";
import { TrackerDeniedError, TrackerUnavailableError } from "../../trackers/tracker.ts";
import { log } from "../log.ts";
import type { Author } from "./author.ts";
import { Line } from "./line.ts";
import { CONSUMER, type Urgency } from "./news.ts";
import { type Outcome, type Request, tellSome } from "./telling.ts";

/** How many stories are told at the same time, and of one user. */
const AT_ONCE = { all: 4, ofOneUser: 2 };
/** How long a request may take, in milliseconds. */
const PATIENCE_MS = 30_000;
/** How long before the beginning of a session is told: one that is shorter makes one request. */
const SOON_MS = 2000;
/** Between two requests for one story. */
const PACE_MS = 900;
/** How long a tracker that does not answer is left alone. */
const BACKOFF = { firstMs: 1000, longestMs: 300_000 };
/** How long one is left alone at least that does not take our key. */
const DENIED_MS = 300_000;
/** The same for one story that it refuses. */
const HOLD = { firstMs: 600_000, longestMs: 6 * 3_600_000 };

/** A story that has something to tell. */
interface Due {
  user: number;
  ticket: string;
  atMs: number;
  isBusy: boolean;
  /** The tracker has refused it: it waits, and nobody waits for it. */
  isHeld: boolean;
  /** How many others had been told when it failed the last time. */
  failedAt?: number | undefined;
}

/** What people can change about it. */
export interface WriterSettings {
  /** Every how many seconds commands are told, at the most. */
  storySeconds: number;
}

/** What else is known of the tracker: why it is to be left alone now, if so. */
export type Outage = () => TrackerUnavailableError | undefined;

/** Goes on until its author's end. */
export class Writer {
  readonly #due = new Map<number, Due>();
  readonly #line = new Line(AT_ONCE.all, AT_ONCE.ofOneUser);
  /** When the next one is due: nothing need be looked at before. */
  #nextMs = 0;
  /** How many were told: what fails while others are told is no fault of the tracker's. */
  #successes = 0;
  #pause: { error: TrackerUnavailableError; untilMs: number; failures: number } | undefined;
  #fault: unknown;

  /** @param waiting the stories that have something to tell; those that wait since long come first, and users take turns */
  constructor(
    readonly author: Author,
    readonly settings: WriterSettings,
    waiting: readonly StoryRow[],
    readonly outage: Outage,
    readonly clockMs: () => number,
  ) {
    for (const story of waiting) this.add(story, "now");
  }

  /** Why nothing can be told just now. */
  get trouble(): string | undefined {
    return this.#pause?.error.message ?? this.outage()?.message;
  }

  /** A story has news. */
  add({ id, uid, ticket }: StoryRow, urgency: Urgency): void {
    const delaysMs = { now: 0, soon: SOON_MS, usual: this.settings.storySeconds * 1000 };
    const atMs = this.clockMs() + delaysMs[urgency];
    const due = this.#due.get(id);
    if (!due) this.#due.set(id, { user: uid ?? -1, ticket, atMs, isBusy: false, isHeld: false });
    // What is refused is not tried more often because there is more of it.
    if (due?.isHeld) return;
    this.#dueAt(atMs, due);
  }

  #dueAt(atMs: number, due?: Due): void {
    if (due) due.atMs = Math.min(due.atMs, atMs);
    this.#nextMs = Math.min(this.#nextMs, atMs);
  }

  /**
   * Begins to tell what is due. What goes on in the background never fails, but for what this throws the next time.
   *
   * @throws {EvidenceError}
   */
  run(): void {
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault !== undefined) throw fault;
    const nowMs = this.clockMs();
    if (nowMs < this.#nextMs || this.#isResting()) return;
    this.#nextMs = Infinity;
    for (const [story, { user, atMs, isBusy }] of this.#due) {
      if (isBusy) continue;
      if (atMs <= nowMs) this.#line.add(user, story);
      else this.#nextMs = Math.min(this.#nextMs, atMs);
    }
    this.#begin();
  }

  /** Whether anything is being told just now. */
  get isBusy(): boolean {
    return this.#due.values().some(({ isBusy }) => isBusy);
  }

  #isResting(): boolean {
    return this.clockMs() < (this.#pause?.untilMs ?? 0) || this.outage() !== undefined;
  }

  #begin(): void {
    if (this.author.end.aborted || this.#isResting()) return;
    // Where it is not known whether the tracker answers again, one finds out for all.
    const most = this.#pause ? 1 : AT_ONCE.all;
    for (let next = this.#line.next(most); next; next = this.#line.next(most)) {
      const due = this.#due.get(next.story);
      if (due && !this.#isBehind(next.story, due)) {
        this.#tell(next.story, due);
        continue;
      }
      this.#line.done(next.user);
      if (due) due.atMs = this.clockMs() + PACE_MS;
      this.#dueAt(this.clockMs() + PACE_MS);
    }
  }

  /**
   * Whether it has no comment yet, and neither has an earlier session of its user on its ticket: people read them in the order of
   * the sessions. No user waits for another one's sessions, however many those are.
   */
  #isBehind(story: number, { ticket, user }: Due): boolean {
    if (this.#isBegun(story)) return false;
    return this.#due.entries().some(([other, due]) =>
      other < story && due.ticket === ticket && due.user === user && !due.isHeld && !this.#isBegun(other)
    );
  }

  #isBegun(story: number): boolean {
    return (this.author.rows.part(story, 1)?.comment ?? null) !== null;
  }

  async #tell(story: number, due: Due): Promise<void> {
    due.isBusy = true;
    due.atMs = Infinity;
    due.isHeld = false;
    let outcome: Outcome | "failed";
    try {
      // The storybook remembers that for a while.
      const canEdit = await this.#request((signal) => this.author.book.canEdit(signal));
      outcome = await tellSome(this.author, story, canEdit, this.#request);
      this.#goesOn();
      this.#successes++;
      due.failedAt = undefined;
    } catch (error) {
      outcome = "failed";
      this.#failed(story, due, error);
    }
    due.isBusy = false;
    this.#line.done(due.user);
    if (this.author.end.aborted) return;
    if (outcome === "more") this.#dueAt(this.clockMs() + PACE_MS, due);
    // News that came meanwhile has its own time.
    else if (due.atMs === Infinity) this.#due.delete(story);
    else this.#dueAt(due.atMs);
    this.#begin();
  }

  /** Nothing waits longer for a tracker than that, even for one that does not heed the signal. */
  readonly #request: Request = async (work) => {
    const late = new AbortController();
    const signal = AbortSignal.any([late.signal, this.author.end]);
    const { promise: over, reject } = Promise.withResolvers<never>();
    const give = () => reject(signal.reason);
    signal.addEventListener("abort", give);
    const { name } = this.author.tracker;
    const timer = setTimeout(
      () => late.abort(new TrackerUnavailableError(`${name} has not answered in ${PATIENCE_MS / 1000} s`)),
      PATIENCE_MS,
    );
    try {
      signal.throwIfAborted();
      return await Promise.race([work(signal), over]);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", give);
    }
  };

  #goesOn(): void {
    if (!this.#pause) return;
    this.#pause = undefined;
    this.author.outbox.delivered(CONSUMER, 0, nowUs());
    // Those that waited for it are due.
    this.#nextMs = 0;
    log.info("stories are told again");
  }

  #failed(story: number, due: Due, error: unknown): void {
    if (this.author.end.aborted) return;
    try {
      if (error instanceof EvidenceError) throw error;
      // A ticket with too long a history, say: nobody must be able to stop others' stories by what she does to hers.
      const isItsOwn = due.failedAt !== undefined && this.#successes > due.failedAt &&
        !(error instanceof TrackerDeniedError);
      due.failedAt = this.#successes;
      if (error instanceof TrackerUnavailableError && !isItsOwn) this.#rest(error, due);
      else this.#hold(story, due, error);
    } catch (fault) {
      due.atMs = this.clockMs() + PACE_MS;
      this.#fault = fault;
    }
  }

  /** Nobody is told anything for a while. */
  #rest(error: TrackerUnavailableError, due: Due): void {
    const isDenied = error instanceof TrackerDeniedError;
    const failures = (this.#pause?.failures ?? 0) + 1;
    if (this.#pause?.error.message !== error.message) {
      const about = { reason: error.message };
      if (isDenied) log.error("{reason}: stories wait until that is mended: srvaudit doctor", about);
      else log.error("{reason}: stories wait", about);
      this.author.outbox.failed(CONSUMER, error.message, nowUs());
    }
    const wishMs = Math.max(error.retryAfterMs ?? 0, isDenied ? DENIED_MS : 0);
    const untilMs = this.clockMs() + backoffMs(BACKOFF, failures, wishMs);
    this.#pause = { error, untilMs, failures };
    due.atMs = untilMs;
    this.#nextMs = Math.min(this.#nextMs, untilMs);
  }

  /** This one waits; it holds up no other. */
  #hold(id: number, due: Due, error: unknown): void {
    const { rows, store } = this.author;
    const message = messageOf(error);
    store.transaction(() => rows.hold(id, message, nowUs()));
    const story = rows.one(id);
    const tries = story?.tries ?? 1;
    if (tries === 1) {
      log.error("the story for {ticket} cannot be told: {reason}", {
        ticket: story?.ticket,
        reason: message,
      });
    }
    due.isHeld = true;
    due.atMs = this.clockMs() + backoffMs(HOLD, tries);
  }
}
