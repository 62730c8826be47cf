import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { bytesOfText } from "../../src/ash_query/binary_text.ts";
import { HistoryDatabase } from "../../src/ash_query/database.ts";
import { effectiveUid } from "../../src/posix/libc.ts";

// libc is opened once and for good: before the first test, or Deno would call it that test's leak.
effectiveUid();

function withDatabase(work: (database: HistoryDatabase) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    const made = new DatabaseSync(`${folder}/x.db`);
    made.exec("create table t (a); insert into t values (3), (1), (2)");
    made.close();
    using database = new HistoryDatabase(`${folder}/x.db`);
    work(database);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("query() keeps the order, the types and the columns of any name", () => {
  withDatabase((database) => {
    const found = database.query(
      "select a, a, 1.0 as '7', x'00ff' as \"x\"\"y\", 'é' || char(0) || 'z' as '5', cast(x'61ff' as text) as a, null " +
        "from t order by t.a desc",
    );
    assert.deepEqual(found.columns, ["a", "a", "7", 'x"y', "5", "a", "null"]);
    const rest = [1, "\0\udcff", "é\0z", "a\udcff", null];
    const expected = [3n, 2n, 1n].map((a) => [a, a, ...rest]);
    assert.deepEqual([...found.rows()], expected);
    assert.deepEqual([...found.rows()], expected);
  });
});

Deno.test("text keeps each of its bytes, whichever it is", () => {
  withDatabase((database) => {
    for (let byte = 0; byte <= 0xff; byte++) {
      const hex = `61${byte.toString(16).padStart(2, "0")}62`;
      const [row] = database.query(`select cast(x'${hex}' as text)`).rows();
      assert.deepEqual(bytesOfText(String(row?.[0])), new Uint8Array([0x61, byte, 0x62]), hex);
    }
  });
});

Deno.test("rows come in the order that SQLite alone would give them", () => {
  const path = Deno.makeTempFileSync();
  const plain = new DatabaseSync(path);
  plain.exec(Deno.readTextFileSync("tests/fixtures/ash/history.sql"));
  plain.exec("create index cwd on commands (cwd); create index start_time on commands (start_time)");
  {
    using database = new HistoryDatabase(path);
    for (
      const sql of [
        "select command from commands order by command",
        "select command, id from commands order by 2 desc",
        "select id from commands order by cwd desc, id desc limit 5",
        "select id from commands where cwd = '/etc' or cwd >= '/home' order by start_time desc",
        "select id from (select id from commands order by id desc limit 7) order by id % 3, id",
        "select c.id from commands c join sessions s on s.id = c.session_id order by s.tty desc, c.command, c.id",
        "select cwd, count(*) as n from commands group by cwd order by n desc, cwd",
        "select distinct cwd from commands order by cwd desc",
        "select id from commands where id > 6 union all select -id from commands where id < 4 order by 1",
        "with newest as (select * from commands order by id desc limit 4) select id from newest order by command, id",
        "select id, row_number() over (order by command, id) as r from commands order by r desc",
        "select value from json_each('[5,3,9,1]') order by value % 5",
        "values (3), (1), (2)",
      ]
    ) {
      const expected = plain.prepare(sql).all().map((row) => Object.values(row).map(String));
      assert.deepEqual([...database.query(sql).rows()].map((row) => row.map(String)), expected, sql);
    }
  }
  plain.close();
  Deno.removeSync(path);
});

Deno.test("rows can be read while memory is cleared up, and be left in the middle", () => {
  withDatabase((database) => {
    const endless =
      "with recursive n(i) as (select 1 union all select i + 1 from n) select i, 'text ' || i from n";
    let garbage: unknown;
    let count = 0;
    for (const row of database.query(endless).rows()) {
      garbage = Array.from({ length: 100 }, () => ({ row }));
      if (++count === 50_000) break;
    }
    assert(garbage);
    assert.equal([...database.query("select a from t").rows()].length, 3);
  });
});

Deno.test("an error behind the first rows is thrown, with what SQLite says", () => {
  withDatabase((database) => {
    const rows = database.query("select json(case a when 2 then 'x' else '1' end) from t").rows();
    assert.throws(() => [...rows], { name: "DatabaseError", message: /: malformed JSON$/ });
  });
});

Deno.test("a limit ends the rows", () => {
  withDatabase((database) => {
    assert.deepEqual([...database.query("select a from t order by a", 2).rows()], [[1n], [2n]]);
    assert.equal([...database.query("explain select a from t", 2).rows()].length, 2);
  });
});
