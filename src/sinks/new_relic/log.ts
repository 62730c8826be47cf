/** News as an entry of New Relic's logs. */

import { cutToJsonBytes } from "../cut_text.ts";
import type { SinkNews } from "../news.ts";
import { sentenceOf } from "../sentence.ts";
import { timestampIn, type TimeWindow } from "../timestamp.ts";
import { type Facts, factsOf } from "./facts.ts";

/** The first 4094 characters can be searched for, 128 KB are kept (as a blob), and what is behind that is thrown away. */
const MOST_MESSAGE_BYTES = 120_000;
/** Logs older than 48 hours may be thrown away; of those that are ahead nothing is said, so that what holds for events is taken. */
const WINDOW: TimeWindow = { pastMs: 47 * 3_600_000, futureMs: 23 * 3_600_000 };

/** An entry as the Log API takes it. */
export interface NewRelicLog {
  /** Milliseconds since 1970. */
  timestamp: number;
  message: string;
  attributes: Facts;
}

/** @param nowMs the time of the delivery, in milliseconds since 1970 */
export function newRelicLog(news: SinkNews, nowMs: number): NewRelicLog {
  const { ms, isOfDelivery } = timestampIn(WINDOW, news.atUs, nowMs);
  const { start, words } = sentenceOf(news);
  const { text, cut } = cutToJsonBytes(start + words, MOST_MESSAGE_BYTES);
  const attributes = factsOf(news);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "string") attributes[name] = notJson(value);
  }
  return {
    timestamp: ms,
    message: cut === 0 ? text : `${text} [${cut} more characters]`,
    attributes: {
      ...attributes,
      level: levelOf(news),
      // The log's own time is then that of its delivery, and `happenedAt` the true one.
      ...(isOfDelivery ? { timestampIs: "delivery" } : {}),
      ...(cut === 0 ? {} : { cutCharacters: cut }),
    },
  };
}

/**
 * A value that begins as a JSON object is read as one, and what is in it becomes attributes of the log: a command such as
 * `{"exitCode":0}` would say how it ended. With a backslash before it, it is none; who reads it takes one away.
 */
function notJson(value: string): string {
  return /^[\s\\]*\{/.test(value) ? `\\${value}` : value;
}

function levelOf({ kind, session, command }: SinkNews): string {
  if (kind === "tamper") return "ALERT";
  if (kind === "session opened" && session?.emergency !== undefined) return "CRITICAL";
  return kind === "command" && command?.exitCode !== 0 ? "WARN" : "INFO";
}
