/** The one way to talk HTTP to what is not on this host, on `fetch`: JSON both ways, where nothing else is said. */

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
  /** The address itself is a secret, as a webhook's is: messages have its host alone. */
  isUrlSecret?: boolean;
  /** The header in which the service says how many seconds to wait, where that is not Retry-After alone. */
  patienceHeader?: string;
}

/** One request. */
export interface HttpRequest {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Begins with a slash, or is empty: the address itself. Every part that is not ours is encoded by `encodeURIComponent`. */
  path: string;
  query?: Readonly<Record<string, string | number | undefined>>;
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, in place of `body`. */
  raw?: RawBody;
  /** Whether what is sent goes packed, to a service that is known to unpack it. */
  gzip?: boolean;
  signal: AbortSignal;
}

/** What is sent byte for byte: what its sender has signed, or what is no JSON. */
export interface RawBody {
  bytes: Uint8Array;
  contentType: string;
  /** How it is packed already, for the header Content-Encoding. */
  encoding?: string;
}

/** A success, as text. */
export interface TextReply {
  status: number;
  text: string;
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
   * @param text the beginning of the answer's body, as it came: it is the service's word, and goes to no terminal unescaped
   */
  constructor(
    message: string,
    readonly status: number,
    readonly body: unknown,
    readonly retryAfterMs: number | undefined,
    readonly text: string = "",
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
