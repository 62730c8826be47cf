/** New Relic: every news an entry of the logs and, where an account is named, a custom event, too. */

import type { NewRelicSettings } from "../../config/sink_settings.ts";
import type { NetworkSettings } from "../../config/tracker_settings.ts";
import { HttpStatusError } from "../../net/http.ts";
import { HttpClient } from "../../net/http_client.ts";
import { beginningOf, sinkError, wordsOf } from "../http_errors.ts";
import type { SinkNews } from "../news.ts";
import type { Limits, Outcome, Sink, SinkMemory } from "../sink.ts";
import { ToldParts } from "../told_parts.ts";
import { newRelicEvent } from "./event.ts";
import { newRelicLog } from "./log.ts";

/** Introduction to the Log API, HTTP endpoint; Event API, Requirements. */
const HOSTS = {
  US: { logs: "https://log-api.newrelic.com", events: "https://insights-collector.newrelic.com" },
  EU: { logs: "https://log-api.eu.newrelic.com", events: "https://insights-collector.eu01.nr-data.net" },
} as const;

/**
 * Tells New Relic by its Log API, then by its Event API. What the first has taken is remembered, so that no log is told twice
 * where the second one fails.
 */
export class NewRelicSink implements Sink {
  readonly name = "newRelic";
  /** Both take 1 MB (10^6 bytes) in a request, before it is packed; this leaves room for what all logs have in common. */
  readonly limits: Limits = { count: 1_000, bytes: 900_000, lingerMs: 250, paceMs: 0 };
  readonly #account: string;
  readonly #logs: HttpClient;
  readonly #events: HttpClient;
  readonly #told = new ToldParts();

  /** @throws {HttpError} for a CA file that cannot be used */
  constructor(settings: NewRelicSettings, network: NetworkSettings) {
    this.#account = settings.account;
    const client = (url: string) =>
      new HttpClient({
        service: "New Relic",
        url: settings.url || url,
        headers: { "api-key": settings.licenseKey },
        network,
        configKeys: {
          url: settings.url === "" ? "newRelicRegion" : "newRelicURL",
          secret: "newRelicLicenseKey",
        },
      });
    this.#logs = client(HOSTS[settings.region].logs);
    this.#events = client(HOSTS[settings.region].events);
  }

  [Symbol.dispose](): void {
    this.#logs[Symbol.dispose]();
    this.#events[Symbol.dispose]();
  }

  sizeOf(news: SinkNews): number {
    // What is in an event is in the log, too, and the sentence besides.
    return new TextEncoder().encode(JSON.stringify(newRelicLog(news, Date.now()))).length + 1;
  }

  async deliver(batch: readonly SinkNews[], _memory: SinkMemory, signal: AbortSignal): Promise<Outcome> {
    const logs = this.#told.without("log", batch);
    const answers = [logs.length === 0 ? "logs: taken before" : await this.#sendLogs(logs, signal)];
    this.#told.add("log", logs);
    if (this.#account !== "") answers.push(await this.#sendEvents(batch, signal));
    this.#told.forget(["log"], batch);
    return { refused: [], answer: answers.join(", ") };
  }

  /** https://docs.newrelic.com/docs/logs/log-api/introduction-log-api/ */
  #sendLogs(batch: readonly SinkNews[], signal: AbortSignal): Promise<string> {
    const nowMs = Date.now();
    const common = { attributes: { logtype: "srvaudit", service: "srvaudit" } };
    const logs = batch.map((news) => newRelicLog(news, nowMs));
    return send("logs", this.#logs, "/log/v1", [{ common, logs }], signal);
  }

  /** https://docs.newrelic.com/docs/data-apis/ingest-apis/event-api/introduction-event-api/ */
  #sendEvents(batch: readonly SinkNews[], signal: AbortSignal): Promise<string> {
    const nowMs = Date.now();
    const events = batch.map((news) => newRelicEvent(news, nowMs));
    return send("events", this.#events, `/v1/accounts/${this.#account}/events`, events, signal);
  }
}

/** @returns what was said to it */
async function send(
  what: string,
  http: HttpClient,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<string> {
  const { status, text } = await http.text({ method: "POST", path, body, gzip: true, signal })
    .catch((error) => {
      throw sinkError(error, detailOf(error));
    });
  return `${what}: ${status} ${beginningOf(text)}`.trimEnd();
}

/** What New Relic says of an error, and what to mend: the key of another region, or of another account, is not known to this one. */
function detailOf(error: unknown): string {
  const isForbidden = error instanceof HttpStatusError && error.status === 403;
  const mend = isForbidden ? "see newRelicLicenseKey, newRelicRegion and newRelicAccount" : "";
  return [wordsOf(error), mend].filter((part) => part !== "").join(": ");
}
