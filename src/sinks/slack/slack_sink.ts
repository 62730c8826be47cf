import type { SlackSettings } from "../../config/sink_settings.ts";
import type { NetworkSettings } from "../../config/tracker_settings.ts";
import type { SinkNews } from "../news.ts";
import type { Limits, Outcome, Sink, SinkMemory } from "../sink.ts";
import { Bot, MOST_COST } from "./bot.ts";
import { Hooks } from "./hook.ts";
import { MOST_JSON } from "./message.ts";

/** https://docs.slack.dev/apis/web-api/rate-limits: one message a second in a channel, in milliseconds. */
const PACE_MS = 1000;
/** So many messages a batch may become, where all of it goes to a webhook: each takes its second. */
const MOST_HOOK_MESSAGES = 5;

/**
 * Slack: with a bot's token one message a session that is kept up to date, and a thread; with a webhook one message for each
 * thing that happens, several in one post where there are several.
 *
 * @example
 * ```ts
 * using slack = new SlackSink(settings, network);
 * const { answer } = await slack.deliver(batch, memory, signal);
 * ```
 */
export class SlackSink implements Sink {
  readonly name = "slack";
  readonly limits: Limits;
  readonly #way: Hooks | Bot;

  /**
   * @param paceMs how long to wait between two messages to the same channel, in milliseconds
   * @throws {HttpError} for a CA file that cannot be used
   */
  constructor(settings: SlackSettings, network: NetworkSettings, paceMs: number = PACE_MS) {
    const isBot = settings.token !== "";
    this.#way = isBot ? new Bot(settings, network, paceMs) : new Hooks(settings, network, paceMs);
    this.limits = {
      count: isBot ? 1000 : 500,
      bytes: isBot ? MOST_COST : MOST_HOOK_MESSAGES * MOST_JSON,
      lingerMs: 300,
      paceMs,
    };
  }

  [Symbol.dispose](): void {
    this.#way[Symbol.dispose]();
  }

  /** What it adds to messages (webhook, characters), or to the requests that a batch takes (token, hundredths). */
  sizeOf(news: SinkNews): number {
    return this.#way.sizeOf(news);
  }

  async deliver(batch: readonly SinkNews[], memory: SinkMemory, signal: AbortSignal): Promise<Outcome> {
    const answer = this.#way instanceof Bot
      ? await this.#way.tell(batch, memory, signal)
      : await this.#way.tell(batch, signal);
    return { refused: [], answer };
  }
}
