/** Waits that can be cut short. */
export class Waker {
  #wake: (() => void) | undefined;

  /** Returns when so much time is over, or somebody wakes it. @param ms Infinity for no end */
  async wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = ms === Infinity ? undefined : setTimeout(resolve, ms);
    this.#wake = resolve;
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }

  /** Ends the wait that goes on now. */
  wake(): void {
    this.#wake?.();
  }
}
