/** Whether a sink can be told: closed while it works, open while it is left alone, and then tried by one small batch. */

import { backoffMs, type BackoffSettings } from "../../net/backoff.ts";
import { SinkDeniedError, SinkUnavailableError } from "../../sinks/sink.ts";
import { messageOf } from "../../terminal/message_of.ts";

/** `denied`: it takes nothing until somebody mends something. */
type CircuitState = "up" | "down" | "denied";

/** How long a sink is left alone, in milliseconds. */
export interface Pauses extends BackoffSettings {
  /** Between two tries of one that is denied. */
  deniedMs: number;
  /** Where evidence cannot be written. */
  troubleMs: number;
}

/** Half a minute on the average, in the end: a receiver that is back hears of everything soon after. */
export const PAUSES: Pauses = { firstMs: 1000, longestMs: 60_000, deniedMs: 300_000, troubleMs: 2000 };

/** What went wrong since it worked. */
export class Circuit {
  #failures = 0;
  #error: unknown;
  #since: { us: number } | undefined;

  constructor(readonly pauses: Pauses) {}

  get state(): CircuitState {
    if (this.#failures === 0) return "up";
    return this.#error instanceof SinkDeniedError ? "denied" : "down";
  }

  /** Why it is not up, or null. */
  get reason(): string | null {
    return this.#failures === 0 ? null : messageOf(this.#error);
  }

  /** Since when it is not, in microseconds; null while it is. */
  get sinceUs(): number | null {
    return this.#since?.us ?? null;
  }

  /** How often it has failed since it worked. */
  get failures(): number {
    return this.#failures;
  }

  /** It opens. @returns for how many milliseconds */
  failed(error: unknown, nowUs: number): number {
    this.#since ??= { us: nowUs };
    this.#error = error;
    this.#failures++;
    if (error instanceof SinkDeniedError) {
      const { deniedMs } = this.pauses;
      return backoffMs({ firstMs: deniedMs / 5, longestMs: deniedMs / 5 }, 1, deniedMs);
    }
    const wishMs = error instanceof SinkUnavailableError ? error.retryAfterMs : undefined;
    return backoffMs(this.pauses, this.#failures, wishMs);
  }

  /** It closes. @returns whether it was open */
  works(): boolean {
    const wasOpen = this.#failures > 0;
    this.#failures = 0;
    this.#error = undefined;
    this.#since = undefined;
    return wasOpen;
  }
}
