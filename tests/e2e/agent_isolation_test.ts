/** What users can do to each other, and to their own record: nothing. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { askAgentAs, askAgentWords, bringAskAgent } from "../support/ask_agent.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { TestHost, type TestUser } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "sqlite3", "setpriv", "perl", "chattr"] as const;

/** The files that the agent has made for the only session of a host. */
interface SessionFiles {
  id: string;
  spool: string;
  shell: string;
  session: string;
}

function filesOf(host: TestHost, id: string): SessionFiles {
  const spool = `${host.root}/var/spool/srvaudit`;
  const names = [...Deno.readDirSync(spool)].map(({ name }) => name).filter((name) => name.startsWith(id));
  const find = (end: string) => `${spool}/${names.find((name) => name.endsWith(end))}`;
  return { id, spool, shell: find(".shell"), session: find(".session") };
}

async function sessionIdOf(agent: TestAgent, user: TestUser): Promise<string> {
  const [row] = await agent.find<{ id: string }>(
    `a session of ${user.name}`,
    `select id from login_session where user = '${user.name}' order by seq desc limit 1`,
  );
  return row?.id ?? "";
}

/** Runs lines of sh(1) as a user. @returns those that succeeded */
async function whatWorks(host: TestHost, user: TestUser, lines: readonly string[]): Promise<string[]> {
  const script = lines.map((line) => `( ${line} ) > /dev/null 2>&1; echo $?`).join("\n");
  const codes = (await host.as(user, ["sh", "-c", script])).text.trim().split("\n");
  assert.equal(codes.length, lines.length);
  return lines.filter((_, index) => codes[index] === "0");
}

testThatNeeds(NEEDS, "a user cannot read, write, close or see another's session", async () => {
  await using host = await TestHost.start();
  const [alice, bob] = [await host.addUser(), await host.addUser()];
  await using agent = await TestAgent.start(host);
  await bringAskAgent(host, bob);
  await using aliceLogin = await Login.open(host, alice);
  await aliceLogin.run("echo of-alice");
  await using bobLogin = await Login.open(host, bob);
  const [aliceId, bobId] = [await sessionIdOf(agent, alice), await sessionIdOf(agent, bob)];
  await agent.findCommand("echo of-alice");
  const files = filesOf(host, aliceId);
  const before = [await Deno.readFile(files.shell), await Deno.readFile(files.session)];
  const leader = (await agent.ask<{ pid: number }>(
    `select json_extract(data, '$.leaderPid') as pid from event where kind = 'session opened' and uid = ${alice.uid}`,
  ))[0]?.pid ?? 0;

  // Over the socket, from outside any session.
  const ask = (method: string, params?: object) => askAgentAs(host, bob, method, params);
  assert.deepEqual((await ask("session.current", { session: aliceId })).result, null);
  for (
    const params of [{ how: "logout" }, { how: "logout", session: aliceId, uid: alice.uid, pid: leader }]
  ) {
    assert.equal((await ask("session.close", params)).error?.code, 5);
  }
  assert.equal((await ask("session.switch", { ticket: "1", session: aliceId })).error?.code, 5);
  for (const pid of [leader, 1]) assert.equal((await ask("shell.attach", { pid })).error?.code, 6);
  assert.equal((await ask("agent.status")).error?.code, 6);
  const names = [files.shell, files.session].map((path) => path.slice(files.spool.length + 1));
  const foreign = [
    ...names,
    ...names.map((name) => `../../../var/spool/srvaudit/${name}`),
    "../../../../etc/passwd",
  ];
  assert.deepEqual((await ask("spool.taken", { files: foreign })).result, { remove: [] });
  // A session that he opens is his, whatever he says.
  const opening = { mode: "command", shell: "/bin/sh", ticket: null, tty: "", from: "" };
  const opened = await ask("session.open", {
    ...opening,
    uid: alice.uid,
    user: alice.name,
    session: aliceId,
  });
  assert.notEqual(opened.result?.session, aliceId);
  const [own] = await agent.find<{ uid: number; user: string }>(
    "the session that Bob opened",
    `select uid, user from login_session where id = '${opened.result?.session}'`,
  );
  assert.deepEqual(own, { uid: bob.uid, user: bob.name });

  // Within his own session he is in that one, whatever his environment says.
  const within = async (method: string, params: object = {}) => {
    const words = askAgentWords(host, method, params).map((word) => `'${word}'`).join(" ");
    const claim =
      `SRVAUDIT_SESSION=${aliceId} SRVAUDIT_LEADER_PID=${leader} SRVAUDIT_SPOOL_FILE=${files.shell}`;
    return JSON.parse(await bobLogin.run(`${claim} ${words}`));
  };
  assert.equal((await within("session.current")).result.id, bobId);
  assert.equal((await within("session.close", { how: "logout", session: aliceId })).result.closed, true);
  await agent.find(
    "the end of Bob's session",
    `select 1 from login_session where id = '${bobId}' and closed_us > 0`,
  );

  // Over the file system.
  const lines = [
    `ls ${files.spool}`,
    `cat ${files.shell}`,
    `cat ${files.session}`,
    `echo x >> ${files.shell}`,
    `echo x >> ${files.session}`,
    `: > ${files.shell}`,
    `rm -f ${files.shell}`,
    `mv ${files.shell} ${files.shell}.old`,
    `ln ${files.shell} stolen`,
    `ln -sf /dev/null ${files.shell}`,
    `chmod 777 ${files.shell}`,
    `chmod 777 ${files.spool}`,
    `touch ${files.spool}/${crypto.randomUUID()}.session`,
    `rm -rf ${files.spool}`,
    `mv ${files.spool} ${files.spool}.old`,
    `cat ${host.root}/var/lib/srvaudit/evidence.db`,
    `ls ${host.root}/var/lib/srvaudit`,
    `cat ${host.root}/var/log/srvaudit.log`,
    `echo x >> ${host.root}/run/srvaudit/policy.json`,
    `echo x >> ${host.root}/run/srvaudit/agent.pid`,
    `rm -f ${host.root}/run/srvaudit/agent.sock`,
    `mv ${host.root}/run/srvaudit/agent.sock away`,
    `ls ${alice.home}/.ash/spool`,
    `cat /proc/${leader}/environ`,
  ];
  assert.deepEqual(await whatWorks(host, bob, lines), []);
  assert.deepEqual([await Deno.readFile(files.shell), await Deno.readFile(files.session)], before);
  assert.equal(
    await aliceLogin.run("echo still-here; saticket"),
    "still-here\n" + await aliceLogin.run("saticket"),
  );
  assert.equal(await aliceLogin.leave(), 0);
  const [end] = await agent.find<{ how: string }>(
    "the end of Alice's session",
    `select how_closed as how from login_session where id = '${aliceId}' and closed_us > 0`,
  );
  assert.equal(end?.how, "logout");
});

testThatNeeds(NEEDS, "a user cannot shorten, remove, replace or link away her own spool", async () => {
  await using host = await TestHost.start();
  const alice = await host.addUser();
  await using agent = await TestAgent.start(host);
  await using login = await Login.open(host, alice);
  await login.run("echo evidence");
  const files = filesOf(host, await sessionIdOf(agent, alice));
  await agent.findCommand("echo evidence");
  const before = [await Deno.readFile(files.shell), await Deno.readFile(files.session)];
  for (const file of [files.shell, files.session]) {
    const lines = [
      `: > ${file}`,
      `truncate -s 0 ${file}`,
      `truncate -s 10 ${file}`,
      `fallocate --punch-hole --offset 0 --length 100 ${file}`,
      `fallocate --collapse-range --offset 0 --length 4096 ${file}`,
      `printf x | dd of=${file} conv=notrunc status=none`,
      `perl -e 'open my $f, "+<", $ARGV[0] or die; print $f "x"' ${file}`,
      `rm -f ${file}`,
      `unlink ${file}`,
      `mv ${file} ${file}.old`,
      `mv ${file} ~/mine`,
      `ln ${file} ~/mine`,
      `ln -sf /dev/null ${file}`,
      `cp /dev/null ${file}`,
      `chmod 777 ${file}`,
      `chmod 000 ${file}`,
      `touch -d yesterday ${file}`,
      `chattr -a ${file}`,
      `chattr +i ${file}`,
    ];
    assert.deepEqual(await whatWorks(host, alice, lines), []);
  }
  assert.deepEqual([await Deno.readFile(files.shell), await Deno.readFile(files.session)], before);
  // The folder with the links is hers: without them she takes her own history away, and no evidence.
  await login.run("rm -rf ~/.ash; echo after");
  await agent.find("what came after", "select 1 from event where text like '%echo after'");
  assert.deepEqual(
    await agent.ask(`select data from event where kind = 'tamper' and uid = ${alice.uid}`),
    [],
  );
  assert.equal(await login.leave(), 0);
});
