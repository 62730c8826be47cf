/** A way to a receiver of syslog. */

/** Told one batch at a time. */
export interface Channel extends Disposable {
  /**
   * Sends messages, in their order, and waits until they are with the receiver, as far as anybody can know.
   *
   * @returns which of them will never go, by their place: they are too long
   * @throws {SinkUnavailableError} if some may not be there: all are to be sent again
   */
  send(messages: readonly Uint8Array<ArrayBuffer>[], signal: AbortSignal): Promise<readonly number[]>;
}

/** Waits a little, and a little longer each time; gives up with the signal. */
export class Pauses {
  #ms = 0;

  constructor(readonly signal: AbortSignal) {}

  /** @throws the signal's reason */
  async next(): Promise<void> {
    this.signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, this.#ms));
    this.#ms = Math.min(50, this.#ms * 2 || 1);
    this.signal.throwIfAborted();
  }
}

/** Waits for something no longer than until the signal. @throws the signal's reason */
export async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
