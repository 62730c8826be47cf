import assert from "node:assert/strict";
import { MaskedEvents } from "../../src/evidence/masked.ts";
import { removeOld } from "../../src/evidence/retention.ts";
import { EvidenceReader } from "../../src/evidence/reading.ts";
import { nowUs } from "../../src/record/clock.ts";
import {
  CommentGoneError,
  TicketNotFoundError,
  TrackerDeniedError,
  TrackerUnavailableError,
} from "../../src/trackers/tracker.ts";
import { closed, command, ended, opened, shellStarted, switched, T0 } from "../support/evidence_events.ts";
import { StoryHost, storySettings } from "../support/story_host.ts";
import { MemoryStorybook, trackerWith } from "../support/storybook.ts";

const ID = "019ab000-0000-7000-8000-00000000000a";

/** A session on OPS-17, with its shell. */
function begin(
  host: StoryHost,
  more: Record<string, unknown> = {},
  id = ID,
): { session: number; shell: number } {
  const [session = 0] = host.put(opened(id, more));
  const [shell = 0] = host.put(shellStarted(session));
  return { session, shell };
}

const agentSays = (session: number, data: Record<string, unknown>) =>
  ({ kind: "agent", atUs: T0, session, shell: null, uid: null, data }) as const;

const kinds = (book: MemoryStorybook) =>
  book.requests.map(({ kind }) => kind).filter((kind) => kind !== "canEdit");

Deno.test("a session is told of two seconds after it began, then every storySeconds at most, and at its end at once", async () => {
  using host = new StoryHost();
  const { book } = host;
  const { session, shell } = begin(host);
  await host.tick();
  assert.deepEqual(kinds(book), []);
  await host.tick(2);
  assert.deepEqual(kinds(book), ["add"]);
  assert.match(book.comments[0]?.body ?? "", /alice on web01: shell session[^]*still open/);
  for (let number = 1; number <= 70; number++) {
    host.put(command(`echo ${number}`, { session, shell, number }));
    await host.tick();
  }
  assert.deepEqual(kinds(book), ["add", "edit", "edit"]);
  host.put(closed(session));
  await host.tick();
  assert.deepEqual(kinds(book), ["add", "edit", "edit", "edit"]);
  assert.match(book.comments[0]?.body ?? "", /logged out, exit 0[^]*Commands: 70\n[^]*echo 70\n/);
  await host.pass(100);
  assert.equal(kinds(book).length, 4, "what is told is told");
});

Deno.test("a short session makes one comment, and one request", async () => {
  using host = new StoryHost();
  const { session, shell } = begin(host, { mode: "command", command: "id" });
  host.put(command("id", { session, shell }), closed(session));
  await host.pass(5);
  assert.deepEqual(kinds(host.book), ["add"]);
  assert.match(host.book.comments[0]?.body ?? "", /one command/);
});

Deno.test("notes, statuses and switches are told at once; a switch goes on on the other ticket", async () => {
  using host = new StoryHost();
  const { book } = host;
  const { session, shell } = begin(host);
  await host.pass(3);
  const note = (text: string, more = {}) => ({
    kind: "note" as const,
    atUs: T0,
    session,
    shell: null,
    uid: 1000,
    data: { ticket: "OPS-17", text, ...more },
  });
  host.put(note("done with\nthat"), note("known there", { told: true }));
  await host.tick();
  const first = () => book.of("OPS-17")[0] ?? "";
  assert.match(first(), /alice, 2023[^\n]*\n\n> done with\n> that\n/);
  assert.ok(!first().includes("known there"));
  host.put(switched(session, "OPS-17", "OPS-18"), command("id", { session, shell, ticket: "OPS-18" }));
  await host.pass(3);
  assert.match(first(), /alice went on to OPS/);
  assert.ok(!first().includes("$ id"));
  assert.match(book.of("OPS-18")[0] ?? "", /alice came here from OPS[^]*\$ id\n/);
  host.put(switched(session, "OPS-18", "#OPS-17"), command("uptime", { session, shell, ticket: "#OPS-17" }));
  await host.pass(40);
  assert.match(first(), /went on to[^]*came here from[^]*\$ uptime/);
  assert.equal(book.of("OPS-17").length, 1, "coming back goes on with the first story");
});

Deno.test("the same ticket by another key is no switch", async () => {
  using host = new StoryHost();
  const { session, shell } = begin(host, { ticket: "17" });
  host.put(command("ls", { session, shell, ticket: "17" }), switched(session, "17", "#17"));
  host.put(command("id", { session, shell, ticket: "#17" }), closed(session));
  await host.pass(5);
  const [body = "", ...others] = host.book.of("17");
  assert.match(body, /\$ ls\n[^]*\$ id\n/);
  assert.ok(!/went on|came here/.test(body));
  assert.deepEqual(others, []);
});

Deno.test("a command that still runs when its part is full is told once more when it ends", async () => {
  using host = new StoryHost(new MemoryStorybook());
  const { book } = host;
  const { session, shell } = begin(host);
  const [long = 0] = host.put(command("sleep 1000", { session, shell, end: null }));
  host.put(
    ...Array.from({ length: 600 }, (_, i) => command(`echo ${i}`, { session, shell, number: i + 2 })),
  );
  await host.pass(60);
  assert.equal(book.comments.length, 2);
  assert.match(
    book.comments[0]?.body ?? "",
    /running +\/home\/alice {2}\$ sleep 1000[^]*It goes on in part 2/,
  );
  const before = kinds(book).length;
  host.put(ended(long, { endUs: T0 + 70e6, exitCode: 3, pipeStates: [3] }, { session }));
  await host.pass(40);
  assert.match(book.comments[0]?.body ?? "", /exit 3 +1m 9s {2}\/home\/alice {2}\$ sleep 1000/);
  assert.equal(kinds(book).length, before + 1, "that part alone");
});

Deno.test("what was done before there was a ticket is told to the first one, and said to be", async () => {
  using host = new StoryHost();
  const { session, shell } = begin(host, { ticket: null, wanted: "a subject" });
  host.put(command("early", { session, shell, ticket: null }));
  await host.pass(40);
  assert.deepEqual(host.book.requests, []);
  host.put(
    agentSays(session, { what: "ticket made", ticket: "OPS-20" }),
    switched(session, "", "OPS-20"),
    command("late", { session, shell, ticket: "OPS-20" }),
  );
  await host.pass(40);
  assert.match(host.book.of("OPS-20")[0] ?? "", /\$ early[^]*was made[^]*\$ late/);
});

Deno.test("a ticket that was made when the session was over has its story all the same", async () => {
  using host = new StoryHost();
  const { session, shell } = begin(host, { ticket: null, wanted: "a subject" });
  host.put(command("early", { session, shell, ticket: null }), closed(session));
  await host.pass(3);
  host.put(agentSays(session, { what: "ticket made", ticket: "OPS-20" }));
  await host.pass(3);
  assert.match(host.book.of("OPS-20")[0] ?? "", /logged out[^]*\$ early/);
});

Deno.test("a session whose ticket nobody could look up waits for the agent's word; a false ticket is told nothing", async () => {
  using host = new StoryHost();
  const one = begin(host, { unverified: true });
  const two = begin(host, { unverified: true, ticket: "99" }, ID.replace(/a$/, "b"));
  const forged = begin(host, { source: "user", ticket: "77" }, ID.replace(/a$/, "c"));
  host.put(
    command("ls", one),
    command("rm", { ...two, ticket: "99" }),
    command("cat", { ...forged, ticket: "77" }),
  );
  await host.pass(60);
  assert.deepEqual(kinds(host.book), []);
  host.put(
    agentSays(one.session, { what: "ticket verified", ticket: "OPS-17" }),
    agentSays(two.session, { what: "ticket refused", ticket: "99" }),
  );
  await host.pass(60);
  assert.deepEqual(host.book.comments.map(({ ticket }) => ticket), ["OPS-17"]);
  assert.match(host.book.comments[0]?.body ?? "", /\$ ls/);
  using evidence = new EvidenceReader(host.file);
  assert.equal(evidence.stories().unverified, 1);
});

Deno.test("secrets are masked in what is told, and evidence says so, once", async () => {
  const mask = {
    apply: (text: string) => ({
      text: text.replaceAll("hunter2", "*****"),
      masked: text.includes("hunter2") ? ["password"] : [],
    }),
  };
  using host = new StoryHost(new MemoryStorybook(), storySettings(), mask);
  const { session, shell } = begin(host);
  const [one] = host.put(command("mysql -phunter2", { session, shell }), command("ls", { session, shell }));
  await host.pass(40);
  host.put(closed(session));
  await host.pass(40);
  assert.match(host.book.comments[0]?.body ?? "", /\(masked\) {2}\$ mysql -p\*\*\*\*\*\n/);
  assert.ok(!JSON.stringify(host.book.comments).includes("hunter2"));
  const said = host.store.database.prepare(
    "select data from event where kind = 'agent' and json_extract(data, '$.what') = 'masked'",
  ).all().map(({ data }) => JSON.parse(String(data)));
  assert.deepEqual(said.map(({ events, patterns }) => [events, patterns]), [[[one], { password: 1 }]]);
});

Deno.test("a tracker that is down is left alone, longer each time; Retry-After is obeyed; then all is told in order", async () => {
  using host = new StoryHost();
  const { book } = host;
  book.fate = () => ({
    when: "before",
    how: () => Promise.reject(new TrackerUnavailableError("it is down")),
  });
  const { session, shell } = begin(host);
  host.put(command("ls", { session, shell }), closed(session));
  await host.pass(120);
  const tries = book.requests.length;
  assert.ok(tries >= 5 && tries <= 9, `${tries} requests in two minutes`);
  assert.deepEqual(host.outbox.states().map(({ name, error }) => [name, error]), [["stories", "it is down"]]);
  const words = new TrackerUnavailableError("too much", { retryAfterMs: 1_000_000 });
  book.fate = () => ({ when: "before", how: () => Promise.reject(words) });
  await host.pass(300);
  const since = book.requests.length;
  await host.pass(600);
  assert.equal(book.requests.length, since, "it wants to be left alone");
  book.fate = () => undefined;
  await host.pass(1000, 10);
  assert.match(book.comments[0]?.body ?? "", /\$ ls/);
  assert.equal(host.outbox.states()[0]?.error, null);
});

Deno.test("a tracker that others have found to be down is asked nothing", async () => {
  using host = new StoryHost();
  host.outage = new TrackerUnavailableError("it wants an hour");
  const { session } = begin(host);
  host.put(closed(session));
  await host.pass(60);
  assert.deepEqual(host.book.requests, []);
  host.outage = undefined;
  await host.tick();
  assert.equal(host.book.comments.length, 1);
});

Deno.test("a tracker that does not take our key is asked every few minutes, or when the config is read again", async () => {
  using host = new StoryHost();
  const { book } = host;
  book.fate = () => ({
    when: "before",
    how: () => Promise.reject(new TrackerDeniedError("not with that key")),
  });
  const { session } = begin(host);
  host.put(closed(session));
  await host.pass(290);
  assert.equal(book.requests.length, 1);
  book.fate = () => undefined;
  host.follow();
  await host.pass(2);
  assert.equal(book.comments.length, 1, "it is told");
});

Deno.test("a ticket that the tracker refuses holds up no other, is named, and is tried again by and by", async () => {
  using host = new StoryHost();
  const { book } = host;
  book.fate = (_, ticket) =>
    ticket === "99"
      ? { when: "before", how: () => Promise.reject(new TicketNotFoundError("there is no ticket 99")) }
      : undefined;
  const one = begin(host, { ticket: "99" });
  const two = begin(host, {}, ID.replace(/a$/, "b"));
  host.put(closed(one.session), closed(two.session));
  await host.pass(60);
  assert.deepEqual(book.comments.map(({ ticket }) => ticket), ["OPS-17"]);
  assert.equal(book.requests.filter(({ ticket }) => ticket === "99").length, 1);
  using evidence = new EvidenceReader(host.file);
  assert.deepEqual(evidence.stories().held.map(({ ticket, error }) => [ticket, error]), [[
    "99",
    "there is no ticket 99",
  ]]);
  book.fate = () => undefined;
  await host.pass(700, 10);
  assert.equal(book.of("99").length, 1);
  assert.equal(evidence.stories().heldCount, 0);
});

Deno.test("one ticket that the tracker cannot bear stops nobody else's stories", async () => {
  using host = new StoryHost();
  const { book } = host;
  book.fate = (_, ticket) =>
    ticket === "99"
      ? { when: "before", how: () => Promise.reject(new TrackerUnavailableError("its history is too long")) }
      : undefined;
  const bad = begin(host, { ticket: "99" });
  const good = begin(host, {}, ID.replace(/a$/, "b"));
  for (let number = 1; number <= 20; number++) {
    host.put(command(`echo ${number}`, { ...bad, ticket: "99", number }));
    host.put(command(`echo ${number}`, { ...good, number }));
    await host.pass(35);
  }
  assert.match(book.of("OPS-17")[0] ?? "", /echo 20\n/);
  const tries = book.requests.filter(({ ticket }) => ticket === "99").length;
  assert.ok(tries < 12, `${tries} requests`);
  using evidence = new EvidenceReader(host.file);
  assert.deepEqual(evidence.stories().held.map(({ ticket }) => ticket), ["99"]);
});

Deno.test("where comments cannot be changed a story is told once, when it is over", async () => {
  using host = new StoryHost();
  host.book.isEditable = false;
  const { session, shell } = begin(host);
  host.put(...Array.from({ length: 600 }, (_, i) => command(`echo ${i}`, { session, shell, number: i + 1 })));
  await host.pass(100);
  assert.deepEqual(kinds(host.book), []);
  host.put(closed(session));
  await host.pass(20);
  assert.deepEqual(kinds(host.book), ["add", "add"]);
});

Deno.test("stories of a tracker that the config does not name any more wait, and hold nothing up", async () => {
  using host = new StoryHost();
  const before = host.tracker;
  host.book.fate = () => ({
    when: "before",
    how: () => Promise.reject(new TrackerUnavailableError("it is down")),
  });
  const { session, shell } = begin(host);
  await host.pass(5);
  const other = new MemoryStorybook();
  host.tracker = trackerWith(other);
  host.settings = storySettings({ url: "https://other.example" });
  host.follow();
  host.put(command("ls", { session, shell }), closed(session));
  await host.pass(60);
  assert.deepEqual(other.requests, []);
  {
    using evidence = new EvidenceReader(host.file);
    assert.deepEqual(evidence.stories().asleep, [{ tracker: "Redmine https://redmine.example", count: 1 }]);
  }
  host.tracker = trackerWith(undefined);
  host.settings = { kind: "local" };
  host.follow();
  await host.tick();
  assert.deepEqual(host.outbox.states(), []);
  host.book.fate = () => undefined;
  host.tracker = before;
  host.settings = storySettings();
  host.follow();
  await host.pass(5);
  assert.match(host.book.comments[0]?.body ?? "", /logged out[^]*\$ ls/);
});

Deno.test("retention keeps what a story still needs, and nothing for one that is told, refused or another tracker's", async () => {
  using host = new StoryHost();
  const limits = { keepDays: 1, maxBytes: 0, nowUs: nowUs() };
  const count = () => Number(host.store.database.prepare("select count(*) as n from event").get()?.n);
  host.book.fate = () => ({
    when: "before",
    how: () => Promise.reject(new TrackerUnavailableError("it is down")),
  });
  const { session } = begin(host);
  host.put(closed(session));
  await host.pass(3);
  const { unmet } = await removeOld(host.store, limits);
  assert.match(unmet ?? "", /the story for ticket OPS-17 is not told yet/);
  assert.equal(count(), 3);
  host.book.fate = () => undefined;
  await host.pass(20);
  assert.equal(host.book.comments.length, 1);
  assert.equal((await removeOld(host.store, limits)).unmet, null);
  await host.pass(3700, 100);
  assert.equal(host.store.database.prepare("select count(*) as n from story").get()?.n, 0);
});

Deno.test("four stories at a time, two of one user: whoever opens ten thousand sessions keeps nobody waiting", async () => {
  using host = new StoryHost();
  const { book } = host;
  const many = Array.from({ length: 300 }, (_, i) => opened(ID.replace(/^0{0}.{8}/, String(10_000_000 + i))));
  host.put(...many);
  host.put({ ...opened(ID, { uid: 1001, ticket: "7" }), uid: 1001 });
  await host.tick();
  const requests = () => book.requests.filter(({ kind }) => kind === "add").map(({ ticket }) => ticket);
  await host.tick(2);
  assert.ok(requests().slice(0, 4).includes("7"), "the other user's turn came at once");
  assert.ok(book.mostUnderWay <= 4 && book.mostUnderWay >= 2, `${book.mostUnderWay} at a time`);
});

Deno.test("what is sent of a session grows with its commands, and no faster", async () => {
  const sent = async (commands: number) => {
    using host = new StoryHost();
    const { session, shell } = begin(host);
    for (let number = 1; number <= commands; number++) {
      host.put(command(`systemctl status some-service-${number}`, { session, shell, number }));
      await host.tick(5);
    }
    host.put(closed(session));
    await host.pass(5);
    const bytes = host.book.requests.reduce((sum, one) => sum + one.bytes, 0);
    return { requests: kinds(host.book).length, bytes };
  };
  // From the second part on: within a part each update writes all of it.
  const [one, two] = [await sent(600), await sent(1200)];
  assert.ok(two.bytes < 2.3 * one.bytes, `${one.bytes} bytes, then ${two.bytes}`);
  assert.ok(two.requests <= 1200 * 5 / 30 + 10, `${two.requests} requests`);
});

Deno.test("a comment that somebody has removed comes again with the next update", async () => {
  using host = new StoryHost();
  const { session } = begin(host);
  await host.pass(3);
  const gone = new CommentGoneError("it is gone");
  host.book.comments.pop();
  host.put(closed(session));
  await host.pass(5);
  assert.equal(host.book.comments.length, 1, gone.message);
});

Deno.test("the time that was spent is logged once, by ticket", async () => {
  using host = new StoryHost(new MemoryStorybook(), storySettings({ logsTime: true }));
  const { session } = begin(host);
  host.put(switched(session, "OPS-17", "OPS-18"), closed(session));
  await host.pass(5);
  host.kill();
  host.start();
  await host.pass(5);
  assert.deepEqual(host.book.times.map(({ ticket, seconds }) => [ticket, seconds]), [["OPS-17", 2], [
    "OPS-18",
    7,
  ]]);
});

Deno.test("a tick with nothing to do asks evidence for its head, however many stories there are", async () => {
  using host = new StoryHost();
  for (let i = 0; i < 50; i++) begin(host, {}, ID.replace(/^.{8}/, String(10_000_000 + i)));
  await host.pass(60);
  const { database } = host.store;
  let statements = 0;
  const prepare = database.prepare.bind(database);
  database.prepare = (sql) => {
    statements++;
    return prepare(sql);
  };
  const before = host.book.requests.length;
  await host.pass(10);
  assert.deepEqual([statements, host.book.requests.length], [0, before]);
});

Deno.test("what a sink was told masked, evidence does not say again when the tracker is told", async () => {
  const mask = { apply: (text: string) => ({ text, masked: text.includes("hunter2") ? ["password"] : [] }) };
  using host = new StoryHost(new MemoryStorybook(), storySettings(), mask);
  const { session, shell } = begin(host);
  const [one = 0, two = 0] = host.put(
    command("mysql -phunter2", { session, shell }),
    command("mysql -phunter2", { session, shell }),
  );
  const masked = new MaskedEvents(host.store);
  const tell = (seq: number) =>
    host.store.transaction(() => masked.say([{ seq, session, patterns: ["password"] }], T0));
  tell(one);
  await host.pass(40);
  tell(two);
  const said = host.store.database.prepare(
    "select data from event where kind = 'agent' and json_extract(data, '$.what') = 'masked' order by seq",
  ).all().map(({ data }) => JSON.parse(String(data)).events);
  assert.deepEqual(said, [[one], [two]]);
});
