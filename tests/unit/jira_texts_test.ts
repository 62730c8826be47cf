import assert from "node:assert/strict";
import * as fc from "fast-check";
import { textOfAdf, textOfWiki } from "../../src/trackers/jira/texts.ts";
import { momentOf, usOf } from "../../src/trackers/jira/times.ts";
import { adf } from "../../src/trackers/markup/adf.ts";
import { plainText } from "../../src/trackers/markup/plain.ts";
import { wiki } from "../../src/trackers/markup/wiki.ts";

const text = fc.string({
  unit: fc.oneof(fc.constant("\n"), fc.string({ unit: "binary", minLength: 1, maxLength: 3 })),
});

Deno.test("textOfAdf() reads as text what adf has written of it", () => {
  fc.assert(fc.property(text, (written) => {
    assert.equal(textOfAdf(JSON.parse(adf.render([{ kind: "text", text: written }]))), plainText(written));
  }));
});

Deno.test("textOfWiki() reads as text what wiki has written of it", () => {
  fc.assert(fc.property(text, (written) => {
    // Of an empty line only a blank can be seen.
    const seen = (lines: string) => lines.split("\n").map((line) => line === " " ? "" : line).join("\n");
    const body = wiki.render([{ kind: "text", text: written }]);
    assert.equal(seen(textOfWiki(body.replace(/\n\n$/, ""))), seen(plainText(written)));
  }));
});

Deno.test("textOfAdf() reads every kind of node that people can make", () => {
  const document = {
    type: "doc",
    version: 1,
    content: [
      { type: "heading", attrs: { level: 1 }, content: [{ type: "text", text: "Plan" }] },
      {
        type: "paragraph",
        content: [
          { type: "text", text: "Ask " },
          { type: "mention", attrs: { id: "1", text: "@Alice" } },
          { type: "hardBreak" },
          { type: "emoji", attrs: { shortName: ":smile:", text: "😄" } },
          { type: "inlineCard", attrs: { url: "https://corp.example/" } },
        ],
      },
      {
        type: "bulletList",
        content: ["one", "two"].map((item) => ({
          type: "listItem",
          content: [{ type: "paragraph", content: [{ type: "text", text: item }] }],
        })),
      },
      {
        type: "table",
        content: [{
          type: "tableRow",
          content: ["a", "b"].map((cell) => ({
            type: "tableCell",
            content: [{ type: "paragraph", content: [{ type: "text", text: cell }] }],
          })),
        }],
      },
      { type: "rule" },
      { type: "mediaSingle", content: [{ type: "media", attrs: { id: "1" } }] },
    ],
  };
  assert.equal(textOfAdf(document), "Plan\nAsk @Alice\n😄https://corp.example/\none\ntwo\na | b\n\n");
});

Deno.test("textOfAdf() takes anything for a document, however deep", () => {
  let deep: unknown = { type: "text", text: "x" };
  for (let depth = 0; depth < 20_000; depth++) deep = { type: "blockquote", content: [deep] };
  assert.equal(textOfAdf(deep), "");
  fc.assert(fc.property(fc.anything(), (document) => assert.equal(typeof textOfAdf(document), "string")));
});

Deno.test("textOfWiki() leaves alone what only looks like an entity", () => {
  assert.equal(textOfWiki("&#9999999; &#x41; &ouml; a\\b \\*"), "&#9999999; &#x41; &ouml; a\\b *");
});

Deno.test("moments are what Jira writes, both ways, to the millisecond", () => {
  assert.equal(momentOf(Date.UTC(2026, 0, 31, 17, 4, 5, 6) * 1000 + 999), "2026-01-31T17:04:05.006+0000");
  assert.equal(usOf("2026-01-31T18:04:05.006+0100"), Date.UTC(2026, 0, 31, 17, 4, 5, 6) * 1000);
  assert.deepEqual([usOf("yesterday"), usOf(null), usOf(undefined)], [0, 0, 0]);
});
