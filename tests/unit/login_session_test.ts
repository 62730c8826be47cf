import assert from "node:assert/strict";
import { ancestors } from "../../src/posix/process.ts";
import {
  currentSession,
  isAlive,
  ownSessionFile,
  readLoginSession,
  sessionFile,
} from "../../src/record/login_session.ts";
import { newSessionId } from "../../src/record/session_id.ts";
import { appendEvent } from "../../src/record/spool.ts";
import { existingProcess, openSession } from "../support/fake_session.ts";
import { testThatNeeds } from "../support/needs.ts";

const me = existingProcess("self");

/** A spool in a folder of its own. */
function newSpool() {
  const path = Deno.makeTempDirSync();
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

function close(spool: string, session: string): void {
  appendEvent(sessionFile(spool, session), { kind: "session closed", session, atUs: 1, how: "logout" });
}

/** A process that is no ancestor of this one; it ends with the test. */
function stranger() {
  const child = new Deno.Command("cat", { stdin: "piped", stdout: "null" }).spawn();
  return {
    process: existingProcess(child.pid),
    [Symbol.asyncDispose]: async () => {
      await child.stdin.close();
      await child.status;
    },
  };
}

const uidOf = (pid: number) => Deno.statSync(`/proc/${pid}`).uid;

Deno.test("currentSession() finds the session that a process above this one leads, with or without a claim", () => {
  using spool = newSpool();
  for (const leader of ancestors()) {
    // init is above everybody, and leads nobody's session; another user's process leads none of ours.
    if (leader.pid === 1 || uidOf(leader.pid) !== Deno.uid()) continue;
    const id = openSession(spool.path, leader, "7");
    assert.equal(currentSession(spool.path, undefined)?.id, id);
    const session = currentSession(spool.path, id);
    assert.equal(session?.id, id);
    assert.equal(session?.ticket, "7");
    assert.ok(session && isAlive(session));
    close(spool.path, id);
  }
});

Deno.test("currentSession() does not believe a claim that no process proves", () => {
  using spool = newSpool();
  const claims = [
    openSession(spool.path, { ...me, startTicks: me.startTicks + 1 }, "7"),
    openSession(spool.path, { ...me, pid: 2 ** 22 + 1 }, "7"),
    openSession(spool.path, me, "7", { bootId: crypto.randomUUID() }),
  ];
  for (const claim of claims) assert.equal(currentSession(spool.path, claim), undefined);
  assert.equal(currentSession(spool.path, undefined), undefined);
});

// Where the kernel counts sessions, a child of this process is of the same one, and that is a proof.
const kernelCounts = (() => {
  try {
    return Deno.readTextFileSync("/proc/self/sessionid").trim() !== "4294967295" ||
      /\/session-[^/]+\.scope/.test(Deno.readTextFileSync("/proc/self/cgroup"));
  } catch {
    return false;
  }
})();

Deno.test({
  name: "currentSession() does not believe a claim of a session that someone else's process leads" +
    (kernelCounts ? " [needs a machine where the kernel counts no login sessions]" : ""),
  ignore: kernelCounts,
  fn: async () => {
    using spool = newSpool();
    await using other = stranger();
    const theirs = openSession(spool.path, other.process, "7");
    assert.equal(currentSession(spool.path, theirs), undefined);
    const mine = openSession(spool.path, me, "8");
    assert.equal(currentSession(spool.path, theirs)?.id, mine, "the claim only says where to look first");
  },
});

Deno.test("currentSession() passes over sessions whose leader has ended, and isAlive() says so", async () => {
  using spool = newSpool();
  let id: string;
  {
    await using other = stranger();
    id = openSession(spool.path, other.process, "7");
    const session = readLoginSession(spool.path, id);
    assert.ok(session && isAlive(session));
  }
  const session = readLoginSession(spool.path, id);
  assert.ok(session && !isAlive(session));
  assert.equal(currentSession(spool.path, id), undefined);
});

Deno.test("currentSession() passes over closed sessions, claimed or not", () => {
  using spool = newSpool();
  const id = openSession(spool.path, me, "7");
  close(spool.path, id);
  assert.equal(currentSession(spool.path, id), undefined);
  assert.equal(currentSession(spool.path, undefined), undefined);
  assert.equal(readLoginSession(spool.path, id)?.closed?.how, "logout");
});

const hasOwnParent = uidOf(me.parentPid) === Deno.uid();

Deno.test({
  name: "currentSession() takes the nearest of several sessions, unless a proven one is claimed" +
    (hasOwnParent ? "" : " [needs a parent process of the same user]"),
  ignore: !hasOwnParent,
  fn: () => {
    using spool = newSpool();
    const parent = existingProcess(me.parentPid);
    const outer = openSession(spool.path, parent, "1");
    const inner = openSession(spool.path, me, "2");
    assert.equal(currentSession(spool.path, undefined)?.id, inner);
    assert.equal(currentSession(spool.path, outer)?.id, outer);
    close(spool.path, inner);
    assert.equal(currentSession(spool.path, inner)?.id, outer);
  },
});

Deno.test("a claim that is no session id, or names no session, is looked up nowhere", () => {
  using spool = newSpool();
  const id = openSession(`${spool.path}/spool`, me, "7");
  const folder = `${spool.path}/spool/inner`;
  Deno.mkdirSync(folder);
  for (const claim of [`../${id}`, "", "..", "/etc/passwd", `${id}\0`, crypto.randomUUID(), newSessionId()]) {
    assert.equal(currentSession(folder, claim), undefined, claim);
  }
  assert.equal(currentSession(`${spool.path}/nowhere`, id), undefined);
});

Deno.test("readLoginSession() follows the switches, and keeps what was said in its order", () => {
  using spool = newSpool();
  const id = openSession(spool.path, me, "1");
  const file = sessionFile(spool.path, id);
  appendEvent(file, { kind: "ticket switched", session: id, atUs: 2, from: "1", to: "5" });
  appendEvent(file, { kind: "note", session: id, atUs: 3, ticket: "5", text: "a\nb" });
  appendEvent(file, { kind: "ticket switched", session: id, atUs: 4, from: "5", to: "3" });
  const session = readLoginSession(spool.path, id);
  assert.equal(session?.ticket, "3");
  assert.equal(session?.closed, undefined);
  assert.deepEqual(session?.events.map((event) => event.kind), [
    "session opened",
    "ticket switched",
    "note",
    "ticket switched",
  ]);
});

Deno.test("a session file whose opening is torn, or speaks of another session, is no session", () => {
  using spool = newSpool();
  const id = openSession(spool.path, me, "7");
  const bytes = Deno.readFileSync(sessionFile(spool.path, id));
  Deno.writeFileSync(sessionFile(spool.path, id), bytes.subarray(0, bytes.length - 1));
  assert.equal(readLoginSession(spool.path, id), undefined);
  assert.equal(currentSession(spool.path, id), undefined);
  const another = newSessionId();
  Deno.writeFileSync(sessionFile(spool.path, another), bytes);
  assert.equal(readLoginSession(spool.path, another), undefined);
});

testThatNeeds(
  ["root"],
  "a session that the agent has opened is read through its link, with what was said since",
  () => {
    using spool = newSpool();
    using host = newSpool();
    const id = openSession(host.path, me, "7");
    const file = sessionFile(host.path, id);
    assert.equal(readLoginSession(spool.path, id, host.path), undefined);
    Deno.symlinkSync(file, sessionFile(spool.path, id));
    assert.equal(readLoginSession(spool.path, id), undefined, "not in the agent's folder");
    const own = ownSessionFile(spool.path, id);
    assert.equal(readLoginSession(spool.path, id, host.path)?.file, own);
    appendEvent(own, {
      kind: "note",
      session: newSessionId(),
      atUs: Date.now() * 1000,
      ticket: "7",
      text: "no",
    });
    appendEvent(own, { kind: "ticket switched", session: id, atUs: Date.now() * 1000, from: "7", to: "8" });
    const session = currentSession(spool.path, undefined, host.path);
    assert.deepEqual(session?.events.map((event) => event.kind), ["session opened", "ticket switched"]);
    assert.equal(session?.ticket, "8");
    close(host.path, id);
    assert.equal(currentSession(spool.path, id, host.path), undefined);
  },
);

testThatNeeds(
  ["root"],
  "a link to any other file than the agent's of just that session is no session",
  () => {
    using spool = newSpool();
    using host = newSpool();
    const id = openSession(host.path, me, "7");
    const name = sessionFile(spool.path, id);
    const tried: [what: string, make: () => void][] = [
      ["by another name", () => {
        Deno.copyFileSync(sessionFile(host.path, id), `${host.path}/other.session`);
        Deno.symlinkSync(`${host.path}/other.session`, name);
      }],
      ["by a roundabout way", () => Deno.symlinkSync(`${host.path}/../${host.path}/${id}.session`, name)],
      ["through a second link", () => {
        Deno.renameSync(sessionFile(host.path, id), `${host.path}/elsewhere`);
        Deno.symlinkSync(`${host.path}/elsewhere`, sessionFile(host.path, id));
        Deno.symlinkSync(sessionFile(host.path, id), name);
      }],
      ["of another user's", () => {
        Deno.removeSync(sessionFile(host.path, id));
        Deno.renameSync(`${host.path}/elsewhere`, sessionFile(host.path, id));
        Deno.chownSync(sessionFile(host.path, id), 12_345, null);
        Deno.symlinkSync(sessionFile(host.path, id), name);
      }],
    ];
    for (const [what, make] of tried) {
      make();
      assert.equal(readLoginSession(spool.path, id, host.path), undefined, what);
      Deno.removeSync(name);
    }
  },
);
