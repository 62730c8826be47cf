import assert from "node:assert/strict";
import { EvidenceReader, type SessionFilter } from "../../src/evidence/reading.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { effectiveUid } from "../../src/posix/libc.ts";
import { ALICE, append, BOB, makeEvidence, NOON_US } from "../support/evidence.ts";

// libc is opened before a test counts what it opens.
effectiveUid();

async function withEvidence(
  use: (evidence: EvidenceReader, file: string) => void | Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/state/evidence.db`;
    makeEvidence(file);
    using evidence = new EvidenceReader(file);
    await use(evidence, file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("sessions() gives all of them, newest first, with their tickets, ends and commands", () =>
  withEvidence((evidence) => {
    const [bob, alice, ...others] = evidence.sessions({ limit: 10 });
    assert.deepEqual(others, []);
    assert.deepEqual(alice, {
      id: ALICE,
      seq: 2,
      user: "alice",
      uid: 1000,
      host: "web1",
      tty: "/dev/pts/99",
      from: "192.0.2.7",
      mode: "interactive",
      command: null,
      shell: "/bin/bash",
      openedUs: NOON_US,
      closedUs: NOON_US + 60e6,
      how: "logout",
      exitCode: 0,
      ticket: "OPS-2",
      emergency: null,
      commands: 2,
      lastUs: NOON_US + 65e6,
    });
    assert.equal(bob?.id, BOB);
    assert.equal(bob?.emergency, "the site is down");
    assert.equal(bob?.closedUs, null);
    assert.equal(bob?.lastUs, NOON_US + 20e6);
  }));

Deno.test("sessions() takes every filter, and all that are given must hold", () =>
  withEvidence((evidence) => {
    const users = (filter: Partial<SessionFilter>) =>
      evidence.sessions({ limit: 10, ...filter }).map(({ user }) => user).join();
    assert.equal(users({ user: "alice" }), "alice");
    assert.equal(users({ user: "1001" }), "bob");
    assert.equal(users({ user: "ali" }), "");
    assert.equal(users({ ticket: "OPS-1" }), "alice", "one that she has left");
    assert.equal(users({ ticket: "OPS-2" }), "alice");
    assert.equal(users({ ticket: "OPS-3" }), "");
    assert.equal(users({ isOpen: true }), "bob");
    assert.equal(users({ isOpen: false }), "bob,alice");
    assert.equal(users({ isEmergency: true }), "bob");
    assert.equal(users({ host: "web1" }), "bob,alice");
    assert.equal(users({ host: "web" }), "");
    assert.equal(users({ from: "192.0.2." }), "alice");
    assert.equal(users({ from: "92.0.2.7" }), "");
    assert.equal(users({ sinceUs: NOON_US + 61e6 }), "bob", "hers had ended");
    assert.equal(users({ untilUs: NOON_US + 5e6 }), "alice", "his had not begun");
    assert.equal(users({ user: "alice", isOpen: true }), "");
    assert.equal(users({ limit: 1 }), "bob");
  }));

Deno.test("eventsAfter() gives events in their order, with their session's user and ticket", () =>
  withEvidence((evidence) => {
    const events = evidence.eventsAfter(0, {}, 100);
    assert.deepEqual(events.map(({ seq }) => seq), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const brief = events.map(({ kind, user, ticket }) => `${kind} ${user} ${ticket}`);
    assert.deepEqual(brief, [
      "agent null null",
      "session opened alice OPS-1",
      "shell started alice OPS-1",
      "command alice OPS-1",
      "ticket switched alice OPS-2",
      "command alice OPS-2",
      "session opened bob null",
      "shell started bob null",
      "command bob null",
      "tamper bob null",
      "session closed alice OPS-2",
    ]);
    assert.equal(events[3]?.text, "make test");
    assert.equal(events[3]?.directory, "/srv");
    assert.equal(events[3]?.exitCode, 2);
    assert.equal(events[8]?.exitCode, null);
    assert.deepEqual(evidence.eventsAfter(9, {}, 1).map(({ seq }) => seq), [10]);
  }));

Deno.test("eventsAfter() gives a command's end with the command's own text and ticket", () =>
  withEvidence((evidence, file) => {
    append(file, {
      kind: "command ended",
      atUs: NOON_US + 30e6,
      session: 7,
      shell: 8,
      uid: 1001,
      commandSeq: 9,
      end: { endUs: NOON_US + 30e6, exitCode: 130, pipeStates: [130] },
    });
    const [end] = evidence.eventsAfter(11, {}, 100);
    assert.equal(end?.text, "tail -f log");
    assert.equal(end?.exitCode, 130);
    assert.equal(end?.startUs, NOON_US + 12e6);
    assert.equal(end?.command, 9);
  }));

Deno.test("eventsAfter() and eventsUpTo() take every filter", () =>
  withEvidence((evidence, file) => {
    const [stray] = append(file, {
      kind: "tamper",
      atUs: NOON_US,
      session: null,
      shell: null,
      uid: 1000,
      data: {},
    });
    const after = (filter: Parameters<EvidenceReader["eventsAfter"]>[1]) =>
      evidence.eventsAfter(0, filter, 100).map(({ seq }) => seq);
    assert.deepEqual(after({ user: { name: "alice", uid: 1000 } }), [2, 3, 4, 5, 6, 11, stray]);
    assert.deepEqual(after({ user: { name: "alice", uid: undefined } }), [2, 3, 4, 5, 6, 11]);
    assert.deepEqual(after({ session: ALICE }), [2, 3, 4, 5, 6, 11]);
    assert.deepEqual(after({ session: BOB.slice(-4) }), [7, 8, 9, 10]);
    assert.deepEqual(after({ session: "nobody" }), []);
    assert.deepEqual(after({ ticket: "OPS-2" }), [5, 6, 11]);
    assert.deepEqual(after({ ticket: "OPS-1", user: { name: "bob", uid: undefined } }), []);
    assert.deepEqual(evidence.eventsUpTo(11, {}, 2).map(({ seq }) => seq), [10, 11]);
    assert.deepEqual(evidence.eventsUpTo(10, { session: ALICE }, 2).map(({ seq }) => seq), [5, 6]);
  }));

Deno.test("an EvidenceReader sees what is written while it is open, and says where the chain stands", () =>
  withEvidence((evidence, file) => {
    assert.deepEqual(evidence.extent(), { first: 1, last: 11, newestUs: NOON_US + 60e6 });
    append(file, { kind: "agent", atUs: NOON_US + 70e6, session: null, shell: null, uid: null, data: {} });
    assert.deepEqual(evidence.extent(), { first: 1, last: 12, newestUs: NOON_US + 70e6 });
    using store = new EvidenceStore(file);
    assert.deepEqual(evidence.head(), store.head());
  }));

Deno.test("tailBreak() finds a change among the newest events, wherever the chain begins", () =>
  withEvidence((evidence, file) => {
    for (const count of [0, 1, 5, 10, 11, 12, 100]) assert.equal(evidence.tailBreak(count), undefined);
    using store = new EvidenceStore(file);
    store.database.exec(
      "drop trigger event_is_never_changed; update event set at_us = at_us + 1 where seq = 6",
    );
    assert.equal(evidence.tailBreak(5), undefined, "7 to 11 are what they were");
    assert.equal(evidence.tailBreak(6), 6);
    assert.equal(evidence.tailBreak(100), 6);
    store.database.exec(`insert into anchor select 1, seq, hash from event where seq = 7;
      delete from event where seq <= 7`);
    assert.equal(evidence.tailBreak(100), undefined);
    store.database.exec("update anchor set hash = zeroblob(32)");
    assert.equal(evidence.tailBreak(100), 8);
  }));

Deno.test("new EvidenceReader() says what is wrong with the file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    assert.throws(() => new EvidenceReader(`${folder}/none.db`), Deno.errors.NotFound);
    await Deno.writeTextFile(`${folder}/empty.db`, "");
    assert.throws(() => new EvidenceReader(`${folder}/empty.db`), /no evidence in it yet/);
    await Deno.writeTextFile(
      `${folder}/text.db`,
      "this is no database at all, but quite a long text".repeat(40),
    );
    assert.throws(() => new EvidenceReader(`${folder}/text.db`), {
      name: "EvidenceError",
      reason: "damaged",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
