import assert from "node:assert/strict";
import { effectiveUid } from "../../src/posix/libc.ts";
import { LocalTracker } from "../../src/trackers/local.ts";
import { LocalTickets } from "../../src/trackers/local_tickets.ts";
import {
  type Asking,
  StatusNotAllowedError,
  SUBJECT_QUESTION,
  TicketNotFoundError,
  TicketRefusedError,
  TrackerUnavailableError,
} from "../../src/trackers/tracker.ts";

// libc is opened once and for good: before the first test, or Deno would call it that test's leak.
effectiveUid();

/** Somebody who waits. */
function asking(name: string, signal: AbortSignal = new AbortController().signal): Asking {
  return { person: { uid: 1000, name }, signal };
}

/** The tickets of a host, in a folder of their own. */
function newTickets() {
  const folder = Deno.makeTempDirSync();
  const file = `${folder}/host/tickets.db`;
  return {
    file,
    tickets: new LocalTickets(file),
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

const ALICE = asking("alice");
const BOB = asking("bob");

Deno.test("LocalTickets works in the name of whoever asks", async () => {
  using host = newTickets();
  const { tickets } = host;
  const created = await tickets.create(ALICE, { subject: "Replace the disk" });
  assert.deepEqual(created, {
    ticket: { key: "1", subject: "Replace the disk", status: "New", open: true },
  });
  await tickets.addNote(BOB, "1", "on its way");
  const { before, after } = await tickets.setStatus(BOB, "1", "Closed");
  assert.deepEqual([before, after.status, after.open], ["New", "Closed", false]);
  assert.deepEqual(await tickets.nextStatuses(ALICE, "1"), ["In Progress"]);
  const { createdBy, notes, statuses, url } = await tickets.details(ALICE, "1");
  assert.deepEqual([createdBy, notes.map(({ user }) => user), url], ["alice", ["bob"], undefined]);
  assert.deepEqual(statuses.map(({ user }) => user), ["alice", "bob"]);
  assert.deepEqual(await tickets.find(BOB, "1"), after);
  assert.equal(await tickets.find(BOB, "2"), undefined);
});

Deno.test("LocalTickets asks for a subject, and refuses what would be lost", async () => {
  using host = newTickets();
  for (const answers of [{}, { subject: "" }]) {
    assert.deepEqual(await host.tickets.create(ALICE, answers), { questions: [SUBJECT_QUESTION] });
  }
  await assert.rejects(host.tickets.create(ALICE, { subject: "x", project: "web" }), TicketRefusedError);
  assert.throws(() => Deno.statSync(host.file), Deno.errors.NotFound);
});

Deno.test("LocalTickets says what is not there, not allowed or damaged as any tracker does", async () => {
  using host = newTickets();
  const { tickets } = host;
  await tickets.create(ALICE, { subject: "One" });
  await assert.rejects(tickets.details(ALICE, "2"), TicketNotFoundError);
  await assert.rejects(tickets.setStatus(ALICE, "2", "Closed"), TicketNotFoundError);
  await assert.rejects(tickets.addNote(ALICE, "2", "note"), TicketNotFoundError);
  await assert.rejects(tickets.setStatus(ALICE, "1", "Nonsense"), StatusNotAllowedError);
  // It may be moved away and put back while the agent runs.
  Deno.renameSync(host.file, `${host.file}.old`);
  for (const end of ["-wal", "-shm"]) await Deno.remove(host.file + end).catch(() => {});
  Deno.writeTextFileSync(host.file, "no database at all, however long it may be");
  await assert.rejects(tickets.find(ALICE, "1"), TrackerUnavailableError);
  Deno.renameSync(`${host.file}.old`, host.file);
  assert.equal((await tickets.find(ALICE, "1"))?.subject, "One");
});

Deno.test("LocalTickets searches as the store does, up to a limit, and lists all for no words", async () => {
  using host = newTickets();
  {
    using tracker = new LocalTracker(host.file, "alice");
    for (let i = 1; i <= 200; i++) tracker.create(i % 3 === 0 ? `Third ${i}` : `Other ${i}`);
    tracker.setStatus("9", "Closed");
  }
  const search = async (words: string, limit: number, closedToo: boolean) =>
    (await host.tickets.search(BOB, { words, limit, closedToo })).map(({ key }) => Number(key));
  assert.deepEqual(await search("", 3, false), [200, 199, 198]);
  assert.equal((await search("", 1000, false)).length, 199);
  assert.equal((await search("THIRD", 1000, true)).length, 66);
  assert.equal((await search("THIRD", 1000, false)).length, 65);
  assert.deepEqual(await search("third 9", 2, true), [198, 195]);
});

Deno.test("LocalTickets ends a search when the asker has gone, and takes no more than sixteen words", async () => {
  using host = newTickets();
  {
    using tracker = new LocalTracker(host.file, "alice");
    for (let i = 1; i <= 200; i++) tracker.create(`Ticket ${i}`);
  }
  const gone = asking("alice", AbortSignal.abort());
  const found = await host.tickets.search(gone, { words: "", limit: 1000, closedToo: false });
  assert.ok(found.length > 0 && found.length < 200, String(found.length));
  const words = Array.from({ length: 17 }, (_, i) => `w${i}`).join(" ");
  await assert.rejects(
    host.tickets.search(ALICE, { words, limit: 10, closedToo: false }),
    TicketRefusedError,
  );
});

Deno.test("LocalTickets takes #17 for 17, and has no pages and no storybook", () => {
  using host = newTickets();
  const { tickets } = host;
  assert.deepEqual([tickets.keyOf("#17"), tickets.keyOf("17"), tickets.urlOf()], ["17", "17", undefined]);
  assert.ok(!("storybook" in tickets));
});
