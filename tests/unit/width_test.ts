import assert from "node:assert/strict";
import fc from "fast-check";
import stringWidth from "string-width";
import { loadWidthOf, simpleWidthOf } from "../../src/terminal/width.ts";

const BASIC_PLANE = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code));
const SIMPLE = BASIC_PLANE.filter((character) => simpleWidthOf(character) !== undefined);

Deno.test("simpleWidthOf() measures what most texts are made of", () => {
  assert.equal(simpleWidthOf(""), 0);
  assert.equal(simpleWidthOf("ls -l"), 5);
  assert.equal(simpleWidthOf("for i in 1 2\ndo\r\n\techo $i\ndone"), 25);
  assert.equal(simpleWidthOf("naïve Ωμέγα Жук “☃” → €"), 23);
  assert.equal(simpleWidthOf("漢字 かな カナ 한글 ｱ Ａ"), 24);
});

Deno.test("simpleWidthOf() leaves what joins, vanishes or escapes to the full measure", () => {
  const others = [
    "e\u0301",
    "😀",
    "👩\u200d💻",
    "❤\ufe0f",
    "1\ufe0f\u20e3",
    "🇨🇭",
    "か\u3099",
    "ｶﾞ",
    "\u1112\u1161",
  ];
  const unseen = ["\xad", "\u200b", "\u2060", "\u3164", "\ufeff", "\x1b[1m", "\x9b1m", "\ud800", "\udc80"];
  for (const text of [...others, ...unseen]) assert.equal(simpleWidthOf(text), undefined, escape(text));
});

Deno.test("simpleWidthOf() agrees with string-width on every character that it takes on", () => {
  for (const character of SIMPLE) {
    assert.equal(simpleWidthOf(character), stringWidth(character), escape(character));
  }
});

Deno.test("simpleWidthOf() agrees with string-width on any text that it takes on", () => {
  const simple = fc.array(fc.constantFrom(...SIMPLE)).map((all) => all.join(""));
  const any = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(fc.oneof(simple, any), (text) => {
      const width = simpleWidthOf(text);
      if (width !== undefined) assert.equal(width, stringWidth(text));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("loadWidthOf() measures any text", async () => {
  const widthOf = await loadWidthOf();
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(widthOf(text), stringWidth(text));
  }));
  assert.equal(widthOf("e\u0301 👩\u200d💻 漢"), 7);
});

function escape(text: string): string {
  return Array.from(text, (one) => `U+${one.codePointAt(0)?.toString(16)}`).join(" ");
}
