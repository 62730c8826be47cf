import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { canonicalText, type Cell, COLUMN_NAMES, NO_HASH } from "../../src/evidence/chain.ts";
import type { EvidenceKind, NewEvent } from "../../src/evidence/event.ts";
import { EvidenceError } from "../../src/evidence/evidence_error.ts";
import type { FollowedFile } from "../../src/evidence/followed.ts";
import { eventOf } from "../../src/evidence/row.ts";
import { SCHEMA_VERSION } from "../../src/evidence/schema.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { openDatabase } from "../../src/sqlite/database.ts";
import { agentEvent, closed, EvidenceFolder, opened, switched, T0 } from "../support/evidence_events.ts";

const anyNumber = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(-0, 9e21, NaN, Infinity, -Infinity, 0.5),
);
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("\0", "a\0b", "\ud800", "x\udc00y", "\ufffd", "\ufeff", "\u2028", "\x7f", '"\\\b\n'),
);
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  anyText.map((text) => new TextEncoder().encode(text)),
);
const numberOrNull = fc.option(anyNumber);
const end = fc.record({
  endUs: numberOrNull,
  exitCode: numberOrNull,
  pipeStates: fc.array(anyNumber, { maxLength: 4 }),
});
const kinds: EvidenceKind[] = [
  "session opened",
  "note",
  "shell started",
  "command",
  "command ended",
  "tamper",
];
const anyEvent: fc.Arbitrary<NewEvent> = fc.record({
  kind: fc.constantFrom(...kinds),
  atUs: anyNumber,
  session: numberOrNull,
  shell: numberOrNull,
  uid: numberOrNull,
  data: fc.dictionary(anyText, fc.oneof(fc.anything(), anyText)),
  command: fc.record({
    number: anyNumber,
    ticket: fc.option(anyText),
    tty: anyText,
    effectiveUid: anyNumber,
    shellLevel: anyNumber,
    directory: anyBytes,
    text: anyBytes,
    textState: fc.constantFrom("whole", "partial", "missing"),
  }),
  commandSeq: anyNumber,
  end,
}, { requiredKeys: ["kind", "atUs", "session", "shell", "uid"] });

Deno.test("append() hashes what will be read back, whatever is in the event", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  const read = store.database.prepare("select * from event where seq = ?");
  const rawOf = COLUMN_NAMES.map((name) => `cast(${name} as blob) as ${name}`).join();
  const raw = store.database.prepare(`select ${rawOf} from event where seq = ?`);
  fc.assert(
    fc.property(anyEvent, anyNumber, (event, takenUs) => {
      const before = store.head();
      const seq = store.transaction(() => store.append(event, takenUs));
      const row = read.get(seq);
      assert(row);
      const cells = COLUMN_NAMES.map((name) => row[name] as Cell);
      const canonical = canonicalText(cells);
      const hash = createHash("sha256").update(before.hash).update(canonical).digest();
      assert.deepEqual(new Uint8Array(hash), row.hash);
      assert.deepEqual(store.head(), { seq, hash: row.hash });
      // And nothing lies behind a NUL or in bytes that no reader shows.
      const bytes = raw.get(seq);
      COLUMN_NAMES.forEach((name, i) => {
        const cell = cells[i];
        if (typeof cell === "string") assert.deepEqual(bytes?.[name], new TextEncoder().encode(cell), name);
      });
      if (event.kind !== "command" || !event.command) return;
      const { command } = eventOf(row);
      assert.deepEqual(command?.directory, event.command.directory);
      assert.deepEqual(command?.text, event.command.text);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("the canonical text is JSON without blanks, with bytes as hexadecimal digits", () => {
  const cells: Cell[] = [1, null, 'a"\\\n\x01\x7fé\u2028', new Uint8Array([0, 255])];
  assert.equal(canonicalText(cells), '[1,null,"a\\"\\\\\\n\\u0001\x7fé\u2028","00ff"]');
});

Deno.test("a session's opening and a shell's start are their own session and shell", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  store.transaction(() => {
    store.append(agentEvent("started"), T0);
    assert.equal(store.append(opened("a"), T0), 2);
    store.append({ ...opened("x"), kind: "shell started", session: 2 }, T0);
  });
  const rows = store.database.prepare("select session, shell from event order by seq").all();
  assert.deepEqual(rows.map((row) => [row.session, row.shell]), [[null, null], [2, null], [2, 3]]);
});

Deno.test("append() works in a transaction alone", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  assert.throws(() => store.append(agentEvent("started"), T0), /within a transaction/);
  store.transaction(() => {});
  assert.throws(() => store.append(agentEvent("started"), T0), /within a transaction/);
});

Deno.test("after a rollback the head, and all else, is what it was", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  assert.deepEqual(store.head(), { seq: 0, hash: NO_HASH });
  store.transaction(() => store.append(agentEvent("one"), T0));
  const before = store.head();
  assert.throws(() =>
    store.transaction(() => {
      store.append(agentEvent("two"), T0);
      store.saveFollowed(followed("x"));
      assert.equal(store.head().seq, 2);
      throw new TypeError("something else");
    }), TypeError);
  assert.deepEqual(store.head(), before);
  assert.deepEqual(store.followed(), []);
  assert.equal(store.transaction(() => store.append(agentEvent("two"), T0)), 2);
});

Deno.test("a second writer goes on where the first has stopped", () => {
  using place = new EvidenceFolder();
  using one = new EvidenceStore(place.file);
  using other = new EvidenceStore(place.file);
  one.transaction(() => one.append(agentEvent("one"), T0));
  assert.equal(other.transaction(() => other.append(agentEvent("two"), T0)), 2);
  assert.equal(one.transaction(() => one.append(agentEvent("three"), T0)), 3);
  assert.deepEqual(other.head(), one.head());
});

Deno.test("events can be neither changed nor removed by a slip", () => {
  using place = new EvidenceFolder();
  place.write((store) => store.append(agentEvent("one"), T0));
  using store = new EvidenceStore(place.file);
  assert.throws(() => store.database.exec("update event set uid = 0"), /never changed/);
  assert.throws(() => store.database.exec("delete from event"), /by retention alone/);
});

Deno.test("nothing that a user can make nest is too deep for evidence", () => {
  using place = new EvidenceFolder();
  const deep = JSON.parse("[".repeat(100_000) + "]".repeat(100_000));
  place.write((store) => store.append(opened("a", { more: deep }), T0));
  using store = new EvidenceStore(place.file);
  assert.equal(store.openSessions()[0]?.opened.more, "[nested too deeply]");
  assert.equal(store.seqOfSession("a"), 1);
});

Deno.test("openSessions() are those not closed, with the tickets that they were on", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  store.transaction(() => {
    store.append(opened("a"), T0);
    store.append(opened("b", { ticket: null }), T0);
    store.append(opened("c"), T0);
    store.append(switched(1, "OPS-18", "OPS-19", T0 + 20), T0);
    store.append(switched(1, "OPS-17", "OPS-18", T0 + 10), T0);
    store.append(closed(3), T0);
  });
  const open = store.openSessions();
  assert.deepEqual(open.map(({ seq, id, uid, user }) => [seq, id, uid, user]), [
    [1, "a", 1000, "alice"],
    [2, "b", 1000, "alice"],
  ]);
  assert.deepEqual(open[0]?.tickets, [
    { sinceUs: T0, ticket: "OPS-17" },
    { sinceUs: T0 + 10, ticket: "OPS-18" },
    { sinceUs: T0 + 20, ticket: "OPS-19" },
  ]);
  assert.deepEqual(open[1]?.tickets, []);
  assert.equal(store.sessionBySeq(3)?.opened.leaderPid, 4711);
  assert.equal(store.sessionBySeq(4), undefined);
  assert.equal(store.seqOfSession("c"), 3);
  assert.equal(store.seqOfSession("d"), undefined);
});

function followed(name: string): FollowedFile {
  return {
    folder: "",
    name,
    inode: "18446744073709551615",
    position: 7,
    session: 1,
    shell: null,
    uid: 1000,
    pid: 4711,
    startTicks: 99,
    lastNumber: 3,
    openCommand: 12,
    lastUs: T0,
    leaving: true,
    gone: false,
    done: true,
    taken: false,
  };
}

Deno.test("followed files are kept as they were saved, until they are forgotten", () => {
  using place = new EvidenceFolder();
  const one = followed("one.shell");
  const other = { ...followed("one.shell"), folder: "/home/alice/.ash/spool", leaving: false, gone: true };
  place.write((store) => {
    store.saveFollowed(one);
    store.saveFollowed({ ...other, position: 1 });
    store.saveFollowed(other);
  });
  using store = new EvidenceStore(place.file);
  assert.deepEqual(store.followed(), [one, other]);
  assert.deepEqual(store.followedFile(other.folder, "one.shell"), other);
  assert.equal(store.followedFile("", "two.shell"), undefined);
  store.forgetFollowed("", "one.shell");
  assert.deepEqual(store.followed(), [other]);
});

Deno.test("the evidence is for its owner alone", () => {
  using place = new EvidenceFolder();
  place.write((store) => store.append(agentEvent("one"), T0));
  assert.equal((Deno.statSync(`${place.folder}/state`).mode ?? 0) & 0o777, 0o700);
  assert.equal((Deno.statSync(place.file).mode ?? 0) & 0o777, 0o600);
});

Deno.test("the store says what is wrong with its file", () => {
  using place = new EvidenceFolder();
  place.write(() => {});
  const reasonOf = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      if (error instanceof EvidenceError) return error.reason;
      throw error;
    }
    return undefined;
  };
  {
    const database = openDatabase(place.file, { busyTimeoutMs: 0 });
    database.exec("pragma user_version = 99");
    assert.equal(reasonOf(() => new EvidenceStore(place.file)), "newer");
    database.exec(`pragma user_version = ${SCHEMA_VERSION}`);
    using store = new EvidenceStore(place.file);
    store.database.exec("pragma busy_timeout = 0");
    database.exec("begin immediate");
    assert.equal(reasonOf(() => store.transaction(() => {})), "locked");
    database.close();
  }
  Deno.writeTextFileSync(place.file, "this is no database at all\n".repeat(200));
  assert.equal(reasonOf(() => new EvidenceStore(place.file)), "damaged");
});
