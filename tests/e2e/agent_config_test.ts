/** The agent's config: what it keeps to itself, and what becomes of a change. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { askAgentAs, bringAskAgent } from "../support/ask_agent.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { run } from "../support/run.ts";
import { TestHost, until } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "sqlite3", "perl", "setpriv"] as const;

/** Which processes of the machine have a text in their environment or their arguments. */
function processesWith(text: string): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => /^[0-9]+$/.test(name)).flatMap(({ name }) =>
    ["environ", "cmdline"].filter((file) => {
      try {
        return Deno.readTextFileSync(`/proc/${name}/${file}`).includes(text);
      } catch {
        // It has ended meanwhile, or is the kernel's own.
        return false;
      }
    }).map((file) => `${name}/${file}`)
  );
}

testThatNeeds(NEEDS, "no secret is where a user, or a log's reader, can find it", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  const secret = crypto.randomUUID();
  const config = [
    `redmineKey="${secret}"`,
    `slackURL="https://hooks.slack.example/${secret}"`,
    `newRelicLicenseKey="${secret}"`,
  ];
  await Deno.chmod(`${host.root}/etc/srvaudit/config`, 0o640);
  await using agent = await TestAgent.start(host, config);
  await bringAskAgent(host, user);
  await using login = await Login.open(host, user);
  await login.run("saticket; env > environment");
  const replies = [];
  for (
    const method of [
      "agent.status",
      "ticket.trackers",
      "no.such",
      "session.open",
      "../../etc/srvaudit/config",
    ]
  ) {
    replies.push(await askAgentAs(host, user, method, { [method]: method }));
  }
  // A config that is wrong is spoken of, and not cited.
  for (
    const line of [`redmineKey="${secret}`, `slackURL=https://x/${secret} y"`, `redmine Key="${secret}"`]
  ) {
    await TestAgent.configure(host, [...config, line, 'onAgentDown="maybe"']);
    const before = agent.said.length;
    agent.signal("SIGHUP");
    await until("a word of it", () => Promise.resolve(/line 4: .*line 5: /s.test(agent.said.slice(before))));
  }
  assert.deepEqual(processesWith(secret), []);
  // grep(1) ends with 1 where it found nothing, and with 2 where it could not read something.
  const readable = await host.as(user, ["grep", "-rlsF", secret, host.folder]);
  assert.deepEqual(readable.text, "");
  for (const place of ["var/log", "var/lib", "var/spool", "run"]) {
    const found = await run(["grep", "-rlF", secret, `${host.root}/${place}`]);
    assert.deepEqual([found.code, found.text], [1, ""], place);
  }
  assert.equal(agent.said.includes(secret), false);
  assert.equal(JSON.stringify(replies).includes(secret), false);
  const doctor = await run(host.asRoot([host.program("srvaudit"), "doctor"]));
  assert.equal(doctor.text.includes(secret), false);
  const denied = await host.as(user, ["cat", `${host.root}/etc/srvaudit/config`]);
  assert.equal(denied.code, 1);
});

testThatNeeds(
  NEEDS,
  "SIGHUP: a good config is followed, a bad one refused; the log is opened anew; SIGTERM ends it",
  async () => {
    await using host = await TestHost.start();
    const user = await host.addUser();
    const policy = () => JSON.parse(Deno.readTextFileSync(`${host.root}/run/srvaudit/policy.json`));
    const log = `${host.root}/var/log/srvaudit.log`;
    await using agent = await TestAgent.start(host, ['showBanner="yes"']);
    {
      await using login = await Login.open(host, user);
      assert.match(login.shown, /This session is recorded/);
    }
    await TestAgent.configure(host, ['showBanner="no"']);
    agent.signal("SIGHUP");
    await until("the new policy", () => Promise.resolve(policy().showBanner === false));
    {
      await using login = await Login.open(host, user, { ticket: "1" });
      assert.doesNotMatch(login.shown, /This session is recorded/);
    }
    await TestAgent.configure(host, ['showBanner="yes"', "# fine so far", 'onAgentDown="maybe"']);
    agent.signal("SIGHUP");
    const words = /srvaudit\/config: line 3: onAgentDown="maybe" is not one of: allow, deny/;
    await until("the refusal", () => Promise.resolve(words.test(agent.said)));
    assert.equal(policy().showBanner, false);
    await until(
      "the refusal in the log",
      async () => (await Deno.readTextFile(log)).includes("line 3: onAgentDown="),
    );

    await Deno.rename(log, `${log}.1`);
    await TestAgent.configure(host, ['onAgentDown="deny"', 'showBanner="no"']);
    agent.signal("SIGHUP");
    await until(
      "the new log",
      async () => (await Deno.readTextFile(log).catch(() => "")).includes("was read again"),
    );
    for (const line of (await Deno.readTextFile(log)).trimEnd().split("\n")) {
      JSON.parse(line);
    }

    assert.equal(await agent.end("SIGTERM"), 0);
    assert.match(agent.said, /stopped: shells go on/);
    assert.equal(Deno.readTextFileSync(`${host.root}/run/srvaudit/agent.pid`), "", "another's number by now");
    const refused = await host.ssh(user, ["echo in"]);
    assert.deepEqual([refused.code, refused.text], [1, ""]);
    assert.match(refused.errors, /^srvaudit: the agent .*onAgentDown="deny": no shell until .*\n$/);
    await agent.start();
    assert.equal((await host.ssh(user, ["echo in"])).text, "in\n");
  },
);

testThatNeeds(
  NEEDS,
  "idleTimeout: who is silent is warned, and then sent away",
  async () => {
    await using host = await TestHost.start();
    const user = await host.addUser();
    await using agent = await TestAgent.start(host, ['idleTimeout="0"']);
    await using login = await Login.open(host, user);
    await TestAgent.configure(host, ['idleTimeout="2s"']);
    agent.signal("SIGHUP");
    await login.terminal.expect(/srvaudit: nothing was typed for long: this session ends in 1 seconds?\r/);
    await login.terminal.close();
    const ends = await agent.find<{ how: string }>(
      "the end",
      "select how_closed as how from login_session where closed_us is not null",
    );
    assert.deepEqual(ends, [{ how: "idle" }]);
  },
);
