import assert from "node:assert/strict";
import { SilenceWatch } from "../../src/agent/silence.ts";
import { processOf } from "../../src/posix/process.ts";
import { editsLinesItself } from "../../src/posix/terminal_modes.ts";
import { testThatNeeds } from "../support/needs.ts";
import { start } from "../support/pty.ts";
import { until } from "../support/sshd.ts";

// libc, opened at the first look at a terminal, is no leak of a test's.
editsLinesItself("/dev/null");

// deno-lint-ignore no-control-regex -- zsh switches bracketed paste on
const READY = /READY> (\x1b\[\?2004h)?$/;

/** A shell with no hook, on a terminal. */
async function bash(program = "bash", args: readonly string[] = ["--norc", "--noprofile", "-i"]) {
  const terminal = start(program, args, {
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
  const shell = { key: "one", pid, startTicks, running: null, isLeaving: false, hasUnread: () => false };
  assert.deepEqual(watch.check([shell]), [], "a shell at its prompt");
  for (const program of ["sleep 1000", "sleep 2000"]) {
    await terminal.send(`${program}\r`);
    // Before its execve it is still a bash.
    await until(
      program,
      () => Promise.resolve(new SilenceWatch(0).check([shell])[0]?.program?.commandLine === program),
    );
    const [found] = watch.check([shell]);
    assert.deepEqual([found?.key, found?.program?.commandLine], ["one", program]);
    assert.deepEqual(watch.check([shell]), [], "the same one again");
    await terminal.send("\x03");
    await terminal.expect(READY);
  }
});

Deno.test("a command that is on record, one in the background, and a young one are nobody's concern", async () => {
  const { terminal, pid, startTicks } = await bash();
  await using _ = terminal;
  const shell = { key: "one", pid, startTicks, running: null, isLeaving: false, hasUnread: () => false };
  await terminal.send("sleep 1000 & echo started\r");
  await terminal.expect(/^started/m);
  await terminal.expect(READY);
  assert.deepEqual(new SilenceWatch(0).check([shell]), [], "in the background");
  await terminal.send("sleep 1001\r");
  await until(
    "a program in the foreground",
    () => Promise.resolve(new SilenceWatch(0).check([shell]).length > 0),
  );
  assert.deepEqual(new SilenceWatch(0).check([{ ...shell, running: 7 }]), [], "on record");
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
  const shell = { key: "one", pid, startTicks, running: null, isLeaving: true, hasUnread: () => false };
  await terminal.send("sleep 1000\r");
  const found = (own: string, one = shell) => new SilenceWatch(0, own).check([one])[0]?.program?.commandLine;
  await until("a program in the foreground", () => Promise.resolve(found("/none") === "sleep 1000"));
  const sleep = await Deno.realPath("/usr/bin/sleep");
  assert.equal(found(sleep), undefined);
  assert.equal(found(sleep, { ...shell, isLeaving: false }), "sleep 1000", "a shell that goes on");
});

for (
  const [program, args, key] of [["bash", ["--norc", "-i"], "read -sn1"], [
    "zsh",
    ["-f", "-i"],
    "read -sk1",
  ]] as const
) {
  testThatNeeds(
    [program],
    `${program} at its prompt, while a command on record has no end, is told of once`,
    async () => {
      const { terminal, pid, startTicks } = await bash(program, args);
      await using _ = terminal;
      const shell = { key: "one", pid, startTicks, running: 7, isLeaving: false, hasUnread: () => false };
      const watch = new SilenceWatch(0);
      const looks = (times: number, one: typeof shell = shell) =>
        Array.from({ length: times }, () => watch.check([one])).flat();
      // Who reads a key, or runs a program that does, is at work.
      await terminal.send(`echo ready; ${key}\r`);
      await terminal.expect(/^ready/m);
      assert.deepEqual(looks(10), [], key);
      await terminal.send("x");
      await terminal.expect(READY);
      await until("the line editor", () => Promise.resolve(looks(1).length > 0));
      assert.deepEqual(looks(10), [], "again");
      assert.deepEqual(looks(10, { ...shell, hasUnread: () => true, running: 8 }), [], "perhaps on record");
      assert.deepEqual(
        looks(10, { ...shell, running: 8 }).map(({ program }) => program),
        [null],
        "the next one",
      );
      // And what runs there now is no command on record.
      await terminal.send("sleep 1000\r");
      await until(
        "the program",
        () => Promise.resolve(looks(1, { ...shell, running: 8 })[0]?.program?.commandLine === "sleep 1000"),
      );
    },
  );
}
