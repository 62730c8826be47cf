/** What is in a fake Slack, and how it answers. */

/** A message that was posted. */
export interface Message {
  ts: string;
  text: string;
  blocks: unknown;
  metadata: Record<string, unknown> | null;
  /** The `ts` of the message whose thread it is in. */
  thread: string | null;
  isBroadcast: boolean;
  edits: number;
}

/** A channel. */
export interface Channel {
  id: string;
  name: string;
  isArchived: boolean;
  isPrivate: boolean;
  hasBot: boolean;
  messages: Message[];
}

/** All of it. */
export interface World {
  token: string;
  scopes: Set<string>;
  channels: Channel[];
  /** The webhooks, by the path of their address. */
  hooks: Map<string, Hook>;
  nextTs(): string;
}

/** An incoming webhook. */
export interface Hook {
  channel: string;
  /** One of a custom integration: it heeds `channel`. */
  isLegacy: boolean;
  isSwitchedOff: boolean;
}

/** What is answered. */
export interface Reply {
  status: number;
  /** JSON, or text as it is. */
  body: Record<string, unknown> | string;
  headers?: Record<string, string>;
}

/** A method's success. */
export function answered(body: Record<string, unknown>): Reply {
  return { status: 200, body: { ok: true, ...body } };
}

/** A method's no: with status 200, as https://docs.slack.dev/apis/web-api#responses says. */
export function refused(error: string, more: Record<string, unknown> = {}): Reply {
  return { status: 200, body: { ok: false, error, ...more } };
}

/** Sunday, 2026-11-22 13:30:00 UTC, in microseconds. */
const FIRST_TS = 1_795_354_200_000_000;

/** @returns a world with the channels ops, emergencies (private) and secret (without the bot), and three webhooks */
export function firstWorld(): World {
  // Not by the clock of the machine: the news of the tests have a time of their own, and were there before.
  let last = FIRST_TS;
  const channel = (id: string, name: string): Channel => ({
    id,
    name,
    isArchived: false,
    isPrivate: false,
    hasBot: true,
    messages: [],
  });
  const hook = (channel: string, isLegacy = false): Hook => ({ channel, isLegacy, isSwitchedOff: false });
  return {
    token: "xoxb-1111111111-2222222222-FakeSlackToken",
    scopes: new Set(["chat:write", "channels:history", "groups:history", "metadata.message:read"]),
    channels: [
      channel("C0000000OPS", "ops"),
      { ...channel("C000000EMER", "emergencies"), isPrivate: true },
      { ...channel("C00000SECRT", "secret"), isPrivate: true, hasBot: false },
    ],
    hooks: new Map([
      ["/services/T00000000/B00000001/UsualHookUsualHookUsualHo", hook("ops")],
      ["/services/T00000000/B00000002/UrgentHookUrgentHookUrgen", hook("emergencies")],
      ["/services/T00000000/B00000003/LegacyHookLegacyHookLegac", hook("ops", true)],
    ]),
    nextTs() {
      last += 1_500_000;
      return `${Math.floor(last / 1e6)}.${String(last % 1e6).padStart(6, "0")}`;
    },
  };
}
