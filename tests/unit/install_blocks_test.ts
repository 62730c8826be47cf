import assert from "node:assert/strict";
import fc from "fast-check";
import {
  hasBlock,
  hasLine,
  withBlock,
  withLine,
  withoutBlock,
  withoutLine,
} from "../../src/install/blocks.ts";

const OURS = "# ours\nif true; then :; fi\n";
const OLDER = "# ours, as it was\n";

/** Startup files as people have them: any lines, any ends, also ends of lines that are of DOS, also bytes that are no text. */
const texts = fc.array(
  fc.oneof(
    fc.constantFrom(
      "umask 022",
      "# >>> srvaudit >>>",
      "# <<< srvaudit <<<",
      "/bin/bash",
      "",
      "\r",
      "\xff\xfe",
      "a\r",
    ),
    fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) }),
  ),
).map((lines) => lines.join("\n"));
/** The same, without a block of ours. */
const others = texts.filter((text) => withoutBlock(text, true) === text);

function isWhole(text: string): boolean {
  return text === "" || text.endsWith("\n");
}

Deno.test("what is added to a startup file and removed again leaves every byte as it was", () => {
  fc.assert(fc.property(others, (text) => {
    assert.equal(withoutBlock(withBlock(text, OURS), isWhole(text)), text);
  }));
});

Deno.test("adding a block again changes nothing, and a newer one takes the older one's place", () => {
  fc.assert(fc.property(texts, (text) => {
    const once = withBlock(text, OURS);
    assert.ok(hasBlock(once, OURS));
    assert.equal(withBlock(once, OURS), once);
    assert.equal(withBlock(withBlock(text, OLDER), OURS), once);
  }));
});

Deno.test("what people write before and behind our block stays when it goes", () => {
  const text = `# theirs${withBlock("\n", OURS)}# more of theirs`;
  assert.equal(withoutBlock(text, true), "# theirs\n# more of theirs");
  assert.equal(withoutBlock(text, false), "# theirs\n# more of theirs");
});

Deno.test("a block whose lines an editor has given other ends is still ours", () => {
  const text = withBlock("umask 022\n", OURS).replaceAll("\n", "\r\n");
  assert.equal(withoutBlock(text, true), "umask 022\r\n");
  assert.equal(withBlock(text, OURS), `umask 022\r\n${withBlock("", OURS)}`);
});

Deno.test("a first mark that nothing ends takes nothing of others' with it", () => {
  const text = "# >>> srvaudit >>>\numask 022\n";
  assert.equal(withoutBlock(text, true), text);
  assert.equal(withoutBlock(withBlock(text, OURS), true), text);
});

Deno.test("a line that is added to a list and removed again leaves every byte as it was", () => {
  const line = "/usr/bin/hello-srvaudit";
  fc.assert(fc.property(texts.filter((text) => !hasLine(text, line)), (text) => {
    const then = withLine(text, line);
    assert.ok(hasLine(then, line));
    assert.equal(withoutLine(then, line, isWhole(text)), text);
  }));
});
