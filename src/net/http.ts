/** The one way to talk HTTP to what is not on this host: JSON both ways, on `fetch`. */

import type * as z from "zod/mini";
import type { NetworkSettings } from "../config/tracker_settings.ts";

/** Whom to talk to, and how. */
export interface HttpOptions {
  /** As people read it: `Redmine`. */
  service: string;
  /** What every path is added to; without a slash at its end. */
  url: string;
  /** Sent with every request. Their values may be secrets: they are in no message. */
  headers: Readonly<Record<string, string>>;
  network: NetworkSettings;
  /** The config's keys of the address and of the secret, for messages that say what to mend. */
  configKeys?: { url: string; secret: string };
}

/** One request. */
export interface HttpRequest {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Begins with a slash; every part that is not ours is encoded by `encodeURIComponent`. */
  path: string;
  query?: Readonly<Record<string, string | number | undefined>>;
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: unknown;
  signal: AbortSignal;
}

/** What all errors of talking have in common: the service, the request, and what to do are in the message; no secret is. */
export class HttpError extends Error {
  override name = "HttpError";
}

/** No answer: no route, no name, no trust in its certificate, a reply that ended in the middle, or none in time. */
export class HttpUnreachableError extends HttpError {
  override name = "HttpUnreachableError";
}

/** An answer that is no success. */
export class HttpStatusError extends HttpError {
  override name = "HttpStatusError";
  /**
   * @param status HTTP's
   * @param body the answer's, parsed where it is JSON; undefined where it is not
   * @param retryAfterMs what Retry-After says, as milliseconds from now
   */
  constructor(
    message: string,
    readonly status: number,
    readonly body: unknown,
    readonly retryAfterMs: number | undefined,
  ) {
    super(message);
  }
}

/** A success that does not say what it should. */
export class HttpReplyError extends HttpError {
  override name = "HttpReplyError";
}

/** A success that is too long to be read: longer than 16 MiB. */
export class HttpReplyTooLongError extends HttpReplyError {
  override name = "HttpReplyTooLongError";
}

/** What a reply must be; zod's own type, so that every edge is checked by a schema. */
export type ReplySchema<Reply> = z.ZodMiniType<Reply>;
