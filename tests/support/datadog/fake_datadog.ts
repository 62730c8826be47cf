/**
 * A Datadog for tests, as strict as the published reference: what that says is truncated, not indexed or rejected without a word
 * is kept apart, so that a test sees it. Each handler names its page.
 */

import { FakeIntake, type IntakeReply, type IntakeRequest } from "../fake_intake.ts";
import { EventWorld } from "./events.ts";
import { LogWorld } from "./logs.ts";

/** Datadog on loopback: logs and events, at one address. */
export class FakeDatadog extends FakeIntake {
  readonly key: string;
  readonly logs: LogWorld;
  readonly events: EventWorld;

  private constructor(key: string, logs: LogWorld, events: EventWorld) {
    super((request) => answer(request, key, logs, events));
    this.key = key;
    this.logs = logs;
    this.events = events;
  }

  /** Starts one, with a key of its own. */
  static start(): FakeDatadog {
    const key = crypto.randomUUID().replaceAll("-", "");
    return new FakeDatadog(key, new LogWorld(), new EventWorld());
  }
}

function answer(request: IntakeRequest, key: string, logs: LogWorld, events: EventWorld): IntakeReply {
  const { method, url, headers } = request;
  const path = url.pathname;
  if (path !== "/api/v2/logs" && path !== "/api/v1/events") {
    return { status: 404, body: { errors: ["Not found"] } };
  }
  if (method !== "POST") return { status: 405, body: { errors: ["Method not allowed"] } };
  // API Reference, Authentication: https://docs.datadoghq.com/api/latest/authentication/
  if (headers.get("dd-api-key") !== key) {
    if (path === "/api/v1/events") return { status: 403, body: { errors: ["Forbidden"] } };
    return headers.has("dd-api-key")
      ? refusal(403, "Forbidden", "API key is invalid")
      : refusal(401, "Unauthorized", "Missing API key");
  }
  return path === "/api/v2/logs" ? logs.take(request) : events.take(request);
}

/** HTTPLogErrors, of the same page as "Send logs". */
export function refusal(status: number, title: string, detail: string): IntakeReply {
  return { status, body: { errors: [{ status: String(status), title, detail }] } };
}

/** API Reference, Rate limits: https://docs.datadoghq.com/api/latest/rate-limits/ ; there is no Retry-After. */
export function tooMany(resetSeconds: number): IntakeReply {
  return {
    status: 429,
    body: { errors: ["Too many requests"] },
    headers: {
      "x-ratelimit-limit": "250000",
      "x-ratelimit-period": "60",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(resetSeconds),
      "x-ratelimit-name": "event_submission",
    },
  };
}
