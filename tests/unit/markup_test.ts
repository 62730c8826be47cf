import assert from "node:assert/strict";
import { WikiMarkupTransformer } from "@atlaskit/editor-wikimarkup-transformer";
import fc from "fast-check";
import { adf } from "../../src/trackers/markup/adf.ts";
import type { Block, Markup } from "../../src/trackers/markup/markup.ts";
import { plainLine, plainText } from "../../src/trackers/markup/plain.ts";
import { markupOf } from "../../src/trackers/markup/redmine.ts";
import { wiki } from "../../src/trackers/markup/wiki.ts";
import { isDocument } from "../support/jira/adf.ts";
import {
  asFarAsCodeCan,
  BLOCKS,
  entitiesRead,
  seenInDocument,
  shouldBeSeen,
  TEXT,
} from "../support/markup.ts";

const MARKUPS: Record<string, Markup> = {
  textile: markupOf("textile"),
  markdown: markupOf("markdown"),
  common_mark: markupOf("common_mark"),
  wiki,
  adf,
};

Deno.test("wiki markup shows every text of a comment as it is, by Atlassian's own parser, and nothing else", () => {
  const transformer = new WikiMarkupTransformer();
  fc.assert(
    fc.property(BLOCKS.map((blocks) => blocks.map(withNoBlankEnds)), (blocks) => {
      const body = wiki.render(blocks);
      fc.pre(body !== "");
      const document = transformer.parse(body).toJSON();
      assert.deepEqual(seenInDocument(document, entitiesRead), asFarAsCodeCan(wiki, shouldBeSeen(blocks)));
    }),
    { numRuns: 3000 },
  );
});

/** The parser cuts blanks off at the ends of code; Jira Server's renderer does not. */
function withNoBlankEnds(block: Block): Block {
  if (block.kind !== "code") return block;
  return {
    kind: "code",
    lines: block.lines.map((line, index) => `$ ${line}${index % 2 === 0 ? "\\" : ";"}`),
  };
}

Deno.test("ADF shows every text of a comment as it is, in a document that Atlassian's schema takes", () => {
  fc.assert(
    fc.property(BLOCKS, (blocks) => {
      const document = JSON.parse(adf.render(blocks));
      assert.ok(isDocument(document));
      const seen = seenInDocument(document).map(({ in: where, line }) => ({
        in: line === " " ? undefined : where,
        line,
      }));
      const expected = shouldBeSeen(blocks).map(({ in: where, line }) => ({
        in: line === " " ? undefined : where,
        line,
      }));
      assert.deepEqual(seen, expected);
    }),
    { numRuns: 1000 },
  );
});

for (const [name, markup] of Object.entries(MARKUPS)) {
  Deno.test(`${name}: comments of several blocks are at most as long as those of each together`, () => {
    fc.assert(fc.property(BLOCKS, BLOCKS, (some, others) => {
      const sum = markup.sizeOf(markup.render(some)) + markup.sizeOf(markup.render(others));
      assert.ok(markup.sizeOf(markup.render([...some, ...others])) <= sum);
    }));
  });

  Deno.test(`${name}: code of several lines is at most as long as the code of each together`, () => {
    const size = (lines: readonly string[]) => markup.sizeOf(markup.render([{ kind: "code", lines }]));
    fc.assert(fc.property(fc.array(TEXT), fc.array(TEXT), (some, others) => {
      assert.ok(size([...some, ...others]) <= size(some) + size(others));
    }));
  });

  Deno.test(`${name}: the mark that a comment is found by stands in its body as it is`, () => {
    const mark = "srvAudit session 0198c0de-7a11-7bad-8dad-0b5e55ed1e55 part 12";
    const blocks: Block[] = [
      { kind: "heading", text: mark },
      { kind: "text", text: `${mark} of (3)` },
      { kind: "facts", facts: [["this", mark]] },
      { kind: "code", lines: [mark] },
    ];
    for (const block of blocks) assert.ok(markup.render([block]).includes(mark), block.kind);
  });

  Deno.test(`${name}: no body has a control character but the end of a line, nor half a character`, () => {
    fc.assert(fc.property(BLOCKS, (blocks) => {
      assert.doesNotMatch(
        markup.render(blocks),
        /(?!\n)\p{Control}|\p{Surrogate}|\p{Noncharacter_Code_Point}/u,
      );
    }));
  });

  Deno.test(`${name}: a line break in a line of code is shown, and breaks nothing`, () => {
    assert.equal(
      markup.render([{ kind: "code", lines: ["a\r\nb\n"] }]),
      markup.render([{ kind: "code", lines: ["a^M^Jb^J"] }]),
    );
  });
}

Deno.test("no body of Redmine's or of Jira Server's has characters that MySQL's old utf8 refuses", () => {
  const { adf: _ofCloud, ...others } = MARKUPS;
  fc.assert(fc.property(BLOCKS, (blocks) => {
    for (const markup of Object.values(others)) {
      assert.doesNotMatch(markup.render(blocks), /[\u{10000}-\u{10ffff}]/u);
    }
  }));
});

Deno.test("no body of Redmine's mentions anybody", () => {
  const before: Record<string, RegExp> = {
    textile: /<pre>(.*?)<\/pre>/gs,
    markdown: /(~~~|```)(.*?)(~~~|```)/gs,
    common_mark: /(~~~|```)(.*?)(~~~|```)/gs,
  };
  fc.assert(
    fc.property(BLOCKS, (blocks) => {
      for (const [name, code] of Object.entries(before)) {
        const searched = MARKUPS[name]?.render(blocks).replace(code, "") ?? "";
        assert.doesNotMatch(searched, /(?:^|\W)@/m, name);
      }
    }),
    { numRuns: 1000 },
  );
  // In Textile not even where code is looked through as well.
  const code = markupOf("textile").render([{ kind: "code", lines: ["ssh a@b @alice"] }]);
  assert.equal(code, "<pre>\nssh a@b </notextile>&#64;<notextile>alice\n</pre>\n\n");
});

Deno.test("no body of Jira Server's mentions anybody, in code neither, names an issue, or has what Jira's renderer marks its own with", () => {
  const blocks: Block[] = [
    "[~alice]",
    "[@alice]",
    "a [~ali\nce] b",
    "OPS-17",
    "x OPS-17.",
    "blktokxyzkdtnhgnsbdfblktok0",
  ].flatMap(
    (text): Block[] => [{ kind: "text", text }, { kind: "heading", text }, { kind: "quote", by: text, text }],
  );
  for (const body of blocks.map((block) => wiki.render([block]))) {
    assert.doesNotMatch(body, /\[[~@]|OPS-17|tokxyz/);
  }
  const lines = [
    "[~alice]",
    "[@alice]",
    "blktokxyzkdtnhgnsbdfblktok0",
    "a {noformat} b",
    'echo "${names[@]}"',
  ];
  assert.equal(
    wiki.render([{ kind: "code", lines }]),
    "&#91;&#126;alice&#93;\n&#91;&#64;alice&#93;\nblktok&#120;yzkdtnhgnsbdfblktok0\na &#123;noformat&#125; b\n\n" +
      '{noformat}\necho "${names[@]}"\n{noformat}\n\n',
  );
});

Deno.test("what is a link where Redmine has such a revision or version, or a line break where its config says so, is no link, and is one", () => {
  const body = markupOf("common_mark").render([{ kind: "text", text: "r12 -r12\nfor r2d2" }]);
  assert.equal(body, "&#114;<b></b>12 &#45;&#114;<b></b>12\\\nfor &#114;<b></b>2d2\n\n");
  for (const name of ["textile", "markdown"] as const) {
    assert.equal(
      markupOf(name).render([{ kind: "text", text: "r12 version:1.0" }]),
      "&#114;12 version&#58;1.0\n\n",
    );
  }
});

Deno.test("texts of every day can be read in the source as well", () => {
  const text =
    "Closed at 12:03:44 on 2026-01-02 (UTC+01:00), by alice: /etc/nginx/nginx.conf is ok, 93% of it; done!";
  for (const name of ["textile", "markdown", "common_mark", "wiki"]) {
    assert.equal(MARKUPS[name]?.render([{ kind: "text", text }]), `${text}\n\n`, name);
  }
  const lines = [
    '12:03:44  exit 0  0.31 s  /root  $ ls -l *.txt | grep "a b" > /tmp/x # see ssh root@db01',
    "",
    "12:03:45",
  ];
  const code = lines.join("\n");
  const fences: Record<string, string> = {
    textile: `<pre>\n${code.replace("\n\n", "\n</notextile><notextile>\n")}\n</pre>\n\n`,
    markdown: `\`\`\`\n${code}\n\`\`\`\n\n`,
    common_mark: `<pre>\n${code.replace(">", "&gt;").replace("@", "&#64;")}\n</pre>\n\n`,
    wiki: `{noformat}\n${code}\n{noformat}\n\n`,
  };
  for (const [name, body] of Object.entries(fences)) {
    assert.equal(MARKUPS[name]?.render([{ kind: "code", lines }]), body);
  }
});

Deno.test("plainText() and plainLine() do nothing to their own result", () => {
  fc.assert(fc.property(TEXT, (text) => {
    assert.equal(plainText(plainText(text)), plainText(text));
    assert.equal(plainLine(plainLine(text)), plainLine(text));
  }));
  assert.equal(plainText("a\r\nb\rc\td\u0007\ud800\uffff\u{1ffff}"), "a\nb\nc    d^G\ufffd\\uffff\\u1ffff");
});

Deno.test("nothing to say is nothing, in every markup but ADF, where it is an empty document", () => {
  const { adf: _document, ...others } = MARKUPS;
  const nothing: Block[] = [{ kind: "facts", facts: [] }, { kind: "code", lines: [] }];
  for (const markup of Object.values(others)) assert.equal(markup.render(nothing), "");
  assert.equal(adf.render(nothing), '{"version":1,"type":"doc","content":[]}');
});
