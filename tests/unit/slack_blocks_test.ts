import type { KnownBlock } from "@slack/types";
import assert from "node:assert/strict";
import fc from "fast-check";
import { escaped, header, moment, plainWords } from "../../src/sinks/slack/blocks.ts";
import { cardAfter, messageOf, newCard, readCard } from "../../src/sinks/slack/card.ts";
import { itemsOf } from "../../src/sinks/slack/items.ts";
import { messagesOf, MOST_JSON, sizeOfBlocks, textOf } from "../../src/sinks/slack/message.ts";
import type { NewsKind, SinkNews } from "../../src/sinks/news.ts";
import { visible } from "../../src/terminal/visible.ts";
import { blocksError } from "../support/slack/block_kit.ts";
import { closingOf, commandOf, emergencyOf, newsOf, NOON_US, sessionOf } from "../support/slack/news.ts";
import { readBlocks, readTop } from "../support/slack/reader.ts";

/** Whatever somebody who wants more than to be read would write. */
const HOSTILE = [
  "<!channel> <!here> <!everyone> <@U012ABCDEF> <#C012ABCDEF> <!subteam^S0123>",
  "*bold* _italic_ ~gone~ `code` ```block``` > quote",
  "<https://evil.example|https://jira.example/browse/OPS-17>",
  "https://evil.example www.evil.example mail@evil.example",
  ":smile: :rotating_light: &lt;!channel&gt; &amp;lt; &",
  "<!date^1392734382^{date}^https://evil.example|x> @here @channel #general",
  '","type":"broadcast","range":"channel',
  "\x1b[31mred\x1b[0m\u202egnp.exe\u2028next\u0000\x07\x7f\x9b",
  "\ud800 alone \udc00 | 😀😀😀",
  "€ä\u0301 漢字 \u200d\u200b",
];
const TEXTS = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.array(fc.constantFrom(...HOSTILE, "<", ">", "&", "|", "!", "*", "`", "\n", "@", ":"), { maxLength: 6 })
    .map((parts) => parts.join("")),
);
const KINDS: readonly NewsKind[] = [
  "session opened",
  "session closed",
  "ticket switched",
  "note",
  "status",
  "command",
  "command started",
  "tamper",
  "test",
];

/** What srvAudit itself puts there. */
const ALLOWED = /^(?:date:\d+|emoji:rotating_light|link:https:\/\/jira\.example\/browse\/OPS-17)$/;

/** News of every kind with the same text wherever people choose texts. */
function newsWith(text: string, kind: NewsKind): SinkNews {
  const { command } = commandOf(3, text);
  return newsOf(3, kind, {
    host: text,
    session: sessionOf({ user: text, from: text, tty: text, command: text, emergency: text }),
    ticket: text,
    text,
    change: { from: text, to: text },
    ...(command && { command: { ...command, directory: text } }),
    closing: { how: "logout", exitCode: 0, durationUs: 1, commands: 1, failures: 0, tickets: [] },
  });
}

Deno.test("any text reaches a reader as the same text and as nothing else: no link, no mention, no markup", () => {
  fc.assert(
    fc.property(TEXTS, fc.constantFrom(...KINDS), (text, kind) => {
      const [item] = itemsOf([newsWith(text, kind)]);
      assert.ok(item);
      assert.equal(blocksError(item.blocks), undefined);
      const { text: seen, active } = readBlocks(item.blocks);
      assert.ok(seen.includes(visible(text.toWellFormed()).slice(0, 80)), `${text} in ${seen}`);
      assert.deepEqual(active.filter((what) => !ALLOWED.test(what)), []);

      const tokens: string[] = [];
      const top = readTop(messagesOf([item])[0]?.text ?? "", tokens);
      assert.deepEqual(tokens, []);
      assert.equal(top, item.notice);
    }),
    { numRuns: 500 },
  );
});

Deno.test("any text reaches a reader of a session's own message as the same text and as nothing else", () => {
  fc.assert(
    fc.property(TEXTS, (text) => {
      const opened = newsWith(text, "session opened");
      const card = [newsWith(text, "status"), newsWith(text, "note")].reduce(cardAfter, newCard(opened));
      const again = readCard(JSON.stringify(card));
      assert.deepEqual(again, JSON.parse(JSON.stringify(card)));
      const { blocks } = messageOf(card, text);
      assert.equal(blocksError(blocks), undefined);
      const { text: seen, active } = readBlocks(blocks);
      assert.ok(seen.includes(visible(text.toWellFormed()).slice(0, 80)));
      assert.deepEqual(active.filter((what) => !ALLOWED.test(what)), []);
    }),
  );
});

Deno.test("escaped() is undone by Slack's own rules, once", () => {
  fc.assert(fc.property(TEXTS, (text) => {
    const tokens: string[] = [];
    assert.equal(readTop(escaped(text), tokens), text);
    assert.deepEqual(tokens, []);
  }));
  assert.equal(escaped("a&lt;b <!here>"), "a&amp;lt;b &lt;!here&gt;");
});

Deno.test("texts that are too long are shortened, say so, and never end within a character", () => {
  assert.equal(plainWords("abcdef", 3), "abc … (shortened)");
  assert.equal(plainWords("ab😀", 3), "ab … (shortened)");
  assert.equal(plainWords("abc", 3), "abc");
  // A control character takes up more when it is shown.
  assert.equal(plainWords("\u202e\u202e", 8), "\\u202e\\u … (shortened)");
  const huge = "x".repeat(5_000_000);
  for (const kind of KINDS) {
    const [item] = itemsOf([newsWith(huge, kind)]);
    assert.ok(item && sizeOfBlocks(item.blocks) <= MOST_JSON, `${kind}: ${sizeOfBlocks(item?.blocks ?? [])}`);
    assert.equal(blocksError(item.blocks), undefined);
    assert.match(readBlocks(item.blocks).text, /x … \(shortened\)/);
  }
});

Deno.test("the largest news of every kind fit into a message, whatever their characters are in JSON", () => {
  for (const character of ['"', "\\", "\n", "\x01", "\u202e", "😀", "&", "\ud800"]) {
    const text = character.repeat(20_000);
    const url = `https://jira.example/${"x".repeat(970)}`;
    for (const kind of KINDS) {
      const [item] = itemsOf([{ ...newsWith(text, kind), ticketUrl: url }]);
      assert.equal(blocksError(item?.blocks), undefined, `${kind} ${JSON.stringify(character)}`);
      assert.ok(sizeOfBlocks(item?.blocks ?? []) <= MOST_JSON);
    }
  }
});

Deno.test("a mark of ours that somebody writes herself looks another way", () => {
  const [item] = itemsOf([newsOf(1, "note", { text: "all of it … (shortened)" })]);
  assert.doesNotMatch(JSON.stringify(item?.blocks), /italic/);
  const [long] = itemsOf([newsOf(1, "note", { text: "x".repeat(9000) })]);
  assert.match(JSON.stringify(long?.blocks), /"italic":true/);
});

Deno.test("a ticket is a link only where its address is one of the web", () => {
  const linkOf = (ticketUrl: string | null) =>
    readBlocks(itemsOf([newsOf(1, "note", { text: "x", ticketUrl })])[0]?.blocks).active
      .filter((what) => what.startsWith("link:"));
  assert.deepEqual(linkOf("https://jira.example/browse/OPS-17"), ["link:https://jira.example/browse/OPS-17"]);
  assert.deepEqual(linkOf("https://jira.example/a b|c>"), ["link:https://jira.example/a%20b%7Cc%3E"]);
  const others = [
    "javascript:alert(1)",
    "slack://open",
    "not an address",
    "https://",
    "https://jira.example@evil.example/",
    `https://jira.example/${"x".repeat(5000)}`,
  ];
  for (const url of [null, "", ...others]) {
    assert.deepEqual(linkOf(url), [], String(url));
  }
});

Deno.test("times are dates by the reader's own clock, with UTC for whoever cannot show them", () => {
  assert.deepEqual(moment(NOON_US), {
    type: "date",
    timestamp: 1_795_354_200,
    format: "{date_short_pretty} {time_secs}",
    fallback: "2026-11-22T13:30:00Z",
  });
  for (const us of [0, -1, NaN, 9e18]) assert.equal(moment(us).type, "text");
});

Deno.test("a session's end says who, where, on which ticket, how long, how many commands and failures", () => {
  const [item] = itemsOf([closingOf(312)]);
  const { text, active } = readBlocks(item?.blocks);
  assert.equal(
    text,
    "alice on web1 · OPS-17 · the session is over (logout, exit 0) · 12 commands, 2 failed in 5m 12s · " +
      "2026-11-22T13:30:00Z to 2026-11-22T13:35:12Z",
  );
  assert.ok(active.includes("link:https://jira.example/browse/OPS-17"));
});

Deno.test("a session's beginning says from where, on which terminal, and what it is for", () => {
  const seen = (news: SinkNews) => readBlocks(itemsOf([news])[0]?.blocks).text;
  assert.equal(
    seen(newsOf(0, "session opened")),
    "alice on web1 opened a session · OPS-17 · from 10.0.0.9 · pts/3 · 2026-11-22T13:30:00Z",
  );
  const session = sessionOf({ from: "", tty: "", mode: "command", command: "df -h", unverified: true });
  assert.equal(
    seen(newsOf(0, "session opened", { session })),
    "alice on web1 opened a session for one command · OPS-17 (not looked up yet) · local · 2026-11-22T13:30:00Z\n$ df -h",
  );
});

Deno.test("emergencies and tamper stand out: large letters first, then the reason in a quote", () => {
  const [emergency] = itemsOf([emergencyOf(0, "Jira is down, the shop too")]);
  assert.deepEqual(emergency?.blocks.map(({ type }) => type), ["header", "rich_text"]);
  assert.match(
    readBlocks(emergency?.blocks).text,
    /^Emergency: a login without a ticket\n alice on web1 opened .* no ticket .*\nJira is down, the shop too$/,
  );
  const [tamper] = itemsOf([newsOf(0, "tamper", { text: "the hooks were removed" })]);
  assert.equal(tamper?.blocks[0]?.type, "header");
  assert.match(readBlocks(tamper?.blocks).text, /^Tamper\n[^]*\nthe hooks were removed$/);
});

Deno.test("commands of a session are shown together, up to what comes between them; too many are counted", () => {
  const bob = sessionOf({ id: "0193f5d0-0000-7000-8000-000000000002", user: "bob" });
  const items = itemsOf([
    commandOf(1, "ls"),
    commandOf(2, "w", { session: bob }),
    commandOf(3, "make\ninstall", {}, 2),
    newsOf(4, "note", { text: "built" }),
    commandOf(5, "exit"),
  ]);
  assert.deepEqual(items.map(({ news }) => news.map(({ seq }) => seq)), [[1, 3], [2], [4], [5]]);
  assert.equal(
    readBlocks(items[0]?.blocks).text,
    "alice on web1 · OPS-17 · 2 commands, 1 failed · 2026-11-22T13:30:01Z\n" +
      "exit 0    0.3 s  /srv  $ ls\nexit 2    0.3 s  /srv  $ make^Jinstall",
  );
  const many = itemsOf(Array.from({ length: 100 }, (_, i) => commandOf(i, `echo ${i}`)));
  assert.equal(many.length, 1);
  assert.match(readBlocks(many[0]?.blocks).text, /100 commands, 0 failed[^]*echo 7\n\.\.\. and 92 more$/);
});

Deno.test("messagesOf() puts as much into a message as Slack takes, loses nothing and keeps the order", () => {
  const news = fc.array(
    fc.tuple(fc.constantFrom(...KINDS), fc.integer({ min: 0, max: 3000 })),
    { minLength: 1, maxLength: 80 },
  );
  fc.assert(
    fc.property(news, (kinds) => {
      const batch = kinds.map(([kind, length], i) => ({ ...newsWith("n".repeat(length), kind), seq: i }));
      const items = itemsOf(batch);
      const messages = messagesOf(items);
      assert.deepEqual(
        messages.flatMap((message) => message.news.map(({ seq }) => seq)),
        items.flatMap((item) => item.news.map(({ seq }) => seq)),
      );
      for (const { blocks, text } of messages) {
        assert.equal(blocksError(blocks), undefined);
        assert.ok(text.length > 0 && text.length <= 40_000);
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("messagesOf() puts no more blocks into a message than Slack takes, however small they are", () => {
  const notes = Array.from({ length: 60 }, (_, i) => ({
    news: [newsOf(i, "note")],
    blocks: [header("x")],
    notice: `note ${i} <!here>`,
  }));
  const messages = messagesOf(notes);
  assert.deepEqual(messages.map(({ blocks }) => blocks.length), [50, 10]);
  assert.match(messages[0]?.text ?? "", /^note 0 &lt;!here&gt;\nnote 1 /);
});

Deno.test("the text on top has as many lines as it has room for, and counts the rest", () => {
  const lines = textOf(Array.from({ length: 30 }, (_, i) => `${i} ${"x".repeat(230)}`)).split("\n");
  assert.equal(lines.at(-1), "... and 22 more");
  assert.equal(lines.length, 9);
});

Deno.test("the blocks are Block Kit by Slack's own types", () => {
  for (const kind of KINDS) {
    for (const item of itemsOf([newsWith("x", kind)])) {
      // A compile error is the failure here.
      const known: KnownBlock[] = structuredClone([...item.blocks]);
      assert.ok(known.length > 0);
    }
  }
});

Deno.test("a session's own message counts what it is told, and takes the end's word for all of it", () => {
  const told = [commandOf(1, "ls"), commandOf(2, "false", {}, 1), newsOf(3, "note", { text: "hm" })];
  const open = told.reduce(cardAfter, newCard(newsOf(0, "session opened")));
  assert.equal(
    readBlocks(messageOf(open, "x").blocks).text,
    " alice on web1 · OPS-17 · from 10.0.0.9 · pts/3\n" +
      "2026-11-22T13:30:00Z · 2 commands, 1 failed · 1 note · for 3.0 s so far",
  );
  const switched = [
    newsOf(4, "status", { change: { from: "Open", to: "Done" } }),
  ].reduce(cardAfter, open);
  assert.match(readBlocks(messageOf(switched, "x").blocks).text, /OPS-17: Done ·/);
  const other = cardAfter(switched, newsOf(5, "ticket switched", { ticket: "OPS-18", ticketUrl: null }));
  assert.match(readBlocks(messageOf(other, "x").blocks).text, /· OPS-18 · from/);
  const over = cardAfter(other, closingOf(312));
  assert.match(
    readBlocks(messageOf(over, "x").blocks).text,
    /2026-11-22T13:30:00Z to 2026-11-22T13:35:12Z \(logout, exit 0\) · 12 commands, 2 failed · 1 note · over after 5m 12s$/,
  );
});
