/** News as an event of Datadog's: what people are to see in the Events Explorer, and monitors may wait for. */

import { cutToLength, ellipsized } from "../cut_text.ts";
import { isUrgent, type SinkNews } from "../news.ts";
import { sentenceOf } from "../sentence.ts";
import { isoTime, timestampIn } from "../timestamp.ts";
import { DATADOG_WINDOW } from "./log.ts";

const LONGEST_TITLE = 100;
const LONGEST_TEXT = 4_000;
const LONGEST_KEY = 100;
const LONGEST_TAG = 200;
const KINDS: readonly SinkNews["kind"][] = ["session opened", "session closed", "tamper", "test"];

/** An event as the Events API takes it. */
export interface DatadogEvent {
  title: string;
  text: string;
  /** Seconds since 1970. */
  date_happened: number;
  /** Events of one session are shown as one. */
  aggregation_key: string;
  alert_type: "info" | "warning" | "error";
  priority: "normal" | "low";
  host: string;
  tags: readonly string[];
  /** One that Datadog knows for what is nobody's integration. */
  source_type_name: "my_apps";
}

/** Whether news are an event, too: how sessions begin and end, and what somebody must look at. */
export function isDatadogEvent({ kind }: SinkNews): boolean {
  return KINDS.includes(kind);
}

/**
 * @param tags of the config
 * @param nowMs the time of the delivery, in milliseconds since 1970
 */
export function datadogEvent(news: SinkNews, tags: readonly string[], nowMs: number): DatadogEvent {
  const { kind, session, owner, ticket, ticketUrl, host } = news;
  const user = (session ?? owner)?.user;
  const { ms, isOfDelivery } = timestampIn(DATADOG_WINDOW, news.atUs, nowMs);
  const { start, words } = sentenceOf(news);
  const facts = [
    ["host", host],
    ["session", session?.id],
    ["ticket", ticketUrl],
    // The event's own date is that of its delivery then.
    ["happened at", isOfDelivery ? isoTime(news.atUs) : undefined],
    ["id", news.id],
  ].flatMap(([name, value]) => value ? [`${name}: ${value}`] : []).join("\n");
  return {
    title: ellipsized(harmless(start.replace(/[: $]+$/, "") + ` on ${host}`), LONGEST_TITLE),
    // The words last: they are what is cut.
    text: ellipsized(harmless(`${facts}\n\n${start}${words}`), LONGEST_TEXT),
    date_happened: Math.floor(ms / 1000),
    aggregation_key: ellipsized(session ? `srvaudit ${session.id}` : `srvaudit ${host}`, LONGEST_KEY),
    alert_type: kind === "tamper" ? "error" : isUrgent(news) ? "warning" : "info",
    priority: session?.mode === "command" && !isUrgent(news) ? "low" : "normal",
    host,
    tags: [
      ...tags,
      "service:srvaudit",
      tag("event", kind),
      ...(user === undefined ? [] : [tag("user", user)]),
      ...(ticket === null ? [] : [tag("ticket", ticket)]),
    ],
    source_type_name: "my_apps",
  };
}

/** Nobody who types an @ notifies others by it, and nobody's %%% makes Markdown of what follows: an invisible joiner keeps them from it. */
function harmless(text: string): string {
  return text.replaceAll(/@|%(?=%)/g, "$&\u2060");
}

function tag(name: string, value: string): string {
  return cutToLength(`${name}:${value.replaceAll(/[^\p{L}\p{N}_./-]/gu, "_")}`, LONGEST_TAG).text;
}
