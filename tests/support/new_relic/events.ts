/** What New Relic makes of custom events: https://docs.newrelic.com/docs/data-apis/ingest-apis/event-api/introduction-event-api/ */

import { type IntakeReply, type IntakeRequest, isRecord, parsedJson } from "../fake_intake.ts";

const MOST_BYTES = 1_000_000;
const LONGEST_VALUE = 4_096;
const LONGEST_NAME = 255;
/** Data requirements and limits: 254, and `eventType`. */
const MOST_ATTRIBUTES = 255;
const WINDOW_MS = 24 * 3_600_000;
/** .../custom-events/data-requirements-limits-custom-event-data/, Reserved words, and those of log forwarding. */
const RESERVED = new Set(
  ("ago and as auto begin begintime compare day days end endtime explain facet from hour hours in is like limit minute " +
    "minutes month months not null offset or raw second seconds select since timeseries until week weeks where with " +
    "accountId appId entity.guid entity.name entity.type log hostname plugin.type fb.input").split(" "),
);

/** An event as it came. */
export type CustomEvent = Record<string, unknown>;

/** The custom events of an account. */
export class CustomEvents {
  readonly stored: CustomEvent[] = [];
  /** What was answered with 200 and became an NrIntegrationError, and why. */
  readonly dropped: { why: string; event: unknown }[] = [];

  take({ headers, body }: IntakeRequest): IntakeReply {
    if (headers.get("content-type")?.split(";")[0] !== "application/json") return { status: 415, body: {} };
    if (!body || body.length === 0) {
      return { status: 400, body: { error: "Unable to process empty request" } };
    }
    if (body.length > MOST_BYTES) return { status: 413, body: { error: "Request is too large to process" } };
    const events = parsedJson(body);
    // Parsing errors come after the answer.
    if (!Array.isArray(events)) this.dropped.push({ why: "Error parsing JSON payload", event: events });
    else for (const event of events) this.#store(event);
    return { status: 200, body: { success: true, uuid: crypto.randomUUID() } };
  }

  #store(event: unknown): void {
    const why = whyDropped(event);
    if (why === undefined && isRecord(event)) this.stored.push(event);
    else this.dropped.push({ why: why ?? "no object", event });
  }
}

/** Parsing errors, of the same page. */
function whyDropped(event: unknown): string | undefined {
  if (!isRecord(event)) return "no object";
  const { eventType, timestamp } = event;
  if (typeof eventType !== "string") return "missing required attributes `eventType`";
  if (!/^[A-Za-z0-9_:]{1,255}$/.test(eventType)) return "characters of `eventType`";
  if (/^(Metric(Raw|[0-9].*)?$|Public_)/.test(eventType)) return "`eventType` is New Relic's own";
  if (Object.keys(event).length > MOST_ATTRIBUTES) return "event exceeded maximum number of attributes";
  for (const [name, value] of Object.entries(event)) {
    if (name === "" || name.length > LONGEST_NAME) return "attribute name exceeded maximum length";
    if (!/^[A-Za-z0-9:._]+$/.test(name) || RESERVED.has(name)) return `the name ${name}`;
    if (typeof value !== "string" && typeof value !== "number") return `${name} is neither text nor number`;
    if (typeof value === "string" && value.length > LONGEST_VALUE) {
      return "attribute value exceeded maximum length";
    }
  }
  if (typeof timestamp !== "number" || !Number.isInteger(timestamp)) return "a timestamp with decimals";
  return Math.abs(Date.now() - timestamp) > WINDOW_MS ? "timestamp is not within a day" : undefined;
}
