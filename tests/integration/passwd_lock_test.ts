/** The lock of the accounts, shared with shadow's own tools in a Debian of the test's own. */

import assert from "node:assert/strict";
import { NoAccountsLockError, withAccountsLocked } from "../../src/posix/account_lock.ts";
import { debianRoot } from "../support/debian_root.ts";
import { testThatNeeds } from "../support/needs.ts";
import { until } from "../support/sshd.ts";

const NEEDS = ["root", "debootstrap", "nsenter"] as const;

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
{
  const root = Deno.makeTempDirSync();
  Deno.mkdirSync(`${root}/etc`);
  withAccountsLocked(() => 0, root);
  Deno.removeSync(root, { recursive: true });
}

testThatNeeds(NEEDS, "whoever edits passwd with vipw is waited for, and named", async () => {
  await using debian = await debianRoot();
  const [program = "", ...args] = [...debian.inside, "env", "EDITOR=/editor", "vipw"];
  await Deno.writeTextFile(`${debian.root}/editor`, "#!/bin/sh\necho open; cat > /dev/null\n", {
    mode: 0o755,
  });
  const vipw = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "null" }).spawn();
  const reader = vipw.stdout.getReader();
  assert.match(new TextDecoder().decode((await reader.read()).value), /open/);
  assert.throws(
    () => withAccountsLocked(() => assert.fail("it was not locked"), debian.root, 200),
    (error) =>
      error instanceof NoAccountsLockError && /changed by vipw \(process [0-9]+\)/.test(error.message),
  );
  await vipw.stdin.close();
  await reader.cancel();
  await vipw.status;
  assert.equal(withAccountsLocked(() => "ours", debian.root), "ours");
});

testThatNeeds(NEEDS, "usermod waits until passwd is ours no more", async () => {
  await using debian = await debianRoot();
  await debian.succeed(["useradd", "--shell", "/bin/sh", "alice"]);
  const passwd = `${debian.root}/etc/passwd`;
  const lock = Deno.statSync(`${debian.root}/etc/.pwd.lock`).ino;
  const isWaitedFor = () =>
    Deno.readTextFileSync("/proc/locks").split("\n").some((line) =>
      / -> /.test(line) && line.includes(`:${lock} `)
    );
  const before = Deno.readTextFileSync(passwd);
  const [program = "", ...args] = [...debian.inside, "usermod", "--shell", "/bin/bash", "alice"];
  const usermod = withAccountsLocked(() => {
    const child = new Deno.Command(program, { args, stdout: "null", stderr: "inherit" }).spawn();
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let i = 0; i < 1000 && !isWaitedFor(); i++) Atomics.wait(pause, 0, 0, 10);
    assert.equal(isWaitedFor(), true, "usermod never asked for the lock");
    assert.equal(Deno.readTextFileSync(passwd), before);
    return child;
  }, debian.root);
  assert.equal((await usermod.status).code, 0);
  assert.match(Deno.readTextFileSync(passwd), /^alice:.*:\/bin\/bash$/m);
});

testThatNeeds(NEEDS, "shadow's own lock file counts as long as its process is there", async () => {
  await using debian = await debianRoot();
  const holder = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  // With a NUL behind it, as shadow writes it.
  await Deno.writeTextFile(`${debian.root}/etc/passwd.lock`, `${holder.pid}\0`);
  const ours = () => withAccountsLocked(() => "ours", debian.root, 100);
  await until(
    "sleep runs",
    () => Promise.resolve(Deno.readTextFileSync(`/proc/${holder.pid}/comm`) === "sleep\n"),
  );
  assert.throws(ours, /changed by sleep \(process [0-9]+\) \(.*passwd\.lock\)/);
  holder.kill();
  await holder.status;
  assert.equal(ours(), "ours", "a process that is gone has no lock");
  assert.ok(Deno.statSync(`${debian.root}/etc/passwd.lock`).isFile, "shadow clears it away by itself");
});

Deno.test("where no lock can be made, that is said", () => {
  const root = Deno.makeTempDirSync();
  try {
    assert.throws(() => withAccountsLocked(() => 0, root), NoAccountsLockError);
  } finally {
    Deno.removeSync(root);
  }
});
