/** Where news goes. A sink says what it can take and how it is told; `agent/dispatch/` does all the rest. */

import type { SinkName } from "../config/sink_settings.ts";
import type { SinkNews } from "./news.ts";

/** What a sink can take at a time. */
export interface Limits {
  /** So many news. */
  count: number;
  /** So many bytes, as `sizeOf` measures. */
  bytes: number;
  /** How long news may wait for more to go with it, in milliseconds. */
  lingerMs: number;
  /** How long to wait between two batches at least, in milliseconds, by the receiver's published rate; 0 for no wait. */
  paceMs: number;
}

/** News that the receiver will never take, and why. */
export interface Refused {
  id: string;
  reason: string;
}

/** What became of a batch that was delivered. */
export interface Outcome {
  /** Those of the batch that the receiver has not taken and never will; all the others are with it. */
  refused: readonly Refused[];
  /** What the receiver said, in a line, for `srvaudit sink test`. */
  answer: string;
}

/**
 * What a sink must not forget, by a name: it is saved with the batch that it was set in, or not at all. Names of a session that
 * is over are to be set to null.
 */
export interface SinkMemory {
  get(name: string): string | undefined;
  set(name: string, value: string | null): void;
}

/** A receiver of news. */
export interface Sink extends Disposable {
  readonly name: SinkName;
  readonly limits: Limits;
  /** How many bytes of a batch it takes up, at most. */
  sizeOf(news: SinkNews): number;
  /**
   * Tells a batch, in its order: one at a time.
   *
   * @throws {SinkUnavailableError} if it is to be told again later
   * @throws {SinkDeniedError} if it takes nothing until somebody has mended the config, or its own
   * @throws {SinkRefusedError} if it refuses the whole for something in it: the dispatcher finds out what
   */
  deliver(batch: readonly SinkNews[], memory: SinkMemory, signal: AbortSignal): Promise<Outcome>;
}

/** It cannot be told now. */
export class SinkUnavailableError extends Error {
  override name = "SinkUnavailableError";
  /** How long it wants to be left alone, in milliseconds, if it has said so. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** It does not take our key, our certificate or our address. */
export class SinkDeniedError extends Error {
  override name = "SinkDeniedError";
}

/** It does not take this batch, now or ever. */
export class SinkRefusedError extends Error {
  override name = "SinkRefusedError";
}
