/** News as an entry of New Relic's logs. */

import { cutToJsonBytes, marked } from "../cut_text.ts";
import type { SinkNews } from "../news.ts";
import { sentenceOf } from "../sentence.ts";
import { timestampIn, type TimeWindow } from "../timestamp.ts";
import { weightOf } from "../weight.ts";
import { type Facts, factsOf } from "./facts.ts";

/** The first 4094 characters can be searched for, 128 KB are kept (as a blob), and what is behind that is thrown away. */
const MOST_MESSAGE_BYTES = 120_000;
/** Logs older than 48 hours may be thrown away; of those that are ahead nothing is said, so that what holds for events is taken. */
const WINDOW: TimeWindow = { pastMs: 47 * 3_600_000, futureMs: 23 * 3_600_000 };
const LEVELS = { usual: "INFO", failure: "WARN", emergency: "CRITICAL", tamper: "ALERT" } as const;

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
  const message = cutToJsonBytes(start + words, MOST_MESSAGE_BYTES);
  const attributes = factsOf(news);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "string") attributes[name] = notJson(value);
  }
  return {
    timestamp: ms,
    message: marked(message),
    attributes: {
      ...attributes,
      level: LEVELS[weightOf(news)],
      // The log's own time is then that of its delivery, and `happenedAt` the true one.
      ...(isOfDelivery ? { timestampIs: "delivery" } : {}),
      ...(message.cut === 0 ? {} : { cutCharacters: message.cut }),
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
