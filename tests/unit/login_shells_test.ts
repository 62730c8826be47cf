import assert from "node:assert/strict";
import fc from "fast-check";
import { mappedShell } from "../../src/config/policy.ts";
import { recordChange } from "../../src/install/journal.ts";
import {
  type BeforeLoginShells,
  type LoginShells,
  loginShells,
  loginShellsChange,
} from "../../src/install/kinds/login_shells.ts";
import { chooseUsers } from "../../src/install/people.ts";
import { AccountsRoot, bytesOf } from "../support/accounts_root.ts";
import { testThatNeeds } from "../support/needs.ts";
import { run } from "../support/run.ts";

const KIND = new URL("../../src/install/kinds/login_shells.ts", import.meta.url).href;
const HELLO = "/usr/bin/hello-srvaudit";
const PASSWD = "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\n" +
  "bob:x:1001:1001::/home/bob:/usr/bin/zsh\n";

interface Made {
  args: LoginShells;
  before: BeforeLoginShells;
}

/** As the installer does it, without its journal. */
async function give(root: AccountsRoot, names: string[]): Promise<Made> {
  const change = loginShellsChange(
    root.target,
    chooseUsers(root.target, { who: "users", names }).users,
  );
  assert.ok(change);
  const before = await change.kind.before(root.target, change.args);
  recordChange(root.target, {
    run: 1,
    kind: change.kind.kind,
    about: change.about,
    args: change.args,
    before,
  });
  await change.kind.apply(root.target, change.args);
  assert.equal(await change.kind.isDone(root.target, change.args), true);
  return { args: change.args, before };
}

function takeBack(root: AccountsRoot, { args, before }: Made) {
  return loginShells.undo(root.target, args, before);
}

function latin1(root: AccountsRoot): string {
  return String.fromCharCode(...Deno.readFileSync(`${root.path}/etc/passwd`));
}

function nameIn(line: string): string {
  return line.slice(0, line.indexOf(":")).trimStart();
}

/** A line without its seventh field, where it is an account's. */
function allButShell(line: string): string {
  const fields = line.split(":");
  return fields.length === 7 ? fields.slice(0, 6).join(":") : line;
}

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
{
  using root = new AccountsRoot(PASSWD);
  await takeBack(root, await give(root, ["alice"]));
}

Deno.test("users get hello, its map has their own shells, and undoing it leaves /etc as it was", async () => {
  using root = new AccountsRoot(PASSWD);
  const listing = root.listing();
  const made = await give(root, ["alice", "bob"]);
  assert.equal(
    root.read("/etc/passwd"),
    "root:x:0:0:root:/root:/bin/bash\n" +
      `alice:x:1000:1000::/home/alice:${HELLO}\nbob:x:1001:1001::/home/bob:${HELLO}\n`,
  );
  assert.equal(root.read("/etc/srvaudit/shells"), 'alice="/bin/bash"\nbob="/usr/bin/zsh"\n');
  const backups = root.listing().filter((line) => /^etc\/passwd\.srvaudit-\d{4}-\d\d-\d\d /.test(line));
  assert.equal(backups.length, 1);
  assert.ok(backups[0]?.endsWith(PASSWD));
  assert.deepEqual(await takeBack(root, made), []);
  assert.deepEqual(root.listing(), listing);
});

/** The bytes of a text as characters, as `passwd` has them. */
const inBytes = (text: string) => String.fromCharCode(...new TextEncoder().encode(text));

/** Names that are in many lines, so that some are there twice. */
const name = fc.constantFrom("alice", "bob", "carol", "root", "M\xfcller", "svc$");
const shell = fc.constantFrom(
  "/bin/bash",
  inBytes("/bin/my sh\xe4ll"),
  "",
  "/bin/zsh\r",
  "/usr/sbin/nologin",
  HELLO,
);
const gecos = fc.string({ unit: fc.constantFrom("a", "\xe9", "\xff", ",", " ", "\t", "#"), maxLength: 6 });
const account = fc.tuple(fc.constantFrom("", "", "", " ", "#", "+", "-"), name, fc.nat(70_000), gecos, shell)
  .map(([mark, name, uid, gecos, shell]) =>
    `${mark}${inBytes(name)}:x:${uid}:${uid}:${gecos}:/home/x:${shell}`
  );
const odd = fc.constantFrom(
  "",
  "+",
  "+::::::",
  "-bob",
  "# alice:x:1:1::/:/bin/bash",
  "M\xfcller:x:1:1::/:/bin/bash",
  "alice",
  "alice:x:1:1",
  "\r",
  "::::::",
);
const passwd = fc.tuple(
  fc.array(fc.oneof({ weight: 3, arbitrary: account }, odd), { maxLength: 12 }),
  fc.constantFrom("\n", ""),
).map(([lines, end]) => lines.join("\n") + end);
const map = fc.option(
  fc.constantFrom("", "# ours", "# ours\n", 'alice="/bin/zsh"\n', 'bob="/bin/zsh" # his', "bob=oops\r\n"),
  { nil: undefined },
);

Deno.test("whatever passwd and the map look like: shells alone are changed, and all comes back byte for byte", async () => {
  await fc.assert(
    fc.asyncProperty(passwd, map, fc.uniqueArray(name, { minLength: 1 }), async (passwd, map, names) => {
      using root = new AccountsRoot(passwd);
      root.program("/usr/bin/my sh\xe4ll");
      if (map !== undefined) root.write("/etc/srvaudit/shells", map);
      const listing = root.listing();
      const then = passwd.split("\n");
      const there = new Set(then.filter((line) => line.split(":").length === 7).map(nameIn));
      const { users } = chooseUsers(root.target, {
        who: "users",
        names: names.filter((name) => there.has(inBytes(name))),
      });
      // Who has hello by hand is given what she never had: another test's.
      fc.pre(users.length > 0 && !passwd.includes(HELLO));
      const made = await give(root, users.map(({ name }) => name));
      const now = latin1(root).split("\n");
      assert.deepEqual(now.map(allButShell), then.map(allButShell));
      const chosen = new Set(users.map(({ name }) => inBytes(name)));
      now.forEach((line, i) => {
        const isChosen = chosen.has(nameIn(line)) && line.split(":").length === 7;
        assert.equal(line.endsWith(`:${HELLO}`), isChosen, line);
        if (!isChosen) assert.equal(line, then[i]);
      });
      if (!(map ?? "").includes("=")) {
        for (const { name, shell } of users) {
          assert.equal(mappedShell(`${root.path}/etc/srvaudit/shells`, name), shell || "/bin/sh");
        }
      }
      assert.deepEqual(await takeBack(root, made), []);
      assert.deepEqual(root.listing(), listing);
    }),
    { numRuns: 200 },
  );
});

Deno.test("killed after any of its files was written: the next run goes on, and undo leaves /etc as it was", async () => {
  using done = new AccountsRoot(PASSWD);
  await give(done, ["alice", "bob"]);
  const written = done.listing().map((line) => `/${line.split(" ")[0]}`)
    .filter((path) => /shells$|passwd/.test(path))
    .sort((one, other) => Number(one === "/etc/passwd") - Number(other === "/etc/passwd"));
  for (const count of [0, 1, 2, 3]) {
    using root = new AccountsRoot(PASSWD);
    const listing = root.listing();
    const users = () => chooseUsers(root.target, { who: "users", names: ["alice", "bob"] }).users;
    const killed = loginShellsChange(root.target, users());
    assert.ok(killed);
    const { about, args } = killed;
    const before = await loginShells.before(root.target, args);
    recordChange(root.target, { run: 1, kind: loginShells.kind, about, args, before });
    for (const path of written.slice(0, count)) root.write(path, done.read(path));
    const next = loginShellsChange(root.target, users());
    // It is the same change: what was there before is known of it.
    if (count < 3) assert.deepEqual([next?.about, next?.args], [about, args]);
    if (next) await loginShells.apply(root.target, next.args);
    assert.equal(root.read("/etc/passwd"), done.read("/etc/passwd"));
    assert.equal(root.read("/etc/srvaudit/shells"), done.read("/etc/srvaudit/shells"));
    // Of a process that is no more, as the kernel gives no such number.
    const unfinished = ".srvaudit-4194305-0123456789abcdef";
    for (const name of [".passwd", ".passwd.srvaudit-2026-01-31", "srvaudit/.shells"]) {
      root.write(`/etc/${name}${unfinished}`, "");
    }
    assert.deepEqual(await takeBack(root, { args, before }), []);
    assert.deepEqual(root.listing(), listing);
  }
});

Deno.test("undo leaves whom an admin has given another shell since, and lines of the map that she has changed, and says so", async () => {
  using root = new AccountsRoot(PASSWD);
  const made = await give(root, ["alice", "bob"]);
  root.write("/etc/passwd", root.read("/etc/passwd").replace(`/home/bob:${HELLO}`, "/home/bob:/bin/fish"));
  root.write("/etc/srvaudit/shells", root.read("/etc/srvaudit/shells").replace("/usr/bin/zsh", "/bin/fish"));
  assert.deepEqual(await takeBack(root, made), [
    { what: "the shell of bob", why: "it is /bin/fish now" },
    {
      what: `the line of bob in ${root.path}/etc/srvaudit/shells`,
      why: "it has been changed since",
    },
  ]);
  assert.equal(root.read("/etc/passwd"), PASSWD.replace("/usr/bin/zsh", "/bin/fish"));
  assert.equal(root.read("/etc/srvaudit/shells"), 'bob="/bin/fish"\n');
});

Deno.test("undo gives a shell back that is gone meanwhile, and says so", async () => {
  using root = new AccountsRoot(PASSWD);
  const made = await give(root, ["bob"]);
  Deno.removeSync(`${root.path}/usr/bin/zsh`);
  assert.deepEqual(await takeBack(root, made), [
    { what: "the shell of bob", why: "it is /usr/bin/zsh again, which is not there any more" },
  ]);
  assert.equal(root.read("/etc/passwd"), PASSWD);
});

Deno.test("a user who was removed, or renamed, since is no error", async () => {
  using root = new AccountsRoot(PASSWD);
  const made = await give(root, ["alice", "bob"]);
  const renamed = root.read("/etc/passwd").replace(/^alice.*\n/m, "").replace("bob:x", "robert:x");
  root.write("/etc/passwd", renamed);
  assert.deepEqual(await takeBack(root, made), []);
  assert.equal(root.read("/etc/passwd"), renamed);
});

Deno.test("who had hello by hand, and no record of her own shell, is taken over: undo gives her a shell that is there", async () => {
  using root = new AccountsRoot(
    PASSWD.replace("/usr/bin/zsh", HELLO).replace("alice:/bin/bash", "alice:/srv/audit/hello"),
  );
  root.write("/etc/srvaudit/shells", 'bob="/usr/bin/zsh"\n');
  const made = await give(root, ["alice", "bob"]);
  assert.deepEqual(made.args.users, [{ name: "alice", from: "/bin/bash" }, {
    name: "bob",
    from: "/usr/bin/zsh",
  }]);
  assert.deepEqual(await takeBack(root, made), []);
  assert.equal(root.read("/etc/passwd"), PASSWD);
  assert.equal(root.read("/etc/srvaudit/shells"), 'bob="/usr/bin/zsh"\n', "the line that was there stays");
});

Deno.test("of a user who has two lines, both with hello by hand, undo leaves none with it", async () => {
  const line = "alice:x:1000:1000::/home/alice:";
  using root = new AccountsRoot(`${line}/srv/audit/hello\n${line}${HELLO}\n`);
  assert.deepEqual(await takeBack(root, await give(root, ["alice"])), []);
  assert.equal(root.read("/etc/passwd"), `${line}/bin/bash\n${line}/bin/bash\n`);
});

Deno.test("who got hello by an earlier run is not in the next one's change: undoing that leaves her as she is", async () => {
  using root = new AccountsRoot(PASSWD);
  const first = await give(root, ["alice"]);
  const { users } = chooseUsers(root.target, { who: "users", names: ["alice"] });
  assert.equal(loginShellsChange(root.target, users), undefined);
  const second = await give(root, ["alice", "bob"]);
  assert.deepEqual(second.args.users, [{ name: "bob", from: "/usr/bin/zsh" }]);
  await takeBack(root, second);
  assert.ok(root.read("/etc/passwd").includes(`/home/alice:${HELLO}\n`));
  assert.equal(root.listing().filter((line) => line.startsWith("etc/passwd.srvaudit-")).length, 1);
  await takeBack(root, first);
  assert.equal(root.read("/etc/passwd"), PASSWD);
});

Deno.test("a preview shows what is changed, and no hash of a password", async () => {
  using root = new AccountsRoot(PASSWD.replace("alice:x:", "alice:$6$secret:"));
  const change = loginShellsChange(
    root.target,
    chooseUsers(root.target, { who: "users", names: ["alice"] }).users,
  );
  assert.ok(change);
  const shown = JSON.stringify(await change.kind.preview(root.target, change.args));
  assert.ok(shown.includes("hello-srvaudit") && shown.includes("alice=") && !shown.includes("secret"), shown);
  assert.equal(root.read("/etc/passwd").includes("hello"), false);
});

Deno.test("ten thousand users are one rewrite", async () => {
  const lines = Array.from(
    { length: 10_000 },
    (_, i) => `user${i}:x:${1000 + i}:100::/home/user${i}:/bin/bash\n`,
  );
  using root = new AccountsRoot(lines.join(""));
  const names = chooseUsers(root.target, { who: "all" }).users.map(({ name }) => name);
  assert.equal(names.length, 10_000);
  const made = await give(root, names);
  assert.equal(root.read("/etc/passwd").split(`:${HELLO}\n`).length, 10_001);
  assert.deepEqual(await takeBack(root, made), []);
  assert.deepEqual(Deno.readFileSync(`${root.path}/etc/passwd`), bytesOf(lines.join("")));
});

Deno.test("an account that was closed since it was chosen stays closed, and nobody gets hello", () => {
  using root = new AccountsRoot(PASSWD);
  const { users } = chooseUsers(root.target, { who: "users", names: ["alice", "bob"] });
  const change = loginShellsChange(root.target, users);
  assert.ok(change);
  const closed = PASSWD.replace("/usr/bin/zsh", "/usr/sbin/nologin");
  root.write("/etc/passwd", closed);
  assert.throws(
    () => change.kind.apply(root.target, change.args),
    /shell of bob was \/usr\/bin\/zsh when this began, and is \/usr\/sbin\/nologin now: nobody was given hello/,
  );
  assert.equal(root.read("/etc/passwd"), closed);
  // The map, too: what it has is never written over.
  assert.throws(() => root.read("/etc/srvaudit/shells"), Deno.errors.NotFound);
});

testThatNeeds(
  ["root", "unshare"],
  "a disk that somebody has filled keeps nobody from her own shell",
  async () => {
    using root = new AccountsRoot(PASSWD);
    const made = await give(root, ["alice", "bob"]);
    const script =
      'mount -t tmpfs -o mode=755 tmpfs "$2" && cp -a "$1/etc/." "$2" && mount --move "$2" "$1/etc" && ' +
      'mount -o remount,size=12k "$1/etc"; "$3" eval "$4" "$1" "$5"; cat "$1/etc/passwd"';
    const undo = `const { loginShells } = await import("${KIND}");
    const { target, args, before } = JSON.parse(Deno.args[1]);
    try { await loginShells.undo(target, args, before); } catch (error) { console.error(error.message); }`;
    const words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", root.path];
    const folder = `${root.path}/mounted`;
    Deno.mkdirSync(folder);
    const facts = JSON.stringify({ target: root.target, ...made });
    const { text, errors } = await run([...words, folder, Deno.execPath(), undo, facts], {
      env: { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" },
    });
    assert.equal(text, PASSWD);
    assert.equal(errors, "");
  },
);
