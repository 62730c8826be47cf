import assert from "node:assert/strict";
import fc from "fast-check";
import { readingStatement, SqlRefusedError } from "../../src/ash_query/sql_text.ts";

Deno.test("readingStatement() lets what reads pass, without its comments and its semicolon", () => {
  for (
    const [sql, statement] of [
      ["select 1", "select 1"],
      ["  -- a\n SELECT 1 ; -- b\n ; /* c", "SELECT 1"],
      ["select ';', \"a;--b\", [;], `/*` ;", "select ';', \"a;--b\", [;], `/*`"],
      ["values (1), (2)", "values (1), (2)"],
      ["with a as (select 1) select * from a", "with a as (select 1) select * from a"],
      ["with a as (select replace('a','b','c')) select replace(1,2,3)", undefined],
      ["explain query plan select 1", undefined],
      ["select 'it''s' /*/ x */ -1", "select 'it''s'   -1"],
      ["select a->'$.x', 1 - -1", undefined],
    ]
  ) {
    assert.equal(readingStatement(sql ?? ""), statement ?? sql);
  }
});

Deno.test("readingStatement() refuses whatever could change anything", () => {
  for (
    const sql of [
      "attach 'x' as y",
      "pragma user_version = 3",
      "PRAGMA journal_mode",
      "insert into commands values (1)",
      "delete from commands",
      "drop table commands",
      "create temp table x(a)",
      "vacuum into 'x'",
      "begin",
      "explain pragma journal_mode = delete",
      "explain query plan delete from commands",
      "/* select */ update commands set rval = 0",
      "with a as (select 1) delete from commands",
      "with a as (select 1) insert into commands select * from a",
      "with a as (select 1) replace into commands select * from a",
      "select 1; drop table commands",
      "select 1;;select 2",
      "select 1; -- x\n attach 'x' as y",
      "select 1;-",
      "select 'open",
      "select [open",
      "",
      " ; ",
      "-- only a comment",
      "] select 1",
      "explain analyze select 1",
      "selection",
    ]
  ) {
    assert.throws(() => readingStatement(sql), SqlRefusedError, sql);
  }
});

Deno.test("readingStatement() takes any text, or refuses it", () => {
  const pieces = fc.constantFrom(
    "select ",
    "with ",
    "'",
    '"',
    "--",
    "\n",
    "/*",
    "*/",
    ";",
    "(",
    ")",
    "[",
    "]",
    "`",
  );
  fc.assert(fc.property(fc.array(pieces).map((all) => all.join("")), (sql) => {
    try {
      assert.match(readingStatement(sql), /^(select|with)\b/);
    } catch (error) {
      assert(error instanceof SqlRefusedError, String(error));
    }
  }));
});
