/** A user's own spool as an attacker's tool: what lies there must lead the agent nowhere. */

import assert from "node:assert/strict";
import { Errands } from "../../src/agent/errands.ts";
import { type OpenSession, Sessions, SpoolTakenError } from "../../src/agent/sessions.ts";
import { Tickets } from "../../src/agent/tickets.ts";
import { agentSettings } from "../../src/config/agent_settings.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { Outbox } from "../../src/evidence/outbox.ts";
import { asUser } from "../../src/posix/as_user.ts";
import { effectiveUid } from "../../src/posix/libc.ts";
import { MOST_OWN_BYTES } from "../../src/agent/spool_reading.ts";
import { inFolder, look, namesIn } from "../../src/agent/spool_folder.ts";
import { factsOf } from "../../src/posix/plain_file.ts";
import { bootId, processOf } from "../../src/posix/process.ts";
import type { SessionOpened } from "../../src/record/event.ts";
import { newSessionId } from "../../src/record/session_id.ts";
import { LocalTickets } from "../../src/trackers/local_tickets.ts";
import type { Answers, Asking, Tracker } from "../../src/trackers/tracker.ts";
import { testThatNeeds } from "../support/needs.ts";
import { command, GONE, opened, shell } from "../support/spool_files.ts";
import { say, SpoolsAndEvidence } from "../support/taking_in.ts";

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
namesIn({ path: "/nonexistent/spool", owner: { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 } });
factsOf("/");
effectiveUid();
asUser({ uid: 1, gid: 1 }, () => 0);

const NOBODY = { uid: 65534, gid: 65534 };

/** A process of nobody's that lives as long as it is let. */
class Process implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly pid: number;

  private constructor(words: string[]) {
    const [program = "", ...args] = words;
    this.#child = new Deno.Command(program, { args, stdin: "null" }).spawn();
    this.pid = this.#child.pid;
  }

  /** @param uid whose it is; it is that user's already when this returns */
  static async start(uid: number): Promise<Process> {
    const words = uid === Deno.uid() ? [] : ["setpriv", `--reuid=${uid}`, "--clear-groups"];
    const process = new Process([...words, "sleep", "1000"]);
    while (!/^(\S*\/)?sleep\0/.test(Deno.readTextFileSync(`/proc/${process.pid}/cmdline`))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return process;
  }

  async end(): Promise<void> {
    if (processOf(this.pid)) this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** The opening of a session that a process leads. */
function openingOf(pid: number, other: Partial<SessionOpened> = {}): SessionOpened {
  const leader = { leaderPid: pid, leaderStartTicks: processOf(pid)?.startTicks ?? 0, bootId: bootId() };
  return opened({ session: newSessionId(), ...leader, ...other });
}

Deno.test("how a session of the host's ended is never written to what its user has put in her own spool", async () => {
  using at = new SpoolsAndEvidence();
  await using leader = await Process.start(at.uid);
  const opening = openingOf(leader.pid, { uid: at.uid });
  const { session } = opening;
  at.add(`${session}.session`, say(opening));
  at.addOwn(`${session}.own.session`, say({ kind: "note", session, atUs: 1, ticket: "7", text: "mine" }));
  at.run();
  Deno.writeTextFileSync(`${at.root}/root's`, "untouched");
  const own = `${at.own.path}/${session}.own.session`;
  Deno.removeSync(own);
  Deno.symlinkSync(`${at.root}/root's`, own);
  await leader.end();
  at.settle();
  assert.equal(Deno.readTextFileSync(`${at.root}/root's`), "untouched");
  assert.equal(at.kinds().filter((kind) => kind === "session closed").length, 1);
});

testThatNeeds(
  ["root", "setpriv"],
  "nobody's own spool makes another's process the leader of a session",
  async () => {
    await using others = await Process.start(0);
    await using own = await Process.start(NOBODY.uid);
    const sessions = new Sessions({ hostSpool: "/nonexistent" });
    for (const pid of [1, Deno.pid, others.pid]) {
      sessions.note(openingOf(pid, { uid: NOBODY.uid }), "/home/nobody/x", NOBODY);
    }
    assert.deepEqual([...sessions.values()], []);
    const opening = openingOf(own.pid, { uid: NOBODY.uid, command: "x".repeat(100_000) });
    sessions.note(opening, "/home/nobody/x", NOBODY);
    const [open, ...more] = [...sessions.values()];
    assert.deepEqual([open?.opened.session, more], [opening.session, []]);
    assert.equal(open?.opened.command, undefined);
  },
);

/** A session that began without the agent: its file is its user's. */
async function withLate(
  work: (sessions: Sessions, session: OpenSession, file: string) => void | Promise<void>,
) {
  const folder = Deno.makeTempDirSync({ prefix: "late_" });
  try {
    const uid = Deno.uid() ?? 0;
    await using leader = await Process.start(uid);
    const sessions = new Sessions({ hostSpool: "/nonexistent" });
    const file = `${folder}/x.session`;
    Deno.writeTextFileSync(file, "");
    const opening = openingOf(leader.pid, { uid, ticket: null });
    sessions.note(opening, file, { uid, gid: uid });
    const session = sessions.get(opening.session);
    assert.ok(session);
    await work(sessions, session, file);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("say() adds to a user's own session file, and waits for and follows nothing that took its place", async () => {
  await withLate((sessions, session, file) => {
    const saying = {
      kind: "note",
      session: session.opened.session,
      atUs: 1,
      ticket: "1",
      text: "x",
    } as const;
    sessions.say(session, saying);
    assert.match(Deno.readTextFileSync(file), /"kind":"note"/);
    Deno.removeSync(file);
    assert.throws(() => sessions.say(session, saying), SpoolTakenError);
    new Deno.Command("mkfifo", { args: [file] }).outputSync();
    assert.throws(() => sessions.say(session, saying), SpoolTakenError);
    Deno.removeSync(file);
    Deno.writeTextFileSync(`${file}.other`, "");
    Deno.symlinkSync(`${file}.other`, file);
    assert.throws(() => sessions.say(session, saying), SpoolTakenError);
    assert.equal(Deno.readTextFileSync(`${file}.other`), "");
  });
});

Deno.test("what a user's own spool says of a session is in that user's name, and of a length that can be borne", () => {
  using at = new SpoolsAndEvidence();
  Object.assign(at.own.owner ?? {}, { name: "alice" });
  const session = newSessionId();
  const event = { session, atUs: 1 };
  at.addOwn(
    `${session}.session`,
    say(opened({ session, uid: at.uid, user: "root" })),
    say({ kind: "ticket switched", ...event, from: null, to: "7".repeat(201) }),
    say({ kind: "note", ...event, ticket: "7", text: "x".repeat(65_537) }),
    say({ kind: "note", ...event, ticket: "7", text: "x".repeat(65_536) }),
  );
  at.run();
  assert.deepEqual(at.data("session opened").map(({ user }) => user), ["alice"]);
  assert.deepEqual([at.data("ticket switched").length, at.data("note").length], [0, 1]);
  assert.deepEqual(at.tampers()[0]?.why, {
    "a session in another name": 1,
    "a longer text than anyone's": 2,
  });
});

Deno.test("a session file that its user took away has its ticket made once, and keeps nobody else waiting", async () => {
  await withLate(async (sessions, session, file) => {
    const folder = Deno.makeTempDirSync({ prefix: "errands_" });
    using store = new EvidenceStore(`${folder}/state/evidence.db`);
    const done: string[] = [];
    using tickets = new Tickets(
      agentSettings("", "config"),
      { hostTickets: "/nonexistent" },
      { byUid: () => Promise.resolve(undefined) },
      () => {
        const tracker: Tracker = new LocalTickets("/nonexistent");
        return Object.assign(tracker, {
          find: (_: Asking, key: string) => {
            done.push(`find ${key}`);
            return Promise.resolve(undefined);
          },
          create: (_: Asking, { subject = "" }: Answers) => {
            done.push(`create ${subject}`);
            return Promise.resolve({ ticket: { key: "5", subject, status: "New", open: true } });
          },
          addNote: (_: Asking, key: string, text: string) => {
            done.push(`note ${key} ${text}`);
            return Promise.resolve();
          },
        });
      },
    );
    const errands = new Errands(store, new Outbox(store), sessions, tickets);
    const { kind, atUs, ...data } = session.opened;
    store.transaction(() => {
      const whose = { atUs, shell: null, uid: 0 };
      const seq = store.append({ kind, ...whose, session: null, data: { ...data, wanted: "a fix" } }, atUs);
      const more = { ...whose, session: seq };
      store.append({ kind: "note", ...more, data: { ticket: "5", text: "x", source: "user" } }, atUs);
      store.append({ kind: "ticket switched", ...more, data: { to: "9", source: "user" } }, atUs);
      store.append({ kind: "ticket switched", ...more, data: { to: "5", source: "agent" } }, atUs);
    });
    Deno.removeSync(file);
    await errands.run();
    await errands.run();
    assert.deepEqual(done, ["create a fix", "note 5 x", "find 9"]);
    Deno.removeSync(folder, { recursive: true });
  });
});

Deno.test("a link in a user's spool's place, or in the place of the folder around it, leads nowhere", () => {
  const root = Deno.makeTempDirSync({ prefix: "links_" });
  const owner = { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
  Deno.mkdirSync(`${root}/home/.ash/spool`, { recursive: true });
  Deno.writeTextFileSync(`${root}/home/.ash/spool/1.shell`, "x");
  Deno.mkdirSync(`${root}/other`);
  Deno.symlinkSync(`${root}/home/.ash`, `${root}/other/.ash`);
  Deno.mkdirSync(`${root}/third/.ash`, { recursive: true });
  Deno.symlinkSync(`${root}/home/.ash/spool`, `${root}/third/.ash/spool`);
  // A home may lie behind a link of root's.
  Deno.symlinkSync(`${root}/home`, `${root}/link`);
  for (const [home, isThere] of [["home", true], ["link", true], ["other", false], ["third", false]]) {
    const folder = { path: `${root}/${home}/.ash/spool`, owner };
    assert.deepEqual(namesIn(folder), isThere ? ["1.shell"] : undefined);
    assert.equal(look({ folder, name: "1.shell" })?.size, isThere ? 1 : undefined);
    if (!isThere) assert.throws(() => inFolder(folder, () => 0), Deno.errors.NotFound);
  }
  // What is entered stays what it was.
  const folder = { path: `${root}/home/.ash/spool`, owner };
  inFolder(folder, () => {
    Deno.renameSync(`${root}/home/.ash`, `${root}/home/away`);
    Deno.symlinkSync("/proc", `${root}/home/.ash`);
    assert.deepEqual(namesIn(folder), ["1.shell"]);
  });
  assert.equal(namesIn(folder), undefined);
  Deno.removeSync(root, { recursive: true });
});

Deno.test("a user who has no spool of her own, or a link in its place, is nothing to complain of", () => {
  using at = new SpoolsAndEvidence();
  Deno.removeSync(at.own.path);
  assert.deepEqual(at.run().unreadable, []);
  Deno.symlinkSync("/proc", at.own.path);
  assert.deepEqual(at.run().unreadable, []);
});

Deno.test("a folder that may not be entered is complained of once, not each half minute", () => {
  using at = new SpoolsAndEvidence();
  // Not a file system that homes lie on: the kernel may take as long as it likes there.
  const folder = { path: "/proc/nobody/.ash/spool", owner: at.own.owner };
  assert.match(at.run([{ folder }]).unreadable[0]?.reason ?? "", /is on proc, which may not answer/);
  for (const _ of [1, 2]) assert.deepEqual(at.run([{ folder }]).unreadable, []);
});

Deno.test("the home of Debian's user sys, /dev, is nothing to complain of", () => {
  using at = new SpoolsAndEvidence();
  const folder = { path: "/dev/.ash/spool", owner: at.own.owner };
  assert.deepEqual(at.run([{ folder }]).unreadable, []);
});

Deno.test("a session that began without the agent, though that was there, says so", () => {
  using at = new SpoolsAndEvidence();
  for (const atUs of [at.takeIn.sinceUs - 1, at.takeIn.sinceUs + 1]) {
    const session = newSessionId();
    at.addOwn(`${session}.session`, say(opened({ session, uid: at.uid, atUs })));
    at.run();
  }
  const late = at.data("agent").filter(({ what }) => what === "late");
  assert.deepEqual(late.map(({ served }) => served), [undefined, true]);
});

Deno.test("a hole that is larger than anybody's record is passed over, and what comes behind it is read", () => {
  using at = new SpoolsAndEvidence();
  const name = `${GONE.pid}-1.shell`;
  at.addOwn(name, shell());
  Deno.truncateSync(`${at.own.path}/${name}`, MOST_OWN_BYTES + 10_000);
  at.run();
  assert.deepEqual(at.commands(), []);
  at.addOwn(name, ...command(1, "behind it"));
  at.run();
  assert.deepEqual(at.commands().map(({ text }) => text), ["behind it"]);
  assert.equal(at.tampers().filter(({ what }) => what === "capped").length, 1);
});

testThatNeeds(
  ["perl"],
  "a lease on a file holds nobody up, is noticed, and keeps nothing back for good",
  async () => {
    using at = new SpoolsAndEvidence();
    const name = `${GONE.pid}-1.shell`;
    at.addOwn(name, shell(), ...command(1, "leased"));
    // F_SETLEASE, F_WRLCK; who holds a lease is to give it back when told to, and does not.
    const script =
      '$SIG{IO} = "IGNORE"; open my $f, "<", $ARGV[0] or die; fcntl($f, 1024, 1) or die "$!"; $| = 1; print "x"; sleep 1000';
    const child = new Deno.Command("perl", {
      args: ["-e", script, `${at.own.path}/${name}`],
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    assert.equal((await reader.read()).value?.length, 1);
    at.run();
    assert.deepEqual(at.commands(), []);
    assert.deepEqual(at.tampers().map(({ why }) => why), [{ "it cannot be read": 1 }]);
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
    at.run();
    assert.deepEqual(at.commands().map(({ text }) => text), ["leased"]);
  },
);

Deno.test("a session that has more said of it than anyone reads can still be closed, and no more", () => {
  const hostSpool = Deno.makeTempDirSync({ prefix: "full_" });
  const sessions = new Sessions({ hostSpool });
  const opening = openingOf(Deno.pid);
  const file = `${hostSpool}/${opening.session}.session`;
  Deno.writeTextFileSync(file, "");
  sessions.note(opening, file);
  const session = sessions.get(opening.session);
  assert.ok(session);
  const note = { kind: "note", session: opening.session, atUs: 1, ticket: "1", text: "x" } as const;
  sessions.say(session, note);
  Deno.truncateSync(file, 17 * 1024 * 1024);
  assert.throws(() => sessions.say(session, note), /no more room/);
  assert.equal(sessions.close(opening.session, "logout"), true);
  Deno.removeSync(hostSpool, { recursive: true });
});
