/** Methods of Slack's Web API, by a bot's token: https://docs.slack.dev/apis/web-api */

import * as z from "zod/mini";
import type { NetworkSettings } from "../../config/tracker_settings.ts";
import { HttpClient } from "../../net/http_client.ts";
import { sinkError } from "../http_errors.ts";
import { SlackError } from "./errors.ts";

/** Where the methods are. */
const SLACK = "https://slack.com/api";
/** How long an answer may take, in milliseconds. */
const PATIENCE_MS = 10_000;

const REPLY = z.object({
  ok: z.boolean(),
  error: z.optional(z.string()),
  needed: z.optional(z.string()),
  channel: z.optional(z.string()),
  ts: z.optional(z.string()),
  messages: z.optional(z.array(z.object({
    ts: z.string(),
    metadata: z.optional(z.object({
      event_type: z.optional(z.string()),
      event_payload: z.optional(z.record(z.string(), z.unknown())),
    })),
  }))),
  response_metadata: z.optional(z.object({ next_cursor: z.optional(z.string()) })),
});

/** What a method says, as far as anybody here asks. */
export type SlackReply = z.infer<typeof REPLY>;

/** A client of the methods. */
export class SlackApi implements Disposable {
  readonly #http: HttpClient;

  /**
   * @param url in place of Slack's own; empty for that
   * @throws {HttpError} for a CA file that cannot be used
   */
  constructor(url: string, token: string, network: NetworkSettings) {
    this.#http = new HttpClient({
      service: "Slack",
      url: url === "" ? SLACK : url,
      headers: { authorization: `Bearer ${token}` },
      network,
      configKeys: { url: "slackApiURL", secret: "slackToken" },
    });
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  /**
   * Has a method do something.
   *
   * @throws {SlackError} if it says no
   * @throws {SinkUnavailableError} @throws {SinkDeniedError} @throws {SinkRefusedError}
   */
  async do(method: string, body: unknown, signal: AbortSignal): Promise<SlackReply> {
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    // Without the charset each answer comes with a warning.
    const raw = { bytes, contentType: "application/json; charset=utf-8" };
    return await this.#ask(method, { method: "POST", path: `/${method}`, raw }, signal);
  }

  /** Reads something; throws as `do` does. */
  async read(
    method: string,
    query: Readonly<Record<string, string | number | undefined>>,
    signal: AbortSignal,
  ): Promise<SlackReply> {
    return await this.#ask(method, { method: "GET", path: `/${method}`, query }, signal);
  }

  async #ask(
    name: string,
    request: Omit<Parameters<HttpClient["json"]>[0], "signal">,
    signal: AbortSignal,
  ): Promise<SlackReply> {
    let reply: SlackReply;
    try {
      const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
      reply = await this.#http.json({ ...request, signal: patience }, REPLY);
    } catch (error) {
      throw sinkError(error);
    }
    if (!reply.ok) throw new SlackError(name, reply.error ?? "", reply.needed);
    return reply;
  }
}
