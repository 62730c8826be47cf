import assert from "node:assert/strict";
import fc from "fast-check";
import type { Wants } from "../../src/config/sink_settings.ts";
import { matchesGlob } from "../../src/sinks/glob.ts";
import type { SinkNews } from "../../src/sinks/news.ts";
import { isWanted } from "../../src/sinks/wants.ts";

const ALL: Wants = { events: "commands", users: [], hosts: [], tickets: [], exitCodes: "all" };
const NOTHING: Wants = { events: "sessions", users: ["!*"], hosts: ["!*"], tickets: ["!*"], exitCodes: [] };

const SESSION: SinkNews["session"] = {
  id: "019ab000-0000-7000-8000-00000000000a",
  user: "alice",
  uid: 1000,
  from: "192.0.2.7",
  tty: "/dev/pts/1",
  shell: "/bin/bash",
  mode: "interactive",
  openedUs: 0,
};

function news(kind: SinkNews["kind"], more: Partial<SinkNews> = {}): SinkNews {
  return {
    id: "5feceb66-ffc8-8f38-9952-786c6d696c79",
    seq: 1,
    kind,
    atUs: 0,
    host: "web01",
    session: SESSION,
    ticket: "OPS-17",
    ticketUrl: null,
    ...more,
  };
}

function command(exitCode: number | null, kind: "command" | "command started" = "command"): SinkNews {
  return news(kind, {
    command: {
      text: "ls",
      directory: "/",
      startUs: 0,
      endUs: null,
      exitCode,
      pipeStates: [],
      tty: "",
      effectiveUid: 1000,
      isMasked: false,
      textState: "whole",
    },
  });
}

Deno.test("isWanted() tells of sessions alone, or of commands too", () => {
  for (const events of ["sessions", "commands"] as const) {
    for (const kind of ["session opened", "session closed", "ticket switched", "note", "status"] as const) {
      assert.equal(isWanted(news(kind), { ...ALL, events }), true);
    }
    assert.equal(isWanted(command(0), { ...ALL, events }), events === "commands");
    assert.equal(isWanted(command(null, "command started"), { ...ALL, events }), events === "commands");
  }
});

Deno.test("isWanted() goes by exit codes, of commands alone, and takes one that is not known for none", () => {
  const codes = [0, 1, 2, 127, null];
  const wanted = (exitCodes: Wants["exitCodes"]) =>
    codes.filter((code) => isWanted(command(code), { ...ALL, exitCodes }));
  assert.deepEqual(wanted("all"), codes);
  assert.deepEqual(wanted("failed"), [1, 2, 127]);
  assert.deepEqual(wanted([0, 127]), [0, 127]);
  assert.equal(isWanted(command(null, "command started"), { ...ALL, exitCodes: "failed" }), false);
  assert.equal(isWanted(news("session opened"), { ...ALL, exitCodes: "failed" }), true);
});

Deno.test("isWanted() goes by users, hosts and tickets: those that are named, but those with a ! before them", () => {
  const yes: Partial<Wants>[] = [
    { users: ["alice"] },
    { users: ["root", "al*"] },
    { users: ["!root"] },
    { hosts: ["web??"] },
    { hosts: ["!db*"] },
    { tickets: ["OPS-*", "!OPS-1"] },
    { users: ["*"], hosts: ["*"], tickets: ["*"] },
  ];
  const no: Partial<Wants>[] = [
    { users: ["root"] },
    { users: ["alic"] },
    { users: ["*", "!alice"] },
    { users: ["!alice", "*"] },
    { users: ["Alice"] },
    { hosts: ["web?"] },
    { hosts: ["web*", "!*01"] },
    { tickets: ["WEB-*"] },
    { tickets: ["!OPS-17"] },
    { users: ["alice"], hosts: ["db01"] },
  ];
  for (const wants of yes) {
    assert.equal(isWanted(command(0), { ...ALL, ...wants }), true, JSON.stringify(wants));
  }
  for (const wants of no) {
    assert.equal(isWanted(command(0), { ...ALL, ...wants }), false, JSON.stringify(wants));
  }
});

Deno.test("isWanted() knows whose something is that belongs to no session, and that has no ticket", () => {
  const stray = { ...command(0), session: null, ticket: null, owner: { uid: 1000, user: "alice" } };
  assert.equal(isWanted(stray, { ...ALL, users: ["alice"] }), true);
  assert.equal(isWanted(stray, { ...ALL, users: ["!alice"] }), false);
  assert.equal(isWanted(stray, { ...ALL, tickets: ["!OPS-*"] }), true);
  assert.equal(isWanted(stray, { ...ALL, tickets: ["OPS-*"] }), false);
});

Deno.test("isWanted() tells of a switch whoever wants one of its tickets", () => {
  const switched = news("ticket switched", { ticket: "WEB-1", change: { from: "OPS-17", to: "WEB-1" } });
  assert.equal(isWanted(switched, { ...ALL, tickets: ["OPS-*"] }), true);
  assert.equal(isWanted(switched, { ...ALL, tickets: ["WEB-*"] }), true);
  assert.equal(isWanted(switched, { ...ALL, tickets: ["DB-*"] }), false);
  // What a status was called is no ticket.
  const status = news("status", { change: { from: "WEB-1", to: "WEB-2" } });
  assert.equal(isWanted(status, { ...ALL, tickets: ["WEB-*"] }), false);
});

Deno.test("isWanted() tells of a session's end whoever wants one of the tickets that it was on", () => {
  const tickets = [null, "OPS-17", "WEB-1"];
  const closing = { how: "logout", exitCode: 0, durationUs: 1, commands: 0, failures: 0, tickets };
  const closed = news("session closed", { ticket: "WEB-1", closing });
  for (const wanted of ["OPS-*", "WEB-1", "!OPS-*", "!*-*"]) {
    assert.equal(isWanted(closed, { ...ALL, tickets: [wanted] }), true, wanted);
  }
  assert.equal(isWanted(closed, { ...ALL, tickets: ["DB-*"] }), false);
  assert.equal(isWanted(closed, { ...ALL, users: ["root"] }), false);
});

Deno.test("isWanted() tells everybody of emergencies, tamper and tests", () => {
  const emergency = { ...SESSION, emergency: "the site is down" };
  for (
    const one of [
      news("tamper"),
      news("tamper", { session: null, ticket: null }),
      news("test"),
      news("session opened", { session: emergency }),
      news("session closed", { session: emergency }),
      news("note", { session: emergency }),
    ]
  ) assert.equal(isWanted(one, NOTHING), true, one.kind);
  assert.equal(isWanted({ ...command(0), session: emergency }, NOTHING), false);
  assert.equal(isWanted(news("session opened"), NOTHING), false);
});

Deno.test("matchesGlob() knows * and ?, and takes everything else by the letter", () => {
  const yes = [
    ["", ""],
    ["*", ""],
    ["**", "x"],
    ["a*", "a"],
    ["*a", "bca"],
    ["a*c*e", "abcdcde"],
    ["?", "é"],
    ["?", "😀"],
    ["a.c", "a.c"],
    ["[a]", "[a]"],
    ["*\n*", "a\nb"],
    ["*ab", "aab"],
  ];
  const no = [["", "a"], ["?", ""], ["?", "ab"], ["a*", "ba"], ["*a", "ab"], ["a.c", "abc"], ["[a]", "a"], [
    "*ab",
    "abc",
  ]];
  for (const [pattern = "", text = ""] of yes) {
    assert.equal(matchesGlob(pattern, text), true, `${pattern} ${text}`);
  }
  for (const [pattern = "", text = ""] of no) {
    assert.equal(matchesGlob(pattern, text), false, `${pattern} ${text}`);
  }
});

Deno.test("matchesGlob() says what a regular expression would, and is slow for no text", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", "."), maxLength: 8 });
  fc.assert(
    fc.property(
      letters,
      fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 10 }),
      (pattern, text) => {
        const expression = pattern.replace(/\./g, "\\.").replace(/\?/g, ".").replace(/\*/g, ".*");
        assert.equal(matchesGlob(pattern, text), new RegExp(`^${expression}$`, "s").test(text));
      },
    ),
  );
  assert.equal(matchesGlob(`${"*a".repeat(50)}b`, "a".repeat(4000)), false);
});
