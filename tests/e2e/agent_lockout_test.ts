/** Nobody is locked out because something of ours fails: a shell, and one clear line that says what is wrong. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { Login, type LoginOptions } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { succeed } from "../support/run.ts";
import { TestHost, type TestUser, until } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "sqlite3"] as const;

/** Logs in, works a little, and runs a command without a terminal. @returns the lines of ours that were shown */
async function work(
  host: TestHost,
  user: TestUser,
  word: string,
  options: LoginOptions = {},
): Promise<{ interactive: string[]; command: string[] }> {
  await using login = await Login.open(host, user, options);
  assert.equal(await login.run(`echo ${word}`), `${word}\n`);
  const interactive = ours(login.shown);
  const { code, text, errors } = await host.ssh(user, ["cat; exit 7"], { stdin: "bytes\n" });
  assert.deepEqual([code, text], [7, "bytes\n"], errors);
  return { interactive, command: ours(errors) };
}

function ours(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.startsWith("srvaudit:"));
}

testThatNeeds(
  NEEDS,
  "whatever becomes of the agent, there is a shell, and one line that says why",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const user = await host.addUser();
    await using agent = await TestAgent.start(host);
    const policy = `${host.root}/run/srvaudit/policy.json`;
    const check = async (words: RegExp, word: string) => {
      const { interactive, command } = await work(host, user, word, { ticket: "1" });
      assert.equal(interactive.length, 1, interactive.join("\n"));
      assert.match(interactive[0] ?? "", words);
      assert.deepEqual([...new Set(command)], interactive);
    };
    assert.deepEqual(await work(host, user, "well"), { interactive: [], command: [] });
    agent.signal("SIGSTOP");
    await check(/does not answer .*; going on without it$/, "stopped");
    agent.signal("SIGCONT");
    await Deno.writeTextFile(policy, "{ garbage");
    await check(/policy\.json: .*going on with the defaults$/, "garbage");
    agent.signal("SIGHUP");
    await until("the policy", async () => (await Deno.readTextFile(policy)).includes("onAgentDown"));
    // Who takes the socket away, or the policy, takes it for a moment.
    for (const file of [`${host.root}/run/srvaudit/agent.sock`, policy]) {
      await Deno.remove(file);
      await until(`${file} again`, () => Deno.lstat(file).then(() => true, () => false));
    }
    assert.deepEqual(await work(host, user, "no-socket"), { interactive: [], command: [] });
    await agent.end("SIGKILL");
    await check(/; going on without it$/, "killed");
    // As it is while the machine starts.
    await succeed(host.asRoot(["rm", "-rf", "/run/srvaudit"]));
    await check(/No such file.*; going on without it$/, "no-run");
    await agent.start();
    for (const word of ["well", "stopped", "garbage", "no-socket", "killed", "no-run"]) {
      await agent.find(word, `select 1 from commands where command = 'echo ${word}'`);
    }
    const [count] = await agent.ask<{ count: number }>(
      "select count(*) as count from event where text = 'cat; exit 7'",
    );
    assert.equal(count?.count, 6);
  },
);

testThatNeeds(
  NEEDS,
  "a full disk keeps nobody out, and what was done meanwhile is in evidence when there is room",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const user = await host.addUser();
    for (const folder of ["/var/lib/srvaudit", "/var/spool/srvaudit"]) {
      await succeed(host.asRoot(["mkdir", "-p", folder]));
      await succeed(host.asRoot(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder]));
    }
    await using agent = await TestAgent.start(host);
    await using before = await Login.open(host, user);
    await before.run("echo before");
    for (const folder of ["/var/lib/srvaudit", "/var/spool/srvaudit"]) {
      const filler = `${host.root}${folder}/filler`;
      await succeed([
        "sh",
        "-c",
        'dd if=/dev/zero of="$1" bs=4096 status=none 2>/dev/null; true',
        "sh",
        filler,
      ]);
      const word = `full-${folder.split("/")[2]}`;
      assert.equal(await before.run(`echo old-${word}`), `old-${word}\n`);
      const { interactive, command } = await work(host, user, word, { ticket: "1" });
      assert.equal(interactive.length, 1, interactive.join("\n"));
      assert.match(interactive[0] ?? "", /going on without it$/);
      assert.ok(command.length <= 1, command.join("\n"));
      await Deno.remove(filler);
      for (const text of [`old-${word}`, word]) {
        await agent.find(text, `select 1 from commands where command = 'echo ${text}'`);
      }
    }
    const trouble = agent.said.split("\n").filter((line) => line.includes("the disk is full"));
    assert.equal(trouble.length, 1, agent.said);
    assert.match(agent.said, /evidence can be written again/);
    assert.equal(await before.leave(), 0);
  },
);
