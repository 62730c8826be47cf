import assert from "node:assert/strict";
import { SilenceWatch } from "../../src/agent/silence.ts";
import { processOf } from "../../src/posix/process.ts";
import { start } from "../support/pty.ts";
import { until } from "../support/sshd.ts";

const READY = /READY> $/;

/** A bash with no hook, on a terminal. */
async function bash() {
  const terminal = start("bash", ["--norc", "--noprofile", "-i"], {
    PS1: "READY> ",
    PATH: "/usr/bin:/bin",
    TERM: "dumb",
  });
  await terminal.expect(READY);
  await terminal.send("echo pid=$$\r");
  const pid = Number(/pid=([0-9]+)/.exec(await terminal.expect(/pid=[0-9]+/))?.[1]);
  await terminal.expect(READY);
  return { terminal, pid, startTicks: processOf(pid)?.startTicks ?? 0 };
}

Deno.test("a program in the foreground that no command on record speaks of is told of, once", async () => {
  const { terminal, pid, startTicks } = await bash();
  await using _ = terminal;
  const watch = new SilenceWatch(0);
  const shell = { key: "one", pid, startTicks, isRunning: false, isLeaving: false, hasUnread: () => false };
  assert.deepEqual(watch.check([shell]), [], "a shell at its prompt");
  for (const program of ["sleep 1000", "sleep 2000"]) {
    await terminal.send(`${program}\r`);
    // Before its execve it is still a bash.
    await until(program, () => Promise.resolve(new SilenceWatch(0).check([shell])[0]?.program === program));
    const [found] = watch.check([shell]);
    assert.deepEqual([found?.key, found?.program], ["one", program]);
    assert.deepEqual(watch.check([shell]), [], "the same one again");
    await terminal.send("\x03");
    await terminal.expect(READY);
  }
});

Deno.test("a command that is on record, one in the background, and a young one are nobody's concern", async () => {
  const { terminal, pid, startTicks } = await bash();
  await using _ = terminal;
  const shell = { key: "one", pid, startTicks, isRunning: false, isLeaving: false, hasUnread: () => false };
  await terminal.send("sleep 1000 & echo started\r");
  await terminal.expect(/^started/m);
  await terminal.expect(READY);
  assert.deepEqual(new SilenceWatch(0).check([shell]), [], "in the background");
  await terminal.send("sleep 1001\r");
  await until(
    "a program in the foreground",
    () => Promise.resolve(new SilenceWatch(0).check([shell]).length > 0),
  );
  assert.deepEqual(new SilenceWatch(0).check([{ ...shell, isRunning: true }]), [], "on record");
  assert.deepEqual(new SilenceWatch(0).check([{ ...shell, hasUnread: () => true }]), [], "perhaps on record");
  assert.deepEqual(new SilenceWatch(3600).check([shell]), [], "young");
  assert.deepEqual(
    new SilenceWatch(0).check([{ ...shell, startTicks: startTicks - 1 }]),
    [],
    "another shell",
  );
});

Deno.test("the logout dialogue of a shell that ends is ours, and any other program in it is not", async () => {
  const { terminal, pid, startTicks } = await bash();
  await using _ = terminal;
  const shell = { key: "one", pid, startTicks, isRunning: false, isLeaving: true, hasUnread: () => false };
  await terminal.send("sleep 1000\r");
  const found = (own: string, one = shell) => new SilenceWatch(0, own).check([one])[0]?.program;
  await until("a program in the foreground", () => Promise.resolve(found("/none") === "sleep 1000"));
  const sleep = await Deno.realPath("/usr/bin/sleep");
  assert.equal(found(sleep), undefined);
  assert.equal(found(sleep, { ...shell, isLeaving: false }), "sleep 1000", "a shell that goes on");
});
