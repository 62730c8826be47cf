import assert from "node:assert/strict";
import { ALL } from "../support/deliver.ts";
import {
  BAD,
  commands,
  DispatchHost,
  LONG,
  MemoryReceiver,
  seqsOf,
  sinkSettings,
  until,
} from "../support/dispatch_host.ts";
import { command, opened } from "../support/evidence_events.ts";

Deno.test("a sink that is switched off is forgotten, and begins anew with what comes when it is switched on again", async () => {
  const receiver = new MemoryReceiver("slack");
  await using host = new DispatchHost([receiver], undefined, LONG);
  host.put(command(BAD.one));
  await host.rest();
  receiver.fates.push("unavailable");
  host.put(...commands(3));
  await until(() => host.dispatch.status()[0]?.state === "down");
  host.settings = [];
  host.follow();
  await until(() => receiver.disposed === 1);
  assert.deepEqual([host.outbox.states(), host.dead("slack"), host.dispatch.status()], [[], [], []]);
  host.put(...commands(2));
  host.settings = [sinkSettings("slack")];
  host.follow();
  const seqs = host.put(...commands(2));
  await host.rest();
  assert.deepEqual(seqsOf(receiver), seqs);
});

Deno.test("other settings hold when the batch that is under way has come to its end, and no news is told twice", async () => {
  const receiver = new MemoryReceiver("slack");
  await using host = new DispatchHost([receiver]);
  receiver.hanging = Promise.withResolvers();
  const seqs = host.put(...commands(7));
  await until(() => receiver.isBusy);
  host.settings = [sinkSettings("slack", { ...ALL, events: "sessions" })];
  host.follow();
  assert.equal(receiver.disposed, 0);
  receiver.hanging.resolve();
  const [session = 0] = host.put(opened("a"));
  await host.rest();
  assert.deepEqual(seqsOf(receiver), [...seqs.slice(0, 5), session]);
  assert.equal(receiver.disposed, 1);
});

Deno.test("who fails while other settings are waiting is not left alone: they are tried at once", async () => {
  const receiver = new MemoryReceiver("slack");
  await using host = new DispatchHost([receiver], undefined, LONG);
  receiver.hanging = Promise.withResolvers();
  receiver.fates.push("denied");
  const seqs = host.put(...commands(3));
  await until(() => receiver.isBusy);
  host.settings = [sinkSettings("slack", { ...ALL, users: ["alice"] })];
  host.follow();
  receiver.hanging.resolve();
  await host.rest();
  assert.deepEqual([seqsOf(receiver), receiver.disposed], [seqs, 1]);
});

Deno.test("a sink is made anew where the CA file has other certificates in it by the time that the config is read again", async () => {
  const receiver = new MemoryReceiver("slack");
  const caFile = await Deno.makeTempFile();
  try {
    await using host = new DispatchHost([receiver]);
    host.caFile = caFile;
    host.follow();
    await until(() => receiver.disposed === 1);
    host.follow();
    host.put(...commands(1));
    await host.rest();
    assert.equal(receiver.disposed, 1);
    await Deno.writeTextFile(caFile, "other certificates");
    host.follow();
    await until(() => receiver.disposed === 2);
  } finally {
    await Deno.remove(caFile);
  }
});

Deno.test("a sink that cannot be made takes nothing, and the others are none the worse for it", async () => {
  const receiver = new MemoryReceiver("webhook");
  await using host = new DispatchHost([receiver], [sinkSettings("slack"), sinkSettings("webhook")], LONG);
  const seqs = host.put(...commands(3));
  await until(() => receiver.taken.length === 3);
  await until(() => host.dispatch.status()[0]?.state === "denied");
  assert.deepEqual(seqsOf(receiver), seqs);
  assert.equal(host.dispatch.status()[0]?.reason, "slack cannot be used: no slack here");
});
