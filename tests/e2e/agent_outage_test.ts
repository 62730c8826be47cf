/** The agent is down, or dies, while people work: nothing is lost, and nothing doubled. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { commands } from "../support/records.ts";
import { TestHost, type TestUser } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "sqlite3"] as const;

/** A login session, as the evidence has it. */
interface Session {
  id: string;
  seq: number;
  ticket: string | null;
  how: string | null;
  late: number | null;
}

/** Waits until the user's only session is closed. */
async function closedSession(agent: TestAgent, user: TestUser): Promise<Session> {
  const rows = await agent.find<Session>(
    `the end of ${user.name}'s session`,
    `select l.id, l.seq, l.ticket, l.how_closed as how, json_extract(e.data, '$.late') as late
    from login_session l join event e on e.seq = l.seq
    where l.user = '${user.name}' and l.closed_us is not null`,
  );
  assert.equal(rows.length, 1);
  return rows[0] as Session;
}

/** The `echo`s that are in evidence for a user, in the order in which they came in. */
async function echoes(agent: TestAgent, user: TestUser): Promise<string[]> {
  const rows = await agent.ask<{ text: string }>(
    `select text from event where kind = 'command' and uid = ${user.uid} and text like 'echo %' order by seq`,
  );
  return rows.map(({ text }) => text.slice("echo ".length));
}

/** The same of the user's own history. */
async function ownEchoes(host: TestHost, user: TestUser): Promise<string[]> {
  return (await commands(host, user)).map(({ text }) => text).filter((text) => text.startsWith("echo "))
    .map((text) => text.slice("echo ".length));
}

testThatNeeds(
  NEEDS,
  "a session that began while the agent was down is taken in, marked late, and goes on",
  async () => {
    await using host = await TestHost.start();
    const user = await host.addUser();
    await using agent = await TestAgent.start(host);
    await using first = await Login.open(host, user);
    await first.leave();
    await closedSession(agent, user);
    assert.equal(await agent.end(), 0);

    const late = await host.addUser();
    await using login = await Login.open(host, late, { ticket: "1" });
    assert.match(login.shown, /^srvaudit: the agent [^\r\n]*; going on without it\r$/m);
    await login.run("echo before");
    assert.match(await login.run("saticket note 'while it was away'"), /note/);
    await agent.start();
    await agent.findCommand("echo before");
    await login.run("echo after");
    await login.run("saticket status in progress");
    assert.equal(await login.leave("and at its end"), 0);
    const session = await closedSession(agent, late);
    assert.deepEqual([session.ticket, session.how, session.late], ["1", "logout", 1]);
    const said = await agent.ask<{ what: string }>(
      `select coalesce(json_extract(data, '$.text'), json_extract(data, '$.to'), json_extract(data, '$.what')) as what
    from event where session = ${session.seq} and kind in ('note', 'status') order by at_us`,
    );
    assert.deepEqual(said.map(({ what }) => what), [
      "while it was away",
      "In Progress",
      "and at its end",
    ]);
    // What it could not do at the time it has done since.
    for (const what of ["late", "ticket verified"]) {
      await agent.find(
        what,
        `select 1 from event where kind = 'agent' and session = ${session.seq} and json_extract(data, '$.what') = '${what}'`,
      );
    }
    assert.deepEqual(await echoes(agent, late), ["before", "after"]);
    assert.deepEqual(await ownEchoes(host, late), ["before", "after"]);
  },
);

testThatNeeds(
  NEEDS,
  "the agent is killed in mid-session, and at logout: nothing is lost or doubled",
  async () => {
    await using host = await TestHost.start();
    const [alice, bob] = [await host.addUser(), await host.addUser()];
    await using agent = await TestAgent.start(host);
    await using aliceLogin = await Login.open(host, alice);
    await using bobLogin = await Login.open(host, bob);
    await aliceLogin.run("echo 1");
    await agent.end("SIGKILL");
    await aliceLogin.run("echo 2");
    await bobLogin.run("echo 1");
    await agent.start();
    await aliceLogin.run("echo 3");
    assert.match(await aliceLogin.run("saticket note back"), /added a note/);
    await agent.end("SIGKILL");
    // Alice's goodbye finds nobody.
    await aliceLogin.leave("nobody hears this yet", false);
    await agent.start();
    const session = await closedSession(agent, alice);
    assert.deepEqual([session.ticket, session.how, session.late], ["1", "logout", null]);
    // And while Bob's last commands are written, it dies again and again.
    const typing = (async () => {
      for (let i = 2; i <= 40; i++) await bobLogin.run(`echo ${i}`);
    })();
    for (let i = 0; i < 3; i++) {
      await agent.end("SIGKILL");
      await agent.start();
    }
    await typing;
    assert.equal(await bobLogin.leave(), 0);
    await closedSession(agent, bob);
    assert.deepEqual(await echoes(agent, alice), ["1", "2", "3"]);
    assert.deepEqual(await ownEchoes(host, alice), ["1", "2", "3"]);
    const numbers = Array.from({ length: 40 }, (_, i) => `${i + 1}`);
    assert.deepEqual(await echoes(agent, bob), numbers);
    assert.deepEqual(await ownEchoes(host, bob), numbers);
    const notes = await agent.ask<{ note: string }>(
      `select json_extract(data, '$.text') as note from event where kind = 'note' and uid = ${alice.uid} order by at_us`,
    );
    assert.deepEqual(notes.map(({ note }) => note), ["back", "nobody hears this yet"]);
    assert.deepEqual(
      await agent.ask(`select * from event where kind = 'tamper' and uid in (${alice.uid}, ${bob.uid})`),
      [],
    );
  },
);
