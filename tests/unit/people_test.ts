import assert from "node:assert/strict";
import type { Who } from "../../src/install/answers.ts";
import { chooseUsers } from "../../src/install/people.ts";
import { AccountsRoot } from "../support/accounts_root.ts";

const PASSWD = `root:x:0:0:root:/root:/bin/bash
toor:x:0:0::/root:/bin/bash
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
postgres:x:114:120::/var/lib/postgresql:/bin/bash
alice:x:1000:1000::/home/alice:/bin/bash
bob:x:1001:1001::/home/bob:/usr/bin/zsh
carol:x:1002:1002::/home/carol:/usr/bin/fish
dave:x:1003:1003::/home/dave:/usr/sbin/nologin
erin:x:1004:1004::/home/erin:/opt/gone/bash
frank:x:1005:1000::/home/frank:
alice:x:1006:1006::/home/other:/usr/bin/zsh
grace:x:1007:1007::/home/grace:/usr/bin/hello-srvaudit
nobody:x:65534:65534::/nonexistent:/bin/bash
+::::::
`;

function choose(root: AccountsRoot, who: Who): [chosen: string, left: string] {
  const { users, left } = chooseUsers(root.target, who);
  return [
    users.map(({ name, shell }) => `${name} ${shell}`).join("; "),
    left.map(({ name, why }) => `${name} ${why}`).join("; "),
  ];
}

// What asks NSS opens libc, which stays open: not within a test, which must leave nothing behind.
for (
  const who of [{ who: "users", names: ["no-such-user"] }, { who: "group", group: "no-such-group" }] as const
) {
  using root = new AccountsRoot(PASSWD);
  root.write("/etc/group", "");
  assert.throws(() => chooseUsers({ ...root.target, root: "" }, who));
}

Deno.test("all are the people whose shell is bash or zsh; the others are named, with the reason", () => {
  using root = new AccountsRoot(PASSWD);
  assert.deepEqual(choose(root, { who: "all" }), [
    "alice /bin/bash; bob /usr/bin/zsh; grace /bin/bash",
    "carol has another shell: /usr/bin/fish; --users takes her too; " +
    "dave cannot log in: her shell is /usr/sbin/nologin; " +
    "erin has a shell that is not there: /opt/gone/bash; " +
    "frank has another shell: /bin/sh; --users takes her too",
  ]);
});

Deno.test("whose uid is a person's, login.defs says", () => {
  using root = new AccountsRoot(PASSWD);
  root.write("/etc/login.defs", "# UID_MIN 1\nUID_MIN\t\t  1001\nUID_MAX 0x3E9\nSYS_UID_MIN 100\n");
  assert.equal(choose(root, { who: "all" })[0], "bob /usr/bin/zsh");
  root.write("/etc/login.defs", "UID_MIN 0\nUID_MAX 114\n");
  assert.equal(choose(root, { who: "all" })[0], "postgres /bin/bash", "root must be named");
});

Deno.test("a group's are its members, and those whose own group it is; root's uid never", () => {
  using root = new AccountsRoot(PASSWD);
  root.write("/etc/group", "alice:x:1000:\nops:x:2000:bob,root,toor,ldapuser\n");
  assert.deepEqual(choose(root, { who: "group", group: "ops" }), [
    "bob /usr/bin/zsh",
    "root has root's uid: she must be named by --users; toor has root's uid: she must be named by --users; " +
    "ldapuser is not in /etc/passwd: passwd cannot give it a shell, --force-command can give it hello",
  ]);
  assert.equal(choose(root, { who: "group", group: "alice" })[0], "alice /bin/bash; frank ");
  assert.throws(() => choose(root, { who: "group", group: "none" }), /there is no group none/);
});

Deno.test("users are taken by their names: root too, and whatever shell lets them in", () => {
  using root = new AccountsRoot(PASSWD);
  assert.deepEqual(choose(root, { who: "users", names: ["root", "carol", "dave", "carol"] }), [
    "root /bin/bash; carol /usr/bin/fish",
    "dave cannot log in: her shell is /usr/sbin/nologin",
  ]);
  assert.throws(
    () => choose(root, { who: "users", names: ["alice", "zoe", "yan"] }),
    /there is no user zoe, yan/,
  );
});

Deno.test("who has hello already, by whatever path, has the shell that was recorded, or hello's own map, or the default", () => {
  const hellos = [
    "/usr/bin/hello-srvaudit",
    "/opt/srvaudit/lib/srvaudit/hello",
    "/srv/audit/hello",
    "/opt/my-link",
  ];
  using root = new AccountsRoot(hellos.map((shell, i) => `u${i}:x:${1000 + i}:1::/:${shell}\n`).join(""));
  Deno.mkdirSync(`${root.path}/opt`);
  Deno.symlinkSync("/usr/lib/srvaudit/srvaudit", `${root.path}/opt/my-link`);
  Deno.mkdirSync(`${root.path}/usr/lib/srvaudit`, { recursive: true });
  const users = (): string => choose(root, { who: "users", names: ["u0", "u1", "u2", "u3"] })[0];
  assert.equal(users(), "u0 /bin/bash; u1 /bin/bash; u2 /bin/bash; u3 /bin/bash");
  root.write("/etc/srvaudit/config", 'defaultShell="/bin/sh"\n');
  root.write("/etc/srvaudit/shells", 'u0="/usr/bin/fish"\nu1="/usr/bin/zsh"\nu3="oops\n');
  assert.equal(users(), "u0 /usr/bin/fish; u1 /usr/bin/zsh; u2 /bin/sh; u3 /bin/sh");
  Deno.mkdirSync(`${root.path}/var/lib/srvaudit`);
  const change = { kind: "login shells", args: { users: [{ name: "u0", from: "" }], to: "x" } };
  root.write("/var/lib/srvaudit/install.journal", `broken\n${JSON.stringify(change)}\n{"torn`);
  assert.equal(users(), "u0 ; u1 /usr/bin/zsh; u2 /bin/sh; u3 /bin/sh");
});

Deno.test("a name that hello's map cannot hold is left as it is, and said", () => {
  using root = new AccountsRoot("a=b:x:1000:1::/:/bin/bash\nc\\d:x:1001:1::/:/bin/bash\n");
  assert.deepEqual(choose(root, { who: "all" }), [
    "c\\d /bin/bash",
    "a=b has a name, or a shell, that cannot stand in /etc/srvaudit/shells",
  ]);
});
