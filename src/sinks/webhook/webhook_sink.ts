/** A webhook: news as JSON, signed, to any address. */

import type { WebhookSettings } from "../../config/sink_settings.ts";
import type { NetworkSettings } from "../../config/tracker_settings.ts";
import { HttpReplyTooLongError } from "../../net/http.ts";
import { HttpClient } from "../../net/http_client.ts";
import { sinkError, wordsOf } from "../http_errors.ts";
import type { SinkNews } from "../news.ts";
import type { Limits, Outcome, Sink, SinkMemory } from "../sink.ts";
import { makeDelivery, newsJson } from "./body.ts";
import { sign } from "./signature.ts";

/** Tells any service that takes JSON. What it answers does not count, if it is a success. */
export class WebhookSink implements Sink {
  readonly name = "webhook";
  /** Less than the 1 MiB that nginx lets through, and mostly less than the 100 KB of Express. */
  readonly limits: Limits = { count: 100, bytes: 1_000_000, lingerMs: 250, paceMs: 0 };
  readonly #secret: string;
  readonly #http: HttpClient;

  /** @throws {HttpError} for a CA file that cannot be used */
  constructor({ url, secret, headers }: WebhookSettings, network: NetworkSettings) {
    this.#secret = secret;
    this.#http = new HttpClient({
      service: "webhook",
      url,
      headers,
      network,
      configKeys: { url: "webhookURL", secret: "webhookSecret and webhookHeaders" },
      isUrlSecret: true,
    });
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  sizeOf(news: SinkNews): number {
    return new TextEncoder().encode(newsJson(news)).length + 1;
  }

  async deliver(batch: readonly SinkNews[], _memory: SinkMemory, signal: AbortSignal): Promise<Outcome> {
    const { id, body } = makeDelivery(batch);
    const timestamp = String(Math.floor(Date.now() / 1000));
    const status = await this.#http.text({
      method: "POST",
      path: "",
      headers: {
        "idempotency-key": id,
        "x-srvaudit-delivery": id,
        "x-srvaudit-timestamp": timestamp,
        ...(this.#secret === "" ? {} : { "x-srvaudit-signature": await sign(this.#secret, timestamp, body) }),
      },
      raw: { bytes: body, contentType: "application/json" },
      signal,
    }).then((reply) => ` (${reply.status})`, (error) => {
      // It has said that it took them, and more than anybody reads.
      if (error instanceof HttpReplyTooLongError) return "";
      throw sinkError(error, wordsOf(error));
    });
    return { refused: [], answer: `${batch.length} taken${status}` };
  }
}
