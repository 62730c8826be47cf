/** How login sessions end that nobody closes: the agent says so in evidence, within seconds. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { start } from "../support/pty.ts";
import { TestHost, type TestUser } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "sqlite3"] as const;

/** Waits for the end of a user's only session. */
async function endOf(agent: TestAgent, user: TestUser): Promise<{ how: string; exitCode: number | null }> {
  const [end, ...others] = await agent.find<{ how: string; exitCode: number | null }>(
    `the end of ${user.name}'s session`,
    `select how_closed as how, exit_code as exitCode from login_session
    where user = '${user.name}' and closed_us is not null`,
  );
  assert.ok(end);
  assert.deepEqual(others, []);
  return end;
}

testThatNeeds(
  NEEDS,
  "a shell that is killed, hung up or exec'ed away: its session is closed with how it ended",
  async () => {
    await using host = await TestHost.start();
    await using agent = await TestAgent.start(host);
    const [killed, hungUp, exited, execed, commanded] = await Promise.all(
      Array.from({ length: 5 }, () => host.addUser()),
    ) as [TestUser, TestUser, TestUser, TestUser, TestUser];
    await Promise.all([
      (async () => {
        await using login = await Login.open(host, killed);
        await login.terminal.send("kill -9 $$\r");
        await login.terminal.close();
      })(),
      (async () => {
        await using login = await Login.open(host, hungUp);
        await login.run("echo before");
        await login.terminal.hangUp();
      })(),
      (async () => {
        await using login = await Login.open(host, exited);
        await login.run("exec bash");
        await login.run("echo within");
        await login.leave();
      })(),
      (async () => {
        await using login = await Login.open(host, execed);
        await login.terminal.send("exec sleep 1\r");
        await login.terminal.close();
      })(),
      host.ssh(commanded, ["exec sleep 0.1"]),
    ]);
    const ends = await Promise.all(
      [killed, hungUp, exited, execed, commanded].map((user) => endOf(agent, user)),
    );
    assert.deepEqual(ends, [
      { how: "killed", exitCode: null },
      { how: "hangup", exitCode: 129 },
      { how: "logout", exitCode: 0 },
      { how: "killed", exitCode: null },
      { how: "unknown", exitCode: null },
    ]);
    const within = await agent.ask(
      `select l.user from event e join login_session l on l.seq = e.session where e.text = 'echo within'`,
    );
    assert.deepEqual(within, [{ user: exited.name }]);
  },
);

testThatNeeds(
  [...NEEDS, "zsh", "fish"],
  "a connection that drops in the logout dialogue: the notes that were entered are kept",
  async () => {
    await using host = await TestHost.start();
    await using agent = await TestAgent.start(host);
    /** Asks for a ticket, ends the shell by a command or as `ssh -t host command`, and is cut off at the notes. */
    const dropAtNotes = async (realShell: string, command?: string) => {
      const user = await host.addUser(undefined, realShell);
      const [program = "", ...args] = host.client("ssh");
      await using terminal = start(program, [...args, "-tt", host.at(user), ...(command ? [command] : [])], {
        PATH: Deno.env.get("PATH") ?? "",
      });
      await terminal.expect(/blank for new[^\r\n]*: $/);
      await terminal.send("\r");
      await terminal.expect(/new ticket: $/);
      await terminal.send("The train enters a tunnel\r");
      await terminal.expect(/\(New\)/);
      if (!command) await terminal.send("exit 3\r");
      await terminal.expect(/empty line\): $/);
      await terminal.send("half of it\r");
      await terminal.expect(/> $/);
      await terminal.hangUp();
      const end = await endOf(agent, user);
      const notes = await agent.ask(
        `select json_extract(data, '$.text') as text from event where kind = 'note' and uid = ${user.uid}`,
      );
      return { ...end, notes };
    };
    const cases = ["/bin/bash", "/usr/bin/zsh", "/usr/bin/fish"].flatMap((realShell) =>
      [undefined, "exit 3"].map((command) => ({ realShell, command }))
    );
    const found = await Promise.all(cases.map(async ({ realShell, command }) => ({
      realShell,
      command,
      ...await dropAtNotes(realShell, command),
    })));
    const expected = { how: "hangup", exitCode: 3, notes: [{ text: "half of it" }] };
    assert.deepEqual(found, cases.map((one) => ({ ...one, ...expected })));
  },
);
