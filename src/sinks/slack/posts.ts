/**
 * Messages that a bot posts, each once.
 *
 * `chat.postMessage` knows no key by which a second one would be left out. So each message carries in its metadata what it tells;
 * and where it is not known whether one has arrived, or what an agent before this one has posted, the place is read first.
 */

import type { SinkNews } from "../news.ts";
import { SinkUnavailableError } from "../sink.ts";
import { ToldParts } from "../told_parts.ts";
import type { SlackApi, SlackReply } from "./api.ts";
import { methodError, SlackError } from "./errors.ts";
import type { Message } from "./message.ts";
import type { Pace } from "./pace.ts";

/** Where a message goes. */
export interface Place {
  /** An ID, or a name with `#`. */
  channel: string;
  /** The `ts` of the message whose thread it is. */
  thread?: string;
  /** Whether the channel sees it, too. */
  isBroadcast?: boolean;
}

/** A message that is there. */
export interface Posted {
  /** Always an ID. */
  channel: string;
  ts: string;
}

/**
 * Whose a card is. Who can say what is in a spool can give a session of hers another's ID, but not another host's name: of two
 * hosts none finds the other's cards.
 */
export interface Whose {
  session: string;
  host: string;
}

/** `event_type` of ours: https://docs.slack.dev/messaging/message-metadata */
const EVENT_TYPE = "srvaudit_news";
/** A place is read so far back, in pages of so many messages. */
const MOST_PAGES = 5;
const PAGE = 200;
/** So far may this host's clock be ahead of Slack's, in seconds. */
const CLOCK_S = 3600;
/** Slack has not the message that is to be changed. */
const GONE: ReadonlySet<string> = new Set(["message_not_found"]);
/** It has it, and lets nobody change it any more. */
const FIXED: ReadonlySet<string> = new Set([
  "cant_update_message",
  "edit_window_closed",
  "update_failed",
]);
/** The app may not read there; what follows from that is in docs/integrations.md. */
const UNREADABLE: ReadonlySet<string> = new Set([
  "missing_scope",
  "no_permission",
  "not_in_channel",
  "not_allowed_token_type",
  "channel_not_found",
]);
/** What goes wrong after these may have been done all the same. */
const UNDECIDED: ReadonlySet<string> = new Set([
  "fatal_error",
  "internal_error",
  "request_timeout",
  "service_unavailable",
]);

/** All that is posted with one token. */
export class Posts {
  /** Whether something may not be posted once only, for want of a scope. */
  isBlind = false;
  readonly #told = new ToldParts();
  /** The `ts` of cards that were found or posted, by whose they are, until their batch is told. */
  readonly #cards = new Map<string, Posted>();
  /** Until the first batch is through, whatever was there may be from an agent before this one. */
  #isFirst = true;
  readonly #doubtful = new Set<string>();
  readonly #read = new Set<string>();

  /** @param idOf the ID of a channel, if it is known */
  constructor(
    readonly api: SlackApi,
    readonly pace: Pace,
    readonly idOf: (channel: string) => string | undefined,
  ) {}

  /** A batch is through: nothing of it comes again. */
  finish(batch: readonly SinkNews[]): void {
    this.#isFirst = false;
    this.#read.clear();
    for (const { session, host } of batch) this.#cards.delete(keyOf({ session: session?.id ?? "", host }));
  }

  /** Those of the news that are not told there yet. */
  async due(
    news: readonly SinkNews[],
    place: Place,
    sinceUs: number,
    signal: AbortSignal,
  ): Promise<SinkNews[]> {
    await this.#lookAt(place, sinceUs, signal);
    return this.#told.without(nameOf(place), news);
  }

  /** Posts a message that tells news. */
  async tell(
    message: Message,
    news: readonly SinkNews[],
    place: Place,
    signal: AbortSignal,
  ): Promise<Posted> {
    const posted = await this.#post(message, { news: news.map(({ id }) => id).join(" ") }, place, signal);
    this.#told.add(nameOf(place), news);
    return posted;
  }

  /** Posts the card of a session, unless it is there already. */
  async card(
    message: Message,
    whose: Whose,
    channel: string,
    sinceUs: number,
    signal: AbortSignal,
  ): Promise<Posted> {
    await this.#lookAt({ channel }, sinceUs, signal);
    const there = this.#cards.get(keyOf(whose));
    if (there) {
      return await this.update(message, whose, there, signal)
        ? there
        : this.#newCard(message, whose, channel, signal);
    }
    return await this.#newCard(message, whose, channel, signal);
  }

  async #newCard(message: Message, whose: Whose, channel: string, signal: AbortSignal): Promise<Posted> {
    const posted = await this.#post(message, { ...whose }, { channel }, signal);
    this.#cards.set(keyOf(whose), posted);
    return posted;
  }

  /** Changes a card. @returns whether it is there still */
  async update(message: Message, whose: Whose, posted: Posted, signal: AbortSignal): Promise<boolean> {
    const { channel, ts } = posted;
    const body = { channel, ts, ...fieldsOf(message, { ...whose }) };
    try {
      await this.#do("chat.update", body, channel, signal);
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      if (FIXED.has(error.code)) return true;
      if (!GONE.has(error.code)) throw methodError(error, channel);
      this.#cards.delete(keyOf(whose));
      return false;
    }
    return true;
  }

  async #post(
    message: Message,
    payload: Readonly<Record<string, string>>,
    place: Place,
    signal: AbortSignal,
  ): Promise<Posted> {
    const { channel, thread, isBroadcast } = place;
    const body = {
      channel,
      ...(thread === undefined ? {} : { thread_ts: thread, reply_broadcast: isBroadcast ?? false }),
      ...fieldsOf(message, payload),
      mrkdwn: false,
      unfurl_links: false,
      unfurl_media: false,
    };
    let reply: SlackReply;
    try {
      reply = await this.#do("chat.postMessage", body, channel, signal);
    } catch (error) {
      if (mayBeDone(error)) {
        this.#doubtful.add(nameOf(place));
        this.#read.delete(nameOf(place));
      }
      throw error instanceof SlackError ? methodError(error, channel) : error;
    }
    if (reply.ts === undefined) {
      throw new SinkUnavailableError(
        "Slack: chat.postMessage: answered without the message's ts: see slackApiURL",
      );
    }
    return { channel: reply.channel ?? channel, ts: reply.ts };
  }

  async #do(method: string, body: unknown, channel: string, signal: AbortSignal): Promise<SlackReply> {
    await this.pace.turn(this.idOf(channel) ?? channel, signal);
    return await this.api.do(method, body, signal);
  }

  /** Reads what is there, if anything of ours may be that is not known of. */
  async #lookAt(place: Place, sinceUs: number, signal: AbortSignal): Promise<void> {
    const name = nameOf(place);
    if (this.#read.has(name) || !(this.#isFirst || this.#doubtful.has(name))) return;
    const channel = this.idOf(place.channel);
    // By its name it cannot be read. Nobody has posted there yet, or nobody knows of it any more.
    if (channel !== undefined) await this.#readPlace(name, { ...place, channel }, sinceUs, signal);
    this.#read.add(name);
    this.#doubtful.delete(name);
  }

  async #readPlace(name: string, place: Place, sinceUs: number, signal: AbortSignal): Promise<void> {
    const method = place.thread === undefined ? "conversations.history" : "conversations.replies";
    let cursor: string | undefined;
    for (let page = 0; page < MOST_PAGES && cursor !== ""; page++) {
      let reply: SlackReply;
      try {
        reply = await this.api.read(method, {
          channel: place.channel,
          ts: place.thread,
          oldest: oldestOf(sinceUs),
          limit: PAGE,
          include_all_metadata: "true",
          cursor,
        }, signal);
      } catch (error) {
        if (!(error instanceof SlackError)) throw error;
        if (error.code === "thread_not_found") return;
        if (!UNREADABLE.has(error.code)) throw methodError(error, place.channel);
        this.isBlind = true;
        return;
      }
      for (const { ts, metadata } of reply.messages ?? []) {
        if (metadata?.event_type !== EVENT_TYPE) continue;
        const { news, session, host } = metadata.event_payload ?? {};
        if (typeof news === "string") this.#told.add(name, news.split(" ").map((id) => ({ id })));
        if (typeof session === "string" && typeof host === "string") {
          this.#cards.set(keyOf({ session, host }), { channel: place.channel, ts });
        }
      }
      cursor = reply.response_metadata?.next_cursor ?? "";
    }
  }
}

/** What posts and changes have in common. Nothing in the text on top is to become a link or a name. */
function fieldsOf(
  { text, blocks }: Message,
  payload: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return {
    text,
    blocks,
    parse: "none",
    link_names: false,
    metadata: { event_type: EVENT_TYPE, event_payload: payload },
  };
}

/** A shell may say any time, before 1970 or years ahead: of the first Slack wants to hear nothing, and nothing is found by the other. */
function oldestOf(sinceUs: number): string {
  return Math.max(0, Math.min(sinceUs / 1e6, Date.now() / 1000) - CLOCK_S).toFixed(6);
}

function keyOf({ session, host }: Whose): string {
  return `${host} ${session}`;
}

function nameOf({ channel, thread }: Place): string {
  return thread === undefined ? channel : `${channel}/${thread}`;
}

/** Whether what was asked for may have been done, though nobody said so. */
function mayBeDone(error: unknown): boolean {
  if (error instanceof SlackError) return UNDECIDED.has(error.code);
  // Whoever asks for patience has done nothing.
  return error instanceof SinkUnavailableError && error.retryAfterMs === undefined;
}
