/** A tracker that hangs while people log in: they get their shells, and hear of it later where a ticket proves false. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { BrokenProxy } from "../support/broken_proxy.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { Redmine, REDMINE_KEYS } from "../support/redmine.ts";
import { TestHost } from "../support/sshd.ts";

testThatNeeds(
  ["root", "sshd", "sqlite3", "Redmine"],
  "a Redmine that hangs keeps nobody from a shell; a ticket that then proves false is said on the terminal",
  async () => {
    await using redmine = await Redmine.start();
    using proxy = new BrokenProxy(redmine.url);
    proxy.faults = { hang: true };
    await using host = await TestHost.start();
    const user = await host.addUser();
    await using agent = await TestAgent.start(host, [
      'pms="Redmine"',
      `redmineURL="${proxy.url}"`,
      `redmineKey="${REDMINE_KEYS.admin}"`,
      // Nobody there knows the user: without this she would see public projects alone.
      'redmineProject="ops"',
    ]);
    await using login = await Login.open(host, user, { ticket: "#99" });
    assert.match(login.shown, /^srvaudit: Redmine [^\r\n]*; going on without it\r$/m);
    const [opened] = await agent.find<{ ticket: string; unverified: number }>(
      "the session",
      `select json_extract(data, '$.ticket') as ticket, json_extract(data, '$.unverified') as unverified
      from event where kind = 'session opened'`,
    );
    assert.deepEqual(opened, { ticket: "99", unverified: 1 });
    assert.match(agent.said, /what is to go there waits/);
    assert.match(await login.run("saticket switch 1"), /Redmine/);

    proxy.faults = {};
    proxy.hangUp();
    const notice = "srvaudit: ticket 99 does not exist: give this session a real one: saticket switch KEY";
    await login.terminal.expect(new RegExp(notice));
    await agent.find(
      "the refusal",
      `select 1 from event where kind = 'agent' and json_extract(data, '$.what') = 'ticket refused'`,
    );
    assert.match(agent.said, /has no real ticket: .*ticket 99 does not exist/);
    assert.match(agent.said, /Redmine"? answers again/);
    await login.run("saticket switch 1");
    // Redmine's story of the session brings it.
    await login.run("saticket note 'on the real one'");
    const [note] = await agent.find<{ ticket: string; told: number | null }>(
      "the note",
      `select json_extract(data, '$.ticket') as ticket, json_extract(data, '$.told') as told
      from event where kind = 'note'`,
    );
    assert.deepEqual(note, { ticket: "1", told: null });
  },
);
