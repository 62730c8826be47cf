/** Datadog: every news an entry of the logs, and how sessions begin and end, and what is urgent, an event, too. */

import type { DatadogSettings } from "../../config/sink_settings.ts";
import type { NetworkSettings } from "../../config/tracker_settings.ts";
import { HttpStatusError } from "../../net/http.ts";
import { HttpClient } from "../../net/http_client.ts";
import { sinkError, wordsOf } from "../http_errors.ts";
import type { SinkNews } from "../news.ts";
import {
  type Limits,
  type Outcome,
  type Refused,
  type Sink,
  type SinkMemory,
  SinkRefusedError,
} from "../sink.ts";
import { ToldParts } from "../told_parts.ts";
import { datadogEvent, isDatadogEvent } from "./event.ts";
import { datadogLog } from "./log.ts";

/** So many sessions' events are under way at a time: the API takes one in a request. */
const EVENTS_AT_A_TIME = 8;

/**
 * Tells Datadog by its Logs API and its Events API.
 *
 * Logs go first, all in one request; then the events, those of a session in their order. What has arrived is remembered, so that
 * an event that fails has no log told twice.
 */
export class DatadogSink implements Sink {
  readonly name = "datadog";
  /** The Logs API takes 1000 entries and 5 MB; the agent is not to hold so much at a time. */
  readonly limits: Limits = { count: 1_000, bytes: 2_000_000, lingerMs: 250, paceMs: 0 };
  readonly #settings: DatadogSettings;
  readonly #logs: HttpClient;
  readonly #events: HttpClient;
  readonly #told = new ToldParts();

  /** @throws {HttpError} for a CA file that cannot be used */
  constructor(settings: DatadogSettings, network: NetworkSettings) {
    this.#settings = settings;
    const client = (url: string) =>
      new HttpClient({
        service: "Datadog",
        url: settings.url || url,
        headers: { "dd-api-key": settings.key },
        network,
        configKeys: { url: settings.url === "" ? "datadogSite" : "datadogURL", secret: "datadogKey" },
        patienceHeader: "x-ratelimit-reset",
      });
    this.#logs = client(`https://http-intake.logs.${settings.site}`);
    this.#events = client(`https://api.${settings.site}`);
  }

  [Symbol.dispose](): void {
    this.#logs[Symbol.dispose]();
    this.#events[Symbol.dispose]();
  }

  sizeOf(news: SinkNews): number {
    const log = JSON.stringify(datadogLog(news, this.#settings.tags, Date.now()));
    return new TextEncoder().encode(log).length + 1;
  }

  async deliver(batch: readonly SinkNews[], _memory: SinkMemory, signal: AbortSignal): Promise<Outcome> {
    const logs = this.#told.without("log", batch);
    const logged = logs.length === 0 ? undefined : await this.#sendLogs(logs, signal);
    this.#told.add("log", logs);
    const events = this.#told.without("event", batch.filter(isDatadogEvent));
    const refused = await this.#sendEvents(events, signal);
    this.#told.forget(["log", "event"], batch);
    const answers = [
      `logs: ${logged ?? "taken before"}`,
      ...(events.length === 0 ? [] : [`events: ${events.length - refused.length} taken`]),
    ];
    return { refused, answer: answers.join(", ") };
  }

  /** API Reference, Logs, Send logs (v2): https://docs.datadoghq.com/api/latest/logs/#send-logs */
  async #sendLogs(batch: readonly SinkNews[], signal: AbortSignal): Promise<string> {
    const nowMs = Date.now();
    const { status } = await this.#logs.text({
      method: "POST",
      path: "/api/v2/logs",
      body: batch.map((news) => datadogLog(news, this.#settings.tags, nowMs)),
      gzip: true,
      signal,
    }).catch((error) => {
      throw sinkError(error, detailOf(error));
    });
    return `${batch.length} taken (${status})`;
  }

  /** @returns those that it will never take as events; they are in the logs */
  async #sendEvents(batch: readonly SinkNews[], signal: AbortSignal): Promise<Refused[]> {
    const sessions = [...Map.groupBy(batch, ({ session, id }) => session?.id ?? id).values()];
    const refused: Refused[] = [];
    while (sessions.length > 0) {
      const tries = sessions.splice(0, EVENTS_AT_A_TIME).map(async (events) => {
        for (const news of events) {
          const reason = await this.#sendEvent(news, signal);
          if (reason === undefined) this.#told.add("event", [news]);
          else refused.push({ id: news.id, reason });
        }
      });
      // All of them have ended before the first failure counts: what has arrived is remembered.
      const failed = (await Promise.allSettled(tries)).find(({ status }) => status === "rejected");
      if (failed?.status === "rejected") throw failed.reason;
    }
    return refused;
  }

  /**
   * API Reference, Events, Post an event (v1): v2 is for categories that these are not of, by its own page.
   * https://docs.datadoghq.com/api/latest/events/#post-an-event
   *
   * @returns why it is refused; undefined where it is taken
   */
  async #sendEvent(news: SinkNews, signal: AbortSignal): Promise<string | undefined> {
    try {
      await this.#events.nothing({
        method: "POST",
        path: "/api/v1/events",
        body: datadogEvent(news, this.#settings.tags, Date.now()),
        signal,
      });
      return undefined;
    } catch (error) {
      const meant = sinkError(error, detailOf(error));
      if (meant instanceof SinkRefusedError) return meant.message;
      throw meant;
    }
  }
}

/** What Datadog says of an error, and what to mend: the key of another site is not known to this one. */
function detailOf(error: unknown): string {
  const mend = error instanceof HttpStatusError && error.status === 403
    ? "see datadogKey and datadogSite"
    : "";
  return [wordsOf(error), mend].filter((part) => part !== "").join(": ");
}
