import assert from "node:assert/strict";
import fc from "fast-check";
import { LoginShellWatch } from "../../src/agent/login_shell_watch.ts";
import { compareShells, type PasswdShell, type ShellKnowledge } from "../../src/agent/login_shells.ts";
import type { KnownShell } from "../../src/evidence/login_shell_rows.ts";
import { EvidenceError } from "../../src/evidence/evidence_error.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { giveOnRecord } from "../../src/install/give_on_record.ts";
import { giveShellsBack } from "../../src/install/give_shells_back.ts";
import { recordBegin, recordChange, recordFinish } from "../../src/install/journal.ts";
import { loginShells, loginShellsChange } from "../../src/install/kinds/login_shells.ts";
import { chooseUsers } from "../../src/install/people.ts";
import { Inotify } from "../../src/posix/inotify.ts";
import { effectiveUid } from "../../src/posix/libc.ts";
import { Poller } from "../../src/posix/poller.ts";
import { AccountsRoot } from "../support/accounts_root.ts";

const HELLO = "/usr/bin/hello-srvaudit";
const PASSWD = "root:x:0:0:root:/root:/bin/bash\n" +
  "alice:x:1000:1000::/home/alice:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/zsh\n";

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
{
  using root = new AccountsRoot(PASSWD.replace("/bin/zsh", HELLO));
  giveShellsBack(root.target);
  effectiveUid();
  new Inotify()[Symbol.dispose]();
  new Poller()[Symbol.dispose]();
}

/** Evidence that can be made to refuse, as on a full disk. */
class FullStore extends EvidenceStore {
  isFull = false;

  override transaction<Result>(work: () => Result): Result {
    return super.transaction(() => {
      const result = work();
      if (this.isFull) throw new EvidenceError(this.file, "full");
      return result;
    });
  }
}

/** A host whose passwd is looked at. */
class WatchedHost implements Disposable {
  readonly root = new AccountsRoot(PASSWD);
  readonly state = `${this.root.path}/var/lib/srvaudit`;
  store = this.#open();
  watch = this.#begin();
  readonly failures: unknown[] = [];
  #said = 0;

  #open(): FullStore {
    Deno.mkdirSync(this.state, { recursive: true, mode: 0o700 });
    return new FullStore(`${this.state}/evidence.db`);
  }

  #begin(): LoginShellWatch {
    const places = { accounts: `${this.root.path}/etc/passwd`, state: this.state };
    return new LoginShellWatch(places, {
      store: this.store,
      onNews: () => {},
      failed: (error) => this.failures.push(error),
    });
  }

  /** What the agent was told while it did not run, it hears at its next start. */
  restart(): void {
    this.store[Symbol.dispose]();
    this.store = this.#open();
    this.watch = this.#begin();
  }

  /** As usermod(8) does it. */
  shell(name: string, shell: string): void {
    const passwd = this.root.read("/etc/passwd").replace(
      new RegExp(`^(${name}:.*:)[^:\n]*$`, "m"),
      `$1${shell}`,
    );
    this.root.write("/etc/passwd+", passwd);
    Deno.renameSync(`${this.root.path}/etc/passwd+`, `${this.root.path}/etc/passwd`);
  }

  /** As `srvaudit install --users` does it, without all else. */
  async install(run: number, ...names: string[]): Promise<void> {
    const { target } = this.root;
    const { users } = chooseUsers(target, { who: "users", names });
    const change = loginShellsChange(target, users);
    assert.ok(change);
    const { about, args } = change;
    recordBegin(target, run, "1");
    const before = await change.kind.before(target, args);
    recordChange(target, { run, kind: change.kind.kind, about, args, before });
    await change.kind.apply(target, args);
    recordFinish(target, run);
  }

  /** Looks, and gives what is new in evidence. */
  async news(): Promise<unknown[]> {
    await this.watch.check();
    const rows = this.store.database.prepare(
      "select seq, kind, uid, data from event where seq > ? order by seq",
    ).all(this.#said);
    this.#said = Number(rows.at(-1)?.seq ?? this.#said);
    return rows.map(({ kind, uid, data }) => [kind, uid, JSON.parse(String(data))]);
  }

  [Symbol.dispose](): void {
    this.store[Symbol.dispose]();
    this.root[Symbol.dispose]();
  }
}

function lost(name: string, uid: number, to: string, from = HELLO): unknown[] {
  const words = `the login shell of ${name} was changed from ${from} to ${to}`;
  return ["tamper", uid, { what: "login shell", words }];
}

Deno.test("who leaves hello is said once, and again when she has got it again and left it", async () => {
  using host = new WatchedHost();
  assert.deepEqual(await host.news(), []);
  host.shell("bob", HELLO);
  assert.deepEqual(await host.news(), []);
  host.shell("bob", "/bin/bash");
  assert.deepEqual(await host.news(), [lost("bob", 1001, "/bin/bash")]);
  host.shell("bob", "/bin/zsh");
  host.shell("alice", "/bin/zsh");
  assert.deepEqual(await host.news(), []);
  host.restart();
  assert.deepEqual(await host.news(), []);
  host.shell("bob", "/srv/audit/hello");
  assert.deepEqual(await host.news(), []);
  host.shell("bob", "");
  assert.deepEqual(await host.news(), [lost("bob", 1001, "/bin/sh", "/srv/audit/hello")]);
});

Deno.test("who leaves hello while no agent runs is said when one starts", async () => {
  using host = new WatchedHost();
  host.shell("bob", HELLO);
  await host.news();
  host.shell("bob", "/bin/bash");
  host.restart();
  assert.deepEqual(await host.news(), [lost("bob", 1001, "/bin/bash")]);
  host.restart();
  assert.deepEqual(await host.news(), []);
});

Deno.test("who was given hello by srvaudit install, and left it before any agent ran, is said", async () => {
  using host = new WatchedHost();
  await host.install(1, "bob");
  host.shell("bob", "/bin/bash");
  assert.deepEqual(await host.news(), [lost("bob", 1001, "/bin/bash")]);
  host.restart();
  assert.deepEqual(await host.news(), []);
});

Deno.test("whom an installer that is still at it, or was killed, was to give hello has left nothing", async () => {
  using host = new WatchedHost();
  const args = { users: [{ name: "bob", from: "/bin/zsh" }], to: HELLO };
  const { target } = host.root;
  recordBegin(target, 1, "1");
  recordChange(target, { run: 1, kind: "login shells", about: "bob", args, before: null });
  assert.deepEqual(await host.news(), []);
});

Deno.test("whom srvAudit itself gives her shell back has not left it; who leaves it then has", async () => {
  using host = new WatchedHost();
  await host.install(1, "alice", "bob");
  assert.deepEqual(await host.news(), []);
  giveShellsBack(host.root.target);
  const by = "srvaudit ";
  assert.deepEqual(await host.news(), [
    ["agent", null, { what: "shells given back", by, users: "alice bob" }],
  ]);
  host.restart();
  assert.deepEqual(await host.news(), []);
  // That she was given the same shell by us once tells nothing of the next time.
  host.shell("bob", HELLO);
  await host.news();
  host.shell("bob", "/bin/zsh");
  assert.deepEqual(await host.news(), [lost("bob", 1001, "/bin/zsh")]);
});

Deno.test("what is undone while no agent runs, and then installed again, is nobody's tampering", async () => {
  using host = new WatchedHost();
  const { target } = host.root;
  const change = loginShellsChange(target, chooseUsers(target, { who: "users", names: ["bob"] }).users);
  assert.ok(change);
  const before = await loginShells.before(target, change.args);
  await loginShells.apply(target, change.args);
  await host.news();
  await loginShells.undo(target, change.args, before);
  host.shell("alice", HELLO);
  host.restart();
  assert.deepEqual(await host.news(), [
    ["agent", null, { what: "shells given back", by: "srvaudit ", users: "bob" }],
  ]);
});

Deno.test("a shell that could not be given back is not laid to us when she takes it by herself", async () => {
  using host = new WatchedHost();
  host.shell("bob", HELLO);
  await host.news();
  const [now, then] = ["/usr/bin/hello-srvaudit", "/bin/zsh"].map((shell) =>
    new TextEncoder().encode(PASSWD.replace("/bin/zsh", shell))
  );
  assert.ok(now && then);
  const refuse = () => {
    throw new Error("the disk is full");
  };
  assert.throws(() => giveOnRecord(host.root.target, now, then, refuse), /full/);
  host.shell("bob", "/bin/zsh");
  assert.deepEqual(await host.news(), [lost("bob", 1001, "/bin/zsh")]);
});

Deno.test("a closed account is nobody's leaving, until it is opened with another shell", async () => {
  using host = new WatchedHost();
  host.shell("bob", HELLO);
  await host.news();
  for (const closed of ["/usr/sbin/nologin", "/bin/false"]) {
    host.shell("bob", closed);
    assert.deepEqual(await host.news(), []);
  }
  host.root.write("/etc/passwd", PASSWD.replace(/^bob.*\n/m, ""));
  assert.deepEqual(await host.news(), []);
  host.root.write("/etc/passwd", PASSWD);
  assert.deepEqual(await host.news(), [lost("bob", 1001, "/bin/zsh")]);
});

Deno.test("who leaves hello for a moment, and is back before the second is over, is said", async () => {
  using host = new WatchedHost();
  using poller = new Poller();
  host.shell("bob", HELLO);
  host.watch.begin(poller);
  host.shell("bob", "/bin/bash");
  await poller.turn(Infinity);
  host.shell("bob", HELLO);
  await poller.turn(Infinity);
  assert.deepEqual(await host.news(), [lost("bob", 1001, "/bin/bash")]);
  // Others' files of the same folder say nothing, and passwd that is not there is waited for.
  host.root.write("/etc/hostname", "web01\n");
  Deno.removeSync(`${host.root.path}/etc/passwd`);
  await poller.turn(Infinity);
  assert.deepEqual(await host.news(), []);
  assert.deepEqual(host.failures, []);
  host.watch[Symbol.dispose]();
});

Deno.test("where the kernel tells of no change, each second will do", async () => {
  using host = new WatchedHost();
  using poller = new Poller();
  const places = { accounts: "/nowhere/at/all/passwd", state: host.state };
  using watch = new LoginShellWatch(places, {
    store: host.store,
    onNews: () => {},
    failed: assert.ifError,
  });
  watch.begin(poller);
  await watch.check();
});

Deno.test("what cannot be put in evidence is tried again, and is there once", async () => {
  using host = new WatchedHost();
  host.shell("bob", HELLO);
  await host.news();
  host.shell("bob", "/bin/bash");
  host.store.isFull = true;
  await assert.rejects(host.watch.check(), EvidenceError);
  await assert.rejects(host.watch.check(), EvidenceError);
  host.store.isFull = false;
  assert.deepEqual(await host.news(), [lost("bob", 1001, "/bin/bash")]);
  assert.deepEqual(await host.news(), []);
});

Deno.test("a tool that takes hello from everybody is one event", async () => {
  using host = new WatchedHost();
  const users = Array.from({ length: 30 }, (_, i) => `u${i}`);
  const passwd = (shell: string) =>
    users.map((name, i) => `${name}:x:${2000 + i}:100::/h:${shell}\n`).join("");
  host.root.write("/etc/passwd", PASSWD + passwd(HELLO));
  await host.news();
  host.root.write("/etc/passwd", PASSWD + passwd("/bin/bash"));
  assert.deepEqual(await host.news(), [["tamper", null, {
    what: "login shell",
    words: "the login shells of 30 users were changed from hello to others",
    users: users.join(" "),
  }]]);
});

Deno.test("a passwd that is not there for a moment, or a journal that is none, stops nothing", async () => {
  using host = new WatchedHost();
  host.shell("bob", HELLO);
  Deno.writeTextFileSync(`${host.state}/install.journal`, "no journal\n");
  await host.news();
  Deno.removeSync(`${host.root.path}/etc/passwd`);
  assert.deepEqual(await host.news(), []);
  host.root.write("/etc/passwd", PASSWD);
  assert.deepEqual(await host.news(), [lost("bob", 1001, "/bin/zsh")]);
});

Deno.test("compareShells() says each loss once, however shells change", () => {
  const shells = [HELLO, "/srv/audit/hello", "/bin/bash", "/bin/zsh", "", "/bin/false"];
  const isHello = (shell: string) => shell.includes("hello");
  const step = fc.tuple(fc.constantFrom("a", "b", "__proto__"), fc.constantFrom(...shells));
  fc.assert(fc.property(fc.array(step), (steps) => {
    const passwd = new Map<string, PasswdShell>();
    const known = new Map<string, KnownShell>();
    const hadHello = new Map<string, boolean>();
    steps.forEach(([name, shell], i) => {
      passwd.set(name, { name, uid: 1, shell });
      const knowledge: ShellKnowledge = { known, installed: new Map(), given: [], isHello, nowUs: i };
      const news = compareShells(passwd.values(), knowledge);
      const isLoss = hadHello.get(name) === true && !isHello(shell) && shell !== "/bin/false";
      assert.deepEqual(news.lost.map((lost) => [lost.name, lost.shell]), isLoss ? [[name, shell]] : []);
      if (shell !== "/bin/false") hadHello.set(name, isHello(shell));
      news.known.forEach((each) => known.set(each.name, each));
      assert.deepEqual(compareShells(passwd.values(), knowledge), { known: [], lost: [] });
    });
  }));
});

Deno.test("of several lines of a name the first one counts", () => {
  const known = new Map([["bob", { name: "bob", shell: HELLO, isHello: true, sinceUs: 0 }]]);
  const knowledge = {
    known,
    installed: new Map(),
    given: [],
    isHello: (shell: string) => shell === HELLO,
    nowUs: 1,
  };
  const line = (shell: string) => ({ name: "bob", uid: 1, shell });
  assert.deepEqual(compareShells([line(HELLO), line("/bin/bash")], knowledge).lost, []);
  assert.equal(compareShells([line("/bin/bash"), line(HELLO)], knowledge).lost.length, 1);
});
