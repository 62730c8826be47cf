import assert from "node:assert/strict";
import fc from "fast-check";
import type { SinkNews } from "../../src/sinks/news.ts";
import { syslogMessage, type Writer } from "../../src/sinks/syslog/message.ts";
import { makeCommandNews, makeNews, NEWS_KINDS } from "../support/sink_news.ts";

const WRITER: Writer = {
  facility: 10,
  appName: "srvaudit",
  processId: 4711,
  mostBytes: 8192,
  isLocal: false,
};

function written(news: SinkNews, changes: Partial<Writer> = {}): string {
  // Unlike TextDecoder's default, this keeps the mark that it is UTF-8.
  return new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }).decode(
    syslogMessage(news, { ...WRITER, ...changes }),
  );
}

function severityOf(news: SinkNews): number {
  return Number(/^<([0-9]+)>/.exec(written(news))?.[1]) - 80;
}

/** RFC 5424, section 6, as a grammar. */
const RFC_5424 = new RegExp(
  "^<(?:[0-9]|[1-9][0-9]|1[0-8][0-9]|19[01])>1 " +
    "(?:-|[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9][.][0-9]{6}Z) " +
    "[!-~]{1,255} [!-~]{1,48} [!-~]{1,128} [!-~]{1,32} " +
    '\\[srvaudit@32473(?: [a-zA-Z]{1,32}="(?:[^"\\\\\\]]|\\\\["\\\\\\]])*")+\\] \ufeff[^]*$',
  "u",
);

Deno.test("syslogMessage() writes what RFC 5424 says, byte for byte", () => {
  const news = makeCommandNews('echo "a]" \\', { exitCode: 2 });
  const atUs = Date.UTC(2026, 0, 31, 23, 59, 59) * 1000 + 123_456;
  assert.equal(
    written({ ...news, atUs, id: "0b1e", seq: 7 }),
    '<84>1 2026-01-31T23:59:59.123456Z web1.corp.example srvaudit 4711 command [srvaudit@32473 id="0b1e" ' +
      'kind="command" seq="7" session="0197a5a2-7f3e-7c61-9e5b-0a1b2c3d4e5f" ticket="OPS-17" exitCode="2" ' +
      'user="alice" uid="1001" effectiveUid="0" from="192.0.2.7" tty="pts/3" mode="interactive" ' +
      'shell="/bin/bash" durationUs="2500000" directory="/etc/nginx" ' +
      'ticketURL="https://jira.corp.example/browse/OPS-17" text="echo \\"a\\]\\" \\\\"] ' +
      '\ufeffalice (OPS-17) exit 2: $ echo "a]" \\',
  );
});

Deno.test("syslogMessage() has a severity by what somebody must look at", () => {
  const news = makeNews("session opened");
  const emergency = { ...news, session: news.session && { ...news.session, emergency: "prod is down" } };
  assert.deepEqual(
    [
      makeNews("tamper"),
      emergency,
      makeCommandNews("false", { exitCode: 1 }),
      makeCommandNews("vi", { exitCode: null, endUs: null }),
      ...["session opened", "session closed", "note", "status", "ticket switched", "test"] as const,
      makeCommandNews("true"),
      "command started" as const,
    ].map((one) => severityOf(typeof one === "string" ? makeNews(one) : one)),
    [1, 1, 4, 4, 5, 5, 5, 5, 5, 5, 6, 6],
  );
  assert.match(written(emergency), / emergency="true" .* text="prod is down"\]/);
});

Deno.test("syslogMessage() is one line that the RFC takes and no longer than it may be, whatever the news say", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.string({ unit: "binary", minLength: 500, maxLength: 9000 }),
    fc.constantFrom('"] [x@1 a="b"]', "\n<8>1 - - - - - -", "\\", "]", '\\"', "\u2028\x00\x1b[2J", "\ud800"),
    fc.constantFrom(..."\u202e\\\u{1f600}é").map((character) => character.repeat(9000)),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...NEWS_KINDS),
      text,
      text,
      fc.constantFrom(1400, 2048, 8192),
      fc.oneof(fc.maxSafeInteger(), fc.constant(Date.now() * 1000)),
      (kind, words, fact, mostBytes, atUs) => {
        const made = makeNews(kind, { atUs });
        const { session, command } = made;
        const news: SinkNews = {
          ...made,
          host: fact,
          ticket: fact,
          ticketUrl: fact,
          session: session && { ...session, user: fact, tty: fact, from: fact, shell: fact },
          ...(command
            ? { command: { ...command, text: words, directory: fact, tty: fact } }
            : { text: words }),
        };
        const message = written(news, { mostBytes });
        assert.ok(new TextEncoder().encode(message).length <= mostBytes);
        assert.match(message, RFC_5424);
        assert.doesNotMatch(message, /\p{Cc}/u);
        for (const [name, value] of [["id", news.id], ["session", session?.id], ["kind", kind]]) {
          assert.ok(message.includes(` ${name}="${value}"`), name);
        }
        const local = written(news, { mostBytes, isLocal: true });
        assert.ok(new TextEncoder().encode(local).length <= mostBytes);
        assert.match(
          local,
          /^<[0-9]+>[A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8} srvaudit\[4711\]: \[srvaudit@32473 id="[^"]+" /,
        );
        assert.doesNotMatch(local, /\p{Cc}/u);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("syslogMessage() cuts a long text, says so, and keeps the facts", () => {
  const message = written(makeCommandNews("x".repeat(20_000), { exitCode: 3 }), { mostBytes: 1400 });
  assert.ok(message.length > 1300);
  const told = /text="(x+)" cut="([0-9]+)"\]/.exec(message);
  assert.equal((told?.[1]?.length ?? 0) + Number(told?.[2]), 20_000);
  const shown = /\$ (x+) \[([0-9]+) more characters\]$/.exec(message);
  assert.equal((shown?.[1]?.length ?? 0) + Number(shown?.[2]), 20_000);
  for (const fact of ['ticket="OPS-17"', 'exitCode="3"', 'directory="/etc/nginx"', 'user="alice"']) {
    assert.ok(message.includes(fact), fact);
  }
});

Deno.test("syslogMessage() says nothing of a time that no calendar has", () => {
  assert.match(written(makeNews("note", { atUs: Number.MAX_SAFE_INTEGER })), /^<85>1 2255-/);
  assert.match(written(makeNews("note", { atUs: 8.64e18 })), /^<85>1 - web1/);
  assert.match(written(makeNews("note", { atUs: 1e30 })), /^<85>1 - web1/);
});
