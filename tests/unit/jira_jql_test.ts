import assert from "node:assert/strict";
import * as fc from "fast-check";
import { jqlOf, wordsOf } from "../../src/trackers/jira/jql.ts";
import { parseJql } from "../support/jira/jql.ts";
import { textMatcher } from "../support/jira/jql_text.ts";

const WANTED = { words: [], assignee: undefined, projects: ["OPS"], closedToo: false };

Deno.test("jqlOf() asks for the account's own open tickets where there is nothing to look for", () => {
  assert.equal(
    jqlOf(WANTED),
    'assignee = currentUser() AND project in ("OPS") AND statusCategory != Done ORDER BY created DESC, key DESC',
  );
});

Deno.test("jqlOf() names the assignee, all projects and closed tickets too", () => {
  assert.equal(
    jqlOf({ words: [], assignee: "557058:ab", projects: ["OPS", "WEB"], closedToo: true }),
    'assignee = "557058:ab" AND project in ("OPS", "WEB") ORDER BY created DESC, key DESC',
  );
});

Deno.test("jqlOf() asks for every word, and takes operators for words", () => {
  assert.equal(
    jqlOf({ ...WANTED, words: wordsOf("disk OR web-01"), projects: [] }),
    'text ~ "disk" AND text ~ "\\"OR\\"" AND text ~ "\\"web-01\\"" AND statusCategory != Done ORDER BY created DESC, key DESC',
  );
});

Deno.test("wordsOf() leaves out what is in no index, and what comes twice", () => {
  assert.deepEqual(wordsOf(" disk -- disk !!! 17 \u0000"), ["disk", "17"]);
});

Deno.test("jqlOf() never lets a word out of its text, and every word finds itself", () => {
  const noise = fc.constantFrom(
    '"',
    "\\",
    "'",
    "(",
    ")",
    "*",
    "?",
    "~",
    "AND",
    "-",
    "+",
    ":",
    "\\u0022",
    "{",
    "/",
  );
  const word = fc.array(fc.oneof(noise, fc.string({ unit: "grapheme", maxLength: 5 })), { maxLength: 6 })
    .map((parts) => parts.join(""));
  fc.assert(fc.property(fc.array(word, { maxLength: 4 }), (words) => {
    const wanted = wordsOf(words.join(" "));
    const { where } = parseJql(jqlOf({ ...WANTED, words: wanted, assignee: "x" }));
    assert.ok(where?.kind === "and");
    assert.equal(where.all.length, Math.max(1, wanted.length) + 2);
    for (const [at, one] of wanted.entries()) {
      const clause = where.all[at];
      assert.ok(clause?.kind === "clause" && clause.field === "text" && clause.operator === "~");
      const operand = clause.operands[0];
      assert.ok(operand && "text" in operand);
      assert.ok(textMatcher("text", operand.text)(`before ${one} behind`), operand.text);
    }
  }));
});

Deno.test("jqlOf() names users and projects as they are, whatever characters they have", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme-ascii" }), (name) => {
    const { where } = parseJql(jqlOf({ ...WANTED, assignee: name, projects: [name] }));
    assert.ok(where?.kind === "and");
    const [assignee, project] = where.all;
    assert.ok(assignee?.kind === "clause" && project?.kind === "clause");
    assert.deepEqual([assignee.operands, project.operands], [[{ text: name }], [{ text: name }]]);
  }));
});
