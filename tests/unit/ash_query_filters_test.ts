import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { listing, type Place } from "../../src/ash_query/filters.ts";
import { MomentError, parseMoment } from "../../src/terminal/moments.ts";
import { type Options, parseLimit, parseOptions, UsageError } from "../../src/ash_query/options.ts";

const NOW = new Date(2026, 10, 22, 12, 30, 15);
const seconds = (...parts: [number, number, number, number?, number?, number?]) =>
  new Date(...parts).getTime() / 1000;

Deno.test("parseMoment() knows ages, days, dates and times", () => {
  const now = NOW.getTime() / 1000;
  for (
    const [text, fromS, toS] of [
      ["90s", now - 90, now - 89],
      ["30m", now - 1800, now - 1799],
      ["2h", now - 7200, now - 7199],
      ["3d", now - 259_200, now - 259_199],
      ["1w", now - 604_800, now - 604_799],
      ["today", seconds(2026, 10, 22), seconds(2026, 10, 23)],
      ["yesterday", seconds(2026, 10, 21), seconds(2026, 10, 22)],
      ["2026-02-28", seconds(2026, 1, 28), seconds(2026, 2, 1)],
      ["2024-02-29", seconds(2024, 1, 29), seconds(2024, 2, 1)],
      ["2026-02-28T14:30", seconds(2026, 1, 28, 14, 30), seconds(2026, 1, 28, 14, 31)],
      ["2026-02-28 14:30:05", seconds(2026, 1, 28, 14, 30, 5), seconds(2026, 1, 28, 14, 30, 6)],
      ["14:30", seconds(2026, 10, 22, 14, 30), seconds(2026, 10, 22, 14, 31)],
      [
        "2026-02-28T14:30:05Z",
        Date.UTC(2026, 1, 28, 14, 30, 5) / 1000,
        Date.UTC(2026, 1, 28, 14, 30, 6) / 1000,
      ],
      ["2026-02-28T14:30+02:00", Date.UTC(2026, 1, 28, 12, 30) / 1000, Date.UTC(2026, 1, 28, 12, 31) / 1000],
      ["2026-02-28T14:30-0130", Date.UTC(2026, 1, 28, 16, 0) / 1000, Date.UTC(2026, 1, 28, 16, 1) / 1000],
    ] as const
  ) {
    assert.deepEqual(parseMoment(text, NOW), { fromS, toS }, text);
  }
});

Deno.test("parseMoment() refuses what is no time", () => {
  for (
    const text of [
      "",
      "2",
      "h",
      "2x",
      "-2h",
      "2 h",
      "2.5h",
      "tomorrow",
      "2026-02-30",
      "2026-13-01",
      "2026-2-3",
      "2026-02-28T25:00",
      "2026-02-28T14",
      "14:60",
      "2026-02-28T14:30+99:00",
      "2026-02-28Z",
      "' or 1=1 --",
    ]
  ) {
    assert.throws(() => parseMoment(text, NOW), MomentError, text);
  }
});

const database = new DatabaseSync(":memory:");
database.exec(Deno.readTextFileSync("tests/fixtures/ash/history.sql"));
database.exec("create table srvaudit_commands (command_id integer primary key, ticket text)");
database.exec("insert into srvaudit_commands values (1, '17'), (2, '17'), (6, 'OPS-1')");

function found(options: Options, { limit = Infinity, directory = "/", now = NOW }: {
  limit?: number;
  directory?: string;
  now?: Date;
} = {}): unknown[] {
  const place: Place = { now, directory, hasTickets: true };
  return database.prepare(listing(options, limit, place)).all().map((row) => row["what"]);
}

Deno.test("filters combine: each takes away what it does not let pass", () => {
  assert.equal(found({}).length, 12);
  assert.equal(found({ failed: true }).length, 5);
  assert.deepEqual(found({ failed: true, grep: "it's" }), ['git commit -m "it\'s done"']);
  assert.deepEqual(found({ grep: "%" }), []);
  assert.deepEqual(found({ grep: "LS" }), []);
  assert.deepEqual(found({ ticket: "17" }), ["ls -la", "make -j2 all"]);
  assert.deepEqual(found({ ticket: "17", grep: "make" }), ["make -j2 all"]);
  assert.deepEqual(found({ ticket: "17' or '1'='1" }), []);
});

Deno.test("--cwd takes a directory and what is below, and not its neighbours", () => {
  assert.equal(found({ cwd: "/home/alice/work" }).length, 6);
  assert.equal(found({ cwd: "/home/alice/wor" }).length, 0);
  assert.equal(found({ cwd: "/home/alice/work/o'brien/" }).length, 1);
  assert.equal(found({ cwd: "/" }).length, 12);
  assert.equal(found({ cwd: "." }, { directory: "/etc" }).length, 4);
  assert.equal(found({ cwd: "../alice/./work/sp ace" }, { directory: "/home/bob" }).length, 1);
});

Deno.test("--until goes to the very end of what it names", () => {
  const at = (s: number) => new Date(s * 1000).toISOString().slice(0, 19) + "Z";
  assert.equal(found({ since: at(1700090010), until: at(1700090010) }).length, 1);
  assert.equal(found({ until: at(1700090009) }).length, 10);
  const day = new Date(1700090010 * 1000);
  const local = `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, "0")}-${
    String(day.getDate()).padStart(2, "0")
  }`;
  assert(found({ since: local, until: local }).includes("systemctl restart nginx"));
});

Deno.test("a limit takes the newest, and lists them in the order of their time", () => {
  assert.deepEqual(found({}, { limit: 2 }), ["systemctl restart nginx", "journalctl -u nginx | grep error"]);
  assert.deepEqual(found({ cwd: "/etc" }, { limit: 1 }), ["ls -la"]);
});

Deno.test("a filter's bad value is refused by its name", () => {
  const place: Place = { now: NOW, directory: "/", hasTickets: false };
  for (
    const [options, message] of [
      [{ since: "soon" }, /^--since: "soon" is no time: write 90s, 30m/],
      [{ until: "" }, /^--until: "" is no time/],
      [{ since: "1h", until: "2h" }, /^--since 1h comes after --until 2h/],
      [{ cwd: "" }, /^--cwd: the directory's name is empty/],
      [{ ticket: "" }, /^--ticket: the ticket's key is empty/],
      [{ ticket: "17" }, /^--ticket: this database knows no tickets/],
    ] as const
  ) {
    assert.throws(() => listing(options, Infinity, place), (error) => {
      assert(error instanceof UsageError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("parseOptions() reads flags as getopt_long does", () => {
  const expected = { format: "csv", limit: "3", hide_headings: true, list_formats: true } as const;
  for (
    const args of [
      ["-fcsv", "-l3", "-HF"],
      ["-f", "csv", "-l", "3", "-H", "-F"],
      ["--format=csv", "--limit=3", "--hide_headings", "--list_formats"],
      ["--format", "csv", "--limit", "3", "-FH"],
      ["-HFfcsv", "-l", "9", "-l3"],
    ]
  ) {
    assert.deepEqual(parseOptions(args, false), expected, args.join(" "));
  }
  assert.deepEqual(parseOptions(["--grep", "--failed", "-d="], false), { grep: "--failed", database: "=" });
  assert.deepEqual(parseOptions(["-l", "-1"], false), { limit: "-1" });
});

Deno.test("parseOptions() says what it does not understand", () => {
  for (
    const [args, message] of [
      [["--form=csv"], "unknown flag: --form (did you mean --format?)"],
      [["--list-queries"], "unknown flag: --list-queries (did you mean --list_queries?)"],
      [["-x"], "unknown flag: -x"],
      [["-HxF"], "unknown flag: -x"],
      [["-q"], "-q needs a value"],
      [["--query"], "--query needs a value"],
      [["--failed=no"], "--failed takes no value"],
      [["CWD"], "unexpected argument: CWD"],
      [["--", "-H"], "unexpected argument: -H"],
    ] as const
  ) {
    assert.throws(() => parseOptions(args, false), { name: "UsageError", message });
  }
  assert.deepEqual(parseOptions(["--what", "-x", "CWD", "-H"], true), { hide_headings: true });
});

Deno.test("parseLimit() takes 0 and less for no limit, as ASH, and no words", () => {
  assert.deepEqual([parseLimit("5"), parseLimit("0"), parseLimit("-3"), parseLimit(undefined)], [
    5,
    Infinity,
    Infinity,
    Infinity,
  ]);
  for (const text of ["", "5x", "1e3", "0x10", "many"]) assert.throws(() => parseLimit(text), UsageError);
});
