/** What a receiver has already taken of news that go to it in more than one request. */

/** Enough for a batch that fails again and again, and for its halves. */
const MOST = 8_192;

/**
 * Remembers which parts of a batch have arrived while the batch as a whole has not: the next try does not tell them again. It is
 * lost with the process: then they are told twice, with the same id.
 *
 * @example
 * ```ts
 * await sendLogs(told.without("log", batch));
 * told.add("log", batch);
 * await sendEvents(batch); // fails: next time the logs are not sent again
 * told.forget(batch);
 * ```
 */
export class ToldParts {
  readonly #told = new Set<string>();

  /** @returns those whose part has not arrived yet */
  without<News extends { id: string }>(part: string, batch: readonly News[]): News[] {
    return batch.filter(({ id }) => !this.#told.has(`${part} ${id}`));
  }

  /** The part of these has arrived. */
  add(part: string, batch: readonly { id: string }[]): void {
    for (const { id } of batch) this.#told.add(`${part} ${id}`);
    for (const oldest of this.#told) {
      if (this.#told.size <= MOST) break;
      this.#told.delete(oldest);
    }
  }

  /** These have arrived as a whole. */
  forget(parts: readonly string[], batch: readonly { id: string }[]): void {
    for (const { id } of batch) for (const part of parts) this.#told.delete(`${part} ${id}`);
  }
}
