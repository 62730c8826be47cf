/**
 * The agent's way to the tracker: for whoever asks, in her name, and so that nobody waits for one that does not answer.
 *
 * A tracker elsewhere (one with `check`) may hang, fail, or be flooded. Only the agent's own small question decides that it is
 * down: no user can make it look so by what she asks. From then on all fail at once, until that question is answered again.
 */

import type { AgentSettings } from "../config/agent_settings.ts";
import type { Policy } from "../config/policy.ts";
import { Mask, type MaskedText } from "../net/mask.ts";
import type { Accounts } from "../posix/accounts.ts";
import { openTracker, type TrackerPlaces } from "../trackers/open_tracker.ts";
import { type Asking, type Ticket, type Tracker, TrackerUnavailableError } from "../trackers/tracker.ts";
import { FoundTickets } from "./found_tickets.ts";
import { RequestError } from "./server.ts";
import { TrackerHealth, type TrackerState } from "./tracker_health.ts";
import { TrackerTurns } from "./tracker_turns.ts";

/** What it works by. */
export type TicketSettings = Pick<AgentSettings, "tracker" | "network" | "mask"> & {
  policy: Pick<Policy, "trackerTimeoutS">;
};

/** How long what nobody waits for may take, in milliseconds. */
const PATIENT_MS = 30_000;

/** A tracker in use, and all that is known of it alone. */
interface Place {
  readonly tracker: Tracker;
  /** Undefined for a tracker on this very host, which never hangs. */
  readonly health: TrackerHealth | undefined;
  readonly turns: TrackerTurns;
  readonly found: FoundTickets;
  /** How many questions are under way. */
  users: number;
  isRetired: boolean;
}

/**
 * The tickets of the host, wherever they are.
 *
 * @example
 * ```ts
 * using tickets = new Tickets(settings, hostPaths(), new Accounts());
 * const ticket = await tickets.find(1000, "17");
 * const found = await tickets.ask(1000, (tracker, asking) => tracker.search(asking, search));
 * ```
 */
export class Tickets implements Disposable {
  #settings: TicketSettings;
  #mask: Mask;
  #place: Place;

  /** @param open makes a tracker; the one that the config names, where nothing else is said */
  constructor(
    settings: TicketSettings,
    readonly places: TrackerPlaces,
    readonly accounts: Pick<Accounts, "byUid">,
    readonly open: typeof openTracker = openTracker,
  ) {
    this.#settings = settings;
    this.#mask = new Mask(settings.mask);
    this.#place = this.#begin(settings);
  }

  /** The tracker of the day. */
  get tracker(): Tracker {
    return this.#place.tracker;
  }

  /** Hides secrets in what leaves the host. */
  get mask(): Mask {
    return this.#mask;
  }

  /** What of a text may go to the tracker: all of it, where that is on this very host. */
  masked(text: string): MaskedText {
    return this.#place.health ? this.#mask.apply(text) : { text, masked: [] };
  }

  /**
   * The same, for a user who waits for it, and at her own expense: a long text can take half a second, in which nobody else
   * is answered.
   *
   * @throws {RequestError} if she asks too much at once
   */
  maskedFor(uid: number, text: string): MaskedText {
    return this.#place.turns.spend(uid, () => this.masked(text));
  }

  /** Why the tracker cannot be asked now; undefined where it can, as far as is known. */
  get outage(): TrackerUnavailableError | undefined {
    return this.#place.health?.outage;
  }

  /**
   * Goes on by other settings. A tracker is made anew only if it is another one; what is under way at the old one goes on.
   *
   * @throws {Error} if there can be no such tracker or mask: then the one before holds
   */
  follow(settings: TicketSettings): void {
    const before = this.#settings;
    const mask = isSame(before.mask, settings.mask) ? this.#mask : new Mask(settings.mask);
    const isOther = !isSame([before.tracker, before.network], [settings.tracker, settings.network]);
    const old = this.#place;
    if (isOther) this.#place = this.#begin(settings);
    this.#settings = settings;
    this.#mask = mask;
    // What was wrong with it somebody may have mended over there.
    if (!isOther) old.health?.check();
    // Whoever else knows the old one hears of the new one first.
    else setTimeout(() => retire(old));
  }

  /** How the tracker is. */
  get state(): TrackerState {
    const { tracker, health } = this.#place;
    return health?.state ?? { name: tracker.name, state: "up", reason: null, concern: null };
  }

  /**
   * Asks in a user's name, who waits for it: no longer than the policy's trackerTimeout.
   *
   * @param work what is asked
   * @throws {TrackerUnavailableError} if there is no answer, or there was none to the agent itself
   * @throws {RequestError} if she asks too much at once
   * @throws {Error} what the work throws
   */
  ask<T>(uid: number, work: (tracker: Tracker, asking: Asking) => Promise<T>): Promise<T> {
    return this.#ask(this.#place, uid, work);
  }

  /** Asks in a user's name, while nobody waits: as `ask`, and for longer. */
  askPatiently<T>(uid: number, work: (tracker: Tracker, asking: Asking) => Promise<T>): Promise<T> {
    const place = this.#place;
    return holding(place, async () => {
      const outage = place.health?.outage;
      if (outage) throw outage;
      const person = await this.#person(uid);
      try {
        return await within(
          PATIENT_MS,
          place.tracker.name,
          (signal) => work(place.tracker, { person, signal }),
        );
      } catch (error) {
        await place.health?.doubt(error);
        throw error;
      }
    });
  }

  /**
   * Looks a ticket up. One that was found open is not asked for again for a minute, by the same user.
   *
   * @returns the ticket, or undefined if there is none that she may work on
   * @throws as `ask`
   */
  find(uid: number, key: string): Promise<Ticket | undefined> {
    const place = this.#place;
    const { tracker, health, found } = place;
    const canonical = tracker.keyOf(key);
    const look = async () => {
      const ticket = await this.#ask(place, uid, (_, asking) => tracker.find(asking, canonical));
      if (ticket) health?.answered();
      return ticket;
    };
    return health ? found.find(uid, canonical, look) : look();
  }

  /** A ticket has changed: it is asked for anew. */
  forget(key: string): void {
    this.#place.found.forget(this.#place.tracker.keyOf(key));
  }

  /** Whether the tracker cannot be asked now, by what the agent itself has seen. */
  async isDown(uid: number): Promise<boolean> {
    if (this.#place.health) return this.outage !== undefined;
    try {
      await this.find(uid, "0");
      return false;
    } catch (error) {
      if (error instanceof TrackerUnavailableError) return true;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    retire(this.#place);
  }

  #begin(settings: TicketSettings): Place {
    const tracker = this.open(settings, this.places);
    const health = tracker.check && new TrackerHealth(tracker, () => this.#timeoutMs);
    health?.check();
    return {
      tracker,
      health,
      turns: new TrackerTurns(tracker.name),
      found: new FoundTickets(),
      users: 0,
      isRetired: false,
    };
  }

  get #timeoutMs(): number {
    return this.#settings.policy.trackerTimeoutS * 1000;
  }

  async #person(uid: number) {
    const account = await this.accounts.byUid(uid);
    return { uid, name: account?.name ?? String(uid) };
  }

  #ask<T>(place: Place, uid: number, work: (tracker: Tracker, asking: Asking) => Promise<T>): Promise<T> {
    const { tracker, health, turns } = place;
    return holding(place, async () => {
      if (health?.outage) throw health.outage;
      const person = await this.#person(uid);
      const doubting = health?.doubtAfter(this.#timeoutMs / 3);
      try {
        return await within(this.#timeoutMs, tracker.name, async (signal) => {
          if (!health) return await work(tracker, { person, signal });
          using _turn = await turns.take(uid, signal);
          return await work(tracker, { person, signal });
        });
      } catch (error) {
        await health?.doubt(error);
        throw error;
      } finally {
        clearTimeout(doubting);
      }
    });
  }
}

async function holding<T>(place: Place, work: () => Promise<T>): Promise<T> {
  place.users++;
  try {
    return await work();
  } finally {
    place.users--;
    if (place.isRetired) retire(place);
  }
}

/** Ends it when nobody uses it any more. */
function retire(place: Place): void {
  place.isRetired = true;
  place.health?.[Symbol.dispose]();
  if (place.users === 0) place.tracker[Symbol.dispose]();
}

/** Does the work; where it does not come to its end in time, nobody waits for it, whether or not it heeds the signal. */
async function within<T>(ms: number, name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new TrackerUnavailableError(`${name} did not answer within ${ms / 1000} s`);
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  let timer = setTimeout(() => {
    controller.abort(late);
    // Where the work knows better why it has not come to its end, that counts.
    timer = setTimeout(() => reject(late));
  }, ms);
  try {
    return await Promise.race([work(controller.signal), promise]);
  } catch (error) {
    // What the work makes of the signal says less.
    throw controller.signal.aborted && !(error instanceof RequestError) ? late : error;
  } finally {
    clearTimeout(timer);
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
