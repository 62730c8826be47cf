/** What is done at the tracker later: tickets that could not be looked up or made, notes that it could not take. */

import assert from "node:assert/strict";
import { Errands } from "../../src/agent/errands.ts";
import { Sessions } from "../../src/agent/sessions.ts";
import { Tickets } from "../../src/agent/tickets.ts";
import { ErrandRows } from "../../src/evidence/errand_rows.ts";
import type { EvidenceKind } from "../../src/evidence/event.ts";
import { Outbox } from "../../src/evidence/outbox.ts";
import { removeOld } from "../../src/evidence/retention.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { DEFAULT_MASK } from "../../src/config/mask_patterns.ts";
import { effectiveUid } from "../../src/posix/libc.ts";
import { nowUs } from "../../src/record/clock.ts";
import { bootId, credentialsOf, kernelSessionsOf, processOf } from "../../src/posix/process.ts";
import { newSessionId } from "../../src/record/session_id.ts";
import { isSessionEvent } from "../../src/record/session_event.ts";
import { readRecords } from "../../src/record/spool.ts";
import type { Storybook } from "../../src/trackers/tracker.ts";
import { until } from "../support/sshd.ts";
import { ServedTracker, TicketServer } from "../support/ticket_server.ts";

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
effectiveUid();
credentialsOf(Deno.pid);
kernelSessionsOf(Deno.pid);

const accounts = {
  byUid: (uid: number) => Promise.resolve({ name: `u${uid}`, uid, gid: uid, home: "/", shell: "/bin/sh" }),
};

/** A tracker, evidence of sessions, and errands between them. */
class Scene implements AsyncDisposable {
  readonly server = new TicketServer();
  readonly #folder = Deno.makeTempDirSync({ prefix: "errands_" });
  readonly store = new EvidenceStore(`${this.#folder}/state/evidence.db`);
  readonly sessions = new Sessions({ hostSpool: this.#folder });
  readonly tickets: Tickets;
  errands: Errands;

  constructor(more: ConstructorParameters<typeof ServedTracker>[1] = {}) {
    const policy = { trackerTimeoutS: 0.4 };
    const network = { proxy: "", noProxy: [], caFile: "" };
    this.tickets = new Tickets(
      { tracker: { kind: "local" }, network, mask: DEFAULT_MASK, policy },
      { hostTickets: "/nonexistent" },
      accounts,
      () => new ServedTracker(this.server, more),
    );
    this.errands = this.#begin();
  }

  #begin(): Errands {
    return new Errands(this.store, new Outbox(this.store), this.sessions, this.tickets);
  }

  /** The agent is another one. */
  restart(): void {
    this.errands = this.#begin();
  }

  /** A session in evidence, and open, which this very process leads. @returns its seq and id */
  open(uid: number, data: Record<string, unknown>): { seq: number; id: string } {
    const id = newSessionId();
    const leader = {
      leaderPid: Deno.pid,
      leaderStartTicks: processOf(Deno.pid)?.startTicks ?? 0,
      bootId: bootId(),
    };
    const origin = { host: "h", tty: "", from: "", mode: "interactive", shell: "/bin/sh" };
    const opened = { session: id, user: `u${uid}`, uid, ...origin, ...leader, ...data };
    const event = { kind: "session opened", atUs: nowUs(), ...opened };
    assert.ok(isSessionEvent(event));
    const file = `${this.#folder}/${id}.session`;
    Deno.writeTextFileSync(file, "");
    this.sessions.note(event, file);
    return { seq: this.add("session opened", uid, null, opened), id };
  }

  add(kind: EvidenceKind, uid: number, session: number | null, data: Record<string, unknown>): number {
    return this.store.transaction(() =>
      this.store.append({ kind, atUs: nowUs(), session, shell: null, uid, data }, nowUs())
    );
  }

  note(uid: number, session: number, ticket: string, text: string): void {
    this.add("note", uid, session, { ticket, text, source: "user" });
  }

  /** What the agent has put in evidence. */
  said(): Record<string, unknown>[] {
    return this.store.database.prepare("select data from event where kind = 'agent' order by seq").all()
      .map(({ data }) => JSON.parse(String(data)));
  }

  /** What is on a session's own record. */
  recordOf(id: string): Record<string, unknown>[] {
    return readRecords(Deno.readFileSync(`${this.#folder}/${id}.session`)).records.map(({ record }) =>
      record.type === "event" ? { ...record.event } : {}
    );
  }

  /** What waits may be tried again now. */
  hurry(): void {
    this.store.database.exec("update errand set due_us = 0");
  }

  get waiting(): number {
    return new ErrandRows(this.store).waiting().count;
  }

  /** The agent has asked by itself whether the tracker is there. */
  async settled(): Promise<void> {
    await until(
      "the first check",
      () => Promise.resolve(this.server.wishes("check").length > 0 && this.server.underWay === 0),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.tickets[Symbol.dispose]();
    await this.server[Symbol.asyncDispose]();
    this.store[Symbol.dispose]();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

Deno.test("a ticket that was taken unverified is verified, and the session goes on by the tracker's own key", async () => {
  await using at = new Scene();
  at.server.add("OPS-17");
  const { id } = at.open(1, { ticket: "17", unverified: true });
  await at.errands.run();
  assert.deepEqual(at.said(), [{ what: "ticket verified", ticket: "17", key: "OPS-17" }]);
  assert.deepEqual(at.recordOf(id).map(({ kind, from, to }) => [kind, from, to]), [[
    "ticket switched",
    "17",
    "OPS-17",
  ]]);
  await at.errands.run();
  assert.deepEqual(at.server.wishes("find"), ["find OPS-17"]);
});

Deno.test("a ticket by its user's word alone is looked up, whatever she wrote beside it", async () => {
  await using at = new Scene();
  const { seq } = at.open(1, { ticket: "99", source: "user" });
  at.add("ticket switched", 1, seq, { from: "99", to: "98", source: "user" });
  at.add("ticket switched", 1, seq, { from: "98", to: "97", source: "agent" });
  at.server.add("98", { open: false, status: "Closed" });
  await at.errands.run();
  assert.deepEqual(at.said().map(({ what, ticket, words }) => [what, ticket, words]), [
    ["ticket refused", "99", "ticket 99 does not exist"],
    ["ticket refused", "98", "ticket 98 is Closed"],
  ]);
});

Deno.test("a ticket that waits to be made is made with the config's answers, once, and the session goes on to it", async () => {
  await using at = new Scene({ questions: [{ name: "project", label: "project", default: "ops" }] });
  const { id } = at.open(1, { ticket: null, wanted: "fix it with --password=hunter2" });
  await at.errands.run();
  at.restart();
  await at.errands.run();
  assert.deepEqual(at.server.wishes("create"), ["create fix it with --password=*****"]);
  assert.deepEqual(at.recordOf(id).map(({ from, to }) => [from, to]), [[null, "100"]]);
});

Deno.test("a ticket that demands what nobody has said is refused, once, with what that is", async () => {
  await using at = new Scene({ questions: [{ name: "field:3", label: "Change reason" }] });
  at.open(1, { ticket: null, wanted: "fix it" });
  await at.errands.run();
  await at.errands.run();
  assert.deepEqual(at.server.wishes("create"), []);
  assert.deepEqual(at.said(), [{
    what: "ticket refused",
    ticket: null,
    words: 'no ticket could be made of "fix it": Served wants to know: Change reason',
  }]);
});

Deno.test("a ticket that was made though no answer came is not made again", async () => {
  await using at = new Scene();
  await at.settled();
  at.open(1, { ticket: null, wanted: "fix it" });
  at.server.mood = (wish) => wish.startsWith("create") ? 500 : undefined;
  await at.errands.run();
  assert.deepEqual([at.server.wishes("create").length, at.waiting], [1, 1]);
  at.server.add("7", { subject: "fix it" });
  at.server.mood = () => undefined;
  at.hurry();
  await at.errands.run();
  assert.deepEqual([at.server.wishes("create").length, at.waiting], [1, 0]);
  assert.deepEqual(at.said().map(({ what, ticket }) => [what, ticket]), [["ticket made", "7"]]);
});

Deno.test("a ticket that fails holds up no other; what is for it stays in order, over a restart too", async () => {
  await using at = new Scene();
  await at.settled();
  at.server.add("1");
  at.server.add("2");
  const { seq } = at.open(5, { ticket: null });
  at.server.mood = (wish) => wish.startsWith("note 1") ? 500 : undefined;
  for (const [ticket, text] of [["1", "a"], ["2", "b"], ["404", "c"], ["1", "d"], ["2", "e"]]) {
    at.note(5, seq, ticket ?? "", text ?? "");
  }
  await at.errands.run();
  assert.deepEqual(at.server.wishes("note"), ["note 1 a", "note 2 b", "note 404 c", "note 2 e"]);
  assert.deepEqual(at.said().map(({ what, ticket }) => [what, ticket]), [["note refused", "404"]]);
  assert.deepEqual([at.waiting, /500/.test(at.errands.waiting.error ?? "")], [2, true]);
  at.note(5, seq, "1", "f");
  at.restart();
  await at.errands.run();
  assert.equal(at.server.wishes("note").length, 4);
  at.server.mood = () => undefined;
  at.hurry();
  await at.errands.run();
  assert.deepEqual(at.server.wishes("note").slice(4), ["note 1 a", "note 1 d", "note 1 f"]);
  assert.equal(at.waiting, 0);
});

Deno.test("one user's errands that hang keep nobody else's waiting", async () => {
  await using at = new Scene();
  await at.settled();
  at.server.add("1");
  at.server.mood = (_, user) => user === "u666" ? "hang" : undefined;
  const hostile = at.open(666, { ticket: null });
  for (let i = 0; i < 50; i++) at.note(666, hostile.seq, "1", `${i}`);
  const honest = at.open(5, { ticket: null });
  at.note(5, honest.seq, "1", "mine");
  at.note(5, honest.seq, "1", "too");
  const run = at.errands.run();
  await until("the other's notes", () => Promise.resolve(at.server.wishes("note 1 mine").length === 1));
  await until("both of them", () => Promise.resolve(at.server.wishes("note 1 too").length === 1));
  // What comes in later as well.
  const later = at.open(6, { ticket: "1", unverified: true });
  const again = at.errands.run();
  await until("another's ticket", () => Promise.resolve(at.said().length === 1));
  assert.equal(at.server.asked.filter(({ user }) => user === "u666").length, 1);
  assert.ok(later.seq > 0);
  at.server.mood = () => undefined;
  await at.server[Symbol.asyncDispose]();
  await Promise.all([run, again]);
});

Deno.test("in an outage nothing is asked for, nothing is lost, and all goes on where it was", async () => {
  await using at = new Scene();
  await at.settled();
  at.server.add("1");
  at.server.mood = () => 401;
  const { seq } = at.open(5, { ticket: "1", unverified: true });
  at.note(5, seq, "2", "x");
  await at.errands.run();
  const asked = at.server.asked.length;
  await at.errands.run();
  await at.errands.run();
  assert.deepEqual([at.server.asked.length, at.waiting, at.tickets.state.state], [asked, 2, "denied"]);
  at.server.mood = () => undefined;
  at.tickets.follow({
    tracker: { kind: "local" },
    network: { proxy: "", noProxy: [], caFile: "" },
    mask: DEFAULT_MASK,
    policy: { trackerTimeoutS: 0.4 },
  });
  await until("it is mended", () => Promise.resolve(at.tickets.outage === undefined));
  await at.errands.run();
  assert.deepEqual(at.said().map(({ what }) => what), ["ticket verified", "note refused"]);
});

Deno.test("a note for a ticket that its session is on is left to the session's story; any other goes out masked", async () => {
  const never = () => Promise.reject(new Error("no story is told here"));
  const storybook: Storybook = {
    markup: { limit: 1, sizeOf: () => 0, render: () => "" },
    canEdit: never,
    add: never,
    edit: never,
    find: never,
    logTime: never,
  };
  await using at = new Scene({ storybook });
  at.server.add("1");
  at.server.add("2");
  const { seq } = at.open(5, { ticket: "1" });
  at.note(5, seq, "1", "in the story");
  at.note(5, seq, "2", "with --password=hunter2");
  await at.errands.run();
  assert.deepEqual(at.server.wishes("note"), ["note 2 with --password=*****"]);
  assert.equal(at.waiting, 0);
});

Deno.test("an errand whose event retention has removed is lost, and evidence says so", async () => {
  await using at = new Scene();
  at.server.add("17");
  at.server.mood = (wish) => wish.startsWith("note") ? 500 : undefined;
  const { seq } = at.open(1, { ticket: "17" });
  at.note(1, seq, "18", "for another one");
  at.add("session closed", 1, seq, { how: "logout" });
  await at.errands.run();
  assert.deepEqual([at.waiting, at.said().length], [1, 0]);
  await removeOld(at.store, { keepDays: 1, maxBytes: 0, nowUs: nowUs() + 2 * 86_400e6 });
  at.hurry();
  await at.errands.run();
  const words = "its evidence was removed before the tracker could be asked";
  assert.deepEqual(at.said().at(-1), { what: "errand lost", ticket: "18", words });
  assert.equal(at.waiting, 0);
});

Deno.test("nothing is done at the tracker that cannot be written down before", async () => {
  await using at = new Scene();
  at.server.add("1");
  const { seq } = at.open(5, { ticket: null });
  at.note(5, seq, "1", "x");
  at.store.database.exec(
    "create temp trigger full before update on main.errand begin select raise(abort, 'full'); end",
  );
  await assert.rejects(at.errands.run());
  assert.deepEqual([at.server.wishes("note"), at.waiting], [[], 1]);
});

Deno.test("notes that take long to be looked through for secrets leave the agent most of its time for others", async () => {
  await using at = new Scene();
  await at.settled();
  at.server.add("1");
  at.tickets.masked = (text) => {
    for (const startMs = performance.now(); performance.now() - startMs < 50;);
    return { text, masked: [] };
  };
  const { seq } = at.open(5, { ticket: null });
  for (let i = 0; i < 4; i++) at.note(5, seq, "1", `note ${i}`);
  let others = 0;
  const timer = setInterval(() => others++, 10);
  await at.errands.run();
  clearInterval(timer);
  assert.equal(at.server.wishes("note").length, 4);
  assert.ok(others >= 60, `${others} times`);
});
