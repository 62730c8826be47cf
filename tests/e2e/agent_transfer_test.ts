/** Files and bytes go through as they are, with the agent up, hung and down. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { testThatNeeds } from "../support/needs.ts";
import { run } from "../support/run.ts";
import { TestHost, type TestUser } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "sqlite3", "scp", "rsync"] as const;

/** Bytes of every kind, records' ends among them. */
const BYTES = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) >> 3);

/** Sends a file there and back again, and runs a command, all at once. */
async function transfer(host: TestHost, user: TestUser, name: string): Promise<void> {
  const file = `${host.folder}/${name}`;
  await Deno.writeFile(file, BYTES);
  const ssh = host.client("ssh").join(" ");
  const [sent, synced, ran] = await Promise.all([
    run([...host.client("scp"), "-q", file, `${host.at(user)}:${name}.scp`]),
    run(["rsync", "-a", "-e", ssh, file, `${host.at(user)}:${name}.rsync`]),
    host.ssh(user, ["cat; exit 42"], { stdin: BYTES }),
  ]);
  assert.deepEqual([sent.code, synced.code, ran.code], [0, 0, 42], sent.errors + synced.errors + ran.errors);
  assert.deepEqual(ran.stdout, BYTES);
  for (const copy of ["scp", "rsync"]) {
    assert.deepEqual(await Deno.readFile(`${user.files}/${name}.${copy}`), BYTES, copy);
  }
}

testThatNeeds(NEEDS, "scp, rsync and commands go through with the agent up, hung and down", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  await using agent = await TestAgent.start(host);
  await transfer(host, user, "up");
  agent.signal("SIGSTOP");
  await transfer(host, user, "hung");
  agent.signal("SIGCONT");
  await agent.end();
  await transfer(host, user, "down");
  await agent.start();
  // Each of the nine is on record, once, and has ended.
  await agent.find(
    "all of them",
    `select 1 from (select count(*) as n, sum(closed_us is not null) as closed from login_session
      where user = '${user.name}') where n = 9 and closed = 9`,
  );
  const codes = await agent.ask<{ code: number; count: number }>(
    "select rval as code, count(*) as count from commands group by 1 order by 1",
  );
  assert.deepEqual(codes, [{ code: 0, count: 6 }, { code: 42, count: 3 }]);
});
