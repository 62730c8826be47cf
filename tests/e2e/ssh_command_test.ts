/** `ssh host cmd`: byte for byte as with a twin user whose login shell is bash itself, and on record. */

import assert from "node:assert/strict";
import { testThatNeeds } from "../support/needs.ts";
import { type Finished, run, type RunOptions } from "../support/run.ts";
import { TestHost, type TestUser } from "../support/sshd.ts";

/** A host with a user of ours and the twin. */
async function twins() {
  const host = await TestHost.start();
  return { host, ours: await host.addUser(), theirs: await host.addUser("/bin/bash") };
}

/** What a client sees of a command: the names of the two users, which must differ, made the same. */
function seen(finished: Finished, user: TestUser) {
  return {
    code: finished.code,
    text: finished.text.replaceAll(user.name, "USER"),
    errors: finished.errors.replaceAll(user.name, "USER"),
  };
}

/** For a megabyte: a difference of that size is nothing to print. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Runs a command as both, compares what the client sees, and looks for it on our user's record. */
async function assertSame(
  { host, ours, theirs }: Awaited<ReturnType<typeof twins>>,
  command: string,
  options: RunOptions & { flags?: string[] } = {},
): Promise<Finished> {
  const expected = await host.ssh(theirs, [command], options);
  const got = await host.ssh(ours, [command], options);
  assert.deepEqual({ command, ...seen(got, ours) }, { command, ...seen(expected, theirs) });
  await assertRecorded(host, ours, command, expected.code);
  return got;
}

/** The newest session is the one command's, and its exit code is known. */
async function assertRecorded(
  host: TestHost,
  user: TestUser,
  command: string,
  exitCode: number,
): Promise<void> {
  const session = (await host.sessions(user)).at(-1);
  assert.ok(session, `no session on record for: ${command}`);
  const { mode, from, how } = session;
  assert.deepEqual(
    { user: session.user, command: session.command, exitCode: session.exitCode, mode, from, how },
    { user: user.name, command, exitCode, mode: "command", from: "127.0.0.1", how: "logout" },
  );
}

testThatNeeds(["root", "sshd"], "ssh host cmd: stdout, stderr and exit code are those of bash", async () => {
  const both = await twins();
  await using host = both.host;
  for (const code of [0, 1, 127, 130, 255]) {
    const finished = await assertSame(both, `echo out; echo err >&2; exit ${code}`);
    assert.equal(finished.code, code);
  }
  await assertSame(both, "no-such-command-here");
  await assertSame(both, "if then fi");
  await assertSame(both, "true");
  await assertSame(both, "false | true");
  await assertSame(
    both,
    'printf \'%s\\n\' "$0" "$#" "$-" "$SHLVL" "$SHELL" "$BASH_ENV" "${PROMPT_COMMAND-}"',
  );
  await assertSame(both, "cd /tmp && pwd; pwd -P; echo ~; umask; ulimit -n; shopt; set -o");
  await assertSame(both, "echo 'quotes \" and $dollars' \"and ' these\" \\\\ `echo ticks`");
  await assertSame(both, "for i in 1 2 3\ndo\n  echo $i\ndone\necho é ☃ 漢");
  await assertSame(both, "ls -l /proc/self/fd | sed 's/.* \\([0-9]* ->\\).*/\\1/'");
  await assertSame(both, "compgen -A function | grep -v _srvaudit_; alias; set +o | sort");
  await assertSame(both, "yes | head -n 1; echo ${PIPESTATUS[*]}");
  assert.equal((await host.sessions(both.ours)).length, 16);
});

testThatNeeds(
  ["root", "sshd"],
  "ssh host cmd: no wrong exit code is on record where the shell cannot tell",
  async () => {
    const { host, ours, theirs } = await twins();
    await using _host = host;
    for (const command of ["exec sh -c 'echo replaced; exit 8'", "trap 'echo own trap' EXIT; exit 8"]) {
      const [expected, got] = [await host.ssh(theirs, [command]), await host.ssh(ours, [command])];
      assert.deepEqual({ command, ...seen(got, ours) }, { command, ...seen(expected, theirs) });
      assert.equal(got.code, 8);
      const session = (await host.sessions(ours)).at(-1);
      assert.ok(session);
      assert.equal(session.command, command);
      assert.ok(session.exitCode === null || session.exitCode === 8, command);
    }
  },
);

testThatNeeds(
  ["root", "sshd"],
  "ssh host cmd: the environment is bash's, but for what is ours by name",
  async () => {
    const both = await twins();
    await using host = both.host;
    const names = async (user: TestUser) =>
      (await host.ssh(user, ["env -0 | cut -z -d= -f1 | sort -z"])).text.split("\0")
        .filter((name) => !/^(_|SRVAUDIT_.*)?$/.test(name));
    assert.deepEqual(await names(both.ours), await names(both.theirs));
  },
);

testThatNeeds(["root", "sshd"], "ssh host cmd: ~/.bashrc is read as often as with bash", async () => {
  const both = await twins();
  await using host = both.host;
  for (const user of [both.ours, both.theirs]) {
    const file = `${user.home}/.bashrc`;
    await Deno.writeTextFile(file, 'export READ="${READ-}x"\n' + await Deno.readTextFile(file));
  }
  const finished = await assertSame(both, "echo read: $READ");
  assert.equal(finished.text, "read: x\n");
  assert.ok(host);
});

testThatNeeds(["root", "sshd"], "ssh host cmd: a command killed by a signal ends as with bash", async () => {
  const both = await twins();
  await using host = both.host;
  for (
    const command of [
      "kill -TERM $$",
      "kill -KILL $$",
      "kill -INT $$; echo survived",
      "(kill -9 $BASHPID); echo $?",
    ]
  ) {
    const [expected, got] = [await host.ssh(both.theirs, [command]), await host.ssh(both.ours, [command])];
    assert.equal(got.code, expected.code, command);
    assert.equal(got.text, expected.text, command);
  }
});

testThatNeeds(["root", "sshd"], "ssh host cat: a megabyte of random bytes both ways", async () => {
  const { host, ours } = await twins();
  await using _host = host;
  const bytes = new Uint8Array(1 << 20);
  for (let at = 0; at < bytes.length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  const there = await host.ssh(ours, ["cat > file; sha256sum < file; cat file >&2"], { stdin: bytes });
  assert.ok(sameBytes(there.stderr, bytes));
  const back = await host.ssh(ours, ["cat"], { stdin: bytes });
  assert.ok(sameBytes(back.stdout, bytes));
  assert.equal(back.code, 0);
  assert.equal(back.errors, "");
  await assertRecorded(host, ours, "cat", 0);
});

testThatNeeds(
  ["root", "sshd"],
  "ssh host: a script on stdin is run as by bash, and no ticket is asked for",
  async () => {
    const { host, ours, theirs } = await twins();
    await using _host = host;
    const script = 'echo one\nread line\nthis is read\necho "$line"\necho err >&2\nexit 3\n';
    const [got, expected] = [
      await host.ssh(ours, [], { stdin: script }),
      await host.ssh(theirs, [], { stdin: script }),
    ];
    // What /etc/motd and profiles say is the same for both; bash's own words hold no name of a user here.
    assert.deepEqual(seen(got, ours), seen(expected, theirs));
    assert.equal(got.code, 3);
    const here = "bash -s <<'END'\necho from a here-document\nexit 4\nEND";
    const nested = await host.ssh(ours, [here]);
    assert.equal(nested.text, "from a here-document\n");
    assert.equal(nested.code, 4);
    await assertRecorded(host, ours, here, 4);
  },
);

testThatNeeds(
  ["root", "sshd"],
  "ssh host cmd: a command that is not UTF-8 is refused as docs/security.md says",
  async () => {
    const { host, ours } = await twins();
    await using _ = host;
    // A Latin-1 ü. Deno's own arguments are UTF-8, so a shell makes the byte.
    const client = [...host.client("ssh"), host.at(ours)].join(" ");
    const { code, text } = await run(["sh", "-c", `${client} "printf '%s' $(printf '\\374')"`]);
    assert.deepEqual({ code, text }, { code: 101, text: "" });
  },
);

testThatNeeds(["root", "sshd"], "ssh host cmd: twenty at once, each on record by itself", async () => {
  const { host, ours } = await twins();
  await using _host = host;
  const codes = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => (await host.ssh(ours, [`echo ${i}; exit ${i}`])).code),
  );
  assert.deepEqual(codes, Array.from({ length: 20 }, (_, i) => i));
  const recorded = (await host.sessions(ours)).map((
    session,
  ) => [session.command, session.exitCode]);
  const wanted = Array.from({ length: 20 }, (_, i) => [`echo ${i}; exit ${i}`, i]);
  const order = (a: unknown[], b: unknown[]) => Number(a[1]) - Number(b[1]);
  assert.deepEqual(recorded.sort(order), wanted.sort(order));
});
