/** Sinks that are down, deny, hang, are slow or refuse, at the same time: nobody waits for them, and nothing is lost. */

import assert from "node:assert/strict";
import { HEARERS } from "../support/all_sinks.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { readBlocks } from "../support/slack/reader.ts";
import { SINK_NEEDS, SinkHost } from "../support/sink_host.ts";
import { until } from "../support/sshd.ts";

testThatNeeds(
  SINK_NEEDS,
  "sinks that are down, deny, hang or are slow hold up neither the others nor a login, and hear of it all in the end",
  async () => {
    await using at = await SinkHost.start();
    const { sinks, host, user, agent } = at;
    const { slack, datadog, newRelic, otlp, webhook } = sinks.proxies;
    datadog.refuse();
    newRelic.faults = { answer: { status: 403 } };
    otlp.faults = { delayMs: 2000 };
    webhook.faults = { hang: true };
    slack.faults = { hang: true };
    {
      await using login = await Login.open(host, user);
      for (let i = 1; i <= 10; i++) await login.run(`echo during ${i}`);
      // What is said of a sink is said to nobody at a prompt.
      assert.doesNotMatch(login.shown, /slack|datadog|newRelic|otlp|webhook|sink/i);
      await login.leave("during");
    }
    await agent.find("the end", "select 1 from event where kind = 'session closed'");
    assert.deepEqual(await at.allHeard(["syslog"]), [0]);
    // The slow one has what the healthy one has, later.
    assert.deepEqual(await at.allHeard(["otlp"]), [0]);
    for (const name of ["datadog", "newRelic"] as const) assert.deepEqual(await sinks.heard(name), []);
    const states = await until("what is wrong to be known", async () => {
      const states = await at.states();
      return states.datadog?.state === "down" && states.newRelic?.state === "denied" && states;
    });
    assert.deepEqual([states.syslog?.state, states.otlp?.state], ["up", "up"]);
    for (const name of ["datadog", "newRelic", "webhook", "slack"]) {
      assert.ok((states[name]?.depth ?? 0) > 10, JSON.stringify(states));
    }
    const status = await at.srvaudit("status");
    assert.match(status.text, /datadog cannot be told since [^]*newRelic TAKES NOTHING/);
    const doctor = await at.srvaudit("doctor");
    assert.equal(doctor.code, 1);
    assert.match(doctor.text, /^wrong +sinks: newRelic takes nothing: /m);
    const denied = await at.srvaudit("sink", "test", "newRelic");
    assert.equal(denied.code, 1);
    assert.match(denied.text, /^newRelic has NOT taken it: /);

    // A kill while all of that is going on: what was under way may come twice, by the same id.
    await agent.end("SIGKILL");
    await agent.start();
    await using login = await Login.open(host, user);
    await login.run("echo after the kill");

    datadog.listen();
    for (const proxy of [newRelic, otlp, webhook, slack]) proxy.faults = {};
    for (const proxy of [webhook, slack]) proxy.hangUp();
    agent.signal("SIGHUP");
    await login.run("echo mended");
    await login.leave("mended");
    await agent.find(
      "the end of both",
      "select 1 from event where kind = 'session closed' group by kind having count(*) = 2",
    );
    await at.allHeard(HEARERS);
    await at.slackHeard();
    const sessions = await agent.ask<{ id: string }>("select id from login_session");
    for (const { id } of sessions) {
      assert.match(readBlocks(sinks.slackOf(id)?.card.blocks ?? []).text, /over after/);
    }
    assert.match(agent.said, /newRelic"? takes what it is told again|is told nothing until/);
    const after = Object.values(await at.states()).map(({ state, depth, dead }) => [state, depth, dead]);
    assert.deepEqual(after, Array.from({ length: 6 }, () => ["up", 0, 0]));
  },
);

testThatNeeds(
  SINK_NEEDS,
  "an agent that is killed again and again tells all six of everything in order, and what comes twice has the same id",
  async () => {
    await using at = await SinkHost.start();
    const { sinks, host, user, agent } = at;
    // So that there is something under way whenever it is killed.
    for (const proxy of Object.values(sinks.proxies)) proxy.faults = { delayMs: 100 };
    {
      await using login = await Login.open(host, user);
      for (let i = 1; i <= 24; i++) {
        await login.run(`echo ${i}`);
        if (i % 6 !== 0) continue;
        await agent.end("SIGKILL");
        await login.run(`echo ${i} without an agent`);
        await agent.start();
      }
      await login.leave("all of it");
    }
    await agent.find("the end", "select 1 from event where kind = 'session closed'");
    await at.allHeard();
    await at.slackHeard();
    const [session] = await agent.ask<{ id: string }>("select id from login_session");
    // Of Slack's messages there is no second one: it is asked what it has.
    const { card, thread } = sinks.slackOf(session?.id ?? "") ?? assert.fail("no message of the session");
    assert.match(readBlocks(card.blocks).text, /29 commands, 0 failed · 1 note · over after/);
    assert.equal(thread.filter(({ blocks }) => /all of it/.test(readBlocks(blocks).text)).length, 1);
    const commands = sinks.webhook.news.filter(({ kind }) => kind === "command").map(({ command }) =>
      (command as { text: string }).text
    );
    const typed = Array.from({ length: 24 }, (_, i) => i + 1).flatMap((i) =>
      i % 6 === 0 ? [`echo ${i}`, `echo ${i} without an agent`] : [`echo ${i}`]
    );
    assert.deepEqual(commands.slice(0, typed.length), typed);
  },
);
