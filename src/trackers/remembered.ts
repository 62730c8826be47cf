/** Answers that are good for some minutes. */

/** How long it is remembered that something is not there, in milliseconds: somebody may be making it. */
const MISSING_MS = 30_000;

/**
 * Remembers what was asked for, for a while and up to a number.
 *
 * @example
 * ```ts
 * const types = new Remembered<string[]>();
 * await types.of("OPS", () => ask("OPS")); // asks
 * await types.of("OPS", () => ask("OPS")); // knows
 * ```
 */
export class Remembered<Answer> {
  readonly #answers = new Map<string, { answer: Answer; untilMs: number }>();

  /** @param forMs how long an answer is good @param most of so many questions answers are kept */
  constructor(readonly forMs = 5 * 60_000, readonly most = 1000) {}

  /** What is remembered; else what `ask` gives, which is remembered from now on, unless it fails. */
  async of(question: string, ask: () => Promise<Answer>): Promise<Answer> {
    const known = this.#answers.get(question);
    if (known && performance.now() < known.untilMs) return known.answer;
    const answer = await ask();
    this.#answers.delete(question);
    const oldest = this.#answers.keys().next();
    if (this.#answers.size >= this.most && !oldest.done) this.#answers.delete(oldest.value);
    const forMs = answer === undefined ? Math.min(this.forMs, MISSING_MS) : this.forMs;
    this.#answers.set(question, { answer, untilMs: performance.now() + forMs });
    return answer;
  }

  forget(): void {
    this.#answers.clear();
  }
}
