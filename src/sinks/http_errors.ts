/** What the errors of HTTP mean to a sink. */

import { HttpError, HttpReplyError, HttpStatusError, HttpUnreachableError } from "../net/http.ts";
import { cutToLength } from "./cut_text.ts";
import { SinkDeniedError, SinkRefusedError, SinkUnavailableError } from "./sink.ts";

/** Too early, too much, too slow: the same may be taken later. So may what its own errors have kept it from. */
const LATER: ReadonlySet<number> = new Set([408, 409, 425, 429]);
/** Something in the batch is not to its liking. */
const REFUSED: ReadonlySet<number> = new Set([400, 406, 413, 415, 422, 431]);

/** So much of what a receiver says goes into a message, in characters. */
const MOST_WORDS = 200;

/** @returns the beginning of what a receiver says, for `sinkError` and for `Outcome.answer` */
export function beginningOf(text: string): string {
  return cutToLength(text.trim(), MOST_WORDS).text;
}

/** @returns what the receiver says of an error; empty where it says nothing */
export function wordsOf(error: unknown): string {
  return error instanceof HttpStatusError ? beginningOf(error.text) : "";
}

/**
 * @param error what `HttpClient` has thrown
 * @param detail what the receiver says of it, where that is known: it is added to the message
 * @returns what `Sink.deliver` is to throw: of an answer that neither asks for patience nor is about the batch, that it takes
 * nothing until somebody has mended something (a key, an address, a proxy's password); anything that is not HTTP's as it is
 *
 * @example
 * ```ts
 * await http.nothing(request).catch((error) => {
 *   throw sinkError(error);
 * });
 * ```
 */
export function sinkError(error: unknown, detail = ""): unknown {
  if (!(error instanceof HttpError)) return error;
  const message = error.message + (detail && `: ${detail}`);
  // A success that is none may be a portal's, or a proxy's, in front of it: the real one may be behind it later.
  if (error instanceof HttpUnreachableError || error instanceof HttpReplyError) {
    return new SinkUnavailableError(message, { cause: error });
  }
  if (!(error instanceof HttpStatusError)) return new SinkDeniedError(message, { cause: error });
  const { status, retryAfterMs } = error;
  if (status >= 500 || LATER.has(status)) {
    return new SinkUnavailableError(message, {
      cause: error,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
  if (REFUSED.has(status)) return new SinkRefusedError(message, { cause: error });
  return new SinkDeniedError(message, { cause: error });
}
