import assert from "node:assert/strict";
import fc from "fast-check";
import type { NewRelicSettings } from "../../src/config/sink_settings.ts";
import { NewRelicSink } from "../../src/sinks/new_relic/new_relic_sink.ts";
import type { SinkNews } from "../../src/sinks/news.ts";
import { SinkDeniedError, SinkRefusedError, SinkUnavailableError } from "../../src/sinks/sink.ts";
import { ALL, deliver, NETWORK } from "../support/deliver.ts";
import { FakeNewRelic, tooMany } from "../support/new_relic/fake_new_relic.ts";
import { makeCommandNews, makeNews, NEWS_KINDS } from "../support/sink_news.ts";

const HOUR_US = 3_600_000_000;

function sinkOf(newRelic: FakeNewRelic, changes: Partial<NewRelicSettings> = {}): NewRelicSink {
  const settings: NewRelicSettings = {
    name: "newRelic",
    licenseKey: newRelic.licenseKey,
    account: newRelic.account,
    region: "EU",
    url: newRelic.url,
    wants: ALL,
  };
  return new NewRelicSink({ ...settings, ...changes }, NETWORK);
}

/** Nothing was thrown away without a word. */
function nothingLost({ logs, events }: FakeNewRelic): void {
  assert.deepEqual(logs.spoilt, []);
  assert.deepEqual(events.dropped, []);
}

/** The facts are as expected, whatever there is besides. */
function assertHas(actual: Record<string, unknown> | undefined, expected: Record<string, unknown>): void {
  assert.deepEqual(actual, { ...actual, ...expected });
}

Deno.test("New Relic's logs and events hear of every kind of news, in its order", async () => {
  await using newRelic = FakeNewRelic.start();
  using sink = sinkOf(newRelic);
  const batch = NEWS_KINDS.map((kind) => makeNews(kind));
  const { refused, answer } = await deliver(sink, batch);
  assert.deepEqual(refused, []);
  assert.match(answer, /^logs: 202 \{"requestId":"[^"]+"\}, events: 200 \{"success":true,"uuid":"[^"]+"\}$/);
  nothingLost(newRelic);
  const ids = batch.map(({ id }) => id);
  assert.deepEqual(newRelic.logs.stored.map(({ newsId }) => newsId), ids);
  assert.deepEqual(newRelic.events.stored.map(({ newsId }) => newsId), ids);
  assert.deepEqual(
    newRelic.events.stored.map(({ eventType }) => eventType),
    NEWS_KINDS.map((kind) => kind.startsWith("command") ? "SrvAuditCommand" : "SrvAuditSession"),
  );
  const facts = {
    kind: "command",
    host: "web1.corp.example",
    userName: "alice",
    userId: 1001,
    clientAddress: "192.0.2.7",
    sessionId: "0197a5a2-7f3e-7c61-9e5b-0a1b2c3d4e5f",
    ticket: "OPS-17",
    command: "systemctl restart nginx",
    directory: "/etc/nginx",
    exitCode: 0,
    durationMs: 2_500,
    effectiveUserId: 0,
    timestamp: Math.floor((batch[2]?.atUs ?? 0) / 1000),
  };
  assertHas(newRelic.events.stored[2], facts);
  assertHas(newRelic.logs.stored[2], {
    ...facts,
    message: "alice (OPS-17) exit 0: $ systemctl restart nginx",
    logtype: "srvaudit",
    level: "INFO",
  });
  assert.equal(newRelic.logs.stored[2]?.timestampIs, undefined);
  assertHas(newRelic.events.stored[7], {
    durationMs: 60_000,
    failures: 2,
    endedHow: "exit",
  });
});

Deno.test("New Relic hears of what belongs to no session: whose it is, or that it is the host's", async () => {
  await using newRelic = FakeNewRelic.start();
  using sink = sinkOf(newRelic);
  const none = { session: null, ticket: null, ticketUrl: null };
  await deliver(sink, [
    makeNews("tamper", { ...none, owner: { uid: 1002, user: "bob" } }),
    makeNews("tamper", none),
  ]);
  nothingLost(newRelic);
  assert.deepEqual(newRelic.events.stored.map(({ userName, userId }) => [userName, userId]), [
    ["bob", 1002],
    [undefined, undefined],
  ]);
  assert.deepEqual(newRelic.logs.stored.map(({ level }) => level), ["ALERT", "ALERT"]);
});

Deno.test("New Relic gets its requests packed, with the key in the header alone", async () => {
  await using newRelic = FakeNewRelic.start();
  using sink = sinkOf(newRelic);
  await deliver(sink, Array.from({ length: 100 }, () => makeNews("command")));
  assert.deepEqual(newRelic.requests.map(({ line }) => line), [
    "POST /log/v1",
    "POST /v1/accounts/1234567/events",
  ]);
  for (const { headers, packedBytes, text } of newRelic.requests) {
    assert.equal(headers.get("content-encoding"), "gzip");
    assert.ok(packedBytes * 5 < text.length);
    assert.ok(!text.includes(newRelic.licenseKey));
  }
});

Deno.test("New Relic hears nothing empty", async () => {
  await using newRelic = FakeNewRelic.start();
  using sink = sinkOf(newRelic);
  const news = makeNews("session opened", { ticket: null, ticketUrl: null });
  if (news.session) Object.assign(news.session, { from: "", uid: null });
  await deliver(sink, [news]);
  nothingLost(newRelic);
  for (const [stored] of [newRelic.logs.stored, newRelic.events.stored]) {
    assert.deepEqual(Object.values(stored ?? {}).filter((value) => value === "" || value === null), []);
    assert.equal(stored?.clientAddress, undefined);
  }
});

Deno.test("without an account New Relic gets logs alone", async () => {
  await using newRelic = FakeNewRelic.start();
  using sink = sinkOf(newRelic, { account: "" });
  await deliver(sink, [makeNews("command")]);
  assert.deepEqual(newRelic.requests.map(({ line }) => line), ["POST /log/v1"]);
});

Deno.test("news too old or too far ahead for New Relic are told with the time of the delivery, and say so", async () => {
  await using newRelic = FakeNewRelic.start();
  using sink = sinkOf(newRelic);
  const nowUs = Date.now() * 1000;
  const times = [nowUs - 48 * HOUR_US - 1, 0, -1, nowUs + 30 * HOUR_US, Number.MAX_SAFE_INTEGER];
  await deliver(sink, times.map((atUs) => makeNews("command", { atUs })));
  nothingLost(newRelic);
  for (const { stored } of [newRelic.logs, newRelic.events]) {
    assert.deepEqual(stored.map(({ timestampIs }) => timestampIs), times.map(() => "delivery"));
    assert.equal(stored[1]?.happenedAt, "1970-01-01T00:00:00.000000Z");
  }
});

Deno.test("what is a day and a half old keeps its time in New Relic's logs, not in its events", async () => {
  await using newRelic = FakeNewRelic.start();
  using sink = sinkOf(newRelic);
  const atUs = Date.now() * 1000 - 36 * HOUR_US;
  await deliver(sink, [makeNews("command", { atUs })]);
  nothingLost(newRelic);
  assert.equal(newRelic.logs.stored[0]?.timestamp, Math.floor(atUs / 1000));
  assert.equal(newRelic.logs.stored[0]?.timestampIs, undefined);
  assert.equal(newRelic.events.stored[0]?.timestampIs, "delivery");
});

Deno.test("a long command is a blob of New Relic's; one of megabytes is cut, and says by how much", async () => {
  await using newRelic = FakeNewRelic.start();
  using sink = sinkOf(newRelic);
  const long = "y".repeat(100_000);
  await deliver(sink, [makeCommandNews(long)]);
  assert.equal(newRelic.logs.stored[0]?.message, `alice (OPS-17) exit 0: $ ${long}`);
  assert.equal(newRelic.logs.stored[0]?.command, `${"y".repeat(4_000)} [96000 more characters]`);
  assert.equal(newRelic.events.stored[0]?.command, `${"y".repeat(4_000)} [96000 more characters]`);
  for (const text of ["x".repeat(3_000_000), "\x01".repeat(2_000_000), "🐚".repeat(1_000_000)]) {
    await deliver(sink, [makeCommandNews(text)]);
    const log = newRelic.logs.stored.at(-1);
    const [, kept = "", cut] = /\$ (.*) \[(\d+) more characters\]$/s.exec(String(log?.message)) ?? [];
    assert.ok(text.startsWith(kept) && kept.isWellFormed());
    assert.equal(kept.length + Number(cut), text.length);
    assert.equal(log?.cutCharacters, Number(cut));
  }
  nothingLost(newRelic);
});

Deno.test("a batch as large as the sink says is within New Relic's limits", async () => {
  await using newRelic = FakeNewRelic.start();
  using sink = sinkOf(newRelic);
  for (const text of ["x", "x".repeat(900), "\x01".repeat(4_000), "x".repeat(500_000)]) {
    let bytes = 0;
    const batch: SinkNews[] = [];
    while (batch.length < sink.limits.count) {
      const news = makeCommandNews(text, { directory: `/${text.slice(0, 4_000)}` });
      bytes += sink.sizeOf(news);
      if (bytes > sink.limits.bytes) break;
      batch.push(news);
    }
    assert.ok(batch.length > 0);
    await deliver(sink, batch);
    assert.equal(newRelic.logs.stored.splice(0).length, batch.length);
    assert.equal(newRelic.events.stored.splice(0).length, batch.length);
    const sent = newRelic.requests.map((request) => new TextEncoder().encode(request.text).length);
    assert.ok(Math.max(...sent) <= bytes + 200);
  }
  nothingLost(newRelic);
});

Deno.test("any text comes to New Relic as it is, and as nothing else", async () => {
  await using newRelic = FakeNewRelic.start();
  using sink = sinkOf(newRelic);
  const text = fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 300 }),
    fc.constantFrom(
      '{"userName":"root","exitCode":0}',
      ' {"userName":"root"} ; rm -rf /',
      '\\{"userName":"root"}',
      "{ ls; }",
    ),
  );
  await fc.assert(
    fc.asyncProperty(text, text, async (words, place) => {
      const command = makeCommandNews(words, { directory: place, exitCode: 1 });
      await deliver(sink, [command, makeNews("note", { text: words })]);
      const [log, note] = newRelic.logs.stored.splice(0);
      const [event, noted] = newRelic.events.stored.splice(0);
      for (const one of [log, event]) {
        assert.equal(one?.userName, "alice");
        assert.equal(one?.exitCode, 1);
      }
      assert.equal(log?.message, `alice (OPS-17) exit 1: $ ${words}`);
      assert.equal(withoutGuard(log?.command), words);
      assert.equal(withoutGuard(log?.directory), place);
      assert.equal(withoutGuard(note?.text), words);
      assert.equal(event?.command, words);
      assert.equal(event?.directory, place);
      assert.equal(noted?.text, words);
    }),
    { numRuns: 150 },
  );
  nothingLost(newRelic);
});

/** As docs/integrations.md tells readers to. */
function withoutGuard(value: unknown): string {
  const text = String(value);
  return /^\\[\s\\]*\{/.test(text) ? text.slice(1) : text;
}

Deno.test("where New Relic's Event API fails, the logs are not told twice", async () => {
  await using newRelic = FakeNewRelic.start();
  using sink = sinkOf(newRelic);
  const batch = [makeNews("session opened"), makeNews("command"), makeNews("session closed")];
  newRelic.fault(/events/, { kind: "reply", reply: { status: 503 } });
  await assert.rejects(deliver(sink, batch), SinkUnavailableError);
  newRelic.fault(/events/, { kind: "reply", reply: { status: 413 } });
  await assert.rejects(deliver(sink, batch), SinkRefusedError);
  // The dispatcher halves it.
  await deliver(sink, batch.slice(0, 1));
  await deliver(sink, batch.slice(1));
  const ids = batch.map(({ id }) => id);
  assert.deepEqual(newRelic.logs.stored.map(({ newsId }) => newsId), ids);
  assert.deepEqual(newRelic.events.stored.map(({ newsId }) => newsId), ids);
  // What has arrived as a whole is forgotten: who tells it again means it.
  await deliver(sink, batch.slice(0, 1));
  assert.equal(newRelic.logs.stored.length, 4);
});

Deno.test("a key that New Relic does not take is denied, and the message says what to mend and not the key", async () => {
  await using newRelic = FakeNewRelic.start();
  const licenseKey = "0123456789abcdef0123456789abcdef0123NRAL";
  using wrong = sinkOf(newRelic, { licenseKey });
  await assert.rejects(deliver(wrong, [makeNews("command")]), (error) => {
    assert.ok(error instanceof SinkDeniedError);
    assert.match(error.message, /403.*see newRelicLicenseKey, newRelicRegion and newRelicAccount/);
    assert.ok(!error.message.includes(licenseKey));
    return true;
  });
  using other = sinkOf(newRelic, { account: "7654321" });
  await assert.rejects(deliver(other, [makeNews("command")]), SinkDeniedError);
  assert.equal(newRelic.logs.stored.length, 1);
});

Deno.test("New Relic's errors are what the dispatcher takes them for, with how long to wait", async () => {
  await using newRelic = FakeNewRelic.start();
  using sink = sinkOf(newRelic);
  newRelic.fault(/log/, { kind: "reply", reply: tooMany(17) });
  await assert.rejects(
    deliver(sink, [makeNews("command")]),
    (error) => error instanceof SinkUnavailableError && error.retryAfterMs === 17_000,
  );
  const outcomes = [
    [400, SinkRefusedError],
    [413, SinkRefusedError],
    [415, SinkRefusedError],
    [403, SinkDeniedError],
    [408, SinkUnavailableError],
    [500, SinkUnavailableError],
    [503, SinkUnavailableError],
  ] as const;
  for (const [status, kind] of outcomes) {
    newRelic.fault(/log/, { kind: "reply", reply: { status } });
    await assert.rejects(deliver(sink, [makeNews("command")]), kind, String(status));
  }
  assert.equal(newRelic.logs.stored.length, 0);
});

Deno.test("a New Relic that hangs, or breaks off, is unavailable; the next try goes through", async () => {
  await using newRelic = FakeNewRelic.start();
  using sink = sinkOf(newRelic);
  const batch = [makeNews("command")];
  newRelic.fault(/log/, { kind: "hang", isTaken: true });
  await assert.rejects(deliver(sink, batch, AbortSignal.timeout(200)), SinkUnavailableError);
  newRelic.fault(/events/, { kind: "cut" });
  await assert.rejects(deliver(sink, batch), SinkUnavailableError);
  await deliver(sink, batch);
  // Twice, since answers were lost; with one id.
  for (const { stored } of [newRelic.logs, newRelic.events]) {
    assert.deepEqual(stored.map(({ newsId }) => newsId), [batch[0]?.id, batch[0]?.id]);
  }
});
