import assert from "node:assert/strict";
import fc from "fast-check";
import type { DatadogSettings } from "../../src/config/sink_settings.ts";
import { DatadogSink } from "../../src/sinks/datadog/datadog_sink.ts";
import type { SinkNews } from "../../src/sinks/news.ts";
import { SinkDeniedError, SinkRefusedError, SinkUnavailableError } from "../../src/sinks/sink.ts";
import { ALL, deliver, NETWORK } from "../support/deliver.ts";
import { FakeDatadog, tooMany } from "../support/datadog/fake_datadog.ts";
import { isRecord } from "../support/fake_intake.ts";
import { until } from "../support/sshd.ts";
import { makeCommandNews, makeNews, NEWS_KINDS } from "../support/sink_news.ts";

const HOUR_US = 3_600_000_000;

function sinkOf(datadog: FakeDatadog, changes: Partial<DatadogSettings> = {}): DatadogSink {
  const settings: DatadogSettings = {
    name: "datadog",
    key: datadog.key,
    site: "datadoghq.eu",
    tags: ["env:prod"],
    url: datadog.url,
    wants: ALL,
  };
  return new DatadogSink({ ...settings, ...changes }, NETWORK);
}

/** An attribute by its path, as in `command.exit_code`. */
function at(log: unknown, path: string): unknown {
  return path.split(".").reduce((value, name) => isRecord(value) ? value[name] : undefined, log);
}

Deno.test("Datadog's logs hear of every kind of news, in its order, with Datadog's own attributes", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const batch = NEWS_KINDS.map((kind) => makeNews(kind));
  assert.deepEqual(await deliver(sink, batch), {
    refused: [],
    answer: "logs: 9 taken (202), events: 4 taken",
  });
  const { indexed, spoilt } = datadog.logs;
  assert.deepEqual(spoilt, []);
  assert.deepEqual(indexed.map((log) => at(log, "srvaudit.id")), batch.map(({ id }) => id));
  assert.deepEqual(indexed.map((log) => at(log, "evt.name")), NEWS_KINDS);
  const command = indexed[2];
  const expected: Record<string, unknown> = {
    ddsource: "srvaudit",
    ddtags: "env:prod",
    service: "srvaudit",
    hostname: "web1.corp.example",
    message: "alice (OPS-17) exit 0: $ systemctl restart nginx",
    status: "info",
    timestamp: Math.floor((batch[2]?.atUs ?? 0) / 1000),
    duration: 2_500_000_000,
    "evt.outcome": "success",
    "usr.name": "alice",
    "usr.id": "1001",
    "network.client.ip": "192.0.2.7",
    "ticket.id": "OPS-17",
    "session.id": "0197a5a2-7f3e-7c61-9e5b-0a1b2c3d4e5f",
    "command.exit_code": 0,
    "command.directory": "/etc/nginx",
    "srvaudit.timestamp_is": undefined,
  };
  for (const [path, value] of Object.entries(expected)) assert.deepEqual(at(command, path), value, path);
  assert.equal(at(indexed[7], "duration"), 60_000_000_000);
  assert.equal(at(indexed[7], "session.failures"), 2);
});

Deno.test("Datadog gets its requests packed, with the key in the header alone", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  await deliver(sink, Array.from({ length: 100 }, () => makeNews("command")));
  const [request] = datadog.requests;
  assert.equal(request?.line, "POST /api/v2/logs");
  assert.equal(request.headers.get("content-encoding"), "gzip");
  assert.ok(request.packedBytes * 5 < request.text.length);
  assert.ok(!request.text.includes(datadog.key));
});

Deno.test("Datadog gets an event for how a session begins and ends, for tamper, and for a test", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const emergency = makeNews("session opened", { ticket: null, ticketUrl: null });
  if (emergency.session) emergency.session.emergency = "the database is down";
  await deliver(sink, [...NEWS_KINDS.map((kind) => makeNews(kind)), emergency]);
  const { posted } = datadog.events;
  const told = (part: string) => posted.map((event) => event[part]).sort();
  assert.deepEqual(told("alert_type"), ["error", "info", "info", "info", "warning"]);
  assert.deepEqual(told("title").slice(0, 2), [
    "EMERGENCY: alice opened a session from 192.0.2.7 without a ticket on web1.corp.example",
    "TAMPER: alice (OPS-17) on web1.corp.example",
  ]);
  assert.deepEqual(
    new Set(told("aggregation_key")),
    new Set(["srvaudit 0197a5a2-7f3e-7c61-9e5b-0a1b2c3d4e5f"]),
  );
  assert.match(
    String(posted.find(({ alert_type }) => alert_type === "warning")?.text),
    /the database is down$/,
  );
  assert.ok(
    posted.every(({ tags }) =>
      Array.isArray(tags) && tags.includes("env:prod") && tags.includes("user:alice")
    ),
  );
});

Deno.test("Datadog hears of what belongs to no session: whose it is, or that it is the host's", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const none = { session: null, ticket: null, ticketUrl: null };
  await deliver(sink, [
    makeNews("tamper", { ...none, owner: { uid: 1002, user: "bob" } }),
    makeNews("tamper", none),
  ]);
  assert.deepEqual(datadog.logs.indexed.map((log) => at(log, "usr.name")), ["bob", undefined]);
  assert.deepEqual(datadog.logs.indexed.map(({ message }) => message), [
    "TAMPER: bob: the words of a tamper",
    "TAMPER: the host: the words of a tamper",
  ]);
  assert.deepEqual(datadog.logs.indexed.map(({ status }) => status), ["alert", "alert"]);
  assert.equal(datadog.events.posted.length, 2);
});

Deno.test("Datadog's events of a session come in their order, those of many sessions side by side", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const batch = Array.from({ length: 20 }, () => crypto.randomUUID()).flatMap((id) =>
    (["session opened", "session closed"] as const).map((kind) => {
      const news = makeNews(kind);
      return { ...news, session: news.session && { ...news.session, id } };
    })
  );
  await deliver(sink, batch);
  assert.equal(datadog.events.posted.length, 40);
  for (const events of Map.groupBy(datadog.events.posted, (event) => event.aggregation_key).values()) {
    assert.deepEqual(events.map(({ title }) => /opened|ended/.exec(String(title))?.[0]), ["opened", "ended"]);
  }
});

Deno.test("news too old or too far ahead for Datadog are told with the time of the delivery, and say so", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const nowUs = Date.now() * 1000;
  const times = [nowUs - 19 * HOUR_US, 0, -1, nowUs + 3 * HOUR_US, Number.MAX_SAFE_INTEGER];
  await deliver(sink, times.map((atUs) => makeNews("session opened", { atUs })));
  assert.deepEqual(datadog.logs.spoilt, []);
  assert.equal(datadog.logs.indexed.length, times.length);
  assert.equal(datadog.events.posted.length, times.length);
  assert.ok(datadog.logs.indexed.every((log) => at(log, "srvaudit.timestamp_is") === "delivery"));
  const old = datadog.logs.indexed.find((log) => at(log, "srvaudit.at") === "1970-01-01T00:00:00.000000Z");
  assert.ok(old);
  assert.ok(
    datadog.events.posted.some(({ text }) =>
      String(text).includes("happened at: 1970-01-01T00:00:00.000000Z")
    ),
  );
});

Deno.test("news that Datadog still takes keep their time", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const atUs = Date.now() * 1000 - 16 * HOUR_US;
  await deliver(sink, [makeNews("session opened", { atUs })]);
  assert.equal(at(datadog.logs.indexed[0], "timestamp"), Math.floor(atUs / 1000));
  assert.equal(datadog.events.posted[0]?.date_happened, Math.floor(atUs / 1_000_000));
});

Deno.test("a command of megabytes is cut for Datadog, and says by how much", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  for (const text of ["x".repeat(3_000_000), "\x01".repeat(2_000_000), "🐚".repeat(1_000_000)]) {
    const news = makeCommandNews(text);
    assert.ok(sink.sizeOf(news) < 1_000_000);
    await deliver(sink, [news]);
    const log = datadog.logs.indexed.at(-1);
    const [, kept = "", cut] = /\$ (.*) \[(\d+) more characters\]$/s.exec(String(log?.message)) ?? [];
    assert.ok(text.startsWith(kept) && kept.isWellFormed());
    assert.equal(kept.length + Number(cut), text.length);
    assert.equal(at(log, "srvaudit.cut_characters"), Number(cut));
  }
  assert.deepEqual(datadog.logs.spoilt, []);
});

Deno.test("sizeOf() of the news of a batch is at least what Datadog gets", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const batch = [...NEWS_KINDS.map((kind) => makeNews(kind)), makeCommandNews("é\x01".repeat(9_000))];
  await deliver(sink, batch);
  const sent = new TextEncoder().encode(datadog.requests[0]?.text).length;
  const measured = batch.reduce((sum, news) => sum + sink.sizeOf(news), 1);
  assert.ok(measured >= sent && measured < sent + 100, `${measured} for ${sent}`);
});

Deno.test("any text comes to Datadog as it is, and as nothing else", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.constantFrom(
      '{"status":"ok","usr":{"name":"root"}}',
      "@all look",
      "%%% \n# Title\n %%%",
      "a,b:c",
      "\u202e\x1b[2J",
    ),
  );
  await fc.assert(
    fc.asyncProperty(text, text, async (words, ticket) => {
      const command = makeCommandNews(words, { directory: ticket });
      const emergency = makeNews("session opened", { ticket, ticketUrl: null, host: "web1" });
      if (emergency.session) emergency.session.emergency = words;
      const note = makeNews("note", { text: words });
      assert.deepEqual((await deliver(sink, [command, emergency, note])).refused, []);
      const logs = datadog.logs.indexed.splice(0);
      assert.deepEqual(logs.map((log) => at(log, "usr.name")), ["alice", "alice", "alice"]);
      assert.equal(logs[0]?.message, `alice (OPS-17) exit 0: $ ${words}`);
      assert.equal(at(logs[0], "command.text"), words);
      assert.equal(at(logs[0], "command.directory"), ticket);
      assert.equal(at(logs[1], "session.emergency"), words);
      assert.equal(at(logs[2], "note"), words);
    }),
    { numRuns: 150 },
  );
  assert.deepEqual(datadog.logs.spoilt, []);
  assert.deepEqual(datadog.events.notified, []);
  assert.ok(datadog.events.posted.every(({ text }) => !String(text).includes("%%%")));
});

Deno.test("where Datadog's Events API fails, the logs are not told twice", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const batch = [makeNews("session opened"), makeNews("command"), makeNews("session closed")];
  datadog.fault(/events/, { kind: "reply", reply: { status: 503 } });
  await assert.rejects(deliver(sink, batch), SinkUnavailableError);
  assert.equal(datadog.logs.indexed.length, 3);
  // The next try may have more in it, or less.
  await deliver(sink, batch.slice(0, 2));
  await deliver(sink, [...batch.slice(2), makeNews("note")]);
  assert.equal(datadog.logs.indexed.length, 4);
  assert.equal(datadog.events.posted.length, 2);
});

Deno.test("an event that has come is not told again when another one fails", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const batch = [makeNews("session opened"), makeNews("session closed")];
  datadog.fault(/events/, { kind: "cut" });
  await assert.rejects(deliver(sink, batch), SinkUnavailableError);
  // Its answer was lost: this one alone comes twice, with the same id.
  await deliver(sink, batch);
  assert.deepEqual(datadog.events.posted.map(({ text }) => /id: (.*)/.exec(String(text))?.[1]).length, 3);
  datadog.events.posted.length = 0;
  datadog.fault(/events/, { kind: "reply", reply: { status: 202 } });
  datadog.fault(/events/, { kind: "reply", reply: { status: 500 } });
  const others = [makeNews("session opened"), makeNews("session closed")];
  await assert.rejects(deliver(sink, others), SinkUnavailableError);
  await deliver(sink, others);
  assert.deepEqual(datadog.events.posted.map(({ title }) => /opened|ended/.exec(String(title))?.[0]), [
    "ended",
  ]);
});

Deno.test("a try for Datadog has not failed before all that is under way has ended", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  using other = sinkOf(datadog);
  const batch = ["a", "b"].map((id) => {
    const news = makeNews("session opened");
    return { ...news, session: news.session && { ...news.session, id } };
  });
  const held = Promise.withResolvers<void>();
  datadog.fault(/events/, { kind: "slow", until: held.promise });
  datadog.fault(/events/, { kind: "reply", reply: { status: 500 } });
  let hasEnded = false;
  const failed = assert.rejects(deliver(sink, batch).finally(() => hasEnded = true), SinkUnavailableError);
  await until(
    "Datadog's 500",
    () => Promise.resolve(datadog.requests.some(({ status }) => status === 500)),
  );
  // Long enough for the answer to be read.
  for (let turn = 0; turn < 10; turn++) await deliver(other, [makeNews("command")]);
  assert.ok(!hasEnded);
  held.resolve();
  await failed;
  await deliver(sink, batch);
  assert.deepEqual(datadog.events.posted.map((event) => event.aggregation_key).sort(), [
    "srvaudit a",
    "srvaudit b",
  ]);
});

Deno.test("Datadog's events are cut to what it takes, and quiet for sessions of one command", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const news = makeNews("session opened", { ticket: "T".repeat(500), host: "h".repeat(200) });
  if (news.session) Object.assign(news.session, { mode: "command", command: "x".repeat(6_000) });
  assert.deepEqual((await deliver(sink, [news])).refused, []);
  const [event] = datadog.events.posted;
  assert.equal(String(event?.text).length, 4_000);
  assert.ok(String(event?.text).endsWith("x…"));
  assert.equal(String(event?.title).length, 100);
  assert.equal(event?.priority, "low");
});

Deno.test("an event that Datadog refuses is given up alone, and its log stays", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const batch = [makeNews("tamper"), makeNews("session opened")];
  datadog.fault(/events/, {
    kind: "reply",
    reply: { status: 400, body: { errors: ["Invalid JSON structure"] } },
  });
  const { refused } = await deliver(sink, batch);
  assert.deepEqual(refused.map(({ id }) => id), [batch[0]?.id]);
  assert.match(refused[0]?.reason ?? "", /\/api\/v1\/events: answered 400.*Invalid JSON structure/);
  assert.equal(datadog.logs.indexed.length, 2);
  assert.equal(datadog.events.posted.length, 1);
});

Deno.test("a key that Datadog does not take is denied, and the message says what to mend and not the key", async () => {
  await using datadog = FakeDatadog.start();
  const key = "0123456789abcdef0123456789abcdef";
  using sink = sinkOf(datadog, { key });
  await assert.rejects(deliver(sink, [makeNews("command")]), (error) => {
    assert.ok(error instanceof SinkDeniedError);
    assert.match(error.message, /403.*API key is invalid.*see datadogKey and datadogSite/);
    assert.ok(!error.message.includes(key));
    return true;
  });
});

Deno.test("Datadog's 429 says by X-RateLimit-Reset when to come again", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  datadog.fault(/events/, { kind: "reply", reply: tooMany(42) });
  await assert.rejects(
    deliver(sink, [makeNews("session opened")]),
    (error) => error instanceof SinkUnavailableError && error.retryAfterMs === 42_000,
  );
});

Deno.test("a batch that Datadog refuses as a whole is refused, and one that it may take later is not", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const outcomes = [
    [400, SinkRefusedError],
    [413, SinkRefusedError],
    [403, SinkDeniedError],
    [401, SinkDeniedError],
    [408, SinkUnavailableError],
    [429, SinkUnavailableError],
    [500, SinkUnavailableError],
    [503, SinkUnavailableError],
  ] as const;
  for (const [status, kind] of outcomes) {
    datadog.fault(/logs/, { kind: "reply", reply: { status } });
    await assert.rejects(deliver(sink, [makeNews("command")]), kind, String(status));
  }
  assert.equal(datadog.logs.indexed.length, 0);
});

Deno.test("a Datadog that hangs, or breaks off, is unavailable; the next try goes through", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  const batch = [makeNews("command")];
  datadog.fault(/logs/, { kind: "hang", isTaken: false });
  await assert.rejects(deliver(sink, batch, AbortSignal.timeout(200)), SinkUnavailableError);
  datadog.fault(/logs/, { kind: "cut" });
  await assert.rejects(deliver(sink, batch), SinkUnavailableError);
  await deliver(sink, batch);
  assert.deepEqual(
    new Set(datadog.logs.indexed.map((log) => at(log, "srvaudit.id"))),
    new Set([batch[0]?.id]),
  );
});

Deno.test("a batch as large as the sink says is within Datadog's limits", async () => {
  await using datadog = FakeDatadog.start();
  using sink = sinkOf(datadog);
  for (const size of [900, 100_000]) {
    let bytes = 0;
    const batch: SinkNews[] = [];
    while (batch.length < sink.limits.count) {
      const news = makeCommandNews("\x01".repeat(size));
      bytes += sink.sizeOf(news);
      if (bytes > sink.limits.bytes) break;
      batch.push(news);
    }
    await deliver(sink, batch);
    assert.equal(datadog.logs.indexed.splice(0).length, batch.length);
  }
  assert.deepEqual(datadog.logs.spoilt, []);
});
