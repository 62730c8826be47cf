import { SinkUnavailableError } from "../sink.ts";

/** Keeps a distance between what goes to the same place. */
export class Pace {
  /** When the next may go, by `performance.now()`. */
  readonly #next = new Map<string, number>();

  /** @param ms how long to wait between two, in milliseconds */
  constructor(readonly ms: number) {}

  /**
   * Waits until something may go there.
   *
   * @throws {SinkUnavailableError} if it is given up
   */
  async turn(place: string, signal: AbortSignal): Promise<void> {
    const waitMs = (this.#next.get(place) ?? 0) - performance.now();
    if (waitMs > 0) await pause(waitMs, signal);
    if (signal.aborted) throw givenUp();
    this.#next.set(place, performance.now() + this.ms);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(givenUp());
    const giveUp = () => {
      clearTimeout(timer);
      reject(givenUp());
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", giveUp);
      resolve();
    }, ms);
    signal.addEventListener("abort", giveUp, { once: true });
  });
}

function givenUp(): SinkUnavailableError {
  return new SinkUnavailableError("Slack: given up while waiting for the next message's turn");
}
