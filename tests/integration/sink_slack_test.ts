import assert from "node:assert/strict";
import { SinkDeniedError, SinkRefusedError, SinkUnavailableError } from "../../src/sinks/sink.ts";
import { SlackSink } from "../../src/sinks/slack/slack_sink.ts";
import { FakeSlack } from "../support/slack/fake_slack.ts";
import { Meeting, NETWORK } from "../support/slack/meeting.ts";
import {
  botSettings,
  closingOf,
  commandOf,
  emergencyOf,
  newsOf,
  sessionOf,
  TestMemory,
} from "../support/slack/news.ts";
import { readBlocks } from "../support/slack/reader.ts";

const bob = sessionOf({ id: "0193f5d0-0000-7000-8000-000000000002", user: "bob" });

Deno.test("a bot posts one message a session, changes it as it goes on, and keeps notes and the end in its thread", async () => {
  await using met = Meeting.bot();
  await met.tell(newsOf(0, "session opened"));
  const [card] = met.messages();
  assert.ok(card);
  assert.match(met.texts()[0] ?? "", /^ alice on web1 · OPS-17 · from 10.0.0.9 · pts\/3\n/);
  assert.deepEqual(card.metadata?.event_payload, { session: sessionOf().id, host: "web1" });
  await met.tell(commandOf(1, "ls"), commandOf(2, "false", {}, 1));
  assert.match(met.texts()[0] ?? "", /2 commands, 1 failed · for 2.0 s so far$/);
  await met.tell(newsOf(3, "note", { text: "restarted nginx" }), commandOf(4, "w"));
  await met.tell(closingOf(312));
  assert.equal(met.messages().filter(({ thread }) => thread === null).length, 1);
  assert.match(met.texts()[0] ?? "", /12 commands, 2 failed · 1 note · over after 5m 12s$/);
  const thread = met.messages().filter((message) => message.thread === card.ts);
  assert.deepEqual(thread.map(({ isBroadcast }) => isBroadcast), [false, false]);
  assert.match(readBlocks(thread[0]?.blocks).text, /a note · .*\nrestarted nginx$/);
  assert.match(readBlocks(thread[1]?.blocks).text, /the session is over \(logout, exit 0\)/);
  for (const { text } of met.messages()) assert.notEqual(text, "");
  assert.deepEqual([...met.memory.kept], []);
});

Deno.test("a session that is over before anybody was told of it is one message, without a thread", async () => {
  await using met = Meeting.bot();
  await met.tell(newsOf(0, "session opened"), commandOf(1, "true"), closingOf(2));
  assert.equal(met.messages().length, 1);
  assert.match(met.texts()[0] ?? "", /over after 2.0 s$/);
  assert.deepEqual([...met.memory.kept], []);
});

Deno.test("a bot's emergencies stand in the thread and in the channel, or in a channel of their own", async () => {
  await using same = Meeting.bot();
  await same.tell(emergencyOf(0, "Jira is down"));
  await same.tell(newsOf(1, "tamper", { text: "the hooks were removed" }));
  const [card, ...thread] = same.messages();
  assert.deepEqual(thread.map(({ thread, isBroadcast }) => [thread === card?.ts, isBroadcast]), [
    [true, true],
    [true, true],
  ]);
  assert.deepEqual(readBlocks(card?.blocks).active.slice(0, 1), ["emoji:rotating_light"]);
  assert.match(same.texts()[0] ?? "", /1 × tamper.*\nJira is down$/);

  await using apart = Meeting.bot({ emergencyChannel: "#emergencies" });
  await apart.tell(emergencyOf(0, "Jira is down"));
  assert.deepEqual(apart.messages().map(({ isBroadcast }) => isBroadcast), [false, false]);
  assert.match(apart.texts("emergencies").join(), /^Emergency: a login without a ticket/);
  // What belongs to no session, or to none that is known of, stands for itself.
  await apart.tell(newsOf(1, "tamper", { text: "evidence was changed", session: null, ticket: null }));
  await apart.tell(newsOf(2, "tamper", { text: "late", session: bob }));
  assert.equal(apart.messages().length, 2);
  assert.equal(apart.messages("emergencies").length, 3);
  assert.deepEqual([...apart.memory.kept.keys()].filter((name) => name.includes(bob.id)), []);
});

Deno.test("a message that somebody has deleted is posted anew; one that nobody may change any more is left", async () => {
  await using met = Meeting.bot();
  await met.tell(newsOf(0, "session opened"));
  met.messages().splice(0);
  await met.tell(newsOf(1, "note", { text: "still here" }));
  const [card, note] = met.messages();
  assert.equal(note?.thread, card?.ts);
  using _closed = met.slack.fault({
    on: /chat\.update/,
    what: { kind: "error", error: "edit_window_closed" },
  });
  await met.tell(newsOf(2, "note", { text: "and on" }));
  assert.equal(met.messages().filter(({ thread }) => thread === null).length, 1);
  assert.equal(met.messages().length, 3);
});

for (const what of [{ kind: "cut" }, { kind: "error", error: "fatal_error", isDone: true }] as const) {
  Deno.test(`a post whose answer is lost (${what.kind}) is looked for before it is posted again, in channel and thread`, async () => {
    await using met = Meeting.bot({ channel: "#ops", emergencyChannel: "C000000EMER" });
    await met.tell(newsOf(0, "session opened"));
    const lose = (on: RegExp) => met.slack.fault({ on, times: 1, what });
    const opened = newsOf(1, "session opened", { session: bob });
    using _first = lose(/postMessage/);
    await assert.rejects(met.tell(opened), SinkUnavailableError);
    await met.tell(opened);
    assert.equal(met.messages().length, 2);
    using _second = lose(/postMessage/);
    const note = newsOf(2, "note", { text: "once", session: bob });
    await assert.rejects(met.tell(note), SinkUnavailableError);
    // What comes with it the next time is told, all the same.
    await met.tell(note, newsOf(3, "note", { text: "and this", session: bob }));
    assert.equal(met.texts().filter((text) => text.includes("once")).length, 1);
    assert.equal(met.texts().filter((text) => text.includes("and this")).length, 1);
    assert.equal(met.lines().filter((line) => line === "conversations.replies").length, 1);
  });
}

Deno.test("a post that nobody answered in time is looked for, too", async () => {
  await using met = Meeting.bot();
  const end = new AbortController();
  const batch = [newsOf(0, "session opened")];
  {
    using _silent = met.slack.fault({ on: /postMessage/, what: { kind: "silent", isDone: true } });
    const delivery = met.sink.deliver(batch, met.memory, end.signal);
    while (met.messages().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    end.abort();
    await assert.rejects(delivery, SinkUnavailableError);
    met.memory.forget();
  }
  await met.tell(...batch);
  assert.equal(met.messages().length, 1);
});

Deno.test("an agent that was killed after it had posted does not post again", async () => {
  await using met = Meeting.bot();
  const signal = new AbortController().signal;
  const batch = [newsOf(0, "session opened"), newsOf(1, "note", { text: "once" })];
  await met.sink.deliver(batch, met.memory, signal);
  met.memory.forget();
  met.restart();
  await met.tell(...batch, newsOf(2, "note", { text: "later" }));
  assert.equal(met.messages().filter(({ thread }) => thread === null).length, 1);
  assert.equal(met.texts().filter((text) => text.includes("once")).length, 1);
  assert.equal(met.texts().filter((text) => text.includes("later")).length, 1);
  // It looks once, and not before every message.
  const before = met.lines().filter((line) => line.startsWith("conversations")).length;
  await met.tell(newsOf(3, "note", { text: "much later" }));
  assert.equal(met.lines().filter((line) => line.startsWith("conversations")).length, before);
});

Deno.test("what is far back in a busy channel is found, page after page", async () => {
  await using met = Meeting.bot();
  await met.sink.deliver([newsOf(0, "session opened")], met.memory, new AbortController().signal);
  met.memory.forget();
  const { messages } = met.slack.channel("ops");
  for (let i = 0; i < 450; i++) {
    messages.push({
      ts: met.slack.world.nextTs(),
      text: `talk ${i}`,
      blocks: null,
      metadata: null,
      thread: null,
      isBroadcast: false,
      edits: 0,
    });
  }
  met.restart();
  await met.tell(newsOf(0, "session opened"));
  assert.equal(messages.length, 451);
});

Deno.test("without the scopes to look, it is posted once more rather than not at all, and says so", async () => {
  await using met = Meeting.bot();
  met.slack.world.scopes.delete("channels:history");
  using _cut = met.slack.fault({ on: /postMessage/, times: 1, what: { kind: "cut" } });
  await assert.rejects(met.tell(newsOf(0, "session opened")), SinkUnavailableError);
  assert.match(await met.tell(newsOf(0, "session opened")), /a message may come twice/);
  assert.equal(met.messages().length, 2);
});

Deno.test("a channel that is named is known by its ID from the first answer on, after a restart, too", async () => {
  await using met = Meeting.bot({ channel: "#ops" });
  await met.tell(newsOf(0, "session opened"));
  assert.equal(met.memory.kept.get("channel:#ops"), "C0000000OPS");
  await met.sink.deliver(
    [newsOf(1, "session opened", { session: bob })],
    met.memory,
    new AbortController().signal,
  );
  met.memory.forget();
  met.restart();
  await met.tell(newsOf(1, "session opened", { session: bob }));
  assert.equal(met.messages().length, 2);
});

Deno.test("the Web API's errors say whether to wait, to mend or to leave it; and never the token", async () => {
  await using met = Meeting.bot();
  const failing = async (kind: new (...words: never[]) => Error, words: RegExp) => {
    await assert.rejects(met.tell(newsOf(0, "session opened")), (error) => {
      assert.ok(error instanceof kind, String(error));
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /xoxb/);
      return true;
    });
  };
  const answers: [string, new (...words: never[]) => Error][] = [
    ["invalid_auth", SinkDeniedError],
    ["token_revoked", SinkDeniedError],
    ["account_inactive", SinkDeniedError],
    ["missing_scope", SinkDeniedError],
    ["not_in_channel", SinkDeniedError],
    ["channel_not_found", SinkDeniedError],
    ["is_archived", SinkDeniedError],
    ["restricted_action", SinkDeniedError],
    ["msg_too_long", SinkRefusedError],
    ["msg_blocks_too_long", SinkRefusedError],
    ["invalid_blocks", SinkRefusedError],
    ["metadata_too_large", SinkRefusedError],
    ["ratelimited", SinkUnavailableError],
    ["internal_error", SinkUnavailableError],
    ["service_unavailable", SinkUnavailableError],
    ["something_new", SinkUnavailableError],
  ];
  for (const [error, kind] of answers) {
    using _fault = met.slack.fault({ on: /chat\./, what: { kind: "error", error } });
    await failing(kind, new RegExp(`chat.postMessage for C0000000OPS: ${error}`));
  }
  {
    using _busy = met.slack.fault({ on: /chat\./, what: { kind: "error", error: "ratelimited" } });
    await assert.rejects(met.tell(newsOf(0, "session opened")), { retryAfterMs: 30_000 });
  }
  using _odd = met.slack.fault({ on: /chat\./, what: { kind: "error", error: "\x1b[31m <b>" } });
  await failing(SinkUnavailableError, /an error without a name/);
  using _busy = met.slack.fault({ on: /chat\./, what: { kind: "status", status: 429, retryAfterS: 11 } });
  await assert.rejects(met.tell(newsOf(0, "session opened")), { retryAfterMs: 11_000 });
  using _down = met.slack.fault({ on: /chat\./, what: { kind: "status", status: 503 } });
  await failing(SinkUnavailableError, /503/);
  assert.equal(met.messages().length, 0);
});

Deno.test("the fake's own refusals: a wrong token, a channel without the bot, an archived one", async () => {
  await using met = Meeting.bot({ channel: "C00000SECRT" });
  await assert.rejects(met.tell(newsOf(0, "session opened")), /not_in_channel: invite the app/);
  met.slack.channel("ops").isArchived = true;
  await using archived = new Meeting(met.slack, botSettings(met.slack));
  await assert.rejects(archived.tell(newsOf(0, "session opened")), /is_archived/);
  await using stranger = new Meeting(met.slack, botSettings(met.slack, { token: "xoxb-another" }));
  await assert.rejects(stranger.tell(newsOf(0, "session opened")), SinkDeniedError);
});

Deno.test("commands of very many sessions change few messages a batch, and none is forgotten", async () => {
  await using met = Meeting.bot();
  const sessions = Array.from({ length: 10 }, (_, i) => sessionOf({ id: `session-${i}`, user: `user${i}` }));
  for (const [i, session] of sessions.entries()) await met.tell(newsOf(i, "session opened", { session }));
  const before = met.slack.requests.length;
  const batch = sessions.flatMap((session, i) =>
    [1, 2, 3].map((n) => commandOf(100 + 3 * i + n, "ls", { session }))
  );
  assert.ok(batch.reduce((sum, news) => sum + met.sink.sizeOf(news), 0) <= met.sink.limits.bytes);
  await met.tell(...batch);
  assert.equal(met.slack.requests.length - before, 4);
  // A command of one brings those up to date that are behind.
  await met.tell(commandOf(200, "w", { session: sessions[0] ?? null }));
  await met.tell(commandOf(201, "w", { session: sessions[0] ?? null }));
  assert.equal(met.texts().filter((text) => /[345] commands, 0 failed/.test(text)).length, 10);
  assert.equal(met.memory.kept.get("behind"), undefined);
  // One that something else is told of is up to date with that.
  await met.tell(...batch);
  assert.match(met.memory.kept.get("behind") ?? "", /session-9$/);
  await met.tell(newsOf(300, "note", { text: "x", session: sessions[9] ?? null }));
  assert.doesNotMatch(met.memory.kept.get("behind") ?? "", /session-9/);
});

Deno.test("commands of a session that nobody was told of post nothing", async () => {
  await using met = Meeting.bot();
  await met.tell(commandOf(1, "ls"), newsOf(2, "command started", { session: bob }));
  assert.deepEqual(met.messages(), []);
  assert.deepEqual([...met.memory.kept], []);
});

Deno.test("what comes after a session's end stands for itself: no message is made that nobody would ever end", async () => {
  await using met = Meeting.bot({ emergencyChannel: "#emergencies" });
  const late = sessionOf({ over: true });
  await met.tell(newsOf(0, "session opened"), closingOf(1));
  await met.tell(
    newsOf(2, "note", { text: "afterwards", session: late }),
    commandOf(3, "ls"),
    newsOf(4, "tamper", { text: "the hooks were removed", session: late }),
  );
  assert.match(met.texts().at(-1) ?? "", /a note.*\nafterwards$/);
  assert.equal(met.messages().length, 2);
  assert.equal(met.messages("emergencies").length, 1);
  assert.deepEqual([...met.memory.kept.keys()].filter((name) => name.startsWith("card:")), []);
});

Deno.test("messages to one channel keep their distance", async () => {
  await using slack = FakeSlack.start();
  using sink = new SlackSink(botSettings(slack), NETWORK, 120);
  const sessions = [1, 2, 3].map((i) => sessionOf({ id: `session-${i}` }));
  const batch = sessions.map((session, i) => newsOf(i, "session opened", { session }));
  await sink.deliver(batch, new TestMemory(), new AbortController().signal);
  const times = slack.requests.filter(({ line }) => line.includes("postMessage")).map(({ atMs }) => atMs);
  assert.equal(times.length, 3);
  assert.ok((times[2] ?? 0) - (times[0] ?? 0) > 200, `${times}`);
});

Deno.test("a delivery that is given up ends at once, and tells the rest the next time", async () => {
  await using slack = FakeSlack.start();
  using sink = new SlackSink(botSettings(slack), NETWORK, 3_600_000);
  const sessions = [1, 2].map((i) => sessionOf({ id: `session-${i}` }));
  const batch = sessions.map((session, i) => newsOf(i, "session opened", { session }));
  const end = new AbortController();
  const delivery = sink.deliver(batch, new TestMemory(), end.signal);
  while (slack.channel("ops").messages.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  end.abort();
  await assert.rejects(delivery, SinkUnavailableError);
  assert.equal(slack.channel("ops").messages.length, 1);
});

Deno.test("srvaudit sink test's news reach either way, and the answer says how many messages it took", async () => {
  const test = newsOf(0, "test", { session: null, ticket: null, ticketUrl: null, text: "hello" });
  await using bot = Meeting.bot();
  assert.match(await bot.tell(test), /^ok: 1 posted/);
  await using hook = Meeting.hook();
  assert.equal(await hook.tell(test), "ok: 1 message");
  for (const met of [bot, hook]) assert.match(met.texts().join(), /^web1 · a test of srvAudit · .*\nhello$/);
});

Deno.test("whatever time a shell says, the channel can be read for it", async () => {
  for (const atUs of [0, 1_000_000, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]) {
    await using met = Meeting.bot();
    await met.tell(newsOf(0, "session opened"));
    met.restart();
    await met.tell(newsOf(1, "note", { text: "once", atUs }));
    const oldest = met.slack.requests.map(({ line }) => line).filter((line) =>
      line.includes("conversations.")
    );
    assert.notEqual(oldest.length, 0);
    assert.equal(met.texts().filter((text) => text.includes("once")).length, 1);
  }
});

Deno.test("nobody on another host changes a session's message by giving her own session its ID", async () => {
  await using met = Meeting.bot();
  await met.tell(newsOf(0, "session opened"));
  const [before] = met.texts();
  using elsewhere = new SlackSink(met.settings, NETWORK, 0);
  const mallory = sessionOf({ user: "mallory" });
  const forged = newsOf(1, "session opened", { host: "web2", session: mallory });
  await elsewhere.deliver([forged], new TestMemory(), new AbortController().signal);
  assert.equal(met.texts()[0], before);
  assert.match(met.texts()[1] ?? "", /mallory on web2/);
});
