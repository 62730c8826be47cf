import { backoffMs } from "../net/backoff.ts";
import { messageOf } from "../terminal/message_of.ts";
import {
  type Concern,
  type Tracker,
  TrackerDeniedError,
  TrackerUnavailableError,
} from "../trackers/tracker.ts";
import { log } from "./log.ts";

/** How long a tracker that is down is left alone at most, in milliseconds; and how long at least one that does not take our key. */
const PAUSE_MS = { down: 10_000, denied: 300_000 };

/** How the tracker is, for whoever wants to know. */
export interface TrackerState {
  /** As people read it: `Redmine`. */
  name: string;
  /** `denied`: it does not take srvAudit's key. */
  state: "up" | "down" | "denied";
  /** Why it is not up, or null. */
  reason: string | null;
  /** What is not safe in how it is set up, or null. */
  concern: Concern | null;
}

/**
 * Whether a tracker can be asked. That is what a small question of the agent's own shows: at the beginning, where somebody's
 * question failed or takes long, and, as long as it is down, every few seconds. So nobody waits to see whether it is back.
 */
export class TrackerHealth implements Disposable {
  #outage: { error: TrackerUnavailableError; untilMs: number } | undefined;
  #checking: { promise: Promise<void>; end: AbortController } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isEnded = false;

  /**
   * @param timeoutMs how long people wait for the tracker now
   * @param pauses others than the usual ones
   */
  constructor(readonly tracker: Tracker, readonly timeoutMs: () => number, readonly pauses = PAUSE_MS) {}

  /** Why it cannot be asked now, and how long that is so at least; undefined where it can. */
  get outage(): TrackerUnavailableError | undefined {
    if (!this.#outage) return undefined;
    const { error, untilMs } = this.#outage;
    const retryAfterMs = Math.max(0, Math.round(untilMs - performance.now()));
    const options = { retryAfterMs, cause: error };
    return error instanceof TrackerDeniedError
      ? new TrackerDeniedError(error.message, options)
      : new TrackerUnavailableError(error.message, options);
  }

  get state(): TrackerState {
    const { name, concern = null } = this.tracker;
    const error = this.#outage?.error;
    if (!error) return { name, state: "up", reason: null, concern };
    const state = error instanceof TrackerDeniedError ? "denied" : "down";
    return { name, state, reason: error.message, concern };
  }

  /** Something was asked that only the tracker can know, and it has answered. */
  answered(): void {
    this.#checking?.end.abort();
    this.#up();
  }

  /** @returns the timer of a check that comes to its end before somebody's patience does, who has waited for so long then */
  doubtAfter(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.check(), ms);
  }

  /**
   * Makes sure of what somebody's question came to: only if the agent's own fails too is the tracker down. That holds for one
   * that wants to be left alone, too: Jira says so of a single ticket that is changed too often, and any user can bring that about.
   */
  async doubt(error: unknown): Promise<void> {
    if (!(error instanceof TrackerUnavailableError) || this.#outage) return;
    await this.check();
    if ((error.retryAfterMs ?? 0) > (this.outage?.retryAfterMs ?? Infinity)) this.#down(error);
  }

  /** Asks. It takes no longer than two thirds of what people wait; it never fails. */
  check(): Promise<void> {
    if (this.#isEnded) return Promise.resolve();
    this.#checking ??= this.#begin();
    return this.#checking.promise;
  }

  #begin(): { promise: Promise<void>; end: AbortController } {
    clearTimeout(this.#timer);
    const end = new AbortController();
    const promise = this.#ask(end).finally(() => this.#checking = undefined);
    return { promise, end };
  }

  async #ask(end: AbortController): Promise<void> {
    const { tracker } = this;
    const ms = this.timeoutMs() * 2 / 3 - 50;
    const late = new TrackerUnavailableError(`${tracker.name} does not answer`);
    const { promise: over, reject } = Promise.withResolvers<never>();
    end.signal.addEventListener("abort", () => reject(end.signal.reason));
    const timer = setTimeout(() => end.abort(late), ms);
    try {
      await Promise.race([tracker.check?.(end.signal), over]);
      this.#up();
    } catch (error) {
      // Somebody's question was answered meanwhile, or nobody wants to know any more.
      if (end.signal.aborted && end.signal.reason !== late) return;
      this.#down(end.signal.aborted ? late : error);
    } finally {
      clearTimeout(timer);
    }
  }

  #up(): void {
    if (!this.#outage) return;
    this.#outage = undefined;
    clearTimeout(this.#timer);
    log.info("{tracker} answers again", { tracker: this.tracker.name });
  }

  #down(reason: unknown): void {
    if (this.#isEnded) return;
    const error = reason instanceof TrackerUnavailableError
      ? reason
      : new TrackerUnavailableError(`${this.tracker.name} cannot be asked: ${messageOf(reason)}`, {
        cause: reason,
      });
    if (this.#outage?.error.message !== error.message) {
      const about = { reason: error.message, tracker: this.tracker.name };
      if (error instanceof TrackerDeniedError) {
        log.error("{reason}: nothing goes there until that is mended (srvaudit doctor)", about);
      } else log.error("{reason}: what is to go there waits", about);
    }
    const { down, denied } = this.pauses;
    const wishMs = Math.max(error.retryAfterMs ?? 0, error instanceof TrackerDeniedError ? denied : 0);
    const pauseMs = backoffMs({ firstMs: down, longestMs: down }, 1, wishMs);
    this.#outage = { error, untilMs: performance.now() + pauseMs };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.check(), pauseMs);
  }

  [Symbol.dispose](): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.#checking?.end.abort();
  }
}
