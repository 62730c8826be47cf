import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { DEFAULT_POLICY } from "../../src/config/policy.ts";
import { LocalDesk } from "../../src/desk/local_desk.ts";
import { effectiveUid } from "../../src/posix/libc.ts";
import { nowUs } from "../../src/record/clock.ts";
import { LocalTracker } from "../../src/trackers/local.ts";
import {
  StatusNotAllowedError,
  SUBJECT_QUESTION,
  TicketNotFoundError,
  TicketRefusedError,
  TrackerUnavailableError,
} from "../../src/trackers/tracker.ts";
import { FIRST_STATUS, isOpenStatus, statusesAfter, WORKFLOW } from "../../src/trackers/workflow.ts";

// libc is opened once and for good: before the first test, or Deno would call it that test's leak.
effectiveUid();

/** A store in a folder of its own, and its file. */
function newTracker() {
  const folder = Deno.makeTempDirSync();
  const file = `${folder}/ash/tickets.db`;
  const tracker = new LocalTracker(file, "alice");
  return {
    file,
    tracker,
    [Symbol.dispose]() {
      tracker[Symbol.dispose]();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

/** alice's desk, with all that is hers in one folder. */
function deskAt(user: string): LocalDesk {
  const places = { user, spool: `${user}/spool`, tickets: `${user}/tickets.db`, hostSpool: "", socket: "" };
  return new LocalDesk(places, DEFAULT_POLICY, "alice");
}

const modeOf = (path: string) => (Deno.statSync(path).mode ?? 0) & 0o777;

Deno.test("create() makes tickets that count from 1, New and open, with who made them and when", () => {
  using store = newTracker();
  const before = nowUs();
  assert.deepEqual(store.tracker.create("Replace the disk"), {
    key: "1",
    subject: "Replace the disk",
    status: "New",
    open: true,
  });
  assert.equal(store.tracker.create("Second").key, "2");
  const details = store.tracker.details("1");
  assert.equal(details.createdBy, "alice");
  assert.ok(details.createdAtUs >= before && details.createdAtUs <= nowUs());
  assert.deepEqual(details.statuses.map(({ user, status }) => ({ user, status })), [
    { user: "alice", status: "New" },
  ]);
  assert.deepEqual(details.notes, []);
});

Deno.test("the store is its owner's alone, and is closed again where it was opened to others", () => {
  using store = newTracker();
  assert.equal(modeOf(store.file), 0o600);
  assert.equal(modeOf(store.file.slice(0, store.file.lastIndexOf("/"))), 0o700);
  Deno.chmodSync(store.file, 0o644);
  new LocalTracker(store.file, "alice")[Symbol.dispose]();
  assert.equal(modeOf(store.file), 0o600);
});

Deno.test("find() knows no ticket by a key that is none", () => {
  using store = newTracker();
  store.tracker.create("One");
  for (
    const key of ["", "0", "2", "01", "1.0", " 1", "1 ", "OPS-1", "-1", "1e0", "9".repeat(40), "' or 1=1"]
  ) {
    assert.equal(store.tracker.find(key), undefined, key);
  }
  assert.throws(() => store.tracker.details("2"), TicketNotFoundError);
  assert.throws(() => store.tracker.addNote("2", "text"), TicketNotFoundError);
  assert.throws(() => store.tracker.setStatus("2", "Closed"), TicketNotFoundError);
  assert.throws(() => store.tracker.nextStatuses("2"), TicketNotFoundError);
});

Deno.test("the workflow leads from New to every status, and back to work from every end", () => {
  const reached = new Set<string>();
  const visit = (status: string) => {
    if (reached.has(status)) return;
    reached.add(status);
    statusesAfter(status).forEach(visit);
  };
  visit(FIRST_STATUS);
  assert.deepEqual([...reached].sort(), Object.keys(WORKFLOW).sort());
  for (const status of Object.keys(WORKFLOW)) {
    assert.ok(!statusesAfter(status).includes(status), `${status} follows itself`);
    assert.ok(!statusesAfter(status).includes(FIRST_STATUS), `${status} goes back to New`);
    if (!isOpenStatus(status)) assert.deepEqual(statusesAfter(status), ["In Progress"]);
  }
});

Deno.test("setStatus() goes exactly where the workflow leads, whatever is asked", () => {
  using store = newTracker();
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...Object.keys(WORKFLOW), "Nonsense", "new", "")),
      (wishes) => {
        const { key } = store.tracker.create("Any");
        const expected = [FIRST_STATUS];
        for (const wish of wishes) {
          const present = expected.at(-1) ?? "";
          assert.deepEqual(store.tracker.nextStatuses(key), [...statusesAfter(present)]);
          if (wish === present) {
            store.tracker.setStatus(key, wish);
          } else if (statusesAfter(present).includes(wish)) {
            const ticket = store.tracker.setStatus(key, wish);
            assert.equal(ticket.status, wish);
            assert.equal(ticket.open, isOpenStatus(wish));
            expected.push(wish);
          } else {
            assert.throws(() => store.tracker.setStatus(key, wish), StatusNotAllowedError);
          }
        }
        assert.deepEqual(store.tracker.details(key).statuses.map(({ status }) => status), expected);
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("any subject and any note comes back as the same text", () => {
  using store = newTracker();
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 3 }), (subject, notes) => {
      const { key } = store.tracker.create(subject);
      for (const note of notes) store.tracker.addNote(key, note);
      assert.equal(store.tracker.find(key)?.subject, subject);
      assert.deepEqual(store.tracker.details(key).notes.map((note) => note.text), notes);
    }),
    { numRuns: 50, examples: [["a\0b", ["\ufeffmark", "'); drop table ticket; --"]]] },
  );
});

Deno.test("search() finds a ticket by any piece of its own text, whatever characters that holds", () => {
  using store = newTracker();
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", minLength: 1 }).filter((word) => !/[\s\0]/.test(word)),
      (word) => {
        const { key } = store.tracker.create(`before${word}after`);
        assert.ok(store.tracker.search(word).some((ticket) => ticket.key === key));
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("search() takes wildcards and quotes for mere characters", () => {
  using store = newTracker();
  store.tracker.create("disk 100% full");
  store.tracker.create("disk 100 full");
  store.tracker.create("rename foo_bar");
  store.tracker.create("rename fooxbar");
  store.tracker.create("o'brien's \"quoted\" \\ ticket");
  const keys = (words: string) => store.tracker.search(words).map((ticket) => ticket.key);
  assert.deepEqual(keys("100%"), ["1"]);
  assert.deepEqual(keys("%"), ["1"]);
  assert.deepEqual(keys("foo_bar"), ["3"]);
  assert.deepEqual(keys("_"), ["3"]);
  assert.deepEqual(keys("o'brien"), ["5"]);
  assert.deepEqual(keys('"quoted"'), ["5"]);
  assert.deepEqual(keys("\\"), ["5"]);
  assert.deepEqual(keys("' or 1=1 --"), []);
});

Deno.test("search() wants all words, in subject, notes or key, in any script and case, newest first", () => {
  using store = newTracker();
  store.tracker.create("Größe der Platte ändern");
  store.tracker.create("ДИСК заменить");
  store.tracker.create("Platte ersetzen");
  store.tracker.addNote("3", "The Disk in rack 17");
  const keys = (words: string, limit?: number) =>
    store.tracker.search(words, { limit }).map((ticket) => ticket.key);
  assert.deepEqual(keys("platte"), ["3", "1"]);
  assert.deepEqual(keys("GRÖSSE"), ["1"]);
  assert.deepEqual(keys("gro\u0308ße platte"), ["1"]);
  assert.deepEqual(keys("диск"), ["2"]);
  assert.deepEqual(keys("RACK ersetzen"), ["3"]);
  assert.deepEqual(keys("platte nowhere"), []);
  assert.deepEqual(keys("2"), ["2"]);
  assert.deepEqual(keys("#2"), ["2"]);
  assert.deepEqual(keys(""), ["3", "2", "1"]);
  assert.deepEqual(keys("  ", 2), ["3", "2"]);
});

Deno.test("search() passes over closed tickets unless they are asked for", () => {
  using store = newTracker();
  store.tracker.create("one");
  store.tracker.create("two");
  store.tracker.setStatus("1", "Closed");
  store.tracker.create("three");
  store.tracker.setStatus("3", "Rejected");
  assert.deepEqual(store.tracker.search("").map((ticket) => ticket.key), ["2"]);
  assert.deepEqual(store.tracker.search("", { closedToo: true }).map((ticket) => ticket.key), [
    "3",
    "2",
    "1",
  ]);
});

Deno.test("a store that is damaged, foreign or newer says which file it is and what to do, and stays as it was", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const file = `${folder}/tickets.db`;
    const refused = (advice: RegExp) => {
      const before = Deno.readFileSync(file);
      assert.throws(() => new LocalTracker(file, "alice"), (error: unknown) => {
        assert.ok(error instanceof TrackerUnavailableError);
        assert.ok(error.message.includes(file), error.message);
        assert.match(error.message, advice);
        return true;
      });
      assert.deepEqual(Deno.readFileSync(file), before);
    };
    Deno.writeTextFileSync(file, "no database at all\n".repeat(500), { mode: 0o600 });
    refused(/damaged: move it away/);
    Deno.writeTextFileSync(file, "");
    refused(/not a store of tickets: move it away/);
    const newer = new DatabaseSync(file);
    newer.exec("pragma user_version = 99");
    newer.close();
    refused(/newer srvAudit/);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a write that another process holds up is waited for, then refused with a reason", () => {
  using store = newTracker();
  const other = new DatabaseSync(store.file);
  other.exec("begin immediate");
  assert.throws(() => store.tracker.create("late"), /another process holds it/);
  assert.deepEqual(store.tracker.search(""), [], "readers are not held up");
  other.exec("rollback");
  other.close();
  assert.equal(store.tracker.create("late").key, "1");
});

Deno.test("a write that fails half-way leaves nothing behind", () => {
  using store = newTracker();
  store.tracker.create("one");
  const other = new DatabaseSync(store.file);
  other.exec("create trigger stop before insert on status begin select raise(abort, 'stop'); end");
  other.close();
  assert.throws(() => store.tracker.create("two"), TrackerUnavailableError);
  assert.throws(() => store.tracker.setStatus("1", "Closed"), TrackerUnavailableError);
  assert.equal(store.tracker.find("2"), undefined);
  assert.equal(store.tracker.find("1")?.status, "New");
});

Deno.test("many processes that begin the store and work on it at once lose nothing", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const file = `${folder}/ash/tickets.db`;
    const module = new URL("../../src/trackers/local.ts", import.meta.url).href;
    const program = `
      const { LocalTracker } = await import(${JSON.stringify(module)});
      using tracker = new LocalTracker(${JSON.stringify(file)}, "bob");
      for (let i = 0; i < 5; i++) tracker.addNote(tracker.create("one of many").key, "note");
    `;
    const children = Array.from({ length: 8 }, () =>
      new Deno.Command(Deno.execPath(), {
        args: ["eval", program],
        stdout: "null",
        stderr: "piped",
      }).output());
    for (const { success, stderr } of await Promise.all(children)) {
      assert.ok(success, new TextDecoder().decode(stderr));
    }
    using tracker = new LocalTracker(file, "alice");
    const tickets = tracker.search("");
    assert.deepEqual(tickets.map((ticket) => ticket.key), Array.from({ length: 40 }, (_, i) => `${40 - i}`));
    for (const { key } of tickets) assert.equal(tracker.details(key).notes.length, 1);
    const names = [...Deno.readDirSync(`${folder}/ash`)].map((entry) => entry.name);
    assert.ok(names.every((name) => /^tickets\.db(-wal|-shm)?$/.test(name)), names.join());
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("LocalDesk opens its store at the first question, not before", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    using desk = deskAt(`${folder}/ash`);
    assert.deepEqual(await desk.create({}), { questions: [SUBJECT_QUESTION] });
    await assert.rejects(desk.create({ subject: "One", project: "web" }), TicketRefusedError);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
    const created = await desk.create({ subject: "One" });
    assert.ok("ticket" in created);
    const { key } = created.ticket;
    await desk.addNote(key, "a note");
    assert.deepEqual((await desk.details(key)).notes.map(({ user, text }) => ({ user, text })), [
      { user: "alice", text: "a note" },
    ]);
    assert.equal((await desk.setStatus(key, "Closed")).open, false);
    assert.deepEqual(await desk.nextStatuses(key), ["In Progress"]);
    assert.deepEqual(await desk.search(""), []);
    assert.equal((await desk.search("", 10, "all")).length, 1);
    await assert.rejects(desk.details("7"), TicketNotFoundError);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("LocalDesk rejects, and does not throw, when its store cannot be opened", async () => {
  const file = `${Deno.makeTempDirSync()}/tickets.db`;
  Deno.mkdirSync(file);
  using desk = deskAt(file.slice(0, file.lastIndexOf("/")));
  const question = desk.find("1");
  await assert.rejects(question, TrackerUnavailableError);
  Deno.removeSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
});

Deno.test("searchPart() finds what search() does, part by part, and only the newest of what is too much", () => {
  using store = newTracker();
  const { tracker } = store;
  for (let i = 1; i <= 30; i++) tracker.create(i % 3 === 0 ? `Third ${i}` : `Other ${i}`);
  tracker.addNote("7", "the third of all");
  tracker.setStatus("9", "Closed");
  for (
    const [words, closedToo] of [["third", false], ["third", true], ["", false], ["THIRD 1", true], [
      "no",
      true,
    ]] as const
  ) {
    const found: string[] = [];
    for (let below: number | undefined = 1e9; below !== undefined;) {
      const part = tracker.searchPart(words, { below, tickets: 4, closedToo });
      found.push(...part.found.map(({ key }) => key));
      below = part.next;
    }
    assert.deepEqual(found, tracker.search(words, { closedToo }).map(({ key }) => key), words);
  }
  const long = "y".repeat(64_000);
  for (let i = 0; i < 70; i++) tracker.addNote("1", `${i} ${long}`);
  const { notes } = tracker.details("1");
  assert.ok(notes.length < 70 && notes.length > 50);
  assert.equal(notes.at(-1)?.text, `69 ${long}`);
});
