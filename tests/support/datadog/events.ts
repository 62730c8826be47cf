/** What Datadog makes of events: https://docs.datadoghq.com/api/latest/events/#post-an-event (v1) */

import { type IntakeReply, type IntakeRequest, isRecord, parsedJson } from "../fake_intake.ts";

const TEXTS = [
  "title",
  "text",
  "aggregation_key",
  "alert_type",
  "device_name",
  "host",
  "priority",
  "source_type_name",
];
const KNOWN = [...TEXTS, "date_happened", "related_event_id", "tags"];
const ALERTS = ["error", "warning", "info", "success", "user_update", "recommendation", "snapshot"];
const LONGEST = { title: 100, text: 4_000, aggregation_key: 100 } as const;

/** An event as it came. */
export type PostedEvent = Record<string, unknown>;

/** The events of an organisation. */
export class EventWorld {
  readonly posted: PostedEvent[] = [];
  /** Whom events have notified: @NAME in their texts. */
  readonly notified: string[] = [];

  take({ headers, body }: IntakeRequest): IntakeReply {
    if (!headers.get("content-type")?.startsWith("application/json")) return bad("Content type is not JSON");
    const event = body && parsedJson(body);
    if (!isRecord(event)) return bad("Invalid JSON structure");
    const why = whyNot(event);
    if (why !== undefined) return bad(why);
    this.posted.push(event);
    // Events, Guides: "@" and a name in an event's text notify.
    for (const [, name] of `${event.title}\n${event.text}`.matchAll(/@([\w.+-]+)/g)) {
      this.notified.push(name ?? "");
    }
    return { status: 202, body: { status: "ok", event: { id: this.posted.length, ...event } } };
  }
}

function bad(why: string): IntakeReply {
  return { status: 400, body: { errors: [why] } };
}

/** EventCreateRequest, of the same page. */
function whyNot(event: PostedEvent): string | undefined {
  const odd = Object.keys(event).find((name) => !KNOWN.includes(name));
  if (odd !== undefined) return `Unknown field ${odd}`;
  for (const name of ["title", "text"]) if (typeof event[name] !== "string") return `${name} is required`;
  const noText = TEXTS.find((name) => event[name] !== undefined && typeof event[name] !== "string");
  if (noText !== undefined) return `${noText} is no string`;
  for (const [name, most] of Object.entries(LONGEST)) {
    const value = event[name];
    if (typeof value === "string" && value.length > most) return `${name} is longer than ${most} characters`;
  }
  if (event.alert_type !== undefined && !ALERTS.includes(String(event.alert_type))) {
    return "Unknown alert_type";
  }
  if (event.priority !== undefined && !["normal", "low"].includes(String(event.priority))) {
    return "Unknown priority";
  }
  if (event.tags !== undefined && !isTags(event.tags)) return "tags is no list of strings";
  const { date_happened: date } = event;
  if (date === undefined) return undefined;
  if (typeof date !== "number" || !Number.isInteger(date)) return "date_happened is no integer";
  if (Date.now() / 1000 - date > 18 * 3600) return "date_happened is older than 18 hours";
  return date * 1000 - Date.now() > 2 * 3_600_000 ? "date_happened is in the future" : undefined;
}

/** Getting started, Tags: https://docs.datadoghq.com/getting_started/tagging/ */
function isTags(tags: unknown): boolean {
  return Array.isArray(tags) &&
    tags.every((tag) =>
      typeof tag === "string" && tag.length <= 200 && /^\p{L}[\p{L}\p{N}_\-:./]*$/u.test(tag)
    );
}
