/** Time that is given to each user, so that none of them takes it from the others. */

/** How much there is at once, and how much comes back in a second, in milliseconds. */
export interface AllowanceSettings {
  mostMs: number;
  backMs: number;
}

/** What a user has left. */
interface Purse {
  ms: number;
  /** When that was so, by `performance.now()`. */
  atMs: number;
}

/** So many users are kept in mind; of others nothing is known to be spent. */
const MOST_USERS = 1000;

/**
 * Each user's.
 *
 * @example
 * ```ts
 * const allowance = new Allowance({ mostMs: 5000, backMs: 100 });
 * allowance.spend(1001, 7000);
 * allowance.isSpent(1001); // true, for twenty seconds
 * ```
 */
export class Allowance {
  /** Whoever has spent something last stands last. */
  readonly #purses = new Map<number | null, Purse>();

  /** @param now as performance.now */
  constructor(readonly settings: AllowanceSettings, readonly now: () => number = () => performance.now()) {}

  /** Whether a user has nothing left. */
  isSpent(uid: number | null): boolean {
    return this.#left(uid) <= 0;
  }

  /** @param ms how long something of hers has taken */
  spend(uid: number | null, ms: number): void {
    const left = this.#left(uid) - ms;
    this.#purses.delete(uid);
    this.#purses.set(uid, { ms: left, atMs: this.now() });
    for (const first of this.#purses.keys()) {
      if (this.#purses.size <= MOST_USERS) break;
      this.#purses.delete(first);
    }
  }

  #left(uid: number | null): number {
    const { mostMs, backMs } = this.settings;
    const purse = this.#purses.get(uid);
    return purse ? Math.min(mostMs, purse.ms + (this.now() - purse.atMs) * backMs / 1000) : mostMs;
  }
}
