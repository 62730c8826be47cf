/** Slack by an incoming webhook: messages that are written once and never changed. */

import type { SlackSettings } from "../../config/sink_settings.ts";
import type { NetworkSettings } from "../../config/tracker_settings.ts";
import { HttpClient } from "../../net/http_client.ts";
import { isOfCommand, isUrgent, type SinkNews } from "../news.ts";
import { SinkUnavailableError } from "../sink.ts";
import { ToldParts } from "../told_parts.ts";
import { hookError } from "./errors.ts";
import { itemsOf } from "./items.ts";
import { type Message, messagesOf, sizeOfBlocks } from "./message.ts";
import { Pace } from "./pace.ts";

/** How long an answer may take, in milliseconds. */
const PATIENCE_MS = 10_000;
/** What a command adds to a message: most share their lines with others. */
const COMMAND_SIZE = 60;
/** The part of `ToldParts`. */
const HOOK = "hook";

/** One or two webhooks. A webhook's address is a secret: no message has it. */
export class Hooks implements Disposable {
  readonly #usual: HttpClient;
  readonly #urgent: HttpClient | undefined;
  readonly #told = new ToldParts();
  readonly #pace: Pace;

  /** @throws {HttpError} for a CA file that cannot be used */
  constructor(readonly settings: SlackSettings, network: NetworkSettings, paceMs: number) {
    this.#pace = new Pace(paceMs);
    this.#usual = clientOf(settings.url, "slackURL", network);
    this.#urgent = settings.emergencyUrl === ""
      ? undefined
      : clientOf(settings.emergencyUrl, "slackEmergencyURL", network);
  }

  [Symbol.dispose](): void {
    this.#usual[Symbol.dispose]();
    this.#urgent?.[Symbol.dispose]();
  }

  /** @returns as `Sink.sizeOf` */
  sizeOf(news: SinkNews): number {
    if (!isOfCommand(news)) {
      return itemsOf([news]).reduce((size, { blocks }) => size + sizeOfBlocks(blocks), 0);
    }
    // Long ones are shortened, but they have to be held until then.
    return COMMAND_SIZE + Math.min(1000, Math.ceil((news.command?.text.length ?? 0) / 100));
  }

  /** @returns what Slack said */
  async tell(batch: readonly SinkNews[], signal: AbortSignal): Promise<string> {
    const { channel, emergencyChannel } = this.settings;
    const due = this.#told.without(HOOK, batch);
    const isElsewhere = (news: SinkNews) =>
      isUrgent(news) && (this.#urgent !== undefined || emergencyChannel !== "");
    let messages = 0;
    // What somebody must look at now does not wait for the rest.
    for (const urgently of [true, false]) {
      const client = urgently ? this.#urgent ?? this.#usual : this.#usual;
      const where = urgently && emergencyChannel !== "" ? emergencyChannel : channel;
      for (const telling of messagesOf(itemsOf(due.filter((news) => isElsewhere(news) === urgently)))) {
        await this.#post(client, telling, where, signal);
        this.#told.add(HOOK, telling.news);
        messages++;
      }
    }
    this.#told.forget([HOOK], batch);
    return messages === 0
      ? "it has all of it already"
      : `ok: ${messages} message${messages === 1 ? "" : "s"}`;
  }

  async #post(client: HttpClient, message: Message, channel: string, signal: AbortSignal): Promise<void> {
    await this.#pace.turn(client === this.#usual ? "usual" : "urgent", signal);
    const body = {
      // Only a legacy webhook goes by it; an app's has its own channel.
      ...(channel === "" ? {} : { channel }),
      text: message.text,
      blocks: message.blocks,
      mrkdwn: false,
      unfurl_links: false,
      unfurl_media: false,
    };
    let said: string;
    try {
      const reply = await client.text({
        method: "POST",
        path: "",
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
      });
      said = reply.text.trim();
    } catch (error) {
      throw hookError(error);
    }
    if (said === "ok") return;
    throw new SinkUnavailableError('Slack: POST: answered 200, but not with "ok": see slackURL, and proxy');
  }
}

function clientOf(url: string, key: string, network: NetworkSettings): HttpClient {
  return new HttpClient({
    service: "Slack",
    url,
    headers: {},
    network,
    configKeys: { url: key, secret: key },
    isUrlSecret: true,
  });
}
