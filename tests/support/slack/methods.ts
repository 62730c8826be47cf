/** The methods of the Web API that the fake has. */

import { blocksError } from "./block_kit.ts";
import { answered, type Channel, type Message, refused, type Reply, type World } from "./world.ts";

/** A call of a method: who calls it is known already. */
export interface Call {
  world: World;
  args: Record<string, unknown>;
}

interface Method {
  /** One of these. */
  scopes: readonly string[];
  args: readonly string[];
  handle(call: Call): Reply;
}

const HISTORY_SCOPES = ["channels:history", "groups:history"];
const TIMELINE = ["channel", "cursor", "include_all_metadata", "inclusive", "latest", "limit", "oldest"];

/** By name. */
export const METHODS: Readonly<Record<string, Method>> = {
  "chat.postMessage": {
    scopes: ["chat:write"],
    args: [
      "blocks",
      "channel",
      "link_names",
      "metadata",
      "mrkdwn",
      "parse",
      "reply_broadcast",
      "text",
      "thread_ts",
      "unfurl_links",
      "unfurl_media",
    ],
    handle: postMessage,
  },
  "chat.update": {
    scopes: ["chat:write"],
    args: ["blocks", "channel", "link_names", "metadata", "parse", "text", "ts"],
    handle: update,
  },
  "conversations.history": { scopes: HISTORY_SCOPES, args: TIMELINE, handle: history },
  "conversations.replies": { scopes: HISTORY_SCOPES, args: [...TIMELINE, "ts"], handle: replies },
};

/** https://docs.slack.dev/reference/methods/chat.postMessage: a channel is an ID or a name */
function postMessage({ world, args }: Call): Reply {
  const channel = world.channels.find(({ id, name }) =>
    id === args.channel || `#${name}` === args.channel || name === args.channel
  );
  const wrong = channelError(channel) ?? contentError(args);
  if (wrong || !channel) return wrong ?? refused("channel_not_found");
  const { thread_ts: thread } = args;
  if (thread !== undefined && !channel.messages.some(({ ts, thread }) => ts === args.thread_ts && !thread)) {
    return refused("thread_not_found");
  }
  if (args.reply_broadcast === true && thread === undefined) return refused("invalid_arguments");
  const message: Message = {
    ts: world.nextTs(),
    text: String(args.text ?? ""),
    blocks: args.blocks ?? null,
    metadata: metadataOf(args),
    thread: thread === undefined ? null : String(thread),
    isBroadcast: args.reply_broadcast === true,
    edits: 0,
  };
  channel.messages.push(message);
  return answered({ channel: channel.id, ts: message.ts, message: { text: message.text, ts: message.ts } });
}

/** https://docs.slack.dev/reference/methods/chat.update: a channel is an ID */
function update({ world, args }: Call): Reply {
  const channel = world.channels.find(({ id }) => id === args.channel);
  const wrong = channelError(channel) ?? contentError(args);
  if (wrong || !channel) return wrong ?? refused("channel_not_found");
  const message = channel.messages.find(({ ts }) => ts === args.ts);
  if (!message) return refused("message_not_found");
  message.text = String(args.text ?? "");
  message.blocks = args.blocks ?? null;
  message.metadata = metadataOf(args) ?? message.metadata;
  message.edits++;
  return answered({ channel: channel.id, ts: message.ts, text: message.text });
}

/** https://docs.slack.dev/reference/methods/conversations.history: the newest first, no replies but those that were broadcast */
function history({ world, args }: Call): Reply {
  const channel = world.channels.find(({ id }) => id === args.channel);
  if (!channel) return refused("channel_not_found");
  const wrong = readError(world, channel);
  if (wrong) return wrong;
  const there = channel.messages.filter(({ thread, isBroadcast }) => thread === null || isBroadcast);
  return page(world, there.toReversed(), args);
}

/** https://docs.slack.dev/reference/methods/conversations.replies: the parent first, and the oldest */
function replies({ world, args }: Call): Reply {
  const channel = world.channels.find(({ id }) => id === args.channel);
  if (!channel) return refused("channel_not_found");
  const wrong = readError(world, channel);
  if (wrong) return wrong;
  const there = channel.messages.filter(({ ts, thread }) => ts === args.ts || thread === args.ts);
  return there.length === 0 ? refused("thread_not_found") : page(world, there, args);
}

function page(world: World, messages: readonly Message[], args: Record<string, unknown>): Reply {
  const limit = Number(args.limit ?? 100);
  if (!(limit >= 1 && limit <= 999)) return refused("invalid_limit");
  if (args.oldest !== undefined && !/^\d+\.\d{6}$/.test(String(args.oldest))) {
    return refused("invalid_ts_oldest");
  }
  const asked = messages.filter(({ ts, thread }, i) =>
    Number(ts) > Number(args.oldest ?? 0) || (i === 0 && thread === null && args.ts === ts)
  );
  const from = Number(args.cursor ?? 0);
  const shown = asked.slice(from, from + limit);
  // https://docs.slack.dev/reference/scopes/metadata.message.read
  const withMetadata = args.include_all_metadata === "true" && world.scopes.has("metadata.message:read");
  return answered({
    messages: shown.map(({ ts, text, metadata }) => ({
      type: "message",
      ts,
      text,
      ...(metadata && withMetadata ? { metadata } : {}),
    })),
    has_more: asked.length > from + limit,
    response_metadata: { next_cursor: asked.length > from + limit ? String(from + limit) : "" },
  });
}

function channelError(channel: Channel | undefined): Reply | undefined {
  if (!channel) return refused("channel_not_found");
  if (channel.isArchived) return refused("is_archived");
  return channel.hasBot ? undefined : refused("not_in_channel");
}

function readError({ scopes }: World, channel: Channel): Reply | undefined {
  if (!channel.hasBot) return refused("not_in_channel");
  const needed = channel.isPrivate ? "groups:history" : "channels:history";
  return scopes.has(needed)
    ? undefined
    : refused("missing_scope", { needed, provided: [...scopes].join(",") });
}

/** What is posted: https://docs.slack.dev/messaging/message-metadata for the metadata. */
function contentError({ text, blocks, metadata, parse, link_names: linkNames }: Record<string, unknown>) {
  if (text === undefined && blocks === undefined) return refused("no_text");
  if (text !== undefined && (typeof text !== "string" || text.length > 40_000)) {
    return refused("msg_too_long");
  }
  const wrong = blocks === undefined ? undefined : blocksError(blocks);
  if (wrong) return refused(wrong.error, { response_metadata: { messages: [wrong.detail] } });
  if (parse !== undefined && !["none", "full"].includes(String(parse))) return refused("invalid_arguments");
  if (linkNames !== undefined && typeof linkNames !== "boolean") return refused("invalid_arguments");
  return metadata === undefined ? undefined : metadataError(metadata);
}

function metadataError(metadata: unknown): Reply | undefined {
  const { event_type: type, event_payload: payload, ...rest } = metadata as Record<string, unknown>;
  if (Object.keys(rest).length > 0 || typeof type !== "string" || !/^[A-Za-z0-9_.:-]{1,255}$/.test(type)) {
    return refused("invalid_metadata_format");
  }
  if (typeof payload !== "object" || payload === null) return refused("invalid_metadata_format");
  const isFlat = Object.values(payload).every((value) =>
    ["string", "number", "boolean"].includes(typeof value)
  );
  if (!isFlat) return refused("invalid_metadata_schema");
  return JSON.stringify(metadata).length > 16_384 ? refused("metadata_too_large") : undefined;
}

function metadataOf({ metadata }: Record<string, unknown>): Record<string, unknown> | null {
  return metadata === undefined ? null : { ...(metadata as Record<string, unknown>) };
}
