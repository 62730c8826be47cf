/**
 * A New Relic for tests, as strict as the published reference: what that says is dropped without a word is kept apart, so that a
 * test sees it. Each handler names its page.
 */

import { FakeIntake, type IntakeReply, type IntakeRequest } from "../fake_intake.ts";
import { CustomEvents } from "./events.ts";
import { LogWorld } from "./logs.ts";

/** New Relic on loopback: logs and custom events, at one address. */
export class FakeNewRelic extends FakeIntake {
  readonly licenseKey: string;
  readonly account = "1234567";
  readonly logs: LogWorld;
  readonly events: CustomEvents;

  private constructor(licenseKey: string, logs: LogWorld, events: CustomEvents) {
    super((request) => answer(request, licenseKey, logs, events));
    this.licenseKey = licenseKey;
    this.logs = logs;
    this.events = events;
  }

  /** Starts one, with a key of its own. */
  static start(): FakeNewRelic {
    // API keys, License key: 40 characters that end in NRAL.
    const key = crypto.randomUUID().replaceAll("-", "").padEnd(36, "0") + "NRAL";
    return new FakeNewRelic(key, new LogWorld(), new CustomEvents());
  }
}

function answer(request: IntakeRequest, key: string, logs: LogWorld, events: CustomEvents): IntakeReply {
  const path = request.url.pathname;
  const isLog = path === "/log/v1";
  const [, account] = /^\/v1\/accounts\/(\d+)\/events$/.exec(path) ?? [];
  if (!isLog && account === undefined) return { status: 404, body: {} };
  // Event API, Before generating your HTTP request: POST only.
  if (request.method !== "POST") return { status: 405, body: {} };
  if (request.headers.get("api-key") !== key || !isLog && account !== "1234567") {
    return { status: 403, body: isLog ? {} : { error: "Invalid license key" } };
  }
  return isLog ? logs.take(request) : events.take(request);
}

/** Introduction to the Log API, Rate limit violations: until the end of the minute, with Retry-After. */
export function tooMany(retryAfterSeconds: number): IntakeReply {
  return { status: 429, body: {}, headers: { "retry-after": String(retryAfterSeconds) } };
}
