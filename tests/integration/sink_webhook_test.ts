import assert from "node:assert/strict";
import fc from "fast-check";
import type { WebhookSettings } from "../../src/config/sink_settings.ts";
import type { NewsClosing, NewsCommand, NewsOwner, NewsSession, SinkNews } from "../../src/sinks/news.ts";
import { SinkDeniedError, SinkRefusedError, SinkUnavailableError } from "../../src/sinks/sink.ts";
import { sign } from "../../src/sinks/webhook/signature.ts";
import { WebhookSink } from "../../src/sinks/webhook/webhook_sink.ts";
import { ALL, deliver, NETWORK } from "../support/deliver.ts";
import { isRecord } from "../support/fake_intake.ts";
import { testThatNeeds } from "../support/needs.ts";
import { run } from "../support/run.ts";
import { makeCommandNews, makeNews, NEWS_KINDS } from "../support/sink_news.ts";
import { WEBHOOK_SCHEMA, WebhookReceiver } from "../support/webhook_receiver.ts";

const SECRET = "5f3c9a1e7b2d4860";

function sinkOf(receiver: WebhookReceiver, changes: Partial<WebhookSettings> = {}): WebhookSink {
  const settings = { name: "webhook", url: receiver.hook, secret: SECRET, headers: {}, wants: ALL } as const;
  return new WebhookSink({ ...settings, ...changes }, NETWORK);
}

Deno.test("a webhook hears of every kind of news, in its order, as the schema says", async () => {
  await using receiver = new WebhookReceiver(SECRET);
  using sink = sinkOf(receiver);
  const batch = NEWS_KINDS.map((kind) => makeNews(kind));
  assert.deepEqual(await deliver(sink, batch), { refused: [], answer: "9 taken (202)" });
  assert.deepEqual(receiver.news, batch);
  const schema = JSON.parse(Deno.readTextFileSync(WEBHOOK_SCHEMA));
  assert.deepEqual(schema.$defs.news.properties.kind.examples, NEWS_KINDS);
});

Deno.test("the schema has all that news can have", async () => {
  await using receiver = new WebhookReceiver(SECRET);
  using sink = sinkOf(receiver);
  // What is added to the types must be added here, and then to the schema.
  const session: Required<NewsSession> = {
    id: crypto.randomUUID(),
    user: "alice",
    uid: null,
    from: "",
    tty: "",
    shell: "",
    mode: "command",
    openedUs: -1,
    command: "make",
    emergency: "the database is down",
    unverified: true,
    late: true,
    over: true,
  };
  const owner: Required<NewsOwner> = { uid: 0, user: "root" };
  const command: Required<NewsCommand> = {
    text: "",
    directory: "",
    startUs: 0,
    endUs: null,
    exitCode: null,
    pipeStates: [141, 0],
    tty: "",
    effectiveUid: 4_294_967_294,
    isMasked: true,
    textState: "missing",
  };
  const closing: Required<NewsClosing> = {
    how: "lost",
    exitCode: null,
    durationUs: 0,
    commands: 0,
    failures: 0,
    tickets: [null, "OPS-17"],
  };
  const whole: Required<SinkNews> = {
    ...makeNews("command"),
    session,
    owner,
    ticket: null,
    ticketUrl: null,
    command,
    closing,
    text: "",
    change: { from: null, to: "" },
  };
  await deliver(sink, [whole, { ...whole, id: crypto.randomUUID(), session: null }]);
  assert.deepEqual(receiver.news[0], whole);
});

Deno.test("a webhook gets its headers, the config's and the names of the delivery", async () => {
  await using receiver = new WebhookReceiver(SECRET);
  using sink = sinkOf(receiver, { headers: { authorization: "Bearer x", "idempotency-key": "mine" } });
  await deliver(sink, [makeNews("note")]);
  const [request] = receiver.requests;
  assert.equal(request?.line, "POST /hook?key=abcdefghijkl");
  assert.equal(request.headers.get("authorization"), "Bearer x");
  assert.equal(request.headers.get("idempotency-key"), request.headers.get("x-srvaudit-delivery"));
  assert.match(request.headers.get("x-srvaudit-signature") ?? "", /^v1=[0-9a-f]{64}$/);
  const body: unknown = JSON.parse(request.text);
  assert.ok(isRecord(body));
  assert.equal(body.host, "web1.corp.example");
  assert.equal(body.version, 1);
});

Deno.test("a signature is HMAC-SHA256 of the time, a dot and the body", async () => {
  // printf '%s.%s' 1767225600 '{"version":1}' | openssl dgst -sha256 -hmac Jefe -r
  const body = new TextEncoder().encode('{"version":1}');
  assert.equal(
    await sign("Jefe", "1767225600", body),
    "v1=963f8b84fa1edcac1ffd324f39890e91aec88dfa0c96b4a297c591190c21e2e2",
  );
});

Deno.test("without a secret there is no signature", async () => {
  await using receiver = new WebhookReceiver("");
  using sink = sinkOf(receiver, { secret: "" });
  await deliver(sink, [makeNews("note")]);
  assert.equal(receiver.requests[0]?.headers.get("x-srvaudit-signature"), null);
  assert.equal(receiver.news.length, 1);
});

Deno.test("another secret is denied, and no message has the address or the secret", async () => {
  await using receiver = new WebhookReceiver(SECRET);
  using sink = sinkOf(receiver, { secret: "0123456789abcdef" });
  await assert.rejects(deliver(sink, [makeNews("note")]), (error) => {
    assert.ok(error instanceof SinkDeniedError);
    assert.equal(
      error.message,
      "webhook: POST: answered 401: it does not take the key: see webhookSecret and webhookHeaders: " +
        "not signed with our secret",
    );
    return true;
  });
  receiver.fault(/./, {
    kind: "reply",
    reply: { status: 302, headers: { location: "/hook?key=abcdefghijkl" } },
  });
  await assert.rejects(deliver(sink, [makeNews("note")]), (error) => {
    assert.ok(error instanceof SinkDeniedError);
    assert.doesNotMatch(error.message, /abcdef|\/hook/);
    return true;
  });
  // As some frameworks do.
  receiver.fault(/./, { kind: "reply", reply: { status: 404, body: "Cannot POST /hook?key=abcdefghijkl" } });
  await assert.rejects(deliver(sink, [makeNews("note")]), /404: Cannot POST \/hook\?key=\*{5}$/);
});

Deno.test("what is sent again after a lost answer is the same delivery, and is taken once", async () => {
  await using receiver = new WebhookReceiver(SECRET);
  using sink = sinkOf(receiver);
  const batch = [makeNews("note"), makeNews("command")];
  receiver.fault(/./, { kind: "cut" });
  await assert.rejects(deliver(sink, batch), SinkUnavailableError);
  await deliver(sink, batch);
  assert.deepEqual(receiver.news, batch);
  assert.equal(receiver.deliveries.size, 1);
  // Cut otherwise it is another one, and known by the ids of what is in it.
  await deliver(sink, [...batch, makeNews("test")]);
  assert.equal(receiver.deliveries.size, 2);
  assert.equal(receiver.news.length, 3);
});

Deno.test("a replay is refused when it is old, changed, or said to be new", async () => {
  await using receiver = new WebhookReceiver(SECRET);
  using sink = sinkOf(receiver);
  await deliver(sink, [makeNews("note")]);
  const [seen] = receiver.requests;
  assert.ok(seen);
  const again = async (headers: Record<string, string> = {}, body = seen.text) => {
    const kept = ["content-type", "x-srvaudit-timestamp", "x-srvaudit-signature", "x-srvaudit-delivery"];
    const own = Object.fromEntries(kept.map((name) => [name, seen.headers.get(name) ?? ""]));
    const key = { "idempotency-key": seen.headers.get("x-srvaudit-delivery") ?? "" };
    const init = { method: "POST", body, headers: { ...own, ...key, ...headers } };
    const reply = await fetch(receiver.hook, init);
    await reply.body?.cancel();
    return reply.status;
  };
  assert.equal(await again(), 202);
  assert.equal(await again({ "x-srvaudit-timestamp": String(Math.floor(Date.now() / 1000) + 1) }), 401);
  assert.equal(await again({}, seen.text.replace("alice", "mallo")), 401);
  const other = crypto.randomUUID();
  assert.equal(await again({ "x-srvaudit-delivery": other, "idempotency-key": other }), 422);
  receiver.now = () => Date.now() + 301_000;
  assert.equal(await again(), 401);
  receiver.now = () => Date.now() - 302_000;
  assert.equal(await again(), 401);
  assert.equal(receiver.news.length, 1);
});

Deno.test("any text arrives as the same text", async () => {
  await using receiver = new WebhookReceiver(SECRET);
  using sink = sinkOf(receiver);
  const text = fc.string({ unit: "binary", maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(text, text, async (words, directory) => {
      receiver.news.length = 0;
      const batch = [makeCommandNews(words, { directory }), makeNews("note", { text: words, ticket: words })];
      await deliver(sink, batch);
      assert.deepEqual(receiver.news, batch);
    }),
    { numRuns: 200 },
  );
  receiver.news.length = 0;
  await deliver(sink, [makeNews("note", { text: "half \ud83d a character" })]);
  assert.equal(receiver.news[0]?.text, "half \ufffd a character");
});

Deno.test("the longest texts end early, and the news says so", async () => {
  await using receiver = new WebhookReceiver(SECRET);
  using sink = sinkOf(receiver);
  const long = "\x01".repeat(2_000_000);
  const news = makeCommandNews(long, { directory: long });
  assert.ok(news.session);
  const whole = { ...news, session: { ...news.session, command: long } };
  assert.ok(sink.sizeOf(whole) < sink.limits.bytes);
  await deliver(sink, [whole, makeNews("note")]);
  const [cut, note] = receiver.news;
  assert.ok(isRecord(cut?.command) && isRecord(cut.session));
  const left = [cut.command.text, cut.command.directory, cut.session.command].map((text) =>
    String(text).length
  );
  assert.equal(left.reduce((one, other) => one + other) + Number(cut.cutCharacters), 6_000_000);
  assert.equal(note?.cutCharacters, undefined);
});

Deno.test("the sizes of news are those of what is sent, but for what stands around it", async () => {
  await using receiver = new WebhookReceiver(SECRET);
  using sink = sinkOf(receiver);
  const batch = [makeNews("session closed"), makeCommandNews("é\0".repeat(500)), makeNews("tamper")];
  const size = batch.reduce((bytes, news) => bytes + sink.sizeOf(news), 0);
  await deliver(sink, batch);
  const around = new TextEncoder().encode(receiver.requests[0]?.text).length - size;
  assert.ok(around > 0 && around < 200, String(around));
});

Deno.test("what is too large for the receiver is refused as a whole", async () => {
  await using receiver = new WebhookReceiver(SECRET);
  using sink = sinkOf(receiver);
  receiver.mostBytes = 2000;
  await assert.rejects(
    deliver(sink, Array.from({ length: 10 }, () => makeNews("command"))),
    (error) => error instanceof SinkRefusedError && /413: too large$/.test(error.message),
  );
});

Deno.test("each answer says what becomes of a delivery", async () => {
  await using receiver = new WebhookReceiver(SECRET);
  using sink = sinkOf(receiver);
  const table = [
    [SinkUnavailableError, [408, 409, 425, 429, 500, 502, 503]],
    [SinkRefusedError, [400, 413, 415, 422]],
    [SinkDeniedError, [401, 403, 404, 410]],
  ] as const;
  for (const [kind, statuses] of table) {
    for (const status of statuses) {
      receiver.fault(/./, {
        kind: "reply",
        reply: { status, body: "it is so", headers: { "retry-after": "5" } },
      });
      await assert.rejects(deliver(sink, [makeNews("note")]), (error) => {
        assert.ok(error instanceof kind, `${status}: ${error}`);
        assert.match(error.message, /it is so$/);
        if (error instanceof SinkUnavailableError) assert.equal(error.retryAfterMs, 5000);
        return true;
      });
    }
  }
  for (
    const reply of [{ status: 200, body: "<html>" }, { status: 201, body: "x".repeat(17 * 1024 * 1024) }]
  ) {
    receiver.fault(/./, { kind: "reply", reply });
    assert.deepEqual((await deliver(sink, [makeNews("note")])).refused, []);
  }
});

/** How each example of the docs is made a program: its arguments are the secret, the time, the signature and the body's file. */
const EXAMPLES = [
  {
    language: "js",
    command: ["node", "--input-type=module", "-e"],
    start: 'import { readFileSync } from "node:fs";\n',
    end: "const [secret, timestamp, signature, file] = process.argv.slice(1);\n" +
      "process.exit(isOurs(secret, timestamp, signature, readFileSync(file)) ? 0 : 1);\n",
  },
  {
    language: "python",
    command: ["python3", "-c"],
    start: "",
    end: "import sys\nsys.exit(0 if is_ours(*sys.argv[1:4], open(sys.argv[4], 'rb').read()) else 1)\n",
  },
  { language: "bash", command: ["bash", "-c"], start: "", end: 'is_ours "$1" "$2" "$3" <"$4"\n' },
];

for (const { language, command, start, end } of EXAMPLES) {
  const needs = [command[0] ?? "", ...(language === "bash" ? ["openssl"] : [])];
  testThatNeeds(needs, `the docs' example in ${language} takes our signature and no other`, async () => {
    const file = Deno.makeTempFileSync({ prefix: "srvaudit-hook-" });
    try {
      const body = new TextEncoder().encode('{"text":"é\0\n"}\n');
      Deno.writeFileSync(file, body);
      const program = start + exampleOf(language) + end;
      const isOurs = async (timestamp: string, signing: string | Promise<string>) => {
        const signature = await signing;
        const name = language === "bash" ? ["is_ours"] : [];
        const ended = await run([...command, program, ...name, SECRET, timestamp, signature, file], {
          env: { HOME: Deno.env.get("HOME") ?? "/" },
        });
        assert.equal(ended.errors, "");
        return ended.code === 0;
      };
      const nowS = Math.floor(Date.now() / 1000);
      const signed = (timestamp: number, secret = SECRET) => sign(secret, String(timestamp), body);
      assert.equal(await isOurs(String(nowS), signed(nowS)), true, "ours");
      assert.equal(await isOurs(String(nowS), signed(nowS, "another")), false, "another secret");
      assert.equal(await isOurs(String(nowS + 1), signed(nowS)), false, "another time");
      assert.equal(await isOurs(String(nowS), ""), false, "no signature");
      assert.equal(await isOurs(String(nowS - 310), signed(nowS - 310)), false, "too old");
      assert.equal(await isOurs(String(nowS + 330), signed(nowS + 330)), false, "too early");
    } finally {
      Deno.removeSync(file);
    }
  });
}

/** The code block of that language in the docs of the webhook. */
function exampleOf(language: string): string {
  const docs = Deno.readTextFileSync(new URL("../../docs/integrations.md", import.meta.url));
  const section = docs.slice(docs.indexOf("\n### Checking it"));
  const start = section.indexOf(`\n\`\`\`${language}\n`);
  assert.ok(start > 0, `no example in ${language}`);
  const code = section.slice(section.indexOf("\n", start + 1) + 1);
  return code.slice(0, code.indexOf("\n```") + 1).replace(/^export /m, "");
}
