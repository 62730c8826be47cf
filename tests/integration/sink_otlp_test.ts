import assert from "node:assert/strict";
import fc from "fast-check";
import type { OtlpSettings } from "../../src/config/sink_settings.ts";
import { Dispatch } from "../../src/agent/dispatch/dispatch.ts";
import { VERSION } from "../../src/config/version.ts";
import { Outbox } from "../../src/evidence/outbox.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { OtlpSink } from "../../src/sinks/otlp/otlp_sink.ts";
import { SinkDeniedError, SinkRefusedError, SinkUnavailableError } from "../../src/sinks/sink.ts";
import { ALL, deliver, NETWORK } from "../support/deliver.ts";
import { SHORT, simpleNews } from "../support/dispatch_host.ts";
import { command, EvidenceFolder, opened } from "../support/evidence_events.ts";
import { OtlpReceiver } from "../support/otlp_receiver.ts";
import { makeCommandNews, makeNews, NEWS_KINDS } from "../support/sink_news.ts";
import { until } from "../support/sshd.ts";

function sinkOf(receiver: OtlpReceiver, headers: OtlpSettings["headers"] = {}): OtlpSink {
  return new OtlpSink({ name: "otlp", url: receiver.url, headers, wants: ALL }, NETWORK);
}

Deno.test("a collector hears of every kind of news, in its order, by the conventions", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver);
  const batch = NEWS_KINDS.map((kind) => makeNews(kind));
  assert.deepEqual(await deliver(sink, batch), { refused: [], answer: "9 taken (200)" });
  const { records } = receiver;
  assert.deepEqual(records.map(({ attributes }) => attributes["log.record.uid"]), batch.map(({ id }) => id));
  assert.deepEqual(records.map(({ attributes }) => attributes["srvaudit.kind"]), NEWS_KINDS);
  assert.deepEqual(records.map(({ eventName }) => eventName), [
    "srvaudit.session.opened",
    "srvaudit.command.started",
    "srvaudit.command.ended",
    "srvaudit.note",
    "srvaudit.ticket.status",
    "srvaudit.ticket.switched",
    "srvaudit.tamper",
    "srvaudit.session.closed",
    "srvaudit.test",
  ]);
  const [, , command] = records;
  const news = batch[2];
  assert.ok(command && news);
  assert.equal(command.timeUnixNano, `${news.atUs}000`);
  assert.ok(BigInt(command.observedTimeUnixNano) >= BigInt(command.timeUnixNano ?? 0));
  assert.equal(command.severityNumber, 9);
  assert.equal(command.severityText, "INFO");
  assert.equal(command.body, "alice (OPS-17) exit 0: $ systemctl restart nginx");
  assert.deepEqual(command.resource, {
    "service.name": "srvaudit",
    "service.version": VERSION,
    "host.name": "web1.corp.example",
    "os.type": "linux",
  });
  const startUs = news.command?.startUs ?? 0;
  assert.deepEqual(command.attributes, {
    "log.record.uid": news.id,
    "srvaudit.kind": "command",
    "srvaudit.seq": BigInt(news.seq),
    "user.name": "alice",
    "user.id": "1001",
    "client.address": "192.0.2.7",
    "srvaudit.ticket.id": "OPS-17",
    "srvaudit.ticket.url": "https://jira.corp.example/browse/OPS-17",
    "session.id": "0197a5a2-7f3e-7c61-9e5b-0a1b2c3d4e5f",
    "srvaudit.session.mode": "interactive",
    "srvaudit.session.shell": "/bin/bash",
    "srvaudit.session.tty": "pts/3",
    "srvaudit.session.opened_at": micros(news.session?.openedUs ?? 0),
    "process.command_line": "systemctl restart nginx",
    "process.working_directory": "/etc/nginx",
    "process.exit.code": 0n,
    "process.creation.time": micros(startUs),
    "process.exit.time": micros(startUs + 2_500_000),
    "process.user.id": 0n,
    "srvaudit.command.duration_us": 2_500_000n,
    "srvaudit.command.tty": "pts/3",
    "srvaudit.command.masked": false,
    "srvaudit.command.text_state": "whole",
  });
  const closed = records[7]?.attributes;
  assert.equal(closed?.["srvaudit.session.end"], "exit");
  assert.equal(closed?.["srvaudit.session.failures"], 2n);
  assert.deepEqual(records[5]?.attributes["srvaudit.change.to"], "WEB-3");
  assert.equal(records[3]?.attributes["srvaudit.text"], "the words of a note");
});

Deno.test("a collector gets requests packed, with the headers of the config", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver, { "x-scope-orgid": "ops" });
  await deliver(sink, Array.from({ length: 50 }, () => makeNews("command")));
  const [request] = receiver.requests;
  assert.equal(request?.line, "POST /v1/logs");
  assert.equal(request.headers.get("content-encoding"), "gzip");
  assert.equal(request.headers.get("content-type"), "application/json");
  assert.equal(request.headers.get("x-scope-orgid"), "ops");
  assert.ok(request.packedBytes < request.text.length / 5);
});

Deno.test("what somebody must look at stands out by its severity", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver);
  const opened = makeNews("session opened");
  assert.ok(opened.session);
  await deliver(sink, [
    makeNews("tamper"),
    { ...opened, session: { ...opened.session, emergency: "the database is down" } },
    makeCommandNews("false", { exitCode: 1, pipeStates: [0, 1] }),
    opened,
  ]);
  const { records } = receiver;
  assert.deepEqual(records.map(({ severityNumber }) => severityNumber), [19, 18, 13, 9]);
  assert.deepEqual(records.map(({ severityText }) => severityText), ["ALERT", "CRITICAL", "WARNING", "INFO"]);
  assert.deepEqual(records[2]?.attributes["srvaudit.command.pipe_states"], [0n, 1n]);
});

Deno.test("news of no session, of several hosts, and of times that no clock shows arrive", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver);
  await deliver(sink, [
    makeNews("tamper", { session: null, owner: { uid: 1002, user: "bob" }, ticket: null, ticketUrl: null }),
    makeNews("note", { host: "web2.corp.example", atUs: -5 }),
    makeNews("note", { atUs: Number.MAX_SAFE_INTEGER }),
  ]);
  const byHost = Map.groupBy(receiver.records, ({ resource }) => resource["host.name"]);
  const [tamper, late] = byHost.get("web1.corp.example") ?? [];
  assert.equal(tamper?.attributes["user.name"], "bob");
  assert.equal(tamper.attributes["user.id"], "1002");
  assert.equal(tamper.attributes["session.id"], undefined);
  assert.equal(late?.timeUnixNano, "9007199254740991000");
  const [early] = byHost.get("web2.corp.example") ?? [];
  assert.equal(early?.timeUnixNano, undefined);
  assert.equal(early?.attributes["srvaudit.at"], "1969-12-31T23:59:59.999995Z");
});

Deno.test("any text arrives as the same text", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver);
  const text = fc.string({ unit: "binary", maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(text, text, async (words, directory) => {
      receiver.records.length = 0;
      await deliver(sink, [makeCommandNews(words, { directory }), makeNews("note", { text: words })]);
      const [command, note] = receiver.records;
      assert.equal(command?.attributes["process.command_line"], words);
      assert.equal(command.attributes["process.working_directory"], directory);
      assert.ok(String(command.body).endsWith(`$ ${words}`));
      assert.equal(note?.attributes["srvaudit.text"], words);
    }),
    { numRuns: 200 },
  );
  receiver.records.length = 0;
  await deliver(sink, [makeCommandNews("half \ud83d a character")]);
  assert.equal(receiver.records[0]?.attributes["process.command_line"], "half \ufffd a character");
});

Deno.test("the longest text ends early in an attribute, and later in the body", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver);
  const long = makeCommandNews("x".repeat(100_000));
  const longest = makeCommandNews("\x01".repeat(8_000_000));
  assert.ok(sink.sizeOf(longest) < sink.limits.bytes);
  await deliver(sink, [long, longest]);
  const [whole, cut] = receiver.records;
  assert.ok(String(whole?.body).endsWith("x".repeat(100_000)));
  assert.equal(
    whole?.attributes["process.command_line"],
    `${"x".repeat(8_000)} [92000 more characters]`,
  );
  assert.equal(
    Number(cut?.attributes["srvaudit.cut_characters"]) + String(cut?.body).length,
    "alice (OPS-17) exit 0: $ ".length + 8_000_000,
  );
});

Deno.test("the sizes of news are those of what is sent, but for what stands around it", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver);
  const batch = [makeNews("session closed"), makeCommandNews("é\0".repeat(500)), makeNews("tamper")];
  const size = batch.reduce((bytes, news) => bytes + sink.sizeOf(news), 0);
  await deliver(sink, batch);
  const around = new TextEncoder().encode(receiver.requests[0]?.text).length - size;
  assert.ok(around > 0 && around < 1000, String(around));
});

Deno.test("records that are rejected are found by halves, and the last one is refused with the receiver's words", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver);
  receiver.rejects = ({ attributes }) => attributes["process.command_line"] === "rejected";
  const good = makeNews("command");
  const bad = makeCommandNews("rejected");
  await assert.rejects(deliver(sink, [good, bad]), (error) => {
    assert.ok(error instanceof SinkRefusedError);
    assert.equal(error.message, "OTLP: rejected: not these (1 of 2 log records)");
    return true;
  });
  assert.deepEqual(await deliver(sink, [bad]), {
    refused: [{ id: bad.id, reason: "OTLP: rejected: not these" }],
    answer: "0 taken (200): not these",
  });
  const other = makeCommandNews("rejected");
  const { refused } = await deliver(sink, [bad, other]);
  assert.deepEqual(refused.map(({ id }) => id), [bad.id, other.id]);
});

Deno.test("the dispatcher finds the one record that is rejected, and tells all others at least once, in their order", async () => {
  await using receiver = new OtlpReceiver();
  receiver.rejects = ({ attributes }) => attributes["process.command_line"] === "rejected";
  using folder = new EvidenceFolder();
  using store = new EvidenceStore(folder.file);
  using dispatch = new Dispatch(new Outbox(store), () => sinkOf(receiver), SHORT);
  const settings = { name: "otlp", url: receiver.url, headers: {}, wants: ALL } as const;
  const reader = { read: simpleNews, told: () => {} };
  dispatch.follow({ sinks: [settings], network: NETWORK, reader, host: "web1" });
  const seqs = store.transaction(() => {
    const session = store.append(opened(crypto.randomUUID()), 1);
    const texts = Array.from({ length: 40 }, (_, index) => index === 17 ? "rejected" : "ls");
    return [session, ...texts.map((text) => store.append(command(text, { session }), 1))];
  });
  dispatch.poke();
  await until("all of it", async () => await Promise.resolve(dispatch.status()[0]?.depth === 0));
  const dead = store.database.prepare("select seq, reason from dead_letter").all();
  assert.deepEqual(dead.map((row) => ({ ...row })), [{ seq: seqs[18], reason: "OTLP: rejected: not these" }]);
  const taken = [...new Set(receiver.records.map(({ attributes }) => Number(attributes["srvaudit.seq"])))];
  assert.deepEqual(taken, seqs.filter((seq) => seq !== seqs[18]));
});

Deno.test("a receiver that rejects more than there is rejects all", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver);
  const body = { partialSuccess: { rejectedLogRecords: "99999999999999999999" } };
  receiver.fault(/./, { kind: "reply", reply: { status: 200, body } });
  const news = makeNews("note");
  assert.deepEqual(await deliver(sink, [news]), {
    refused: [{ id: news.id, reason: "OTLP: rejected" }],
    answer: "0 taken (200)",
  });
});

Deno.test("a warning of a receiver that takes all is told", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver);
  const body = { partialSuccess: { rejectedLogRecords: 0, errorMessage: "use /otlp" } };
  receiver.fault(/./, { kind: "reply", reply: { status: 200, body } });
  assert.deepEqual(await deliver(sink, [makeNews("test")]), {
    refused: [],
    answer: "1 taken (200): use /otlp",
  });
});

Deno.test("an empty success is one, and what is no reply of OTLP's is not", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver);
  for (const body of ["", "{}", '{"partialSuccess":null}', '{"partialSuccess":{}}', '{"later":1}']) {
    receiver.fault(/./, { kind: "reply", reply: { status: 200, body } });
    assert.deepEqual((await deliver(sink, [makeNews("test")])).refused, []);
  }
  for (const body of ["<html>Sign in</html>", "[]", '{"partialSuccess":{"rejectedLogRecords":"many"}}']) {
    receiver.fault(/./, { kind: "reply", reply: { status: 200, body } });
    await assert.rejects(deliver(sink, [makeNews("test")]), SinkUnavailableError);
  }
});

Deno.test("what the specification lets be sent again is, and nothing else", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver);
  const table = [
    [SinkUnavailableError, [429, 502, 503, 504]],
    [SinkRefusedError, [400, 408, 413, 415, 422, 500, 501, 505]],
    [SinkDeniedError, [301, 401, 403, 404, 407]],
  ] as const;
  for (const [kind, statuses] of table) {
    for (const status of statuses) {
      receiver.fault(/./, { kind: "reply", reply: { status, body: { message: "since it is so" } } });
      await assert.rejects(deliver(sink, [makeNews("note")]), (error) => {
        assert.ok(error instanceof kind, `${status}: ${error}`);
        assert.match(error.message, /since it is so$/, String(status));
        return true;
      });
    }
  }
  assert.deepEqual(receiver.records, []);
});

Deno.test("a receiver that says when is asked again then", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver);
  const reply = { status: 503, headers: { "retry-after": "17" } };
  receiver.fault(/./, { kind: "reply", reply });
  await assert.rejects(deliver(sink, [makeNews("note")]), { retryAfterMs: 17_000 });
});

Deno.test("an answer that is lost is none, and no message has a header's value", async () => {
  await using receiver = new OtlpReceiver();
  using sink = sinkOf(receiver, { authorization: "Bearer abcdefghijkl" });
  receiver.fault(/./, { kind: "cut" });
  await assert.rejects(deliver(sink, [makeNews("note")]), SinkUnavailableError);
  const body = { message: "the token abcdefghijkl is none" };
  receiver.fault(/./, { kind: "reply", reply: { status: 401, body } });
  await assert.rejects(deliver(sink, [makeNews("note")]), (error) => {
    assert.ok(error instanceof SinkDeniedError);
    assert.match(error.message, /otlpHeaders: the token \*\*\*\*\* is none$/);
    return true;
  });
});

Deno.test("the receiver of these tests refuses what the specification does not have", async () => {
  await using receiver = new OtlpReceiver();
  const uid = { key: "log.record.uid", value: { stringValue: "1" } };
  const record = {
    timeUnixNano: "1763833061123456789",
    observedTimeUnixNano: "1763833061123456789",
    severityNumber: 9,
    eventName: "srvaudit.test",
    body: { stringValue: "words" },
    attributes: [uid],
  };
  const wrong: object[] = [
    { severityNumber: "SEVERITY_NUMBER_INFO" },
    { severityNumber: 0 },
    { timeUnixNano: 1763833061123456 },
    { severity_text: "INFO" },
    { level: "INFO" },
    { body: "words" },
    { attributes: [uid, uid] },
    { attributes: { "log.record.uid": "1" } },
    { attributes: [{ key: "process.exit.code", value: { intValue: 1 } }] },
    { attributes: [{ key: "process.exit.code", value: { stringValue: "1" } }] },
    { attributes: [{ key: "user.nick", value: { stringValue: "al" } }] },
    { observedTimeUnixNano: "0" },
    {},
  ];
  const statuses: number[] = [];
  for (const changes of wrong) {
    const logRecords = [{ ...record, ...changes }];
    const resourceLogs = [{
      resource: { attributes: [uid] },
      scopeLogs: [{ scope: { name: "x" }, logRecords }],
    }];
    const reply = await fetch(`${receiver.url}/v1/logs`, {
      method: "POST",
      body: JSON.stringify({ resourceLogs }),
      headers: { "content-type": "application/json" },
    });
    await reply.body?.cancel();
    statuses.push(reply.status);
  }
  assert.deepEqual(statuses, wrong.map((changes) => Object.keys(changes).length > 0 ? 400 : 200));
});

function micros(us: number): string {
  return `${new Date(Math.floor(us / 1000)).toISOString().slice(0, -1)}${
    String(us % 1000).padStart(3, "0")
  }Z`;
}
