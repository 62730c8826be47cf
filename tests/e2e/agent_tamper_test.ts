/** What is done to the record is itself on record. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { succeed } from "../support/run.ts";
import { TestHost, type TestUser } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "sqlite3", "chattr"] as const;

/** Waits for an event "tamper" of a kind. @returns its data */
async function tamper(
  agent: TestAgent,
  user: TestUser,
  what: string,
): Promise<Record<string, unknown>> {
  const [row] = await agent.find<{ data: string }>(
    `tamper: ${what}`,
    `select data from event where kind = 'tamper' and uid = ${user.uid} and json_extract(data, '$.what') = '${what}'`,
  );
  return JSON.parse(row?.data ?? "");
}

/** The path of a user's shell file, as root sees it. */
async function shellFile(host: TestHost, user: TestUser): Promise<string> {
  const spool = `${host.root}/var/spool/srvaudit`;
  for (const { name } of Deno.readDirSync(spool)) {
    const { uid } = await Deno.stat(`${spool}/${name}`);
    if (uid === user.uid) return `${spool}/${name}`;
  }
  throw new Error("no shell file");
}

testThatNeeds(
  NEEDS,
  "without the append-only flag a cut is noticed, and the copy in evidence stays",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const [alice, bob] = [await host.addUser(), await host.addUser()];
    // A file system that knows no such flag.
    await succeed(host.asRoot(["mkdir", "-p", "/var/spool/srvaudit"]));
    await succeed(host.asRoot(["mount", "-t", "ramfs", "ramfs", "/var/spool/srvaudit"]));
    await using agent = await TestAgent.start(host);
    await using login = await Login.open(host, alice);
    await using other = await Login.open(host, bob);
    await login.run("echo evidence");
    await agent.findCommand("echo evidence");
    await login.run(": > $_srvaudit_file");
    assert.match(JSON.stringify(await tamper(agent, alice, "shrank")), /shorter/);
    await login.run("echo after");
    await agent.findCommand("echo after");
    await agent.findCommand("echo evidence");
    await other.run("echo of-bob");
    await agent.findCommand("echo of-bob");
    const said = agent.said.split("\n").filter((line) => /keeps no file from being cut/.test(line));
    assert.equal(said.length, 1, agent.said);
    assert.equal(await login.leave(), 0);
  },
);

testThatNeeds(
  NEEDS,
  "files removed, garbage, other people's words and clocks set back are noticed",
  async () => {
    await using host = await TestHost.start();
    const [alice, bob, carol] = [await host.addUser(), await host.addUser(), await host.addUser()] as const;
    await using agent = await TestAgent.start(host);
    await using login = await Login.open(host, alice);
    await login.run("echo evidence");
    await login.run("echo 'this is no record' >> $_srvaudit_file");
    assert.match(JSON.stringify(await tamper(agent, alice, "foreign")), /no record/);
    await login.run("echo after-garbage");
    await agent.findCommand("echo after-garbage");

    // A command of a year ago, in a shell of today.
    await using hers = await Login.open(host, bob);
    await hers.run("echo evidence-of-bob");
    const forged = String
      .raw`printf '\036SA1\0start\0%s\0%s\0001\0/dev/pts/0\0%s\0whole\0/root\0rm forged\0\036\n' 99 1700000000000000 0`;
    await hers.run(`${forged} >> $_srvaudit_file`);
    assert.match(JSON.stringify(await tamper(agent, bob, "clock")), /backwards/);
    await hers.run("echo after-forgery");
    await agent.findCommand("echo after-forgery");

    await using third = await Login.open(host, carol);
    await third.run("echo evidence-of-carol");
    await agent.findCommand("echo evidence-of-carol");
    const file = await shellFile(host, carol);
    await succeed(["chattr", "-a", file]);
    await Deno.remove(file);
    await tamper(agent, carol, "vanished");
    await agent.findCommand("echo evidence-of-carol");
  },
);

testThatNeeds(
  NEEDS,
  "a user who forges a command's end, to work on unrecorded behind it, is noticed",
  async () => {
    await using host = await TestHost.start();
    const user = await host.addUser();
    await using agent = await TestAgent.start(host);
    await using login = await Login.open(host, user);
    const end = String.raw`printf '\036SA1\0end\0%s\0%s\0000\0000\0\036\n' $_srvaudit_number $EPOCHREALTIME`;
    await login.terminal.send(`${end} >> $_srvaudit_file; sleep 1000\r`);
    assert.match(String((await tamper(agent, user, "silent")).program), /^sleep 1000/);
  },
);
