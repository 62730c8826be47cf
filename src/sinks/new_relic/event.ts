/** News as a custom event of New Relic's. */

import type { SinkNews } from "../news.ts";
import { timestampIn, type TimeWindow } from "../timestamp.ts";
import { factsOf } from "./facts.ts";

/** A day before and behind New Relic's clock; an hour for the way and the clocks. */
const WINDOW: TimeWindow = { pastMs: 23 * 3_600_000, futureMs: 23 * 3_600_000 };

/** An event as the Event API takes it: texts and numbers alone. */
export interface NewRelicEvent {
  eventType: "SrvAuditSession" | "SrvAuditCommand";
  /** Milliseconds since 1970. */
  timestamp: number;
  [fact: string]: string | number;
}

/** @param nowMs the time of the delivery, in milliseconds since 1970 */
export function newRelicEvent(news: SinkNews, nowMs: number): NewRelicEvent {
  const { ms, isOfDelivery } = timestampIn(WINDOW, news.atUs, nowMs);
  return {
    ...factsOf(news),
    eventType: news.command ? "SrvAuditCommand" : "SrvAuditSession",
    timestamp: ms,
    ...(isOfDelivery ? { timestampIs: "delivery" } : {}),
  };
}
