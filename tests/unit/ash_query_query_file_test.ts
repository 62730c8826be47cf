import assert from "node:assert/strict";
import fc from "fast-check";
import { parseQueries, type Query, QueryFileError } from "../../src/ash_query/query_file.ts";

/** Writes queries as a person would. */
function printQueries(queries: readonly Query[]): string {
  return queries.map(({ name, description, sql }) =>
    `# ${name}\n${name} : {\n  description: "${description}" # what it shows\n  sql: {${sql}}\n}\n`
  ).join("\n");
}

/** SQL with balanced braces, that does not begin with blanks. */
const balanced = fc.letrec<{ sql: string }>((tie) => ({
  sql: fc.array(
    fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: "binary" }).map((text) => text.replace(/[{}\0]/g, "")),
      tie("sql").map((inner) => `{${inner}}`),
    ),
    { maxLength: 6 },
  ).map((parts) => parts.join("")),
})).sql.map((sql) => sql.replace(/^[ \t]+/, ""));

const query: fc.Arbitrary<Query> = fc.record({
  name: fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/),
  description: fc.string({ unit: "binary" }).map((text) => text.replace(/["\n]/g, "")),
  sql: balanced,
}, { noNullPrototype: true });

function problemOf(text: string): string {
  try {
    parseQueries(text, "F");
  } catch (error) {
    assert(error instanceof QueryFileError, String(error));
    return error.message;
  }
  assert.fail(`${JSON.stringify(text)} was read`);
}

Deno.test("parseQueries() reads back what was written, whatever it is", () => {
  fc.assert(fc.property(fc.array(query, { maxLength: 5 }), (queries) => {
    assert.deepEqual(parseQueries(printQueries(queries), "file"), queries);
  }));
});

Deno.test("parseQueries() says what is wrong with anything else, and comes to an end", () => {
  const pieces = fc.constantFrom(
    "A",
    ":",
    "{",
    "}",
    "description",
    "sql",
    '"',
    "\n",
    "#",
    " ",
    "é",
    "\0",
    "${X}",
  );
  const garbage = fc.oneof(fc.string({ unit: "binary" }), fc.array(pieces).map((all) => all.join("")));
  fc.assert(fc.property(garbage, (text) => {
    try {
      parseQueries(text, "file");
    } catch (error) {
      assert(error instanceof QueryFileError);
      const lines = text.split("\n").length;
      assert(error.line >= 1 && error.line <= lines, `line ${error.line} of ${lines}`);
    }
  }));
});

Deno.test("parseQueries() reads ASH's own example of a file", () => {
  const queries = parseQueries(Deno.readTextFileSync("tests/fixtures/ash/queries"), "queries");
  assert.deepEqual(queries.map(({ name }) => name), [
    "BY_USER",
    "SESSION",
    "HERE",
    "TREE",
    "BRACES",
    "EMPTY-1",
    "GROUPED",
  ]);
  assert.equal(queries[4]?.sql, "select '{a}' as x, '{{b}}' as y ");
});

Deno.test("parseQueries() takes the fields in either order, and the lines of Windows", () => {
  assert.deepEqual(parseQueries('A:\r\n{ sql: { x }\r\ndescription: "d" }\r\n', "F"), [
    { name: "A", description: "d", sql: "x " },
  ]);
});

Deno.test("a query file's mistake is told with its file, its line and what was expected", () => {
  const whole = 'A: { description: "d" sql: { x } }\n';
  assert.equal(problemOf("\n\n?"), `F:3: expected a query's name (letters, digits, _ and -), found "?"`);
  assert.equal(problemOf(whole + "\nB {"), `F:3: expected ":" after the name B, found "{"`);
  assert.equal(problemOf("B: x"), `F:1: expected "{" to begin the query B, found "x"`);
  assert.equal(problemOf("B:"), `F:1: expected "{" to begin the query B, found the end of the file`);
  assert.equal(
    problemOf("B: {\n tables"),
    `F:2: expected "description", "sql" or "}" in the query B, found "t"`,
  );
  assert.equal(
    problemOf("B: {\n description: d"),
    `F:2: expected '"' to begin the description of B, found "d"`,
  );
  assert.equal(
    problemOf('B: {\n description: "d\n" sql: { x } }'),
    `F:2: the description of B has no closing '"' on its line`,
  );
  assert.equal(
    problemOf('B: { description: "d" sql: x'),
    `F:1: expected "{" to begin the sql of B, found "x"`,
  );
  assert.equal(problemOf("B: {\n sql: { x }\n sql: { y } }"), "F:3: the query B has more than one sql");
  assert.equal(
    problemOf('B: { description: "d"\n description: "d" }'),
    "F:2: the query B has more than one description",
  );
  assert.equal(problemOf("\nB: { sql: { x } }"), "F:2: the query B has no description");
  assert.equal(problemOf('\nB: { description: "d" }'), "F:2: the query B has no sql");
});

Deno.test("a query file that ends too soon is told by where the open thing began", () => {
  assert.equal(
    problemOf('A: {\n description: "d"\n sql: {\n select 1\n'),
    'F:3: the sql of A has no closing "}" (every "{" within it needs one too)',
  );
  assert.equal(problemOf('\nA: { description: "d"\n\n'), 'F:2: the query A has no closing "}"');
  assert.equal(
    problemOf('A: {\n description: "d'),
    `F:2: the description of A has no closing '"' on its line`,
  );
});
