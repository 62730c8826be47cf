/** What an HTTP error means for whoever works on tickets. */

import * as z from "zod/mini";
import { HttpReplyError, HttpStatusError, HttpUnreachableError } from "../net/http.ts";
import { messageOf } from "../terminal/message_of.ts";
import { TicketRefusedError, TrackerDeniedError, TrackerUnavailableError } from "./tracker.ts";

/** Statuses that say no to this one request, with reasons. */
const REFUSALS = [400, 409, 413, 422];
/** What they mean depends on what was asked. */
const FOR_THE_TRACKER = [403, 404];
const MOST_WORDS = 1000;

/** How Redmine and Jira say what is wrong: a list of sentences, a list and a field each, or one sentence. */
const REASONS = z.object({
  errors: z.optional(z.union([z.array(z.string()), z.record(z.string(), z.string())])),
  errorMessages: z.optional(z.array(z.string())),
  message: z.optional(z.string()),
  error: z.optional(z.string()),
});

/**
 * Translates an error of the HTTP client; any other one, a 403 and a 404 stay what they are.
 *
 * @returns what is to be thrown
 */
export function trackerError(error: unknown): Error {
  if (error instanceof HttpUnreachableError || error instanceof HttpReplyError) {
    return new TrackerUnavailableError(error.message, { cause: error });
  }
  if (!(error instanceof HttpStatusError)) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
  if (FOR_THE_TRACKER.includes(error.status)) return error;
  const { message, status, body, retryAfterMs } = error;
  if (status === 401) return new TrackerDeniedError(message, { cause: error });
  if (REFUSALS.includes(status)) {
    const words = reasonsOf(body).join("; ").slice(0, MOST_WORDS);
    return new TicketRefusedError(words === "" ? message : `${message}: ${words}`, { cause: error });
  }
  return new TrackerUnavailableError(message, {
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Neither has done what it was asked with these: it has no time for it. */
const UNTOUCHED = [429, 503];

/**
 * What is thrown where a ticket could not be made. Trackers make two of what is sent twice: where it may have been made, though
 * no answer came, that is said.
 *
 * @param error as `trackerError` has translated it
 */
export function notMadeError(error: unknown): unknown {
  if (!(error instanceof TrackerUnavailableError) || error instanceof TrackerDeniedError) return error;
  const { cause, message, retryAfterMs } = error;
  if (cause instanceof HttpStatusError && UNTOUCHED.includes(cause.status)) return error;
  return new TrackerUnavailableError(
    `${message}; the ticket may have been made all the same: look for it before you make it again`,
    { cause: error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  );
}

/**
 * The service's own words.
 *
 * @param body an error's, as the HTTP client has parsed it
 * @returns sentences; `field: sentence`, where it names a field by itself; none where it has nothing to say
 */
export function reasonsOf(body: unknown): string[] {
  const { errors = [], errorMessages = [], message, error } = REASONS.safeParse(body).data ?? {};
  const ofFields = Array.isArray(errors)
    ? errors
    : Object.entries(errors).map(([field, words]) => `${field}: ${words}`);
  const said = [...errorMessages, ...ofFields];
  return said.length > 0 ? said : [message ?? error ?? ""].filter((words) => words !== "");
}
