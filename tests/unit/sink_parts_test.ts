import assert from "node:assert/strict";
import fc from "fast-check";
import { cutToJsonBytes, cutToLength } from "../../src/sinks/cut_text.ts";
import { sentenceOf } from "../../src/sinks/sentence.ts";
import { isoTime, timestampIn } from "../../src/sinks/timestamp.ts";
import { ToldParts } from "../../src/sinks/told_parts.ts";
import { makeCommandNews, makeNews, NEWS_KINDS } from "../support/sink_news.ts";

const ANY_TEXT = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.array(fc.constantFrom("\x00", "\t", '"', "\\", "a", "é", "€", "🐚", "\ud800", "\udc00", "\x7f")).map((
    all,
  ) => all.join("")),
);

Deno.test("cutToJsonBytes() keeps as much as has room in JSON, and no half of a character", () => {
  fc.assert(fc.property(ANY_TEXT, fc.nat(120), (text, most) => {
    const { text: kept, cut } = cutToJsonBytes(text, most);
    const bytes = (part: string) => new TextEncoder().encode(JSON.stringify(part)).length - 2;
    assert.ok(text.startsWith(kept));
    assert.equal(kept.length + cut, text.length);
    assert.ok(bytes(kept) <= most);
    const [next = ""] = text.slice(kept.length);
    if (cut > 0) assert.ok(bytes(kept + next) > most);
    assert.ok(!text.isWellFormed() || kept.isWellFormed());
  }));
});

Deno.test("cutToLength() keeps as many characters as may stay, and no half of one", () => {
  fc.assert(fc.property(ANY_TEXT, fc.nat(60), (text, most) => {
    const { text: kept, cut } = cutToLength(text, most);
    assert.ok(text.startsWith(kept));
    assert.equal(kept.length + cut, text.length);
    assert.ok(kept.length <= most && (cut === 0 || kept.length >= most - 1));
    assert.ok(!text.isWellFormed() || kept.isWellFormed());
  }));
});

Deno.test("timestampIn() keeps a time that is taken, and gives the others that of the delivery", () => {
  const window = { pastMs: 1000, futureMs: 500 };
  const times = [[9_000, false], [8_999, true], [10_500, false], [10_501, true]] as const;
  for (const [ms, isOfDelivery] of times) {
    assert.deepEqual(timestampIn(window, ms * 1000 + 999, 10_000), {
      ms: isOfDelivery ? 10_000 : ms,
      isOfDelivery,
    });
  }
});

Deno.test("isoTime() has microseconds, and a number for what no calendar has", () => {
  assert.equal(isoTime(1_700_000_000_123_456), "2023-11-14T22:13:20.123456Z");
  assert.equal(isoTime(-1), "1969-12-31T23:59:59.999999Z");
  assert.equal(isoTime(9e18), "9000000000000000000");
});

Deno.test("sentenceOf() says every kind of news, what people have typed at its end", () => {
  const said = NEWS_KINDS.map((kind) => {
    const { start, words } = sentenceOf(makeNews(kind));
    return `${start}|${words}`;
  });
  assert.deepEqual(said, [
    "alice (OPS-17) opened a session from 192.0.2.7|",
    "alice (OPS-17) runs: $ |systemctl restart nginx",
    "alice (OPS-17) exit 0: $ |systemctl restart nginx",
    "alice (OPS-17) notes: |the words of a note",
    "alice (OPS-17) set the status from Open to In Progress|",
    "alice switched the ticket from OPS-17 to WEB-3|",
    "TAMPER: alice (OPS-17): |the words of a tamper",
    "alice (OPS-17) ended the session (exit) after 60 s: 12 commands, 2 failed|",
    "This is a test of srvAudit: |the words of a test",
  ]);
  assert.equal(sentenceOf(makeCommandNews("x", { exitCode: null })).start, "alice (OPS-17) end not seen: $ ");
});

Deno.test("ToldParts remembers what has arrived until all of it has, and not for ever", () => {
  const told = new ToldParts();
  const [a, b] = [{ id: "a" }, { id: "b" }];
  told.add("log", [a]);
  assert.deepEqual(told.without("log", [a, b]), [b]);
  assert.deepEqual(told.without("event", [a, b]), [a, b]);
  told.forget(["log", "event"], [a]);
  assert.deepEqual(told.without("log", [a, b]), [a, b]);
  const many = Array.from({ length: 10_000 }, (_, index) => ({ id: String(index) }));
  told.add("log", many);
  assert.equal(told.without("log", many).length, 10_000 - 8_192);
  assert.deepEqual(told.without("log", many.slice(-1)), []);
});
