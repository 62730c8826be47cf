/**
 * Who is next: a few at a time, fewer of one user, users taking turns.
 *
 * @example
 * ```ts
 * const line = new Line(4, 2);
 * line.add(1000, 7);
 * const next = line.next(); // { user: 1000, story: 7 }
 * if (next) line.done(next.user);
 * ```
 */
export class Line {
  readonly #waiting = new Map<number, Set<number>>();
  readonly #busy = new Map<number, number>();
  #count = 0;

  /** @param most at a time, and of one user */
  constructor(readonly most: number, readonly mostOfOne: number) {}

  /** Puts a story at the end of its user's line, unless it stands in it. */
  add(user: number, story: number): void {
    const stories = this.#waiting.get(user);
    if (stories) stories.add(story);
    else this.#waiting.set(user, new Set([story]));
  }

  /**
   * Takes the next one out.
   *
   * @param most at a time, where that is fewer now
   */
  next(most = this.most): { user: number; story: number } | undefined {
    if (this.#count >= Math.min(most, this.most)) return undefined;
    for (const [user, stories] of this.#waiting) {
      const busy = this.#busy.get(user) ?? 0;
      if (busy >= this.mostOfOne) continue;
      // Who had a turn comes last.
      this.#waiting.delete(user);
      for (const story of stories) {
        stories.delete(story);
        if (stories.size > 0) this.#waiting.set(user, stories);
        this.#busy.set(user, busy + 1);
        this.#count++;
        return { user, story };
      }
    }
    return undefined;
  }

  /** One of that user's is done with. */
  done(user: number): void {
    const busy = (this.#busy.get(user) ?? 1) - 1;
    this.#count--;
    if (busy > 0) this.#busy.set(user, busy);
    else this.#busy.delete(user);
  }
}
