import assert from "node:assert/strict";
import { Outbox } from "../../src/evidence/outbox.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { agentEvent, command, ended, EvidenceFolder, opened, T0 } from "../support/evidence_events.ts";

Deno.test("a consumer begins at the present head, and gets what comes after, in order", () => {
  using place = new EvidenceFolder();
  place.write((store) => store.append(agentEvent("before"), T0));
  using store = new EvidenceStore(place.file);
  const outbox = new Outbox(store);
  outbox.register("slack", T0);
  assert.deepEqual(outbox.pending("slack", 10), []);
  const event = command("ls");
  const late = ended(3, { endUs: T0 + 7, exitCode: 1, pipeStates: [0, 1] });
  store.transaction(() => {
    store.append(opened("a"), T0 + 1);
    store.append(event, T0 + 2);
    store.append(late, T0 + 3);
  });
  const pending = outbox.pending("slack", 10);
  assert.deepEqual(pending.map(({ seq }) => seq), [2, 3, 4]);
  assert.deepEqual(outbox.pending("slack", 2), pending.slice(0, 2));
  const [first, second, third] = pending;
  assert.equal(first?.data?.session, "a");
  assert.equal(first?.session, 2);
  const { seq: _, takenUs, hash, ...rest } = second ?? assert.fail();
  assert.deepEqual(rest, event);
  assert.deepEqual([takenUs, hash.length], [T0 + 2, 32]);
  assert.deepEqual(third?.end, late.end);
  assert.equal(third?.commandSeq, 3);
  assert.deepEqual(third?.hash, store.head().hash);
});

Deno.test("a place only moves on, never beyond the head, and stays over a restart", () => {
  using place = new EvidenceFolder();
  {
    using store = new EvidenceStore(place.file);
    const outbox = new Outbox(store);
    outbox.register("slack", T0);
    store.transaction(() => [1, 2, 3].map((n) => store.append(agentEvent(`${n}`), T0)));
    outbox.delivered("slack", 2, T0);
    outbox.delivered("slack", 1, T0);
  }
  using store = new EvidenceStore(place.file);
  const outbox = new Outbox(store);
  // What starts again registers again.
  outbox.register("slack", T0);
  assert.deepEqual(outbox.pending("slack", 10).map(({ seq }) => seq), [3]);
  outbox.delivered("slack", 99, T0);
  store.transaction(() => store.append(agentEvent("4"), T0));
  assert.deepEqual(outbox.pending("slack", 10).map(({ seq }) => seq), [4]);
});

Deno.test("states() tell how far each is, how long it waits, and what went wrong last", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  const outbox = new Outbox(store);
  outbox.register("slack", T0);
  outbox.register("jira", T0);
  store.transaction(() => [1, 2, 3].map((n) => store.append(agentEvent(`${n}`), T0 + n)));
  outbox.delivered("slack", 3, T0 + 10);
  outbox.delivered("jira", 1, T0 + 11);
  outbox.failed("jira", "503 from jira", T0 + 12);
  const idle = { oldestUs: null, error: null, errorUs: null };
  assert.deepEqual(outbox.states(), [
    {
      name: "jira",
      delivered: 1,
      depth: 2,
      oldestUs: T0 + 2,
      successUs: T0 + 11,
      error: "503 from jira",
      errorUs: T0 + 12,
    },
    { name: "slack", delivered: 3, depth: 0, successUs: T0 + 10, ...idle },
  ]);
  outbox.delivered("jira", 3, T0 + 13);
  assert.deepEqual(outbox.states()[0], { name: "jira", delivered: 3, depth: 0, successUs: T0 + 13, ...idle });
  outbox.unregister("jira");
  assert.deepEqual(outbox.states().map(({ name }) => name), ["slack"]);
});

Deno.test("who was never registered is no consumer", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  const outbox = new Outbox(store);
  assert.deepEqual(outbox.pending("nobody", 1), []);
  assert.throws(() => outbox.delivered("nobody", 1, T0), /nobody is no consumer/);
  assert.throws(() => outbox.failed("nobody", "x", T0), /nobody is no consumer/);
});

Deno.test("a delivery within a transaction that fails was none", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  const outbox = new Outbox(store);
  outbox.register("slack", T0);
  store.transaction(() => store.append(agentEvent("1"), T0));
  assert.throws(() =>
    store.transaction(() => {
      outbox.delivered("slack", 1, T0);
      throw new Error("no");
    })
  );
  assert.equal(outbox.pending("slack", 10).length, 1);
});
