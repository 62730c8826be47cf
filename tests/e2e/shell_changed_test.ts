/** Who leaves `hello` by chsh(1), or is taken from it, is told of: in a copy of the machine, with a real agent. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { play } from "../support/expect.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { type Finished, run, succeed } from "../support/run.ts";
import { TestHost, type TestUser } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "sqlite3", "unshare", "expect"] as const;
const HELLO = "/usr/bin/hello-srvaudit";
const ARM = new URL("../support/arm.ts", import.meta.url).pathname;
const SECURITY = new URL("../../docs/security.md", import.meta.url);
const PASSWORD = "abc123";

/** A user who knows her password, as chsh(1) asks for it. */
async function addUser(host: TestHost, shell = HELLO): Promise<TestUser> {
  const user = await host.addUser(shell);
  const hash = (await succeed(["openssl", "passwd", "-6", PASSWORD])).trim();
  await asRoot(host, "usermod", "--password", hash, user.name);
  return user;
}

async function asRoot(host: TestHost, ...command: string[]): Promise<Finished> {
  const done = await run(host.asRoot(command), { cwd: "/" });
  assert.equal(done.code, 0, `${command.join(" ")}: ${done.errors}`);
  return done;
}

function shellOf(host: TestHost, { name }: TestUser): string | undefined {
  const passwd = Deno.readTextFileSync(`${host.root}/etc/passwd`).split("\n");
  return passwd.find((line) => line.startsWith(`${name}:`))?.split(":")[6];
}

/** In a shell of hers, from wherever she has one. @returns what the terminal showed */
async function chsh(host: TestHost, user: TestUser, shell: string): Promise<string> {
  const become = ["setpriv", `--reuid=${user.uid}`, `--regid=${user.uid}`, "--init-groups"];
  const { text } = await play(
    host.asRoot([...become, "chsh", "-s", shell]),
    `expect {
      -re {Password: $} { line ${PASSWORD}; expect eof }
      eof {}
    }`,
  );
  return text;
}

/** Waits until the agent has seen her with a shell: what it has never seen is nobody's loss. */
async function seen(agent: TestAgent, { name }: TestUser, shell = HELLO): Promise<void> {
  await agent.find(
    `${name} with ${shell}`,
    `select 1 from login_shell where name = '${name}' and shell = '${shell}'`,
  );
}

function words(user: TestUser, from: string, to: string): string {
  return `the login shell of ${user.name} was changed from ${from} to ${to}`;
}

/** Every event about somebody's login shell, in their order. */
async function told(agent: TestAgent): Promise<[kind: string, uid: number | null, what: string][]> {
  const rows = await agent.ask<{ kind: string; uid: number | null; what: string }>(
    `select kind, uid, coalesce(json_extract(data, '$.words'), json_extract(data, '$.by')) as what from event
    where json_extract(data, '$.what') in ('login shell', 'shells given back') order by seq`,
  );
  return rows.map(({ kind, uid, what }) => [kind, uid, what]);
}

/** Waits until it is said for so many times. */
async function toldTimes(agent: TestAgent, count: number): Promise<Awaited<ReturnType<typeof told>>> {
  await agent.find(
    `${count} changes of login shells in evidence`,
    `select 1 from event where json_extract(data, '$.what') in ('login shell', 'shells given back')
    group by 1 having count(*) >= ${count}`,
  );
  return await told(agent);
}

testThatNeeds(
  NEEDS,
  "a user who gives herself another shell by chsh is told of, once, with or without an agent at that moment",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const user = await addUser(host);
    await using agent = await TestAgent.start(host);
    {
      await using login = await Login.open(host, user);
      await login.terminal.send("chsh -s /bin/bash\r");
      await login.terminal.expect(/Password: $/);
      await login.terminal.send(`${PASSWORD}\r`);
      await login.prompt();
      assert.equal(await login.leave(), 0);
    }
    assert.equal(shellOf(host, user), "/bin/bash");
    const once = [["tamper", user.uid, words(user, HELLO, "/bin/bash")]];
    assert.deepEqual(await toldTimes(agent, 1), once);
    const follow = `${host.program("srvaudit")} follow --lines 50 | grep -m 1 TAMPER`;
    assert.match(
      (await asRoot(host, "sh", "-c", follow)).text,
      new RegExp(`^[0-9:]+ ${user.name} ! TAMPER: login shell words=${words(user, HELLO, "/bin/bash")}\n$`),
    );
    assert.match(
      Deno.readTextFileSync(`${host.root}/var/log/srvaudit.log`),
      new RegExp(`"level":"WARN","message":"\\\\"${words(user, HELLO, "/bin/bash")}\\\\""`),
    );

    await agent.end();
    await agent.start();
    await agent.find(
      "the second start",
      "select 1 from event where json_extract(data, '$.what') = 'started' limit 1, 1",
    );
    assert.deepEqual(await told(agent), once);

    // She may have it again by herself, and leave it while no agent looks.
    await chsh(host, user, "/srv/audit/hello");
    assert.equal(shellOf(host, user), "/srv/audit/hello");
    await seen(agent, user, "/srv/audit/hello");
    await agent.end("SIGKILL");
    await chsh(host, user, "/bin/sh");
    await agent.start();
    const twice = [...once, ["tamper", user.uid, words(user, "/srv/audit/hello", "/bin/sh")]];
    assert.deepEqual(await toldTimes(agent, 2), twice);
  },
);

testThatNeeds(
  NEEDS,
  "a user who is out of hello for a moment alone is told of",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const user = await addUser(host);
    await using agent = await TestAgent.start(host);
    await seen(agent, user);
    await chsh(host, user, "/bin/bash");
    await chsh(host, user, HELLO);
    assert.equal(shellOf(host, user), HELLO);
    assert.deepEqual(await toldTimes(agent, 1), [["tamper", user.uid, words(user, HELLO, "/bin/bash")]]);
  },
);

testThatNeeds(
  NEEDS,
  "what an admin's tool does is told of; what srvAudit itself gives back is on record as that, agent or not",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const [ann, bob] = [await addUser(host), await addUser(host)];
    await using agent = await TestAgent.start(host);
    await seen(agent, bob);
    const back = (by: string) => ["agent", null, `srvaudit ${by}`];
    await asRoot(host, "usermod", "-s", "/bin/bash", ann.name);
    const first = ["tamper", ann.uid, words(ann, HELLO, "/bin/bash")];
    assert.deepEqual(await toldTimes(agent, 1), [first]);

    await asRoot(host, "srvaudit", "rescue", bob.name);
    assert.equal(shellOf(host, bob), "/bin/bash");
    assert.deepEqual(await toldTimes(agent, 2), [first, back(`rescue ${bob.name}`)]);

    // Nobody confirms it.
    const environment = ["DENO_DIR", "DENO_NO_UPDATE_CHECK"].map((name) =>
      `${name}=${Deno.env.get(name) ?? ""}`
    );
    const arm = ["env", ...environment, Deno.execPath(), "run", "-A", "--no-check", ARM, bob.name, "600"];
    await asRoot(host, ...arm);
    await seen(agent, bob);
    await asRoot(host, "srvaudit", "put-back", "--now");
    assert.equal(shellOf(host, bob), "/bin/bash");
    assert.deepEqual(await toldTimes(agent, 3), [first, back(`rescue ${bob.name}`), back("put-back")]);

    await asRoot(host, "usermod", "-s", HELLO, bob.name);
    await seen(agent, bob);
    await agent.end();
    await asRoot(host, "srvaudit", "uninstall", "-y", "--keep-files");
    assert.equal(shellOf(host, bob), "/bin/bash");
    await agent.start();
    assert.deepEqual(await toldTimes(agent, 4), [
      first,
      back(`rescue ${bob.name}`),
      back("put-back"),
      back("uninstall"),
    ]);

    // Where evidence goes, that goes as well.
    await agent.end();
    await asRoot(host, "srvaudit", "uninstall", "-y", "--keep-files", "--purge");
    assert.throws(() => Deno.statSync(`${host.root}/var/lib/srvaudit`), Deno.errors.NotFound);
  },
);

testThatNeeds(
  [...NEEDS, "dpkg-statoverride"],
  "where chsh is taken from users as the docs say, none leaves hello",
  async () => {
    const [, command = ""] = /`(dpkg-statoverride [^`]*chsh)`/.exec(await Deno.readTextFile(SECURITY)) ?? [];
    await using host = await TestHost.start({ installed: true });
    const user = await addUser(host);
    await asRoot(host, "sh", "-c", command);
    await chsh(host, user, "/bin/bash");
    assert.equal(shellOf(host, user), HELLO);
    // root may, as before.
    await asRoot(host, "chsh", "-s", "/bin/bash", user.name);
    assert.equal(shellOf(host, user), "/bin/bash");
  },
);
