import assert from "node:assert/strict";
import { HttpReplyError, HttpStatusError, HttpUnreachableError } from "../../src/net/http.ts";
import { reasonsOf, trackerError } from "../../src/trackers/http_errors.ts";
import {
  TicketRefusedError,
  TrackerDeniedError,
  TrackerUnavailableError,
} from "../../src/trackers/tracker.ts";

function ofStatus(status: number, body?: unknown, retryAfterMs?: number): Error {
  return trackerError(
    new HttpStatusError(`Jira: POST /x: answered ${status}`, status, body, retryAfterMs),
  );
}

Deno.test("trackerError() calls a tracker unavailable that does not answer, or not as it should", () => {
  for (const error of [new HttpUnreachableError("Jira: no answer"), new HttpReplyError("Jira: no JSON")]) {
    const translated = trackerError(error);
    assert.ok(translated instanceof TrackerUnavailableError);
    assert.ok(!(translated instanceof TrackerDeniedError));
    assert.equal(translated.message, error.message);
  }
  for (const status of [302, 407, 408, 410, 429, 500, 502, 503, 504]) {
    const translated = ofStatus(status, undefined, 7000);
    assert.ok(translated instanceof TrackerUnavailableError, String(status));
    assert.equal(translated.retryAfterMs, 7000);
  }
  assert.equal((ofStatus(503) as TrackerUnavailableError).retryAfterMs, undefined);
});

Deno.test("trackerError() tells a key that is not taken from a request that is refused, with the service's words", () => {
  assert.ok(ofStatus(401) instanceof TrackerDeniedError);
  for (const status of [400, 409, 413, 422]) {
    const refused = ofStatus(status, { errors: ["Subject cannot be blank", "Environment is invalid"] });
    assert.ok(refused instanceof TicketRefusedError);
    assert.equal(
      refused.message,
      `Jira: POST /x: answered ${status}: Subject cannot be blank; Environment is invalid`,
    );
  }
  assert.equal(ofStatus(400).message, "Jira: POST /x: answered 400");
  assert.ok(ofStatus(400, { errors: ["x".repeat(100_000)] }).message.length < 1100);
});

Deno.test("trackerError() leaves to the tracker what depends on what was asked", () => {
  for (const status of [403, 404]) assert.ok(ofStatus(status) instanceof HttpStatusError);
  const other = new TypeError("a fault of ours");
  assert.equal(trackerError(other), other);
  assert.equal(trackerError("thrown").message, "thrown");
});

Deno.test("reasonsOf() reads Redmine's and Jira's ways to say what is wrong", () => {
  assert.deepEqual(reasonsOf({ errors: ["Subject cannot be blank"] }), ["Subject cannot be blank"]);
  assert.deepEqual(
    reasonsOf({ errorMessages: ["No such issue"], errors: { summary: "You must specify a summary" } }),
    ["No such issue", "summary: You must specify a summary"],
  );
  assert.deepEqual(reasonsOf({ message: "Client must be authenticated" }), ["Client must be authenticated"]);
  for (
    const nothing of [undefined, null, [], "text", 7, {}, { errors: [] }, { errors: 7 }, { errors: [7] }]
  ) {
    assert.deepEqual(reasonsOf(nothing), []);
  }
});
