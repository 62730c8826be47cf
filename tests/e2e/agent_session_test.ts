/** A login through the agent: sshd, hello, a ticket, a shell, saticket, evidence. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { onlySession, summary } from "../support/records.ts";
import { succeed } from "../support/run.ts";
import { TestHost } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "sqlite3", "lsattr"] as const;

testThatNeeds(
  NEEDS,
  "a login through the agent is on record in evidence, and in the user's own history",
  async () => {
    await using host = await TestHost.start();
    const user = await host.addUser();
    await using agent = await TestAgent.start(host);
    await using login = await Login.open(host, user);
    await login.run("cd /tmp");
    assert.equal(await login.run("echo one; false"), "one\n");
    assert.match(await login.run("saticket status in progress"), /is In Progress now/);

    const spool = `${host.root}/var/spool/srvaudit`;
    assert.equal(await succeed(["stat", "-c", "%U %a", spool]), "root 711\n");
    const files = [...Deno.readDirSync(spool)].map(({ name }) => name).toSorted();
    assert.equal(files.length, 2, files.join(" "));
    const [shell = "", session = ""] = files.map((name) => `${spool}/${name}`);
    assert.equal(await succeed(["stat", "-c", "%U %a", shell, session]), `${user.name} 600\nroot 640\n`);
    assert.match(await succeed(["lsattr", shell]), /^-*a/);

    assert.equal(await login.leave("all of it"), 0);
    await agent.find("the session's end", "select 1 from event where kind = 'session closed'");
    const events = await agent.ask<{ kind: string; what: string | null }>(
      `select kind, coalesce(text, json_extract(data, '$.text'), json_extract(data, '$.to'), json_extract(data, '$.how'))
      as what from event where uid = ${user.uid} and kind <> 'command ended' order by at_us, seq`,
    );
    assert.deepEqual(events.map(({ kind, what }) => what === null ? kind : `${kind}: ${what}`), [
      "session opened",
      "shell started",
      "command: cd /tmp",
      "command: echo one; false",
      "command: saticket status in progress",
      "status: In Progress",
      "command: exit",
      "shell ended",
      "note: all of it",
      "session closed: logout",
    ]);
    // ASH's own tables, and ours beside them.
    assert.deepEqual(
      await agent.ask(`select c.command, c.rval, t.ticket, s.logname from commands c
      join srvaudit_commands t on t.command_id = c.id join sessions s on s.id = c.session_id order by c.id limit 2`),
      [
        { command: "cd /tmp", rval: 0, ticket: "1", logname: user.name },
        { command: "echo one; false", rval: 1, ticket: "1", logname: user.name },
      ],
    );
    const own = await onlySession(host, user);
    assert.deepEqual([own.ticket, own.how, own.exitCode, own.said], ["1", "logout", 0, [
      "In Progress",
      "all of it",
    ]]);
    const [recorded] = await host.shells(user);
    assert.deepEqual(summary(recorded?.commands ?? []), [
      ["cd /tmp", 0],
      ["echo one; false", 1],
      ["saticket status in progress", 0],
    ]);
  },
);
