import assert from "node:assert/strict";
import { SinkDeniedError, SinkRefusedError, SinkUnavailableError } from "../../src/sinks/sink.ts";
import { Meeting } from "../support/slack/meeting.ts";
import { closingOf, commandOf, emergencyOf, newsOf, sessionOf } from "../support/slack/news.ts";

const bob = sessionOf({ id: "0193f5d0-0000-7000-8000-000000000002", user: "bob" });

Deno.test("a webhook gets one message for each thing that happens, several in one post, with a text for notifications", async () => {
  await using met = Meeting.hook();
  assert.equal(await met.tell(newsOf(0, "session opened")), "ok: 1 message");
  await met.tell(
    newsOf(1, "note", { text: "rm -rf was me" }),
    newsOf(2, "status", { change: { from: "Open", to: "Done" } }),
    newsOf(3, "ticket switched", { change: { from: "OPS-16", to: "OPS-17" } }),
    closingOf(4),
  );
  assert.equal(met.messages().length, 2);
  const [opened, rest] = met.texts();
  assert.match(opened ?? "", /^alice on web1 opened a session · OPS-17/);
  assert.match(
    rest ?? "",
    /a note · [^]*\nrm -rf was me\nalice on web1 · OPS-17: Open → Done[^]*OPS-16 → OPS-17/,
  );
  assert.match(rest ?? "", /12 commands, 2 failed/);
  for (const { text } of met.messages()) assert.match(text, /^web1: alice \(OPS-17\)/);
  assert.ok(
    met.slack.requests.every(({ body }) => body.unfurl_links === false && body.channel === undefined),
  );
});

Deno.test("a webhook's emergencies go to their own, before the rest; without one they stand out among the rest", async () => {
  const batch = [newsOf(0, "note", { text: "calm" }), emergencyOf(1, "Jira is down")];
  await using apart = Meeting.hook((slack) => ({ emergencyUrl: slack.hook(1) }));
  await apart.tell(...batch);
  assert.match(apart.texts("emergencies").join(), /^Emergency: a login without a ticket[^]*Jira is down$/);
  assert.doesNotMatch(apart.texts().join(), /Emergency/);
  assert.match(apart.slack.requests[0]?.line ?? "", /Urgent/);
  await using together = Meeting.hook();
  await together.tell(...batch);
  assert.match(together.texts().join(), /calm\nEmergency: a login without a ticket/);
});

Deno.test("a legacy webhook posts to the channels that are named; an app's has its own", async () => {
  const channels = { channel: "#ops", emergencyChannel: "#emergencies" };
  await using legacy = Meeting.hook((slack) => ({ url: slack.hook(2), ...channels }));
  await legacy.tell(newsOf(0, "session opened"), newsOf(1, "tamper", { text: "the hooks were removed" }));
  assert.equal(legacy.messages().length, 1);
  assert.match(legacy.texts("emergencies").join(), /^Tamper/);
  await using apps = Meeting.hook(() => channels);
  await apps.tell(newsOf(0, "session opened"), newsOf(1, "tamper", { text: "the hooks were removed" }));
  assert.equal(apps.messages().length, 2);
});

Deno.test("what a webhook has taken is not told again when the rest of its batch fails", async () => {
  await using met = Meeting.hook((slack) => ({ emergencyUrl: slack.hook(1) }));
  const batch = [emergencyOf(0, "Jira is down"), newsOf(1, "note", { text: "calm" })];
  {
    using _down = met.slack.fault({
      on: /Usual/,
      what: { kind: "status", status: 500, text: "rollup_error" },
    });
    await assert.rejects(met.tell(...batch), SinkUnavailableError);
    await assert.rejects(met.tell(...batch), SinkUnavailableError);
  }
  await met.tell(...batch);
  assert.equal(met.messages("emergencies").length, 1);
  assert.equal(met.messages().length, 1);
});

Deno.test("commands go to a webhook a hundred in a post, and very many in few", async () => {
  await using met = Meeting.hook();
  const batch = Array.from(
    { length: 400 },
    (_, i) => commandOf(i, `echo ${i}`, i % 2 ? { session: bob } : {}, i % 3 ? 0 : 1),
  );
  assert.ok(batch.reduce((sum, news) => sum + met.sink.sizeOf(news), 0) <= met.sink.limits.bytes);
  await met.tell(...batch);
  assert.equal(met.messages().length, 1);
  assert.match(met.texts().join(), /alice on web1 · OPS-17 · 200 commands, 67 failed[^]*\.\.\. and 192 more/);
});

Deno.test("a webhook's errors say whether to wait, to mend or to leave it; and never the address", async () => {
  await using met = Meeting.hook();
  const ops = met.slack.channel("ops");
  const hook = met.slack.world.hooks.values().next().value;
  assert.ok(hook);
  const failing = async (kind: new (...words: never[]) => Error, words: RegExp) => {
    await assert.rejects(met.tell(newsOf(0, "note", { text: "x" })), (error) => {
      assert.ok(error instanceof kind, String(error));
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /UsualHook|B00000001/);
      return true;
    });
  };
  ops.isArchived = true;
  await failing(SinkDeniedError, /410.*channel_is_archived: unarchive/);
  ops.isArchived = false;
  hook.isSwitchedOff = true;
  await failing(SinkDeniedError, /404.*no_service: the webhook is gone/);
  hook.isSwitchedOff = false;
  const answers: [number, string, new (...words: never[]) => Error, RegExp][] = [
    [400, "invalid_payload", SinkRefusedError, /invalid_payload/],
    [400, "no_text", SinkRefusedError, /no_text/],
    [400, "invalid_blocks", SinkRefusedError, /invalid_blocks/],
    [400, "user_not_found", SinkDeniedError, /slackChannel/],
    [403, "invalid_token", SinkDeniedError, /invalid_token: the webhook's address/],
    [403, "action_prohibited", SinkDeniedError, /action_prohibited/],
    [404, "channel_not_found", SinkDeniedError, /channel_not_found/],
    [404, "no_team", SinkDeniedError, /no_team/],
    [500, "rollup_error", SinkUnavailableError, /rollup_error/],
    [503, "<html>busy</html>", SinkUnavailableError, /503/],
    [200, "<html>Sign in</html>", SinkUnavailableError, /not with "ok"/],
  ];
  for (const [status, text, kind, words] of answers) {
    using _fault = met.slack.fault({ on: /services/, what: { kind: "status", status, text } });
    await failing(kind, words);
  }
  using _busy = met.slack.fault({
    on: /services/,
    what: { kind: "status", status: 429, text: "rate_limited", retryAfterS: 7 },
  });
  await assert.rejects(met.tell(newsOf(0, "note", { text: "x" })), { retryAfterMs: 7000 });
  assert.equal(met.messages().length, 0);
});
