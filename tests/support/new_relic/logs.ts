/** What New Relic makes of logs: https://docs.newrelic.com/docs/logs/log-api/introduction-log-api/ */

import { type IntakeReply, type IntakeRequest, isRecord, parsedJson } from "../fake_intake.ts";

const MOST_BYTES = 1_000_000;
const MOST_ATTRIBUTES = 255;
const LONGEST_NAME = 255;
/** Behind the first 4094 characters a value is a blob, of so many bytes: .../log-api/log-event-data/ */
const MOST_BLOB_BYTES = 128_000;
const OLDEST_MS = 48 * 3_600_000;
const TYPES = ["application/json", "json", "application/gzip", "gzip"];
const DROPPED_NAMES = /^(accountId|eventType|entity\.(guid|name|type)|instrumentation\..*)$/;

/** A log as it is stored: with what is common, and with what was found in values that are JSON. */
export type StoredLog = Record<string, unknown>;

/** The logs of an account. */
export class LogWorld {
  readonly stored: StoredLog[] = [];
  /** What was answered with 202 and is nowhere, or not as it came, and why. */
  readonly spoilt: { why: string; log: unknown }[] = [];

  take({ headers, body }: IntakeRequest): IntakeReply {
    const [type = ""] = (headers.get("content-type") ?? "").split(";");
    if (!TYPES.includes(type)) return { status: 415, body: {} };
    if (!body) return { status: 400, body: {} };
    if (body.length > MOST_BYTES) return { status: 413, body: {} };
    const blocks = parsedJson(body);
    // Detailed JSON body message.
    if (!Array.isArray(blocks) || !blocks.every((block) => isRecord(block) && Array.isArray(block.logs))) {
      return { status: 400, body: {} };
    }
    for (const { common, logs } of blocks) {
      for (const log of logs) this.#store(isRecord(common?.attributes) ? common.attributes : {}, log);
    }
    return { status: 202, body: { requestId: crypto.randomUUID() } };
  }

  #store(common: StoredLog, log: unknown): void {
    const why = whySpoilt(log);
    if (why !== undefined || !isRecord(log)) {
      this.spoilt.push({ why: why ?? "no object", log });
      return;
    }
    const { timestamp, message, attributes } = log;
    const all = { ...common, ...(isRecord(attributes) ? attributes : {}), timestamp, message };
    // Supported attribute types: "if a string value is stringified JSON, it will be parsed and its fields extracted".
    const found = Object.values(all).map((value) => typeof value === "string" ? firstObjectOf(value) : {});
    this.stored.push(Object.assign({}, all, ...found));
  }
}

function whySpoilt(log: unknown): string | undefined {
  if (!isRecord(log)) return "no object";
  const odd = Object.keys(log).find((name) => !["timestamp", "message", "attributes"].includes(name));
  if (odd !== undefined) return `unknown: ${odd}`;
  const { timestamp, message, attributes } = log;
  if (typeof timestamp !== "number" || !Number.isInteger(timestamp)) return "no integer for a timestamp";
  if (Date.now() - timestamp > OLDEST_MS) return "older than 48 hours";
  if (typeof message !== "string") return "no message";
  if (!isRecord(attributes)) return "no attributes";
  const entries = Object.entries(attributes);
  if (entries.length > MOST_ATTRIBUTES) return "too many attributes";
  for (const [name, value] of [...entries, ["message", message] as const]) {
    if (name.length > LONGEST_NAME || DROPPED_NAMES.test(name)) return `${name}: dropped during ingest`;
    if (!["string", "number", "boolean"].includes(typeof value)) return `${name}: unsupported type`;
    if (typeof value === "string" && new TextEncoder().encode(value).length > MOST_BLOB_BYTES) {
      return `${name}: truncated at 128 KB`;
    }
  }
  return undefined;
}

/** As JSON's readers do that leave what follows alone. */
function firstObjectOf(value: string): StoredLog {
  if (!/^\s*\{/.test(value)) return {};
  for (let end = value.indexOf("}"); end >= 0; end = value.indexOf("}", end + 1)) {
    try {
      return JSON.parse(value.slice(0, end + 1));
    } catch {
      // Not there yet.
    }
  }
  return {};
}
