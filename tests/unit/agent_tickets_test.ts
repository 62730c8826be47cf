/** The agent's way to a tracker that hangs, says no, is asked too much, or is another one after a reload. */

import assert from "node:assert/strict";
import { Admission } from "../../src/agent/admission.ts";
import { FoundTickets } from "../../src/agent/found_tickets.ts";
import { RequestError } from "../../src/agent/server.ts";
import { Tickets, type TicketSettings } from "../../src/agent/tickets.ts";
import { TrackerHealth } from "../../src/agent/tracker_health.ts";
import { TrackerTurns } from "../../src/agent/tracker_turns.ts";
import { DEFAULT_POLICY, type Policy } from "../../src/config/policy.ts";
import type { Opening } from "../../src/desk/protocol.ts";
import { effectiveUid } from "../../src/posix/libc.ts";
import { credentialsOf, processOf } from "../../src/posix/process.ts";
import { groupId } from "../../src/posix/groups.ts";
import {
  type Ticket,
  TicketRefusedError,
  TrackerDeniedError,
  TrackerUnavailableError,
} from "../../src/trackers/tracker.ts";
import { until } from "../support/sshd.ts";
import { ServedTracker, TicketServer, type Wish } from "../support/ticket_server.ts";

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
effectiveUid();
credentialsOf(Deno.pid);
groupId("root");

const ALICE = 1000;
const BOB = 1001;
const accounts = {
  byUid: (uid: number) =>
    Promise.resolve({ name: uid === ALICE ? "alice" : "bob", uid, gid: uid, home: "/", shell: "/bin/sh" }),
};
/** So long somebody waits here. */
const TIMEOUT_S = 0.4;

function settingsOf(url: string, trackerTimeoutS = TIMEOUT_S): TicketSettings {
  const users: Record<string, string> = { somebody: url };
  const remote = { url, projects: [], newTicketType: "", fields: {}, users, mailDomain: "" } as const;
  const redmine = { kind: "Redmine", key: "k", format: "textile", activity: "" } as const;
  return {
    tracker: { ...remote, ...redmine, unknownUsers: "allow", logsTime: false, storySeconds: 30 },
    network: { proxy: "", noProxy: [], caFile: "" },
    mask: [],
    policy: { trackerTimeoutS },
  };
}

/** A server, and the agent's tickets there. */
class Scene implements AsyncDisposable {
  readonly server = new TicketServer();
  readonly opened: ServedTracker[] = [];
  readonly settings: TicketSettings;
  readonly tickets: Tickets;

  constructor(mood: TicketServer["mood"] = () => undefined, timeoutS = TIMEOUT_S) {
    this.server.add("17");
    this.server.mood = mood;
    this.settings = settingsOf(this.server.url, timeoutS);
    this.tickets = new Tickets(this.settings, { hostTickets: "/nonexistent" }, accounts, () => {
      const tracker = new ServedTracker(this.server);
      this.opened.push(tracker);
      return tracker;
    });
  }

  search(uid: number, words: string): Promise<unknown> {
    return this.tickets.ask(
      uid,
      (tracker, asking) => tracker.search(asking, { words, limit: 10, closedToo: false }),
    );
  }

  admission(policy: Partial<Policy> = {}): Admission {
    return new Admission({ ...DEFAULT_POLICY, ...policy }, this.tickets);
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
    await new Promise((resolve) => setTimeout(resolve));
    await this.server[Symbol.asyncDispose]();
  }
}

const hangs = () => "hang" as const;
const hangsFor = (start: string) => (wish: Wish) => wish.startsWith(start) ? "hang" as const : undefined;

/** This very process, as one of Alice's. */
const peer = { uid: ALICE, gid: ALICE, pid: Deno.pid, startTicks: processOf(Deno.pid)?.startTicks ?? 0 };
const alice = { name: "alice", uid: ALICE, gid: ALICE, home: "/", shell: "/bin/sh" };

function opening(ticket: string | null, more: Partial<Opening> = {}): Opening {
  return { mode: "interactive", shell: "/bin/sh", ticket, tty: "", from: "", ...more };
}

async function fault(work: Promise<unknown>): Promise<unknown> {
  return await work.then(() => undefined, (error) => error);
}

Deno.test("a tracker that hangs is waited for once; then nobody is kept waiting, and sessions begin unverified", async () => {
  await using at = new Scene(hangs);
  const first = await fault(at.tickets.find(ALICE, "17"));
  assert.ok(first instanceof TrackerUnavailableError);
  assert.match(first.message, /^Served did not answer within 0.4 s$|^Served does not answer$/);
  const asked = at.server.asked.length;
  assert.ok(await fault(at.search(BOB, "disk")) instanceof TrackerUnavailableError);
  const admission = at.admission();
  const admitted = await admission.admit(peer, alice, opening("17"));
  assert.deepEqual(admitted, { ticket: "17", marks: { unverified: true } });
  await assert.rejects(admission.admit(peer, alice, opening("a word")), /is no ticket's number/);
  const wanted = await admission.admit(peer, alice, opening(null, { wanted: "a fix" }));
  assert.deepEqual(wanted, { ticket: null, marks: { wanted: "a fix" } });
  const denying = at.admission({ onTrackerOutage: "deny" });
  await assert.rejects(denying.admit(peer, alice, opening("17")), TrackerUnavailableError);
  await assert.rejects(denying.admit(peer, alice, opening(null, { wanted: "a fix" })), /needs a ticket/);
  assert.equal(await admission.mayStay(alice, "17"), true);
  assert.equal(at.server.asked.length, asked);
  assert.equal(at.tickets.state.state, "down");
});

Deno.test("no key keeps the agent busy, whatever the ticketPattern", async () => {
  await using at = new Scene(hangs);
  await fault(at.tickets.find(ALICE, "17"));
  const admission = at.admission({ ticketPattern: "(?:[A-Z]+)+-[0-9]+" });
  await assert.rejects(admission.admit(peer, alice, opening("A".repeat(200))), /is no ticket's number/);
  const { ticket } = await admission.admit(peer, alice, opening("A".repeat(150) + "-17"));
  assert.equal(ticket?.length, 153);
});

Deno.test("whoever makes her own questions fail gets no session without a ticket by it, and is in nobody's way", async () => {
  for (const mood of [hangsFor("search"), (wish: Wish) => wish.startsWith("search") ? 500 : undefined]) {
    await using at = new Scene(mood);
    for (let i = 0; i < 3; i++) {
      assert.ok(await fault(at.search(ALICE, `slow ${i}`)) instanceof TrackerUnavailableError);
    }
    assert.equal(at.tickets.outage, undefined);
    assert.equal(await at.tickets.isDown(ALICE), false);
    await assert.rejects(
      at.admission().admit(peer, alice, opening(null, { wanted: "a fix" })),
      /tickets can be made again by now/,
    );
    assert.equal((await at.tickets.find(BOB, "17"))?.key, "17");
  }
});

Deno.test("of ten thousand questions of one user the tracker sees a few at a time, and others' come in between", async () => {
  await using at = new Scene(hangsFor("search"), 2);
  await at.settled();
  const faults = Array.from({ length: 10_000 }, (_, i) => fault(at.search(ALICE, `words ${i}`)));
  await until("hers are under way", () => Promise.resolve(at.server.wishes("search").length === 4));
  assert.equal((await at.tickets.find(BOB, "17"))?.key, "17");
  assert.equal(at.server.mostUnderWay <= 6, true);
  const refused = await Promise.race(faults.slice(100));
  assert.ok(refused instanceof RequestError);
  assert.match(refused.message, /too much at once/);
  // Nor does that let her in without a real ticket: she waits for her turn, or is refused.
  const own = await at.admission().admit(peer, alice, opening("17")).catch((error) => error);
  assert.ok(own instanceof RequestError || own.marks.unverified === undefined);
  const kinds = new Set((await Promise.all(faults)).map((error) => Object(error).name));
  assert.deepEqual([...kinds].sort(), ["RequestError", "TrackerUnavailableError"]);
  assert.equal(at.tickets.outage, undefined);
  assert.ok(at.server.wishes("search").length < 50);
});

Deno.test("find() asks once for a ticket that is open, each user by herself, and anew when its status was set", async () => {
  await using at = new Scene();
  at.server.add("18", { open: false, status: "Closed" });
  const [one, other] = await Promise.all([at.tickets.find(ALICE, "17"), at.tickets.find(ALICE, "17")]);
  assert.deepEqual(one, other);
  await at.tickets.find(ALICE, "17");
  assert.deepEqual(at.server.wishes("find"), ["find 17"]);
  await at.tickets.find(BOB, "17");
  assert.deepEqual(at.server.asked.filter(({ wish }) => wish === "find 17").map(({ user }) => user), [
    "alice",
    "bob",
  ]);
  await at.tickets.find(ALICE, "18");
  await at.tickets.find(ALICE, "18");
  await at.tickets.find(ALICE, "99");
  await at.tickets.find(ALICE, "99");
  assert.deepEqual(at.server.wishes("find").slice(2), ["find 18", "find 18", "find 99", "find 99"]);
  const admitted = await at.admission().admit(peer, alice, opening("17"));
  assert.deepEqual([admitted, at.server.wishes("find 17").length], [{ ticket: "17", marks: {} }, 2]);
  at.server.add("17", { open: false, status: "Closed" });
  at.tickets.forget("17");
  await assert.rejects(at.admission().admit(peer, alice, opening("17")), /ticket 17 is Closed/);
});

Deno.test("an answer that was on its way when the status was set is not remembered, nor waited for by others", async () => {
  const found = new FoundTickets();
  const ticket = { key: "17", subject: "x", status: "New", open: true };
  const { promise: slow, resolve } = Promise.withResolvers<Ticket>();
  const before = found.find(ALICE, "17", () => slow);
  found.forget("17");
  const after = { ...ticket, status: "Closed", open: false };
  assert.equal((await found.find(ALICE, "17", () => Promise.resolve(after)))?.status, "Closed");
  resolve(ticket);
  assert.equal((await before)?.status, "New");
  assert.equal((await found.find(ALICE, "17", () => Promise.resolve(after)))?.status, "Closed");
});

Deno.test("a tracker that wants to be left alone for a while is", async () => {
  await using at = new Scene();
  await at.settled();
  at.server.mood = () => ({ status: 429, headers: { "Retry-After": "100" } });
  const error = await fault(at.tickets.find(ALICE, "17"));
  assert.ok(error instanceof TrackerUnavailableError);
  const asked = at.server.asked.length;
  assert.ok((at.tickets.outage?.retryAfterMs ?? 0) > 90_000);
  await fault(at.tickets.find(BOB, "17"));
  await fault(at.tickets.askPatiently(BOB, (tracker, asking) => tracker.find(asking, "17")));
  assert.equal(at.server.asked.length, asked);
});

Deno.test("a key that is not taken is said, and tried again when the config was read anew", async () => {
  await using at = new Scene(() => 401);
  assert.ok(await fault(at.tickets.find(ALICE, "17")) instanceof TrackerDeniedError);
  assert.equal(at.tickets.state.state, "denied");
  assert.ok(at.tickets.outage instanceof TrackerDeniedError);
  at.server.mood = () => undefined;
  at.tickets.follow({ ...at.settings });
  assert.equal(at.opened.length, 1);
  await until("it is mended", () => Promise.resolve(at.tickets.state.state === "up"));
  assert.equal((await at.tickets.find(ALICE, "17"))?.key, "17");
});

Deno.test("the agent finds out by itself that the tracker is back, and asks it no more than that meanwhile", async () => {
  await using server = new TicketServer();
  server.mood = () => 503;
  using tracker = new ServedTracker(server);
  using health = new TrackerHealth(tracker, () => 400, { down: 10, denied: 10 });
  await health.check();
  assert.match(health.outage?.message ?? "", /503/);
  await until("several tries", () => Promise.resolve(server.asked.length > 3));
  server.mood = () => undefined;
  await until("it is back", () => Promise.resolve(health.outage === undefined));
  const asked = server.asked.length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(server.asked.length, asked);
});

Deno.test("a ticket that is found while the agent doubts shows that the tracker answers", async () => {
  await using server = new TicketServer();
  server.mood = hangs;
  using tracker = new ServedTracker(server);
  using health = new TrackerHealth(tracker, () => 400);
  const doubts = health.check();
  health.answered();
  await doubts;
  assert.equal(health.outage, undefined);
  await health.check();
  assert.ok(health.outage);
  health.answered();
  assert.equal(health.outage, undefined);
  server.mood = () => undefined;
});

Deno.test("another tracker takes the place of the old one, which ends when nobody waits for it any more", async () => {
  await using at = new Scene();
  await at.settled();
  at.server.mood = hangsFor("search");
  const slow = fault(at.search(ALICE, "slow"));
  await until("the question", () => Promise.resolve(at.server.wishes("search").length === 1));
  await at.tickets.find(ALICE, "17");
  at.tickets.follow(settingsOf("http://other.example"));
  assert.equal(at.opened.length, 2);
  assert.equal(at.tickets.tracker, at.opened[1]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(at.opened[0]?.isDisposed, false);
  await at.tickets.find(ALICE, "17");
  assert.equal(at.server.wishes("find").length, 2);
  await slow;
  assert.deepEqual(at.opened.map(({ isDisposed }) => isDisposed), [true, false]);
});

Deno.test("where there can be no such tracker as a new config wants, the one before holds", async () => {
  await using at = new Scene();
  const opened = at.opened;
  const tickets = new Tickets(at.settings, { hostTickets: "/nonexistent" }, accounts, () => {
    if (opened.length > 1) throw new Error("no such CA file");
    const tracker = new ServedTracker(at.server);
    opened.push(tracker);
    return tracker;
  });
  assert.throws(() => tickets.follow(settingsOf("http://other.example")), /no such CA file/);
  assert.equal((await tickets.find(ALICE, "17"))?.key, "17");
  tickets[Symbol.dispose]();
});

Deno.test("what the tracker says no to is said in its own words, and is no outage", async () => {
  await using at = new Scene((wish) => wish.startsWith("find") ? 422 : undefined);
  assert.ok(await fault(at.tickets.find(ALICE, "17")) instanceof TicketRefusedError);
  const refused = await fault(at.admission().admit(peer, alice, opening("17")));
  assert.ok(refused instanceof RequestError);
  assert.match(refused.message, /so it is/);
  assert.equal(at.tickets.outage, undefined);
});

Deno.test("a ticket that may not be changed so often makes no outage, however long it wants to be left alone", async () => {
  const tooMany = { status: 429, headers: { "Retry-After": "100" } };
  await using at = new Scene((wish) => wish.startsWith("note") ? tooMany : undefined);
  await at.settled();
  const note = at.tickets.ask(ALICE, (tracker, asking) => tracker.addNote(asking, "17", "x"));
  const error = await fault(note);
  assert.ok(error instanceof TrackerUnavailableError);
  assert.equal(error.retryAfterMs, 100_000);
  assert.equal(at.tickets.outage, undefined);
  assert.equal((await at.tickets.find(BOB, "17"))?.key, "17");
  await assert.rejects(
    at.admission().admit(peer, alice, opening(null, { wanted: "x" })),
    /can be made again/,
  );
});

Deno.test("who has the agent look for secrets in ever more text is refused, and she alone", () => {
  const turns = new TrackerTurns("Served");
  const work = () => {
    const startMs = performance.now();
    while (performance.now() - startMs < 100);
    return "done";
  };
  const outcome = (uid: number) => {
    try {
      return turns.spend(uid, work);
    } catch (error) {
      assert.ok(error instanceof RequestError);
      return error.message;
    }
  };
  const outcomes = Array.from({ length: 8 }, () => outcome(ALICE));
  assert.equal(outcomes[0], "done");
  assert.match(outcomes.at(-1) ?? "", /too much at once/);
  assert.equal(outcome(BOB), "done");
});
