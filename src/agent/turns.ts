/**
 * Whose turn it is: things that wait, each user's apart, so that one who has ever more waiting keeps nobody else waiting.
 *
 * @example
 * ```ts
 * const turns = new Turns<string>();
 * turns.add(1000, "a", "a"); turns.add(1000, "b", "b"); turns.add(1001, "c", "c");
 * [turns.next(), turns.next(), turns.next()]; // "a", "c", "b"
 * ```
 */
export class Turns<Thing> {
  readonly #byUser = new Map<number, Map<string, Thing>>();

  /** Whether anything waits. */
  get isEmpty(): boolean {
    return this.#byUser.size === 0;
  }

  /** Puts something at the end of its user's line, unless it is in it. */
  add(uid: number, key: string, thing: Thing): void {
    const line = this.#byUser.get(uid);
    if (!line) this.#byUser.set(uid, new Map([[key, thing]]));
    else if (!line.has(key)) line.set(key, thing);
  }

  /** Everything that waits, in no order. */
  *waiting(): Generator<Thing> {
    for (const line of this.#byUser.values()) yield* line.values();
  }

  /** Takes the first thing of the user whose turn it is. */
  next(): Thing | undefined {
    for (const [uid, line] of this.#byUser) {
      this.#byUser.delete(uid);
      for (const [key, thing] of line) {
        line.delete(key);
        if (line.size > 0) this.#byUser.set(uid, line);
        return thing;
      }
    }
    return undefined;
  }
}
