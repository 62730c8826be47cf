import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { expandParameters, type Lookup, ParameterError } from "../../src/ash_query/parameters.ts";

/** A value as the environment may hold it: anything but NUL. */
const value = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(
    fc.constantFrom("'", '"', "`", "]", "--", "/*", "*/", ";", "\n", "$(reboot)", "\\", " or 1=1", "é"),
  ).map((
    all,
  ) => all.join("")),
  fc.constantFrom("", "' or 1=1 --", "$(reboot)", "o'brien", "-5", "007", "1e9", "0x10", "5", "-0", "3.50"),
).map((text) => text.replaceAll("\0", ""));

function variables(values: Record<string, string>): Lookup {
  return (name) => values[name];
}

const database = new DatabaseSync(":memory:");

/** What SQLite makes of the only cell of a query. */
function ask(template: string, lookup: Lookup): unknown {
  const sql = expandParameters(template, lookup);
  const rows = database.prepare(sql).all();
  assert.equal(rows.length, 1, sql);
  const cells = Object.values(rows[0] ?? {});
  assert.equal(cells.length, 1, sql);
  return cells[0];
}

Deno.test("any value whatsoever within single quotes arrives in SQLite as that very value", () => {
  fc.assert(fc.property(value, value, (a, b) => {
    const lookup = variables({ A: a, B: b });
    assert.equal(ask("select '${A}'", lookup), a);
    assert.equal(ask("select '<${A}|$B>' -- ${A}\n", lookup), `<${a}|${b}>`);
    assert.equal(ask("select /* ${A} *${B}*/ 'it''s ${A}'", lookup), `it's ${a}`);
  }));
});

Deno.test("any value whatsoever within double quotes or backquotes is one name", () => {
  fc.assert(fc.property(value, (a) => {
    for (const template of ['select 1 as "x${A}"', "select 1 as \\`x${A}\\`"]) {
      const row = database.prepare(expandParameters(template, variables({ A: a }))).get();
      assert.deepEqual(Object.keys(row ?? {}), [`x${a}`]);
    }
  }));
});

Deno.test("any value whatsoever outside of quotes arrives in SQLite as that very value", () => {
  fc.assert(fc.property(value, value, (a, b) => {
    const lookup = variables({ A: a, B: b });
    assert.equal(ask("select cast(${A} as text)", lookup), a);
    assert.equal(ask("select $A||'-'||${B}", lookup), `${a}-${b}`);
    assert.equal(ask("select case when 1 then $A else 'x' end || ''", lookup), a);
  }));
});

Deno.test("a number outside of quotes stays a number, and can make no comment", () => {
  assert.equal(expandParameters("id = ${A} and x", variables({ A: "42" })), "id = 42 and x");
  assert.equal(ask("select 3-${A}", variables({ A: "-5" })), 8);
  assert.equal(ask("select 3 -$A", variables({ A: "--5" })), 3);
});

Deno.test("a value sets itself off from what would make another literal of it", () => {
  assert.equal(expandParameters("x${A}", variables({ A: "q" })), "x 'q'");
  assert.equal(expandParameters("'a'${A}'b'", variables({ A: "q" })), "'a' 'q' 'b'");
  assert.equal(expandParameters("${A}${A}", variables({ A: "q" })), "'q' 'q'");
});

Deno.test("a value with ] cannot stand within [...]", () => {
  assert.equal(expandParameters("[${A}]", variables({ A: "a'b" })), "[a'b]");
  assert.throws(() => expandParameters("[${A}]", variables({ A: "a]b" })), {
    name: "ParameterError",
    message: '${A}: a value with "]" cannot stand within [...]',
  });
});

Deno.test("defaults and alternatives are the author's SQL, and hold parameters themselves", () => {
  const set = variables({ A: "a", EMPTY: "", N: "7" });
  for (
    const [template, sql] of [
      ["${A:-x} ${NONE:-x} ${EMPTY:-x}", "'a' x x"],
      ["${A-x} ${NONE-x} ${EMPTY-x}", "'a' x ''"],
      ["${A:+x} ${NONE:+x} ${EMPTY:+x}", "x  "],
      ["${A+x} ${NONE+x} ${EMPTY+x}", "x  x"],
      ["${NONE:-${EMPTY:-${N}}}", "7"],
      ["'${NONE:-it''s ${A}}'", "'it''s a'"],
      ["1 ${A:+and x = '$A'}", "1 and x = 'a'"],
      ['${NONE:-a\\}b} ${NONE:-"a}b"}', "a}b a}b"],
      ["$A$N $NONE. $ $5 100$", "'a'7 ''. $ $5 100$"],
      ["\\$A \\\\ \\x \\`", "$A \\ \\x `"],
      ["a\\\nb", "ab"],
    ]
  ) {
    assert.equal(expandParameters(template ?? "", set), sql, template);
  }
});

Deno.test("a pattern takes away what it matches, from the front or from the end", () => {
  const set = variables({ P: "/home/o'brien/src/a.tar.gz", HOME: "/home/o'brien", STAR: "*", E: "é漢😀x" });
  for (
    const [parameter, left] of [
      ["P#/", "home/o'brien/src/a.tar.gz"],
      ["P#*/", "home/o'brien/src/a.tar.gz"],
      ["P##*/", "a.tar.gz"],
      ["P%.*", "/home/o'brien/src/a.tar"],
      ["P%%.*", "/home/o'brien/src/a"],
      ["P%/*", "/home/o'brien/src"],
      ["P#$HOME/", "src/a.tar.gz"],
      ["P#${NONE:-/home}", "/o'brien/src/a.tar.gz"],
      ['P#"$STAR"', "/home/o'brien/src/a.tar.gz"],
      ["P##$STAR", ""],
      ["P#'*'", "/home/o'brien/src/a.tar.gz"],
      ["P#\\*", "/home/o'brien/src/a.tar.gz"],
      ["P%[a-g]z", "/home/o'brien/src/a.tar."],
      ["P%[!a-f]z", "/home/o'brien/src/a.tar."],
      ["P%[[:alpha:]]?", "/home/o'brien/src/a.tar."],
      ["P%[]z]", "/home/o'brien/src/a.tar.g"],
      ["P%[z", "/home/o'brien/src/a.tar.gz"],
      ["P#nothing", "/home/o'brien/src/a.tar.gz"],
      ["E#?", "漢😀x"],
      ["E%?x", "é漢"],
      ["E#é漢😀", "x"],
      ["NONE#x", ""],
    ]
  ) {
    const sql = expandParameters(`'\${${parameter}}'`, set);
    assert.equal(sql, `'${left?.replaceAll("'", "''")}'`, parameter);
  }
});

Deno.test("patterns do what a real shell does with them", async () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "/", "."), maxLength: 8 });
  const pattern = fc.string({
    unit: fc.constantFrom("a", "b", "/", ".", "*", "?", "[ab]", "[!a]"),
    maxLength: 5,
  });
  const operator = fc.constantFrom("#", "##", "%", "%%");
  const cases = fc.sample(fc.tuple(text, operator, pattern), 300);
  const script = cases.map(([x, o, p]) => `X='${x}'; printf '%s\\n' "\${X${o}${p}}"`).join("\n");
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  cases.forEach(([x, o, p], i) => {
    assert.equal(expandParameters(`'\${X${o}${p}}'`, variables({ X: x })), `'${lines[i]}'`, `${x} ${o}${p}`);
  });
});

Deno.test("a pattern of many stars takes no time to fail", () => {
  const sql = `'\${A#${"*a".repeat(50)}}'`;
  const long = "a".repeat(49) + "b".repeat(2000);
  assert.equal(expandParameters(sql, variables({ A: long })), `'${long}'`);
});

Deno.test("nothing that would run a command is taken, and it is said where it stands", () => {
  for (const template of ["select\n $(reboot)", "select\n `reboot`", "select\n '$((1+1))'"]) {
    assert.throws(() => expandParameters(template, variables({})), (error) => {
      assert(error instanceof ParameterError);
      assert.match(error.message, /^line 2 of the query's SQL: .* would run a command, which is never done/);
      return true;
    });
  }
});

Deno.test("a parameter of no known form is refused", () => {
  for (const template of ["${", "${}", "${A", "${A:-x", "${A/b/c}", "${A:=x}", "${#A}", "${A:1:2}"]) {
    assert.throws(() => expandParameters(template, variables({ A: "a" })), ParameterError, template);
  }
  assert.throws(() => expandParameters("${A:-".repeat(5000), variables({})), /more than 100 others/);
});

Deno.test("expandParameters() takes any text for a template, or says what is wrong with it", () => {
  const pieces = fc.constantFrom(
    "${",
    "}",
    "A",
    ":-",
    "#",
    "%%",
    "*",
    "[",
    "'",
    '"',
    "`",
    "\\",
    "$",
    "--",
    "\n",
    "/*",
  );
  fc.assert(fc.property(fc.array(pieces).map((all) => all.join("")), value, (template, a) => {
    try {
      expandParameters(template, variables({ A: a }));
    } catch (error) {
      assert(error instanceof ParameterError, String(error));
    }
  }));
});
