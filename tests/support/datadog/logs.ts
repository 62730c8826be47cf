/** What Datadog makes of logs: https://docs.datadoghq.com/api/latest/logs/#send-logs (v2) */

import { type IntakeReply, type IntakeRequest, isRecord, parsedJson } from "../fake_intake.ts";
import { refusal } from "./fake_datadog.ts";

const MOST_ENTRIES = 1_000;
const MOST_BYTES = 5_000_000;
const MOST_ENTRY_BYTES = 1_000_000;
const HOUR_MS = 3_600_000;
/** Which of an entry's parts are texts, by HTTPLogItem of the same page. */
const TEXTS = ["ddsource", "ddtags", "hostname", "message", "service"];
/** Pipelines, Preprocessing, Date attribute: https://docs.datadoghq.com/logs/log_configuration/pipelines/?tab=date */
const DATES = ["@timestamp", "timestamp", "_timestamp", "Timestamp", "eventTime", "date", "published_date"];

/** An entry as it came. */
export type LogEntry = Record<string, unknown>;

/** The logs of an organisation. */
export class LogWorld {
  /** What can be searched for, in the order of its coming. */
  readonly indexed: LogEntry[] = [];
  /** What was answered with 202 and is nowhere, or not as it came, and why. */
  readonly spoilt: { why: string; entry: LogEntry }[] = [];

  take({ headers, body }: IntakeRequest): IntakeReply {
    if (!headers.get("content-type")?.startsWith("application/json")) {
      return refusal(415, "Unsupported Media Type", "application/json is the content type of this fake");
    }
    if (!body) return refusal(400, "Bad Request", "Could not decompress the payload");
    if (body.length > MOST_BYTES) return refusal(413, "Request Entity Too Large", "Payload is too big");
    const entries = parsedJson(body);
    if (!Array.isArray(entries) || entries.length === 0) {
      return refusal(400, "Bad Request", "Invalid JSON payload");
    }
    // The page names the limit, and 413 for what is above the limits of a batch.
    if (entries.length > MOST_ENTRIES) {
      return refusal(413, "Request Entity Too Large", "Too many entries in the array");
    }
    const odd = entries.find((entry) => !isRecord(entry) || !isLogItem(entry));
    if (odd !== undefined) return refusal(400, "Bad Request", `Not a log item: ${JSON.stringify(odd)}`);
    for (const entry of entries) this.#index(entry);
    return { status: 202, body: {} };
  }

  #index(entry: LogEntry): void {
    const why = this.#spoilsOf(entry);
    if (why !== undefined) this.spoilt.push({ why, entry });
    else this.indexed.push(entry);
  }

  /** Log collection, its notes: https://docs.datadoghq.com/logs/log_collection/ */
  #spoilsOf(entry: LogEntry): string | undefined {
    const bytes = new TextEncoder().encode(JSON.stringify(entry)).length;
    if (bytes > MOST_ENTRY_BYTES) return `truncated at 1 MB: it has ${bytes} bytes`;
    const date = DATES.map((name) => entry[name]).find((value) => value !== undefined);
    if (typeof date !== "number" || !Number.isInteger(date)) return "no date in milliseconds";
    const ageMs = Date.now() - date;
    if (ageMs > 18 * HOUR_MS) return "older than 18 hours";
    if (ageMs < -2 * HOUR_MS) return "more than 2 hours ahead";
    if (tagsOf(entry).length > 100 || tagsOf(entry).some((tag) => tag.length > 256)) return "too many tags";
    const attributes = leavesOf(entry, []);
    if (attributes.length >= 256) return `${attributes.length} attributes`;
    const name = attributes.find((path) => path.length >= 10 || path.some((part) => part.length >= 50));
    if (name) return `the attribute ${name.join(".")} is too deep, or its name too long`;
    // A message that is JSON is parsed, and what is in it becomes the log's attributes.
    if (typeof entry.message === "string" && /^\s*\{/.test(entry.message)) return "the message is JSON";
    return undefined;
  }
}

function isLogItem(entry: LogEntry): boolean {
  return typeof entry.message === "string" &&
    TEXTS.every((name) => entry[name] === undefined || typeof entry[name] === "string");
}

function tagsOf({ ddtags }: LogEntry): string[] {
  return typeof ddtags === "string" ? ddtags.split(",") : [];
}

function leavesOf(value: unknown, path: string[]): string[][] {
  if (!isRecord(value)) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]));
}
