import assert from "node:assert/strict";
import { Batch } from "../../src/agent/dispatch/batch.ts";
import { Circuit } from "../../src/agent/dispatch/circuit.ts";
import { MOST_DEAD } from "../../src/agent/dispatch/delivery.ts";
import { NoSinkError } from "../../src/agent/dispatch/dispatch.ts";
import { EvidenceError } from "../../src/evidence/evidence_error.ts";
import { removeOld } from "../../src/evidence/retention.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { backoffMs } from "../../src/net/backoff.ts";
import { nowUs } from "../../src/record/clock.ts";
import { SinkDeniedError, SinkUnavailableError } from "../../src/sinks/sink.ts";
import { ALL } from "../support/deliver.ts";
import {
  BAD,
  commands,
  DAY_MS,
  DispatchHost,
  LONG,
  MemoryReceiver,
  seqsOf,
  SHORT,
  simpleNews,
  sinkSettings,
  until,
} from "../support/dispatch_host.ts";
import { command, opened } from "../support/evidence_events.ts";

Deno.test("news goes in batches that are no larger than the sink takes, by count and by bytes", async () => {
  const receiver = new MemoryReceiver("slack");
  await using host = new DispatchHost([receiver]);
  const seqs = host.put(...commands(12));
  await host.rest();
  assert.deepEqual([seqsOf(receiver), receiver.batches], [seqs, [5, 5, 2]]);
  receiver.limits = { ...receiver.limits, bytes: 300 };
  receiver.batches.length = 0;
  host.put(...commands(7));
  await host.rest();
  assert.deepEqual(receiver.batches, [3, 3, 1]);
});

Deno.test("a batch waits a little for more to go with it, and no emergency waits", async () => {
  const receiver = new MemoryReceiver("slack");
  receiver.limits = { ...receiver.limits, lingerMs: 300 };
  await using host = new DispatchHost([receiver]);
  for (let i = 0; i < 3; i++) {
    host.put(...commands(1));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await host.rest();
  assert.deepEqual(receiver.batches, [3]);

  const batch = new Batch({ limits: receiver.limits, sizeOf: () => 100 }, Infinity, 0);
  const event = { ...opened("a", { emergency: "fire" }), seq: 1, takenUs: 0, hash: new Uint8Array() };
  simpleNews([event]).forEach((one) => batch.add(one));
  assert.equal(batch.isUrgent, true);
});

Deno.test("a sink is left alone between two batches for as long as its pace says", async () => {
  const receiver = new MemoryReceiver("slack");
  receiver.limits = { count: 1, bytes: 1000, lingerMs: 0, paceMs: DAY_MS };
  const host = new DispatchHost([receiver]);
  host.put(...commands(3));
  await until(() => receiver.taken.length === 1 && !receiver.isBusy);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(receiver.taken.length, 1);
  host[Symbol.dispose]();
});

Deno.test("what a batch is refused for is found out in a few tries, and the rest of it is told", async () => {
  const receiver = new MemoryReceiver("slack");
  receiver.limits = { count: 64, bytes: 6400, lingerMs: 0, paceMs: 0 };
  await using host = new DispatchHost([receiver]);
  const seqs = host.put(...commands(40), command(BAD.whole), ...commands(23));
  await host.rest();
  const bad = seqs[40] ?? 0;
  assert.deepEqual(seqsOf(receiver), seqs.filter((seq) => seq !== bad));
  assert.deepEqual(host.dead("slack"), [bad]);
  assert.ok(receiver.batches.length <= 13, `${receiver.batches}`);
});

Deno.test("what is larger than a sink takes is a dead letter that says so, and is not even tried", async () => {
  const receiver = new MemoryReceiver("slack");
  await using host = new DispatchHost([receiver]);
  const seqs = host.put(command("ls"), command(BAD.huge), command("pwd"));
  await host.rest();
  assert.deepEqual(seqsOf(receiver), [seqs[0], seqs[2]]);
  assert.deepEqual(host.dead("slack"), [seqs[1]]);
  const { reason } = host.store.database.prepare("select reason from dead_letter").get() ?? {};
  assert.equal(reason, "it is too large: 5000, where slack takes 1000");
});

Deno.test("a sink that hangs holds up no other", async () => {
  const [stuck, well] = [new MemoryReceiver("slack"), new MemoryReceiver("webhook")];
  await using host = new DispatchHost([stuck, well]);
  stuck.hanging = Promise.withResolvers();
  const seqs = host.put(...commands(20));
  await until(() => well.taken.length === 20);
  assert.equal(stuck.taken.length, 0);
  stuck.hanging.resolve();
  await host.rest();
  assert.deepEqual([seqsOf(stuck), seqsOf(well)], [seqs, seqs]);
});

Deno.test("a sink that takes nothing is left alone until the config is read again", async () => {
  const receiver = new MemoryReceiver("slack");
  receiver.fates.push("denied");
  await using host = new DispatchHost([receiver], undefined, LONG);
  const seqs = host.put(...commands(3));
  await until(() => host.dispatch.status()[0]?.state === "denied");
  host.put(...commands(2)).forEach((seq) => seqs.push(seq));
  host.dispatch.run();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(receiver.batches, [3]);
  const [status] = host.dispatch.status();
  assert.deepEqual([status?.depth, status?.reason, status?.error], [
    5,
    "it does not take our key",
    "it does not take our key",
  ]);
  host.follow();
  await host.rest();
  assert.deepEqual(seqsOf(receiver), seqs);
  const [after] = host.dispatch.status();
  assert.deepEqual([after?.state, after?.reason, after?.error], ["up", null, null]);
});

Deno.test("whoever refuses everything is ill: it is left alone before all of it is dead, and is sent that again", async () => {
  const receiver = new MemoryReceiver("slack");
  receiver.refuses = () => "whole";
  await using host = new DispatchHost([receiver], undefined, LONG);
  const seqs = host.put(...commands(50));
  await until(() => host.dispatch.status()[0]?.state === "down");
  assert.deepEqual(host.dead("slack"), seqs.slice(0, 10));
  receiver.refuses = () => undefined;
  assert.deepEqual(host.dispatch.redeliver(undefined), [{ sink: "slack", count: 10 }]);
  await host.rest();
  assert.deepEqual([seqsOf(receiver), host.dead("slack")], [seqs, []]);
});

Deno.test("of a large batch that is refused no more is tried than it takes to see that the sink is ill", async () => {
  const receiver = new MemoryReceiver("slack");
  receiver.limits = { count: 512, bytes: 51_200, lingerMs: 0, paceMs: 0 };
  receiver.refuses = () => "whole";
  await using host = new DispatchHost([receiver], undefined, LONG);
  const seqs = host.put(...commands(512));
  await until(() => host.dispatch.status()[0]?.state === "down");
  assert.deepEqual(host.dead("slack"), seqs.slice(0, 10));
  assert.ok(receiver.batches.length < 40, `${receiver.batches}`);
  receiver.refuses = () => undefined;
  host.dispatch.redeliver("slack");
  await host.rest();
  assert.deepEqual([seqsOf(receiver), host.dead("slack")], [seqs, []]);
});

Deno.test("dead letters that are refused once more are dead again, with what was said last", async () => {
  const receiver = new MemoryReceiver("slack");
  await using host = new DispatchHost([receiver]);
  const [one = 0, two = 0] = host.put(command(BAD.one), command(BAD.whole));
  await host.rest();
  receiver.refuses = ({ seq }) => seq === two ? "one" : undefined;
  assert.deepEqual(host.dispatch.redeliver("slack"), [{ sink: "slack", count: 2 }]);
  await host.rest();
  assert.deepEqual([seqsOf(receiver), host.dead("slack")], [[one], [two]]);
  const { reason } = host.store.database.prepare("select reason from dead_letter").get() ?? {};
  assert.equal(reason, "not this one");
});

Deno.test("who denies one news, and takes a test, denies that news: it holds up nothing of what came after it", async () => {
  const receiver = new MemoryReceiver("webhook");
  receiver.refuses = ({ command }) => command?.text.includes("/etc/passwd") ? "denied" : undefined;
  await using host = new DispatchHost([receiver], undefined, LONG);
  host.takesTests = true;
  const [before = 0, bad = 0, after = 0] = host.put(command("ls"), command("cat /etc/passwd"), command("id"));
  await host.rest();
  assert.deepEqual([seqsOf(receiver).filter((seq) => seq > 0), host.dead("webhook")], [[before, after], [
    bad,
  ]]);
  assert.equal(host.dispatch.status()[0]?.state, "up");
  // Not even a whole flood of it: nobody waits for as long as the sink would be left alone for.
  const flood = host.put(...Array.from({ length: 40 }, () => command("cat /etc/passwd")));
  const [last = 0] = host.put(command("uptime"));
  await host.rest();
  assert.deepEqual(host.dead("webhook"), [bad, ...flood]);
  assert.equal(seqsOf(receiver).at(-1), last);
});

Deno.test("what takes long to be made news of is told by and by, not all at once in the end", async () => {
  const receiver = new MemoryReceiver("webhook");
  receiver.limits = { count: 1000, bytes: 1_000_000, lingerMs: 0, paceMs: 0 };
  await using host = new DispatchHost([receiver]);
  host.reader.read = (events) => {
    for (const endMs = performance.now() + 25; performance.now() < endMs;);
    return simpleNews(events);
  };
  const seqs = host.put(...commands(40));
  await host.rest();
  assert.deepEqual(seqsOf(receiver), seqs);
  assert.ok(receiver.batches.length > 1, `${receiver.batches}`);
});

Deno.test("a sink with too many dead letters is told nothing more before somebody has looked", async () => {
  const receiver = new MemoryReceiver("slack");
  await using host = new DispatchHost([receiver], undefined, LONG);
  host.store.database.prepare(`insert into dead_letter (sink, seq, at_us, reason)
    with recursive n (i) as (select 1 union all select i + 1 from n where i < ?) select 'slack', -i, 0, '' from n`)
    .run(MOST_DEAD);
  host.put(...commands(1));
  await until(() => host.dispatch.status()[0]?.state === "denied");
  assert.match(host.dispatch.status()[0]?.reason ?? "", /10000 news.*srvaudit redeliver slack/);
  assert.equal(receiver.taken.length, 0);
  host.dispatch.redeliver("slack");
  await host.rest();
  assert.deepEqual([receiver.taken.length, host.dead("slack")], [1, []]);
});

Deno.test("a slip of a sink's own over one news does not hold up the others for ever", async () => {
  const receiver = new MemoryReceiver("slack");
  await using host = new DispatchHost([receiver]);
  receiver.memory = (_, batch) => {
    if (batch.some(({ command }) => command?.text === "trip")) {
      throw new TypeError("undefined is not a function");
    }
  };
  const seqs = host.put(command("ls"), command("trip"), command("pwd"));
  await host.rest();
  assert.deepEqual([seqsOf(receiver), host.dead("slack")], [[seqs[0], seqs[2]], [seqs[1]]]);
});

Deno.test("what a sink is to remember is there with the batch that it was set in, or not at all", async () => {
  const receiver = new MemoryReceiver("slack");
  await using host = new DispatchHost([receiver]);
  const seen: (string | undefined)[] = [];
  receiver.memory = (memory, [first]) => {
    seen.push(memory.get("message"));
    memory.set("message", `of ${first?.command?.text}`);
    assert.equal(memory.get("message"), `of ${first?.command?.text}`);
    if (first?.command?.text === "last") memory.set("message", null);
  };
  receiver.fates.push("unavailable", "taken");
  for (const text of ["first", "second", "last", "after"]) {
    host.put(command(text));
    await host.rest();
    await host.restart();
  }
  assert.deepEqual(seen, [undefined, undefined, "of first", "of second", undefined]);
});

Deno.test("what was taken while evidence cannot be written is not told twice, and nothing else is before that is written", async () => {
  const receiver = new MemoryReceiver("slack");
  await using host = new DispatchHost([receiver]);
  let [isFull, failures] = [true, 0];
  const { transaction } = EvidenceStore.prototype;
  host.store.transaction = (work) => {
    if (isFull) {
      failures++;
      throw new EvidenceError(host.file, "full");
    }
    return transaction.call(host.store, work) as ReturnType<typeof work>;
  };
  const [bad, ...seqs] = host.put(command(BAD.one), ...commands(2));
  await until(() => receiver.taken.length === 2);
  host.put(...commands(2)).forEach((seq) => seqs.push(seq));
  await until(() => failures >= 3);
  assert.deepEqual(receiver.batches, [3]);
  isFull = false;
  await host.rest();
  assert.deepEqual([seqsOf(receiver), receiver.batches, host.dead("slack")], [seqs, [3, 2], [bad]]);
  assert.equal(host.outbox.placeOf("sink:slack"), seqs.at(-1));
});

Deno.test("a test goes past the queue, says what came back, and has a sink that works tried again", async () => {
  const receiver = new MemoryReceiver("slack");
  receiver.fates.push("unavailable", "denied", "taken");
  await using host = new DispatchHost([receiver], undefined, LONG);
  const seqs = host.put(...commands(2));
  await until(() => host.dispatch.status()[0]?.state === "down");
  assert.deepEqual(await host.dispatch.test("slack"), { ok: false, answer: "it does not take our key" });
  assert.equal(host.dispatch.status()[0]?.state, "down");
  assert.deepEqual(await host.dispatch.test("slack"), { ok: true, answer: "ok" });
  await host.rest();
  assert.deepEqual(receiver.taken.map(({ kind, seq }) => kind === "test" ? kind : seq), ["test", ...seqs]);
  await assert.rejects(host.dispatch.test("webhook"), NoSinkError);
  assert.throws(() => host.dispatch.redeliver("webhook"), NoSinkError);
});

Deno.test("news is made once for all sinks that are at the same place, and none of commands for who does not want them", async () => {
  const receivers = ["slack", "webhook", "otlp"].map((name) => new MemoryReceiver(name as "slack"));
  await using host = new DispatchHost(receivers);
  const made: number[] = [];
  host.reader.read = (events) => {
    made.push(...events.map(({ seq }) => seq));
    return simpleNews(events);
  };
  const seqs = [...host.put(opened("a")), ...host.put(...commands(30))];
  await host.rest();
  for (const receiver of receivers) assert.deepEqual(seqsOf(receiver), seqs);
  assert.deepEqual(made, seqs);
  assert.deepEqual(host.said.toSorted((one, other) => one - other), seqs.flatMap((seq) => [seq, seq, seq]));

  host.settings = receivers.map(({ name }) => sinkSettings(name, { ...ALL, events: "sessions" }));
  host.follow();
  made.length = 0;
  const [, session = 0] = host.put(command("ls"), opened("b"), command("ls"));
  await host.rest();
  assert.deepEqual(made, [session]);
});

Deno.test("a sink that is far behind reads a little at a time, and does not make the others' news be made again", async () => {
  const [late, present] = [new MemoryReceiver("slack"), new MemoryReceiver("webhook")];
  await using host = new DispatchHost([late, present]);
  for (const receiver of [late, present]) receiver.limits = { ...receiver.limits, count: 100, bytes: 10_000 };
  late.hanging = Promise.withResolvers();
  const seqs: number[] = [];
  for (let i = 0; i < 25; i++) {
    seqs.push(...host.put(...commands(100)));
    await until(() => present.taken.length === seqs.length);
  }
  const made: number[] = [];
  host.reader.read = (events) => {
    made.push(...events.map(({ seq }) => seq));
    return simpleNews(events);
  };
  late.hanging.resolve();
  const more = host.put(...commands(100));
  await until(() => present.taken.length === seqs.length + 100);
  await host.rest();
  assert.deepEqual(seqsOf(late), [...seqs, ...more]);
  assert.ok(made.filter((seq) => more.includes(seq)).length <= 200);
});

Deno.test("how far a sink has come through what it does not want is on the disk a second later", async () => {
  const receiver = new MemoryReceiver("slack");
  await using host = new DispatchHost([receiver], [sinkSettings("slack", { ...ALL, events: "sessions" })]);
  const seqs = host.put(...commands(3000));
  await host.rest();
  host.dispatch.run();
  assert.equal(host.outbox.placeOf("sink:slack"), seqs.at(-1));
  assert.equal(host.outbox.states()[0]?.successUs, null);
  assert.deepEqual(receiver.batches, []);
});

Deno.test("retention keeps what a sink was not told, and not what it has refused", async () => {
  const receiver = new MemoryReceiver("slack");
  await using host = new DispatchHost([receiver], undefined, LONG);
  const limits = { keepDays: 1, maxBytes: 0, nowUs: nowUs() + 3 * 86_400_000_000 };
  host.put(command(BAD.one));
  await host.rest();
  receiver.fates.push("unavailable");
  const [first = 0] = host.put(...commands(3));
  await until(() => host.dispatch.status()[0]?.state === "down");
  const { unmet } = await removeOld(host.store, limits);
  assert.match(unmet ?? "", /sink:slack was not told of what came after event \d+ yet/);
  assert.equal(host.rows.event(first)?.seq, first);
  host.dispatch.run();
  assert.deepEqual(host.dead("slack"), []);
});

Deno.test("a circuit is open after a failure for as long as the receiver wants, and closes with what is taken", () => {
  const circuit = new Circuit(SHORT);
  assert.deepEqual([circuit.state, circuit.reason, circuit.sinceUs], ["up", null, null]);
  assert.ok(circuit.failed(new SinkUnavailableError("busy", { retryAfterMs: 5000 }), 7) >= 5000);
  assert.deepEqual([circuit.state, circuit.reason, circuit.sinceUs], ["down", "busy", 7]);
  assert.ok(circuit.failed(new SinkDeniedError("no"), 9) >= SHORT.deniedMs);
  assert.deepEqual([circuit.state, circuit.reason, circuit.sinceUs], ["denied", "no", 7]);
  assert.deepEqual([circuit.works(), circuit.state, circuit.works()], [true, "up", false]);
});

Deno.test("waits grow, are never the same for two hosts, and heed what the receiver wants up to an hour", () => {
  const settings = { firstMs: 1000, longestMs: 60_000 };
  const most = (failures: number) => backoffMs(settings, failures, 0, () => 1);
  assert.deepEqual([1, 2, 3, 7, 1000].map(most), [1000, 2000, 4000, 60_000, 60_000]);
  assert.equal(backoffMs(settings, 3, 0, () => 0), 400);
  assert.equal(backoffMs(settings, 1, 30_000, () => 0.5), 30_550);
  assert.equal(backoffMs(settings, 1, 10 * 3_600_000, () => 0), 3_600_100);
});
