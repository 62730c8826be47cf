import assert from "node:assert/strict";
import fc from "fast-check";
import type { ReadEvent } from "../../src/evidence/reading.ts";
import { eventLine } from "../../src/srvaudit/event_line.ts";
import { byteCount, table } from "../../src/srvaudit/output.ts";
import { wrapped } from "../../src/terminal/wrapped.ts";
import { lengthOfTime } from "../../src/terminal/moments.ts";
import { loadWidthOf } from "../../src/terminal/width.ts";

Deno.test("table() aligns columns, whatever is in them, and nothing in it acts on a terminal", async () => {
  const rows = [{ a: "漢字", b: "\x1b[2J" }, { a: "x", b: "y" }];
  const text = await table(
    [{ title: "A", cell: ({ a }) => a }, { title: "BB", cell: ({ b }) => b }],
    rows,
    Infinity,
  );
  assert.equal(text, "A     BB\n漢字  ^[[2J\nx     y\n");
});

Deno.test("table() lets columns go where the terminal is narrow, then cuts; no line is wider than that", async () => {
  const widthOf = await loadWidthOf();
  const columns = [
    { title: "KEY", cell: ([key = ""]: string[]) => key },
    { title: "OFTEN", cell: ([, often = ""]: string[]) => often, goes: 1 },
    { title: "SELDOM", cell: ([, , seldom = ""]: string[]) => seldom, goes: 2 },
  ];
  assert.equal(await table(columns, [["k", "o", "s"]], 12), "KEY  OFTEN\nk    o\n");
  assert.equal(await table(columns, [["k", "o", "s"]], 5), "KEY\nk\n");
  assert.equal(await table(columns, [["long key", "o", "s"]], 4), "KEY\nlon…\n");
  await fc.assert(fc.asyncProperty(
    fc.array(fc.array(fc.string({ unit: "grapheme" }), { minLength: 3, maxLength: 3 })),
    fc.integer({ min: 1, max: 80 }),
    async (rows, width) => {
      for (const line of (await table(columns, rows, width)).trimEnd().split("\n")) {
        assert.ok(widthOf(line) <= width);
      }
    },
  ));
});

Deno.test("wrapped() parts a text at blanks and loses nothing of it", async () => {
  const widthOf = await loadWidthOf();
  assert.deepEqual(wrapped("one two three", 7, widthOf), ["one two", "three"]);
  assert.deepEqual(wrapped("averylongword is", 4, widthOf), ["averylongword", "is"]);
  fc.assert(fc.property(fc.string(), fc.integer({ min: 1, max: 30 }), (text, width) => {
    assert.equal(wrapped(text, width, widthOf).join(" "), text);
  }));
});

Deno.test("lengthOfTime() and byteCount() speak in the units that people use", () => {
  assert.deepEqual([0, 59, 60, 7380, 86_400, 90_061].map((s) => lengthOfTime(s * 1e6)), [
    "0s",
    "59s",
    "1m",
    "2h 3m",
    "1d",
    "1d 1h",
  ]);
  assert.deepEqual([0, 999, 1000, 1500, 70_000_000, 999_999_999].map(byteCount), [
    "0 B",
    "999 B",
    "1.0 kB",
    "1.5 kB",
    "70 MB",
    "1.0 GB",
  ]);
});

const EVENT: ReadEvent = {
  seq: 1,
  atUs: 0,
  kind: "command",
  session: "id",
  user: "alice",
  host: "web1",
  uid: 1000,
  shell: 1,
  ticket: "17",
  directory: "/srv",
  text: "ls",
  textState: "whole",
  tty: "",
  effectiveUid: 1000,
  startUs: 0,
  endUs: 500_000,
  exitCode: 0,
  pipeStates: [0],
  command: null,
  data: {},
};

function lineOf(changes: Partial<ReadEvent>): string {
  const { text, isAlarm } = eventLine({ ...EVENT, ...changes }, (uid) => `user ${uid}`);
  return (isAlarm ? "ALARM " : "") + text.slice("00:00:00 ".length);
}

Deno.test("eventLine() says what happened, and how a command ended", () => {
  assert.equal(lineOf({}), "alice 17 /srv $ ls");
  assert.equal(lineOf({ effectiveUid: 0 }), "alice 17 /srv # ls");
  assert.equal(lineOf({ exitCode: 2, endUs: 5e6 }), "alice 17 /srv $ ls  [exit 2, 5s]");
  assert.equal(lineOf({ pipeStates: [1, 0] }), "alice 17 /srv $ ls  [exit 0 (1|0)]");
  assert.equal(lineOf({ exitCode: null, endUs: null }), "alice 17 /srv $ ls [runs]");
  assert.equal(lineOf({ textState: "missing", text: "" }).includes("does not give"), true);
  assert.equal(lineOf({ textState: "partial" }), "alice 17 /srv $ ls ...");
  const event = (kind: ReadEvent["kind"], data: ReadEvent["data"]) => lineOf({ kind, data });
  assert.equal(event("note", { text: "a\nb" }), "alice 17 * noted: a^Jb");
  assert.equal(event("status", { from: "New", to: "Closed" }), "alice 17 * set the status: New to Closed");
  assert.equal(event("ticket switched", { from: null, to: "18" }), "alice 17 * went on to 18");
  assert.equal(event("session closed", { how: "hangup", exitCode: 129 }), "alice 17 * hung up (exit 129)");
  assert.equal(
    event("session opened", { mode: "command", command: "id", from: "::1", tty: "" }),
    "alice 17 * ran: id from ::1",
  );
  assert.equal(
    lineOf({ kind: "tamper", user: null, ticket: null, data: { what: "spool shrank", by: 3 } }),
    "ALARM user 1000 ! TAMPER: spool shrank by=3",
  );
  assert.equal(
    lineOf({ kind: "agent", user: null, uid: null, ticket: null, data: { what: "started" } }),
    "agent * agent: started",
  );
});
