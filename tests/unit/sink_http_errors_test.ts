import assert from "node:assert/strict";
import { HttpError, HttpReplyError, HttpStatusError, HttpUnreachableError } from "../../src/net/http.ts";
import { sinkError } from "../../src/sinks/http_errors.ts";
import { SinkDeniedError, SinkRefusedError, SinkUnavailableError } from "../../src/sinks/sink.ts";

function ofStatus(status: number, retryAfterMs?: number): unknown {
  return sinkError(new HttpStatusError(`Slack: POST: answered ${status}`, status, undefined, retryAfterMs));
}

Deno.test("sinkError() asks for patience where there is no answer, or one that asks for it", () => {
  for (const error of [new HttpUnreachableError("Slack: no answer"), new HttpReplyError("Slack: no JSON")]) {
    const translated = sinkError(error);
    assert.ok(translated instanceof SinkUnavailableError);
    assert.deepEqual([translated.message, translated.cause, translated.retryAfterMs], [
      error.message,
      error,
      undefined,
    ]);
  }
  for (const status of [408, 409, 425, 429, 500, 502, 503, 504]) {
    const translated = ofStatus(status, 7000);
    assert.ok(translated instanceof SinkUnavailableError, String(status));
    assert.equal(translated.retryAfterMs, 7000);
  }
});

Deno.test("sinkError() blames the batch only for what may be the batch's fault, and else the config", () => {
  for (const status of [400, 413, 415, 422, 431]) assert.ok(ofStatus(status) instanceof SinkRefusedError);
  for (const status of [302, 308, 401, 402, 403, 404, 405, 407, 410]) {
    assert.ok(ofStatus(status) instanceof SinkDeniedError, String(status));
  }
  assert.ok(sinkError(new HttpError('caFile="/x" cannot be used')) instanceof SinkDeniedError);
});

Deno.test("sinkError() adds what the receiver says, and leaves alone what is not HTTP's", () => {
  const refused = sinkError(
    new HttpStatusError("Slack: POST: answered 400", 400, undefined, undefined),
    "no_text",
  );
  assert.ok(refused instanceof SinkRefusedError);
  assert.equal(refused.message, "Slack: POST: answered 400: no_text");
  const bug = new TypeError("a bug");
  assert.equal(sinkError(bug), bug);
});
