/** Takes the spools in when there is news, and bears with evidence that cannot be written: the spool keeps everything. */

import { EvidenceError } from "../evidence/evidence_error.ts";
import type { NewEvent } from "../evidence/event.ts";
import type { EvidenceStore } from "../evidence/store.ts";
import type { Poller } from "../posix/poller.ts";
import { nowUs } from "../record/clock.ts";
import { messageOf } from "../terminal/message_of.ts";
import { log } from "./log.ts";
import type { SpoolFolder } from "./spool_folder.ts";
import { type Dirty, SpoolWatcher } from "./spool_watcher.ts";
import { type SessionListener, TakeIn } from "./take_in.ts";

/** How long it waits when evidence cannot be written, in milliseconds. */
const TROUBLE_PAUSE_MS = 2000;

/** The way from the spools to evidence, kept going. */
export class Intake implements Disposable {
  readonly takeIn: TakeIn;
  /** Told when there may be more in evidence. */
  onNews: () => void = () => {};
  #watcher: SpoolWatcher | undefined;
  #next: ReturnType<typeof setTimeout> | undefined;
  #trouble: { reason: string; sinceUs: number } | undefined;

  /** @throws {EvidenceError} */
  constructor(readonly store: EvidenceStore, readonly host: SpoolFolder, listener: SessionListener) {
    this.takeIn = new TakeIn(store, host, listener);
  }

  /** Begins to watch, and takes in what there is. */
  begin(poller: Poller): void {
    this.#watcher = new SpoolWatcher(poller, this.host, (dirty) => this.#take(dirty));
  }

  /** Watches a user's own spool as well. */
  adopt(folder: SpoolFolder): void {
    this.#watcher?.adopt(folder);
  }

  /** Why evidence cannot be written, or null. */
  get trouble(): string | null {
    return this.#trouble?.reason ?? null;
  }

  /**
   * Looks for what no file system tells: see `TakeIn.sweep`.
   *
   * @param isThorough whether to ask /proc
   */
  sweep(isThorough: boolean): void {
    if (this.takeIn.sweep(isThorough) && this.#next === undefined) this.#take([]);
  }

  /** Puts an event that happens now in evidence. @throws {EvidenceError} */
  append(event: Omit<NewEvent, "atUs">): void {
    const now = nowUs();
    this.store.transaction(() => this.store.append({ ...event, atUs: now }, now));
    this.onNews();
  }

  /**
   * Puts an event of the agent's own in evidence, if it can be written.
   *
   * @param what which: a word or two
   */
  say(what: string, data: Readonly<Record<string, unknown>>): void {
    try {
      this.append({ kind: "agent", session: null, shell: null, uid: null, data: { what, ...data } });
    } catch (error) {
      this.failed(error);
    }
  }

  /** Takes in all that there is, and then takes in no more. */
  finish(): void {
    clearTimeout(this.#next);
    try {
      while (this.takeIn.run().isMore);
    } catch (error) {
      this.failed(error);
    }
  }

  /** Says what went wrong, once. */
  failed(error: unknown): void {
    const reason = messageOf(error);
    if (!(error instanceof EvidenceError)) {
      return log.error("looking after the host failed: {reason}", { reason });
    }
    if (this.#trouble?.reason === reason) return;
    this.#trouble = { reason, sinceUs: this.#trouble?.sinceUs ?? nowUs() };
    log.error("{reason}: shells go on, and the spool keeps what they record", { reason });
  }

  #take(dirty: Iterable<Dirty>): void {
    clearTimeout(this.#next);
    this.#next = undefined;
    let pauseMs = 0;
    try {
      const { isMore, unreadable } = this.takeIn.run(dirty);
      this.onNews();
      for (const { path, reason } of unreadable) {
        log.warn("{path} cannot be read: {reason}", { path, reason });
      }
      if (this.#trouble) this.#outOfTrouble(this.#trouble);
      if (!isMore) return;
    } catch (error) {
      this.failed(error);
      pauseMs = TROUBLE_PAUSE_MS;
    }
    // Peers come in between.
    this.#next = setTimeout(() => this.#take([]), pauseMs);
  }

  #outOfTrouble(trouble: { reason: string; sinceUs: number }): void {
    this.#trouble = undefined;
    this.say("trouble", trouble);
    log.info("evidence can be written again");
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#next);
    this.#watcher?.[Symbol.dispose]();
  }
}
