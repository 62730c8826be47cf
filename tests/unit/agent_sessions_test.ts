import assert from "node:assert/strict";
import { presentSession, Sessions } from "../../src/agent/sessions.ts";
import type { Peer } from "../../src/agent/server.ts";
import type { Opening } from "../../src/desk/protocol.ts";
import { protect } from "../../src/posix/file_flags.ts";
import { accountOf, effectiveUid } from "../../src/posix/libc.ts";
import { processOf } from "../../src/posix/process.ts";
import { testThatNeeds } from "../support/needs.ts";

effectiveUid();
protect("/nonexistent", "none");

const OPENING: Opening = {
  mode: "interactive",
  shell: "/bin/bash",
  ticket: "7",
  tty: "/dev/pts/3",
  from: "",
};
const ROOT = accountOf(0);

/** A real process that waits, as a user, and ends when disposed of; and a child of its own. */
class Leader implements AsyncDisposable {
  private constructor(readonly process: Deno.ChildProcess, readonly childPid: number) {}

  static async start(uid = 0): Promise<Leader> {
    const process = new Deno.Command("setpriv", {
      args: [`--reuid=${uid}`, "--clear-groups", "sh", "-c", "sleep 1000 & echo $!; wait"],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const reader = process.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return new Leader(process, Number(new TextDecoder().decode(value)));
  }

  peer(pid = this.process.pid, uid = 0): Peer {
    return { pid, uid, gid: 0, startTicks: processOf(pid)?.startTicks ?? -1 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (processOf(this.childPid)) Deno.kill(this.childPid, "SIGKILL");
    if (processOf(this.process.pid)) this.process.kill("SIGKILL");
    await this.process.status;
  }
}

/** A spool of the host's, in a folder of its own. */
async function withSpool(work: (hostSpool: string) => Promise<void>): Promise<void> {
  const hostSpool = await Deno.makeTempDir({ prefix: "srvaudit-spool." });
  try {
    await work(hostSpool);
  } finally {
    for (const { name } of Deno.readDirSync(hostSpool)) protect(`${hostSpool}/${name}`, "none");
    await Deno.remove(hostSpool, { recursive: true });
  }
}

function modeOf(file: string): [number | null, string] {
  const { uid, mode } = Deno.statSync(file);
  return [uid, ((mode ?? 0) & 0o777).toString(8)];
}

testThatNeeds(
  ["root"],
  "open() makes the session's file root's, and the shell's file the user's",
  async () => {
    assert.ok(ROOT);
    await withSpool(async (hostSpool) => {
      await using leader = await Leader.start(65534);
      const sessions = new Sessions({ hostSpool });
      const account = { ...ROOT, name: "nobody", uid: 65534, gid: 65534 };
      const spool = sessions.open(leader.peer(undefined, 65534), account, OPENING, {});
      assert.deepEqual(modeOf(spool.spool), [65534, "600"]);
      assert.deepEqual(modeOf(spool.sessionFile ?? ""), [0, "640"]);
      assert.equal(sessions.get(spool.session)?.opened.user, "nobody");
      assert.equal(sessions.get(spool.session)?.opened.uid, 65534);
    });
  },
);

testThatNeeds(["root"], "a process is in the session of the leader above it, and in no other", async () => {
  assert.ok(ROOT);
  await withSpool(async (hostSpool) => {
    await using one = await Leader.start();
    await using other = await Leader.start();
    const sessions = new Sessions({ hostSpool });
    const { session } = sessions.open(one.peer(), ROOT, OPENING, {});
    assert.equal(sessions.of(one.peer(one.childPid))?.opened.session, session);
    assert.equal(sessions.of(other.peer(other.childPid)), undefined);
    // The same number, and another process.
    assert.equal(sessions.of({ ...one.peer(), startTicks: one.peer().startTicks - 1 }), undefined);
  });
});

testThatNeeds(
  ["root"],
  "attach() gives one file a shell, only to the shell's own descendants and user",
  async () => {
    assert.ok(ROOT);
    await withSpool(async (hostSpool) => {
      await using leader = await Leader.start();
      await using other = await Leader.start();
      const sessions = new Sessions({ hostSpool });
      const { session, spool } = sessions.open(leader.peer(), ROOT, OPENING, {});
      assert.equal(sessions.attach(leader.peer(leader.childPid), leader.process.pid, 0)?.spool, spool);
      const child = sessions.attach(leader.peer(leader.childPid), leader.childPid, 0);
      assert.equal(child?.session, session);
      assert.notEqual(child.spool, spool);
      assert.equal(sessions.attach(leader.peer(leader.childPid), leader.childPid, 0)?.spool, child.spool);
      assert.equal(sessions.attach(leader.peer(leader.childPid), other.process.pid, 0), undefined);
      assert.equal(sessions.attach(leader.peer(leader.childPid, 65534), leader.childPid, 0), undefined);
      const stray = sessions.attach(other.peer(), other.process.pid, 0);
      assert.deepEqual([stray?.session, stray?.sessionFile], [null, null]);
    });
  },
);

testThatNeeds(
  ["root"],
  "a new agent knows the open sessions, their tickets and shells from the spool",
  async () => {
    assert.ok(ROOT);
    await withSpool(async (hostSpool) => {
      await using leader = await Leader.start();
      await using gone = await Leader.start();
      await using over = await Leader.start();
      const before = new Sessions({ hostSpool });
      const { session, spool } = before.open(leader.peer(), ROOT, OPENING, {});
      before.open(gone.peer(), ROOT, OPENING, {});
      const closed = before.open(over.peer(), ROOT, OPENING, {}).session;
      assert.equal(before.close(closed, "logout", 0), true);
      assert.equal(before.close(closed, "logout", 0), false);
      const open = before.get(session);
      assert.ok(open);
      before.say(open, { kind: "ticket switched", session, atUs: Date.now() * 1000, from: "7", to: "8" });
      await gone[Symbol.asyncDispose]();
      const after = new Sessions({ hostSpool });
      after.restore();
      assert.deepEqual([...after.values()].map(({ opened }) => opened.session), [session]);
      assert.deepEqual(presentSession(after.get(session) ?? open), presentSession(open));
      assert.equal(presentSession(open).ticket, "8");
      assert.equal(after.attach(leader.peer(), leader.process.pid, 0)?.spool, spool);
      // To hear the same once more changes nothing.
      after.restore();
      assert.deepEqual(after.get(session)?.tickets.map(({ ticket }) => ticket), ["7", "8"]);
    });
  },
);
