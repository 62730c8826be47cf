import assert from "node:assert/strict";
import fc from "fast-check";
import { harmlessJson, visible } from "../../src/terminal/visible.ts";

Deno.test("visible() shows what would act on a terminal", () => {
  assert.equal(visible("\x1b[31mred\x07\x7f"), "^[[31mred^G^?");
  assert.equal(visible("\u009b2J\u202eabc"), "\\u009b2J\\u202eabc");
  assert.equal(visible("\u061ca\u2028b\u2029"), "\\u061ca\\u2028b\\u2029");
  assert.equal(visible("a\nb", "\n"), "a\nb");
  assert.equal(visible("é ☃ 漢"), "é ☃ 漢");
});

Deno.test("visible() leaves no control character, whatever the text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    // deno-lint-ignore no-control-regex -- control characters are what this is about
    assert.doesNotMatch(visible(text), /[\x00-\x1f\x7f-\x9f]/);
  }));
});

Deno.test("harmlessJson() means the same, and holds nothing that visible() would show", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const json = harmlessJson(JSON.stringify({ text }));
    assert.deepEqual(JSON.parse(json), { text });
    assert.equal(visible(json), json);
  }));
  assert.equal(harmlessJson('"\u202eabc\u061c"'), '"\\u202eabc\\u061c"');
});
