import assert from "node:assert/strict";
import fc from "fast-check";
import { DEFAULT_MASK } from "../../src/config/mask_patterns.ts";
import type { EvidenceEvent, NewEvent } from "../../src/evidence/event.ts";
import { hexOf } from "../../src/evidence/chain.ts";
import { MaskedEvents } from "../../src/evidence/masked.ts";
import { NewsRows } from "../../src/evidence/news_rows.ts";
import { removeOld } from "../../src/evidence/retention.ts";
import { eventOf } from "../../src/evidence/row.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { Mask } from "../../src/net/mask.ts";
import { MISSING_TEXT } from "../../src/record/readable.ts";
import type { SinkNews } from "../../src/sinks/news.ts";
import { NewsReader } from "../../src/sinks/news_reader.ts";
import {
  agentEvent,
  closed,
  command,
  ended,
  EvidenceFolder,
  opened,
  shellEnded,
  shellStarted,
  switched,
  T0,
} from "../support/evidence_events.ts";

const ID = "019ab000-0000-7000-8000-00000000000a";
const MASK = new Mask(DEFAULT_MASK);
const TICKETS = {
  keyOf: (typed: string) => typed.toUpperCase(),
  urlOf: (key: string) => `https://t.example/${key}`,
};

/** Evidence, and who tells others of it. */
class Host implements Disposable {
  readonly #folder = new EvidenceFolder();
  readonly store = new EvidenceStore(this.#folder.file);
  reader = this.begin();

  /** Another one, as after a start of the agent. */
  begin(): NewsReader {
    const { store } = this;
    return new NewsReader({
      rows: new NewsRows(store),
      masked: new MaskedEvents(store),
      mask: MASK,
      tickets: TICKETS,
      host: "web01",
      nameOf: (uid) => uid === 1000 ? "alice" : undefined,
    });
  }

  put(...events: NewEvent[]): number[] {
    return this.store.transaction(() => events.map((event) => this.store.append(event, T0)));
  }

  event(seq: number): EvidenceEvent {
    const row = this.store.database.prepare("select * from event where seq = ?").get(seq);
    assert.ok(row);
    return eventOf(row);
  }

  news(...seqs: number[]): SinkNews[] {
    return this.reader.read(seqs.map((seq) => this.event(seq)));
  }

  one(seq: number): SinkNews {
    const [news] = this.news(seq);
    assert.ok(news);
    return news;
  }

  tell(news: readonly SinkNews[]): void {
    this.store.transaction(() => this.reader.told(news, T0));
  }

  /** What evidence says of masking. */
  said(): { session: number | null; data: { events: number[]; patterns: Record<string, number> } }[] {
    return this.store.database.prepare(
      "select session, data from event where kind = 'agent' and json_extract(data, '$.what') = 'masked' order by seq",
    ).all().map(({ session, data }) => ({
      session: session === null ? null : Number(session),
      data: JSON.parse(String(data)),
    }));
  }

  [Symbol.dispose](): void {
    this.store[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }
}

/** Opens a session. @returns its `seq` */
function login(host: Host, more: Record<string, unknown> = {}): number {
  return host.put(opened(ID, more))[0] ?? 0;
}

const FACTS = {
  id: ID,
  user: "alice",
  uid: 1000,
  from: "203.0.113.9",
  tty: "/dev/pts/3",
  shell: "/bin/bash",
  mode: "interactive",
  openedUs: T0,
};

Deno.test("NewsReader tells of a session from its beginning to its end, with its facts and its ticket of the time", () => {
  using host = new Host();
  const session = login(host, { ticket: "ops-17" });
  const [shell = 0] = host.put(shellStarted(session));
  const say = (kind: "note" | "status", data: Record<string, unknown>): NewEvent => ({
    kind,
    atUs: T0 + 3,
    session,
    shell: null,
    uid: 1000,
    data,
  });
  host.put(
    command("ls", { session, shell }),
    say("note", { ticket: "ops-17", text: "done\x1b[31m" }),
    say("status", { ticket: "ops-17", from: "New", to: "Closed" }),
    switched(session, "ops-17", "ops-18"),
    command("false", {
      session,
      shell,
      ticket: "ops-18",
      end: { endUs: T0 + 7, exitCode: 1, pipeStates: [0, 1] },
    }),
    shellEnded(session, shell),
    closed(session),
  );
  const news = host.news(1, 2, 3, 4, 5, 6, 7, 8, 9);
  assert.deepEqual(news.map(({ kind, seq, ticket }) => [seq, kind, ticket]), [
    [1, "session opened", "OPS-17"],
    [3, "command", "OPS-17"],
    [4, "note", "OPS-17"],
    [5, "status", "OPS-17"],
    [6, "ticket switched", "OPS-18"],
    [7, "command", "OPS-18"],
    [9, "session closed", "OPS-18"],
  ]);
  for (const one of news) {
    assert.deepEqual(one.session, FACTS);
    assert.deepEqual([one.host, one.owner], ["web01", undefined]);
    assert.equal(one.ticketUrl, `https://t.example/${one.ticket}`);
  }
  const [, , note, status, change, failed, end] = news;
  assert.equal(note?.text, "done\x1b[31m");
  assert.deepEqual(status?.change, { from: "New", to: "Closed" });
  assert.deepEqual(change?.change, { from: "OPS-17", to: "OPS-18" });
  assert.deepEqual([failed?.atUs, failed?.command], [T0 + 7, {
    text: "false",
    directory: "/home/alice",
    startUs: T0 + 1_000_000,
    endUs: T0 + 7,
    exitCode: 1,
    pipeStates: [0, 1],
    tty: "/dev/pts/3",
    effectiveUid: 1000,
    isMasked: false,
    textState: "whole",
  }]);
  assert.deepEqual(end?.closing, {
    how: "logout",
    exitCode: 0,
    durationUs: 9_000_000,
    commands: 2,
    failures: 1,
    tickets: ["OPS-17", "OPS-18"],
  });
  // What is told twice is the same.
  assert.deepEqual(host.begin().read([host.event(7)]), host.news(7));
});

Deno.test("NewsReader says of what comes after a session's end that it was over", () => {
  using host = new Host();
  const session = login(host);
  const data = { ticket: "ops-17", text: "on" };
  const note = { ...agentEvent("x"), kind: "note" as const, session, data };
  const [before = 0, end = 0, after = 0] = host.put(note, closed(session), note);
  assert.deepEqual(host.news(before, end, after).map((one) => one.session?.over), [
    undefined,
    undefined,
    true,
  ]);
});

Deno.test("NewsReader tells of a command that takes its time when it begins, and again when it has ended", () => {
  using host = new Host();
  const session = login(host);
  const [shell = 0] = host.put(shellStarted(session));
  const [sleep = 0, lost = 0] = host.put(
    command("sleep 9", { session, shell, end: null }),
    command("vi", { session, shell, end: null }),
  );
  const [end = 0, unseen = 0] = host.put(
    ended(sleep, { endUs: T0 + 9, exitCode: 130, pipeStates: [130] }, { session, shell }),
    ended(lost, { endUs: null, exitCode: null, pipeStates: [] }, { session, shell }),
  );
  const news = host.news(sleep, lost, end, unseen);
  assert.deepEqual(news.map(({ seq, kind, command }) => [seq, kind, command?.text, command?.exitCode]), [
    [sleep, "command started", "sleep 9", null],
    [lost, "command started", "vi", null],
    [end, "command", "sleep 9", 130],
    [unseen, "command", "vi", null],
  ]);
  assert.deepEqual([news[0]?.atUs, news[2]?.atUs, news[2]?.ticket], [T0 + 1_000_000, T0 + 9, "OPS-17"]);
  assert.equal(new Set(news.map(({ id }) => id)).size, 4);
  assert.deepEqual(host.one(host.put(closed(session))[0] ?? 0).closing?.failures, 1);
});

Deno.test("NewsReader counts what was done in all the shells of a session, and in no other", () => {
  using host = new Host();
  const [session, other] = [login(host), login(host)];
  const fails = { endUs: T0, exitCode: 2, pipeStates: [2] };
  for (const  of of[session, session, other]) {
    const [shell = 0] = host.put(shellStarted(of));
    host.put(command("true", { session: of, shell }), command("false", { session: of, shell, end: fails }));
  }
  const [end = 0] = host.put(closed(session));
  assert.deepEqual(host.one(end).closing, {
    how: "logout",
    exitCode: 0,
    durationUs: 9_000_000,
    commands: 4,
    failures: 2,
    tickets: ["OPS-17"],
  });
});

Deno.test("NewsReader says of a shell outside of all sessions whose it is", () => {
  using host = new Host();
  const [shell = 0] = host.put(shellStarted(null));
  const [mine = 0, hers = 0] = host.put(
    command("id", { shell, ticket: null }),
    { ...command("id", { shell, ticket: null }), uid: 4711 },
  );
  const [one, other] = host.news(mine, hers);
  assert.deepEqual([one?.session, one?.owner, one?.ticket, one?.ticketUrl], [
    null,
    { uid: 1000, user: "alice" },
    null,
    null,
  ]);
  assert.deepEqual(other?.owner, { uid: 4711, user: "4711" });
});

Deno.test("NewsReader tells of tamper, of a ticket that is none, and of who went around the agent; of the agent's own nothing else", () => {
  using host = new Host();
  const session = login(host);
  const agent = (data: Record<string, unknown>, of: number | null = session): NewEvent => ({
    ...agentEvent("x"),
    session: of,
    data,
  });
  const told = host.put(
    {
      ...agent({
        what: "foreign",
        words: "odd bytes",
        program: "curl -u a:hunter2 x",
        why: { "a shell": 1, b: 2 },
      }),
      kind: "tamper",
      uid: 1000,
    },
    { ...agent({ what: "clock", words: "the host's clock was set back" }, null), kind: "tamper" },
    agent({ what: "ticket refused", ticket: "17", words: "ticket 17 does not exist" }),
    agent({ what: "late", words: "a login session began without the agent, which was there", served: true }),
  );
  const untold = host.put(
    agent({ what: "late", words: "a login session began without the agent" }),
    agent({ what: "ticket refused", words: "of no session" }, null),
    ...["started", "retention", "masked", "gap", "ticket verified", "ticket made"].map((what) =>
      agent({ what })
    ),
  );
  assert.deepEqual(host.news(...told).map(({ kind, text, session }) => [kind, text, session?.user]), [
    ["tamper", "odd bytes: curl -u a:***** x: a shell, b", "alice"],
    ["tamper", "the host's clock was set back", undefined],
    ["tamper", "ticket 17 does not exist", "alice"],
    ["tamper", "a login session began without the agent, which was there", "alice"],
  ]);
  assert.equal(host.news(...told)[1]?.owner, undefined);
  assert.deepEqual(host.news(...untold), []);
});

Deno.test("NewsReader says that a ticket is a user's word until somebody has looked it up", () => {
  using host = new Host();
  const session = login(host, { ticket: "17", unverified: true });
  const [shell = 0] = host.put(shellStarted(session));
  const [before = 0] = host.put(command("a", { session, shell, ticket: "17" }));
  assert.equal(host.one(before).session?.unverified, true);
  const [, after = 0] = host.put(
    { ...agentEvent("x"), session, data: { what: "ticket verified", ticket: "17" } },
    command("b", { session, shell, ticket: "17" }),
  );
  assert.deepEqual(host.news(session, before, after).map((one) => one.session?.unverified), [
    true,
    true,
    undefined,
  ]);
  const [change = 0, then = 0] = host.put(
    { ...switched(session, "17", "18"), data: { from: "17", to: "18", source: "user" } },
    command("c", { session, shell, ticket: "18" }),
  );
  assert.deepEqual(host.news(change, then).map((one) => one.session?.unverified), [true, true]);
  // A session that was not in doubt may go on to a ticket that is.
  const plain = login(host);
  assert.equal(host.one(plain).session?.unverified, undefined);
  const [late = 0, end = 0] = host.put(
    { ...switched(plain, "OPS-17", "18"), data: { from: "OPS-17", to: "18", source: "user" } },
    closed(plain),
  );
  assert.deepEqual(host.news(late, end).map((one) => one.session?.unverified), [true, true]);
});

Deno.test("NewsReader says how a session began: what hello -c was given, why without a ticket, and whether without the agent", () => {
  using host = new Host();
  const session = login(host, {
    mode: "command",
    command: "mysql -phunter2 shop",
    emergency: "db-3 is down, PASSWORD=hunter2",
    ticket: null,
    late: true,
    source: "user",
  });
  const news = host.one(session);
  assert.deepEqual(news.session, {
    ...FACTS,
    mode: "command",
    command: "mysql -p***** shop",
    emergency: "db-3 is down, PASSWORD=*****",
    late: true,
  });
  assert.deepEqual([news.ticket, news.ticketUrl], [null, null]);
});

Deno.test("NewsReader masks secrets, and evidence says so once for each command, whoever is told of it, and when", () => {
  using host = new Host();
  const session = login(host, { command: "mysql -phunter2" });
  const [shell = 0] = host.put(shellStarted(session));
  const [plain = 0, one = 0, other = 0, stray = 0] = host.put(
    command("ls", { session, shell }),
    command("mysql -phunter2 shop", { session, shell, directory: "/srv/token=hunter2" }),
    command("curl -u a:hunter2 x", { session, shell, end: null }),
    command("mysql -phunter2", { shell }),
  );
  const news = host.news(plain, one, other, stray);
  assert.deepEqual(news.map(({ command }) => [command?.text, command?.directory, command?.isMasked]), [
    ["ls", "/home/alice", false],
    ["mysql -p***** shop", "/srv/token=*****", true],
    ["curl -u a:***** x", "/home/alice", true],
    ["mysql -p*****", "/home/alice", true],
  ]);
  assert.ok(!JSON.stringify(news).includes("hunter2"));
  assert.deepEqual(host.said(), []);
  host.tell(news.slice(0, 2));
  assert.deepEqual(host.said().map(({ session, data }) => [session, data.events]), [[session, [
    session,
    one,
  ]]]);
  host.tell(news);
  const [end = 0] = host.put(ended(other, { endUs: T0, exitCode: 0, pipeStates: [] }, { session, shell }));
  host.tell(host.news(end));
  host.reader = host.begin();
  host.tell(host.news(session, plain, one, other, stray, end));
  assert.deepEqual(host.said().map(({ session, data }) => [session, data.events, data.patterns]), [
    [session, [session, one], { "mysql-password": 2, variable: 1 }],
    [session, [other], { "curl-user": 1 }],
    [null, [stray], { "mysql-password": 1 }],
  ]);
});

Deno.test("what was masked is not said where the delivery was not written", () => {
  using host = new Host();
  const [seq = 0] = host.put(command("mysql -phunter2"));
  const news = host.news(seq);
  assert.throws(() =>
    host.store.transaction(() => {
      host.reader.told(news, T0);
      throw new Error("the disk is full");
    }), /the disk is full/);
  assert.deepEqual(host.said(), []);
  host.tell(news);
  assert.equal(host.said().length, 1);
});

Deno.test("NewsReader tells no more of a text than is useful, writes out bytes that are no text, and splits no character", () => {
  using host = new Host();
  const long = "é😀".repeat(30_000);
  const seqs = host.put(
    command(new Uint8Array([0x61, 0xff, 0])),
    command(long),
    command(`x${long}`, { directory: `/${"d".repeat(50_000)}` }),
    { ...command(""), command: { ...commandFacts(), text: new Uint8Array(), textState: "missing" } },
    { ...command(""), command: { ...commandFacts(), textState: "partial" } },
  );
  const [bytes, whole, odd, missing, partial] = host.news(...seqs).map(({ command }) => command);
  assert.equal(bytes?.text, "a\\xff\\x00");
  for (const { text, textState } of [whole, odd].filter((one) => one !== undefined)) {
    assert.ok(text.isWellFormed());
    assert.ok(text.length <= 20_100 && text.length >= 19_999);
    assert.match(text, /\n\.\.\. and more, in the host's evidence$/);
    assert.equal(textState, "partial");
  }
  assert.ok((odd?.directory.length ?? 0) < 20_100);
  assert.deepEqual([missing?.text, missing?.textState], [MISSING_TEXT, "missing"]);
  assert.equal(partial?.textState, "partial");
});

function commandFacts() {
  const { command: facts } = command("half of it");
  assert.ok(facts);
  return facts;
}

Deno.test("NewsReader gives each event an id of its own, which neither time nor retention changes, nor another evidence has", async () => {
  using host = new Host();
  using other = new Host();
  const events = Array.from({ length: 50 }, (_, i) => command(`echo ${i}`));
  const seqs = host.put(...events);
  other.put(command("something else"));
  const ids = host.news(...seqs).map(({ id }) => id);
  for (const id of ids) {
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  const others = other.news(...other.put(...events)).map(({ id }) => id);
  assert.equal(new Set([...ids, ...others]).size, 100);
  host.put(...Array.from({ length: 3000 }, () => command("x".repeat(1000))));
  await removeOld(host.store, { keepDays: 0, maxBytes: 2_000_000, nowUs: T0 });
  const row = host.store.database.prepare("select * from event order by seq limit 1").get();
  assert.ok(row);
  const [first] = host.reader.read([eventOf(row)]);
  assert.equal(Number(row.seq) > 50, true);
  const hash = hexOf(eventOf(row).hash);
  assert.equal(first?.id.replaceAll("-", "").slice(0, 12), hash.slice(0, 12));
  assert.equal(first?.id.slice(-12), hash.slice(20, 32));
});

Deno.test("NewsReader bears with any event, and tells no text but what was masked", () => {
  using host = new Host();
  const kinds = [
    "session opened",
    "session closed",
    "ticket switched",
    "note",
    "status",
    "tamper",
    "agent",
  ] as const;
  const names = [
    "session",
    "user",
    "command",
    "emergency",
    "ticket",
    "to",
    "from",
    "text",
    "words",
    "what",
    "why",
    "how",
    "exitCode",
  ];
  const data = fc.dictionary(
    fc.constantFrom(...names),
    fc.oneof(fc.string(), fc.constant("mysql -phunter2"), fc.jsonValue()),
  );
  fc.assert(
    fc.property(fc.constantFrom(...kinds), data, fc.boolean(), (kind, data, isOfSession) => {
      const session = isOfSession && kind !== "session opened" ? login(host) : null;
      const [seq = 0] = host.put({ kind, atUs: T0, session, shell: null, uid: 1000, data });
      for (const news of host.news(seq)) {
        const { text = "", session } = news;
        const texts = [text, session?.command ?? "", session?.emergency ?? ""];
        assert.ok(texts.every((one) => !one.includes("-phunter2")));
        assert.equal(news.seq, seq);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("who has had her share of the time that secrets are looked for in has texts with secrets hidden as a whole, and long ones cut", () => {
  using host = new Host();
  const session = login(host);
  const texts = ["make install", "mysql -phunter2 shop && make", "y".repeat(5000)];
  const seqs = host.put(...texts.map((text) => command(text, { session })));
  const told = () => host.news(...seqs).map((news) => news.command?.text ?? "");
  assert.deepEqual(told(), ["make install", "mysql -p***** shop && make", "y".repeat(5000)]);
  host.reader = new NewsReader(host.reader.sources, { mostMs: 0, backMs: 0 });
  assert.deepEqual(told(), [
    "make install",
    "*****",
    `${"y".repeat(200)}\n... and more, in the host's evidence`,
  ]);
  assert.deepEqual(host.news(...seqs).map((news) => news.command?.isMasked), [false, true, false]);
});
