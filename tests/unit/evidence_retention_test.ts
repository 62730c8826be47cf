import assert from "node:assert/strict";
import { hexOf } from "../../src/evidence/chain.ts";
import { Outbox } from "../../src/evidence/outbox.ts";
import { removeOld } from "../../src/evidence/retention.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { verifyEvidence } from "../../src/evidence/verify.ts";
import { openDatabase } from "../../src/sqlite/database.ts";
import { agentEvent, closed, command, EvidenceFolder, opened, T0 } from "../support/evidence_events.ts";

const DAY_US = 86_400_000_000;
const NEVER = { keepDays: 0, maxBytes: 0 };

/** A session of so many commands, all taken in on that day. */
function addSession(store: EvidenceStore, id: string, commands: number, day: number, isOpen = false): number {
  const atUs = T0 + day * DAY_US;
  return store.transaction(() => {
    const session = store.append(opened(id), atUs);
    for (let number = 1; number <= commands; number++) {
      store.append(command(`echo ${number}`.padEnd(100), { session, number }), atUs);
    }
    if (!isOpen) store.append(closed(session), atUs);
    return session;
  });
}

const on = (day: number) => T0 + day * DAY_US;
const firstSeq = (store: EvidenceStore) =>
  Number(store.database.prepare("select min(seq) as seq from event").get()?.seq);
const retentions = (store: EvidenceStore) =>
  store.database.prepare("select data from event where kind = 'agent' order by seq").all()
    .map(({ data }) => JSON.parse(String(data)));

Deno.test("what is too old goes, the chain stays whole, and an earlier head is told from a forgery", async () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  addSession(store, "a", 10, 0);
  const early = store.head();
  addSession(store, "b", 10, 5);
  const late = store.head();
  assert.equal((await removeOld(store, { ...NEVER, keepDays: 10, nowUs: on(9) })).tooOld, 0);
  assert.equal(store.head().seq, late.seq);
  const report = await removeOld(store, { ...NEVER, keepDays: 7, nowUs: on(9) });
  assert.deepEqual([report.tooOld, report.tooMuch, report.unmet], [12, 0, null]);
  assert.equal(firstSeq(store), 13);
  const hash = hexOf(early.hash);
  assert.deepEqual(retentions(store), [
    { what: "retention", because: "age", upTo: 12, hash, count: 12 },
  ]);
  const verified = verifyEvidence(place.file);
  assert.deepEqual([verified.isIntact, verified.anchor], [true, early]);
  assert.equal(verifyEvidence(place.file, { since: { seq: 12, hashHex: hash } }).since, "found");
  const gone = verifyEvidence(place.file, { since: { seq: 5, hashHex: hash } });
  assert.deepEqual([gone.since, gone.isIntact], ["removed by retention", false]);
  assert.equal(store.transaction(() => store.append(agentEvent("x"), on(9))), late.seq + 2);
});

Deno.test("all of it can be too old, again and again", async () => {
  using place = new EvidenceFolder();
  {
    using store = new EvidenceStore(place.file);
    addSession(store, "a", 5000, 0);
    const report = await removeOld(store, { ...NEVER, keepDays: 1, nowUs: on(9) });
    assert.equal(report.tooOld, 5002);
    assert.deepEqual(retentions(store).map(({ upTo }) => upTo), [2000, 4000, 5002]);
    await removeOld(store, { ...NEVER, keepDays: 1, nowUs: on(20) });
    assert.equal(retentions(store).length, 1);
    assert.equal(verifyEvidence(place.file).isIntact, true);
  }
  using store = new EvidenceStore(place.file);
  assert.equal(store.transaction(() => store.append(agentEvent("x"), on(20))), 5007);
  assert.equal(verifyEvidence(place.file).isIntact, true);
});

Deno.test("an open session, and all that came after its beginning, stays", async () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  addSession(store, "a", 3, 0);
  const open = addSession(store, "still-open", 3, 1, true);
  addSession(store, "c", 3, 2);
  const report = await removeOld(store, { ...NEVER, keepDays: 1, nowUs: on(9) });
  assert.equal(firstSeq(store), open);
  assert.match(report.unmet ?? "", /more than 1 days: the session still-open is still open/);
  store.transaction(() => store.append(closed(open), on(9)));
  assert.equal((await removeOld(store, { ...NEVER, keepDays: 1, nowUs: on(9) })).unmet, null);
  assert.equal(verifyEvidence(place.file).isIntact, true);
});

Deno.test("what a consumer was not told of stays", async () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  const outbox = new Outbox(store);
  outbox.register("jira", T0);
  outbox.register("slack", T0);
  addSession(store, "a", 8, 0);
  outbox.delivered("slack", 4, T0);
  const report = await removeOld(store, { ...NEVER, keepDays: 1, nowUs: on(9) });
  assert.deepEqual([report.tooOld, firstSeq(store)], [0, 1]);
  assert.match(report.unmet ?? "", /jira was not told of what came after event 0 yet/);
  outbox.delivered("jira", 9, T0);
  assert.equal((await removeOld(store, { ...NEVER, keepDays: 1, nowUs: on(9) })).tooOld, 4);
  assert.deepEqual(outbox.pending("slack", 1).map(({ seq }) => seq), [5]);
});

Deno.test("of all who hold events, the one who holds the most is heard", async () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  const outbox = new Outbox(store);
  outbox.register("jira", T0);
  addSession(store, "a", 3, 0);
  const open = addSession(store, "still-open", 3, 0, true);
  addSession(store, "c", 3, 0);
  outbox.delivered("jira", 2, T0);
  const byConsumer = await removeOld(store, { ...NEVER, keepDays: 1, nowUs: on(9) });
  assert.match(byConsumer.unmet ?? "", /jira was not told/);
  assert.equal(firstSeq(store), 3);
  outbox.delivered("jira", store.head().seq, T0);
  const bySession = await removeOld(store, { ...NEVER, keepDays: 1, nowUs: on(9) });
  assert.match(bySession.unmet ?? "", /still-open is still open/);
  assert.equal(firstSeq(store), open);
});

Deno.test("what is too much goes, the oldest first, and the file gets shorter", async () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  for (let i = 0; i < 10; i++) addSession(store, `s${i}`, 2000, 0);
  store.database.exec("pragma wal_checkpoint(truncate)");
  const before = Deno.statSync(place.file).size;
  const maxBytes = Math.floor(before / 2);
  const report = await removeOld(store, { keepDays: 100, maxBytes, nowUs: on(1) });
  assert.equal(report.unmet, null);
  assert.equal(report.tooOld, 0);
  assert(report.bytes <= maxBytes);
  assert(report.tooMuch > 0 && firstSeq(store) === report.tooMuch + 1);
  assert.equal(Deno.statSync(place.file).size, report.bytes);
  assert.equal(retentions(store).at(-1)?.because, "size");
  assert.equal(verifyEvidence(place.file).isIntact, true);
});

Deno.test("for the size no more goes than has to, however long the events are", async () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  const session = addSession(store, "a", 10, 0);
  for (let number = 1; number <= 100; number++) {
    store.transaction(() => store.append(command("x".repeat(30_000), { session, number }), on(0)));
  }
  const maxBytes = 1_000_000;
  const report = await removeOld(store, { keepDays: 0, maxBytes, nowUs: on(1) });
  assert(report.bytes <= maxBytes && report.bytes > maxBytes - 200_000, String(report.bytes));
  assert.equal(report.unmet, null);
  assert.equal(verifyEvidence(place.file).isIntact, true);
});

Deno.test("it says why the size cannot be met", async () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  addSession(store, "a", 10, 0);
  const nothingLeft = await removeOld(store, { keepDays: 0, maxBytes: 10, nowUs: on(1) });
  assert.equal(nothingLeft.tooMuch, 12);
  assert.match(nothingLeft.unmet ?? "", /bytes, more than the 10 .*nothing left to remove/);
  addSession(store, "b", 10, 0, true);
  const report = await removeOld(store, { keepDays: 0, maxBytes: 10, nowUs: on(1) });
  assert.match(report.unmet ?? "", /the session b is still open/);
});

Deno.test("others may write while old events are removed", async () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  addSession(store, "a", 9000, 0);
  const removing = removeOld(store, { ...NEVER, keepDays: 1, nowUs: on(9) });
  let isOver = false;
  const written = (async () => {
    let count = 0;
    for (; !isOver; count++) {
      store.transaction(() => store.append(agentEvent("meanwhile"), on(9)));
      await new Promise((resolve) => setTimeout(resolve));
    }
    return count;
  })();
  const report = await removing;
  isOver = true;
  assert(await written > 1);
  assert.equal(report.tooOld, 9002);
  assert.equal(verifyEvidence(place.file).isIntact, true);
});

Deno.test("an anchor that was edited, or whose event was, is found", async () => {
  for (
    const sql of [
      "update anchor set seq = seq - 1",
      "update anchor set hash = x'00'",
      "delete from anchor",
      "update anchor set (seq, hash) = (select seq, hash from event where seq = 16); delete from event where seq <= 16",
    ]
  ) {
    using place = new EvidenceFolder();
    using store = new EvidenceStore(place.file);
    addSession(store, "a", 10, 0);
    addSession(store, "b", 10, 5);
    await removeOld(store, { ...NEVER, keepDays: 7, nowUs: on(9) });
    const forger = openDatabase(place.file, { busyTimeoutMs: 1000 });
    forger.exec(sql);
    forger.close();
    const { broken } = verifyEvidence(place.file);
    const kind = sql === "delete from anchor" ? "missing" : "anchor not confirmed";
    assert.equal(broken?.kind, kind, sql);
  }
});
