/** Slack by a bot's token: one message a session, kept up to date, with a thread of what people should read. */

import type { SlackSettings } from "../../config/sink_settings.ts";
import type { NetworkSettings } from "../../config/tracker_settings.ts";
import { isOfCommand, isUrgent, type SinkNews } from "../news.ts";
import type { SinkMemory } from "../sink.ts";
import { SlackApi } from "./api.ts";
import { type Card, cardAfter, messageOf, newCard, readCard } from "./card.ts";
import { itemsOf, noticeOf } from "./items.ts";
import { messagesOf } from "./message.ts";
import { Pace } from "./pace.ts";
import { type Place, type Posted, Posts } from "./posts.ts";

/**
 * What a batch costs is counted in requests, as there may be one a second: these are hundredths of one. Fifteen fit into the time
 * that a batch may take.
 */
export const MOST_COST = 1500;
const OPENING_COST = 100;
const NEWS_COST = 200;
const URGENT_COST = 300;
const LONGEST_COMMAND_COST = 100;
/** So many messages a batch are changed only because of commands; more have to wait for the next. */
const MOST_REFRESHED = 4;
/** So many are remembered to be behind. */
const MOST_BEHIND = 1000;
/** The name of that memory: IDs of sessions. */
const BEHIND = "behind";
/** An ID of a channel, by which alone it can be read. */
const CHANNEL_ID = /^[CDG][A-Z0-9]{8,}$/;

/** A round: all that is done for one batch. */
interface Round {
  batch: readonly SinkNews[];
  memory: SinkMemory;
  signal: AbortSignal;
  sinceUs: number;
  /** What was done, for `srvaudit sink test`. */
  posted: number;
  changed: number;
}

/** A bot in a channel, and in one for emergencies. */
export class Bot implements Disposable {
  readonly #api: SlackApi;
  readonly #posts: Posts;
  readonly #ids = new Map<string, string>();

  /** @throws {HttpError} for a CA file that cannot be used */
  constructor(readonly settings: SlackSettings, network: NetworkSettings, paceMs: number) {
    this.#api = new SlackApi(settings.apiUrl, settings.token, network);
    this.#posts = new Posts(
      this.#api,
      new Pace(paceMs),
      (channel) => CHANNEL_ID.test(channel) ? channel : this.#ids.get(channel),
    );
  }

  [Symbol.dispose](): void {
    this.#api[Symbol.dispose]();
  }

  /** @returns as `Sink.sizeOf`: in hundredths of a request */
  sizeOf(news: SinkNews): number {
    if (isUrgent(news)) return URGENT_COST;
    if (news.kind === "session opened") return OPENING_COST;
    if (!isOfCommand(news)) return NEWS_COST;
    return 1 + Math.min(LONGEST_COMMAND_COST, Math.ceil((news.command?.text.length ?? 0) / 1000));
  }

  /** @returns what Slack said */
  async tell(batch: readonly SinkNews[], memory: SinkMemory, signal: AbortSignal): Promise<string> {
    const sinceUs = Math.min(...batch.map(({ atUs }) => atUs));
    const round: Round = { batch, memory, signal, sinceUs, posted: 0, changed: 0 };
    this.#recallIds(memory);
    const behind = new Set(memory.get(BEHIND)?.split(" ") ?? []);
    for (const group of bySession(batch)) {
      const [first] = group;
      if (!first) continue;
      const isForCommands = group.every(isOfCommand);
      if (isForCommands) this.#count(first, group, behind, round);
      else if (first.session) {
        await this.#tellSession(first.session.id, group, round);
        behind.delete(first.session.id);
      } else await this.#tellThread(group, { channel: this.#channelFor(first) }, round);
    }
    await this.#refresh(behind, round);
    const left = [...behind].slice(-MOST_BEHIND).join(" ");
    memory.set(BEHIND, left === "" ? null : left);
    this.#posts.finish(batch);
    const blind = this.#posts.isBlind
      ? "; without a scope to read the channel, a message may come twice"
      : "";
    return `ok: ${round.posted} posted, ${round.changed} changed${blind}`;
  }

  /** Commands alone change a card, and open none: it is known only of a session that was told of. */
  #count(first: SinkNews, group: readonly SinkNews[], behind: Set<string>, { memory }: Round): void {
    const id = first.session?.id ?? "";
    const card = readCard(memory.get(cardName(id)));
    if (!card) return;
    memory.set(cardName(id), JSON.stringify(group.reduce(cardAfter, card)));
    behind.add(id);
  }

  async #refresh(behind: Set<string>, round: Round): Promise<void> {
    for (const id of [...behind].slice(0, MOST_REFRESHED)) {
      const card = readCard(round.memory.get(cardName(id)));
      behind.delete(id);
      if (!card?.place) continue;
      const place = await this.#show(id, card, `${card.session.user} on ${card.host} goes on`, round);
      round.memory.set(cardName(id), JSON.stringify({ ...card, place }));
    }
  }

  async #tellSession(id: string, group: readonly SinkNews[], round: Round): Promise<void> {
    const { memory } = round;
    const [first] = group;
    if (!first) return;
    const known = readCard(memory.get(cardName(id)));
    // One that is over, or whose end nobody wants to hear of: nobody would ever close its card.
    const hasNoEnd = ({ kind, session }: SinkNews) => kind === "tamper" || session?.over === true;
    if (!known && group.every((news) => hasNoEnd(news) || isOfCommand(news))) {
      for (const news of group.filter(hasNoEnd)) {
        await this.#tellThread([news], { channel: this.#channelFor(news) }, round);
      }
      return;
    }
    const before = known ?? newCard(first);
    const card = group.reduce(cardAfter, before);
    // The notification is of what matters most.
    const main = group.find(isUrgent) ?? group.findLast((news) => !isOfCommand(news)) ?? first;
    const place = await this.#show(id, card, noticeOf(main), round);
    const isOver = card.closing !== null;
    memory.set(cardName(id), isOver ? null : JSON.stringify({ ...card, place }));
    const isNew = before.place === null;
    const forThread = group.filter((news) =>
      // What the card says by itself when it is posted is not said twice.
      !isOfCommand(news) && (news.kind !== "session opened" || isUrgent(news)) &&
      !(isNew && news.kind === "session closed")
    );
    const calm = forThread.filter((news) => !isUrgent(news));
    const urgent = forThread.filter(isUrgent);
    const isElsewhere = this.settings.emergencyChannel !== "";
    const thread = { channel: place.channel, thread: place.ts };
    await this.#tellThread(urgent, { ...thread, isBroadcast: !isElsewhere }, round);
    if (isElsewhere) await this.#tellThread(urgent, { channel: this.settings.emergencyChannel }, round);
    await this.#tellThread(calm, thread, round);
  }

  /** Posts or changes the card. @returns where it is */
  async #show(id: string, card: Card, notice: string, round: Round): Promise<Posted> {
    const { signal, sinceUs } = round;
    const message = messageOf(card, notice);
    const whose = { session: id, host: card.host };
    if (card.place && await this.#posts.update(message, whose, card.place, signal)) {
      round.changed++;
      return card.place;
    }
    const { channel } = this.settings;
    const posted = await this.#posts.card(message, whose, channel, sinceUs, signal);
    round.posted++;
    this.#learnId(channel, posted, round.memory);
    return posted;
  }

  async #tellThread(news: readonly SinkNews[], place: Place, round: Round): Promise<void> {
    if (news.length === 0) return;
    const due = await this.#posts.due(news, place, round.sinceUs, round.signal);
    for (const telling of messagesOf(itemsOf(due))) {
      const posted = await this.#posts.tell(telling, telling.news, place, round.signal);
      round.posted++;
      this.#learnId(place.channel, posted, round.memory);
    }
  }

  #channelFor(news: SinkNews): string {
    const { channel, emergencyChannel } = this.settings;
    return isUrgent(news) && emergencyChannel !== "" ? emergencyChannel : channel;
  }

  #recallIds(memory: SinkMemory): void {
    for (const channel of [this.settings.channel, this.settings.emergencyChannel]) {
      const id = memory.get(channelName(channel));
      if (id !== undefined) this.#ids.set(channel, id);
    }
  }

  #learnId(channel: string, posted: Posted, memory: SinkMemory): void {
    if (CHANNEL_ID.test(channel) || this.#ids.get(channel) === posted.channel) return;
    this.#ids.set(channel, posted.channel);
    memory.set(channelName(channel), posted.channel);
  }
}

function cardName(session: string): string {
  return `card:${session}`;
}

function channelName(channel: string): string {
  return `channel:${channel}`;
}

/** News of each session together, in their order; each of none for itself. */
function bySession(batch: readonly SinkNews[]): SinkNews[][] {
  const groups = new Map<string, SinkNews[]>();
  for (const news of batch) {
    const key = news.session?.id ?? `news ${news.id}`;
    const group = groups.get(key);
    if (group) group.push(news);
    else groups.set(key, [news]);
  }
  return [...groups.values()];
}
