import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesOfText, showStrayBytes, textOfBytes } from "../../src/ash_query/binary_text.ts";
import type { Result, Row, Value } from "../../src/ash_query/database.ts";
import { chunksOf, FORMATS, type Page, textOfReal } from "../../src/ash_query/formats.ts";
import { loadWidthOf } from "../../src/terminal/width.ts";

const PIPE: Page = { hasHeadings: true, isTerminal: false, isColoured: false };
const TERMINAL: Page = { ...PIPE, isTerminal: true };

function result(columns: string[], rows: Row[]): Result {
  return { columns, rows: () => rows };
}

async function bytes(format: string, of: Result, page = PIPE): Promise<Uint8Array> {
  const found = FORMATS.get(format);
  assert(found);
  const chunks = [...chunksOf(await found.lines(of, page))];
  return new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
}

async function text(format: string, of: Result, page = PIPE): Promise<string> {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await bytes(format, of, page));
}

/** A reader of RFC 4180, by its grammar: independent of the writer. */
function readCsv(csv: string): string[][] {
  const records: string[][] = [];
  let at = 0;
  while (at < csv.length) {
    const fields: string[] = [];
    while (true) {
      let field = "";
      if (csv[at] === '"') {
        at++;
        while (csv[at] !== '"' || csv[at + 1] === '"') {
          if (csv[at] === '"') at++;
          assert(at < csv.length, "an open quotation");
          field += csv[at++];
        }
        at++;
      } else {
        while (at < csv.length && csv[at] !== "," && !csv.startsWith("\r\n", at)) {
          assert(!'"\r\n'.includes(csv[at] ?? ""), "a character that must be quoted");
          field += csv[at++];
        }
      }
      fields.push(field);
      if (csv[at] !== ",") break;
      at++;
    }
    assert(csv.startsWith("\r\n", at), `no end of record at ${at}`);
    at += 2;
    records.push(fields);
  }
  return records;
}

const cellText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.array(fc.constantFrom('"', ",", "\r", "\n", "é", "漢", "☃", "|", "\x1b[31m", " ", "a")).map((all) =>
    all.join("")
  ),
).map((one) => one.replace(/[\ud800-\udfff]/gu, ""));

const cell: fc.Arbitrary<Value> = fc.oneof(
  cellText,
  fc.constant(null),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** A table with at least one row. */
function tables(cells: fc.Arbitrary<Value>) {
  return fc.integer({ min: 1, max: 5 }).chain((width) =>
    fc.record({
      columns: fc.array(cellText, { minLength: width, maxLength: width }),
      rows: fc.array(fc.array(cells, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
    })
  );
}

Deno.test("csv is read back by RFC 4180, whatever the cells hold", async () => {
  await fc.assert(fc.asyncProperty(tables(cell), async ({ columns, rows }) => {
    const expected = rows.map((row) =>
      row.map((one) => one === null ? "" : typeof one === "number" ? textOfReal(one) : String(one))
    );
    assert.deepEqual(readCsv(await text("csv", result(columns, rows))), [columns, ...expected]);
  }));
});

Deno.test("json and jsonl are read back, key by key and value by value", async () => {
  const simple = fc.oneof(cellText, fc.constant(null), fc.integer().map(BigInt));
  await fc.assert(fc.asyncProperty(tables(simple), async ({ columns, rows }) => {
    const unique = columns.map((column, i) => `${i}${column}`);
    const expected = rows.map((row) =>
      row.map((one, i) => [unique[i], typeof one === "bigint" ? Number(one) : one])
    );
    const asEntries = (one: unknown) => Object.entries(one ?? {});
    // Keys such as "0" come first in an object of JavaScript's, wherever they stood.
    const sorted = (entries: unknown[][]) => entries.toSorted((a, b) => String(a[0]) < String(b[0]) ? -1 : 1);
    const json: unknown[] = JSON.parse(await text("json", result(unique, rows)));
    assert.deepEqual(json.map(asEntries).map(sorted), expected.map(sorted));
    const lines = (await text("jsonl", result(unique, rows))).trimEnd().split("\n");
    assert.deepEqual(lines.map((line) => sorted(asEntries(JSON.parse(line)))), expected.map(sorted));
  }));
});

Deno.test("json keeps large numbers, columns of one name, and bytes that are no text", async () => {
  const stray = textOfBytes(new Uint8Array([0xff, 0x00, 0x61]));
  assert.equal(
    await text("json", result(["a", "a", "b"], [[2n ** 62n, 1.5, stray], [null, 2, Infinity]])),
    '[\n  {"a":4611686018427387904,"a_2":1.5,"b":{"base64":"/wBh"}},\n  {"a":null,"a_2":2.0,"b":9e999}\n]\n',
  );
  assert.equal(await text("json", result(["a"], [])), "[]\n");
  assert.equal(await text("jsonl", result(["a"], [])), "");
});

Deno.test("aligned columns begin where they should, by the width that a terminal shows", async () => {
  const widthOf = await loadWidthOf();
  const short = fc.array(fc.constantFrom("é", "漢", "☃", "a", "e\u0301", "😀", " "), { maxLength: 9 })
    .map((all) => all.join(""));
  await fc.assert(fc.asyncProperty(tables(short), async ({ columns, rows }) => {
    const all = [columns.map((_, i) => `c${i}`), ...rows.map((row) => row.map(String))];
    const lines = (await text("aligned", result(all[0] ?? [], rows))).split("\n").slice(0, -1);
    assert.equal(lines.length, all.length);
    const widths = columns.map((_, i) => Math.max(...all.map((row) => widthOf(row[i] ?? ""))) + 4);
    lines.forEach((line, n) => {
      const row = all[n] ?? [];
      const last = row.at(-1) ?? "";
      assert(line.endsWith(last));
      const before = line.slice(0, line.length - last.length);
      assert.equal(widthOf(before), widths.slice(0, -1).reduce((sum, one) => sum + one, 0));
    });
  }));
});

Deno.test("a very long value widens its column to 80 and no further", async () => {
  const long = "x".repeat(200);
  assert.equal(
    await text("aligned", result(["a", "b"], [[long, "y"], ["z", "y"]])),
    `${"a".padEnd(80)}b\n${long}y\n${"z".padEnd(80)}y\n`,
  );
});

Deno.test("without headings, widths are those of the values alone", async () => {
  const of = result(["a long heading", "b"], [["x", 1n]]);
  assert.equal(await text("aligned", of, { ...PIPE, hasHeadings: false }), "x    1\n");
  assert.equal(await text("csv", of, { ...PIPE, hasHeadings: false }), "x,1\r\n");
});

Deno.test("of no rows the table formats make nothing at all, as ASH", async () => {
  for (const format of ["aligned", "auto", "null", "csv", "markdown"]) {
    assert.equal(await text(format, result(["a"], [])), "", format);
  }
});

Deno.test("a large result is laid out as a small one, though its rows are asked for twice", async () => {
  const rows = Array.from(
    { length: 10_001 },
    (_, i): Row => ["same", BigInt(i), i === 10_000 ? "漢漢漢" : "x", "end"],
  );
  let runs = 0;
  const counted: Result = {
    columns: ["a", "b", "c", "d"],
    rows() {
      runs++;
      return rows;
    },
  };
  const lines = (await text("aligned", counted)).split("\n");
  assert.equal(runs, 2);
  assert.equal(lines.length, 10_003);
  assert.equal(lines[0], "a       b        c         d");
  assert.equal(lines[10_001], "same    10000    漢漢漢    end");
});

Deno.test("auto groups what repeats on the left, and begins anew below a new value", async () => {
  const wide = "w".repeat(30);
  const group = (name: string) => Array.from({ length: 4 }, (): Row => [wide + name, wide, wide]);
  const lines = `    ${wide}\n${`        ${wide}\n`.repeat(4)}`;
  assert.equal(
    await text("auto", result(["g", "h", "n"], [...group("a"), ...group("b")])),
    `g\n    h\n        n\n${wide}a\n${lines}${wide}b\n${lines}`,
  );
});

Deno.test("on a terminal no character of a value acts, and no value breaks the table", async () => {
  const evil = "a\x1b]0;title\x07\nb\u202e\x9b2J";
  const stray = textOfBytes(new Uint8Array([0x61, 0xff]));
  for (const format of FORMATS.keys()) {
    const shown = await text(format, result([evil, "x"], [[evil, stray]]), TERMINAL);
    assert.doesNotMatch(shown.replaceAll("\0", ""), /[^\P{Cc}\n\r]|\u202e/u, format);
    if (format === "aligned") assert.equal(shown.split("\n").length, 3);
  }
});

Deno.test("off a terminal aligned, auto, null and csv keep every byte", async () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  const of = result(["b"], [[textOfBytes(all)]]);
  for (const format of ["aligned", "auto", "null"]) {
    assert.deepEqual(await bytes(format, of), new Uint8Array([0x62, 0x0a, ...all, 0x0a]), format);
  }
  const csv = await bytes("csv", of);
  assert.deepEqual(csv.slice(0, 4), new Uint8Array([0x62, 0x0d, 0x0a, 0x22]));
  assert.equal(csv.length, 3 + 256 + 1 + 2 + 2);
});

Deno.test("headings are bold on a terminal that shows colours, and nothing else is", async () => {
  const of = result(["a", "b"], [["x", "y"]]);
  assert.equal(
    await text("aligned", of, { ...TERMINAL, isColoured: true }),
    "\x1b[1ma    b\x1b[0m\nx    y\n",
  );
});

Deno.test("markdown keeps its table, whatever a cell holds", async () => {
  assert.equal(
    await text("markdown", result(["a|b", "c"], [["x\ny", "<b>`*_&"]])),
    "| a\\|b | c |\n| --- | --- |\n| x<br>y | \\<b\\>\\`\\*\\_\\& |\n",
  );
});

Deno.test("textOfReal() writes numbers as SQLite does", () => {
  for (
    const [number, expected] of [
      [1, "1.0"],
      [-2.5, "-2.5"],
      [0.1 + 0.2, "0.3"],
      [1e20, "1.0e+20"],
      [1.5e-5, "1.5e-05"],
      [123456789012345680, "1.23456789012346e+17"],
      [0, "0.0"],
      [100000, "100000.0"],
      [1e-300, "1.0e-300"],
      [Infinity, "Inf"],
    ] as const
  ) {
    assert.equal(textOfReal(number), expected);
  }
});

Deno.test("any bytes survive as text", () => {
  const some = fc.oneof(
    fc.uint8Array(),
    fc.string({ unit: "binary" }).map((one) => new TextEncoder().encode(one)),
  );
  fc.assert(fc.property(some, some, (a, b) => {
    const both = new Uint8Array([...a, ...b]);
    assert.deepEqual(new Uint8Array(bytesOfText(textOfBytes(both))), both);
  }));
  assert.equal(showStrayBytes(textOfBytes(new Uint8Array([0x61, 0xc3, 0xe2, 0x98, 0x83]))), "a\\xc3☃");
});
