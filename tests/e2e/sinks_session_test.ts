/** What all six sinks hear of a real login: by the compiled agent, through a real sshd. */

import assert from "node:assert/strict";
import { HEARERS, newsIn } from "../support/all_sinks.ts";
import { playLogin } from "../support/expect.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { run } from "../support/run.ts";
import { SINK_NEEDS, SinkHost } from "../support/sink_host.ts";
import { readBlocks } from "../support/slack/reader.ts";

testThatNeeds(
  SINK_NEEDS,
  "a session, an emergency and a secret arrive at all six sinks once each, in order, with their facts",
  async (test) => {
    await using at = await SinkHost.start();
    const { sinks, host, user, agent } = at;
    const secret = "hunter2hunter2";

    await test.step("a login with commands, a note, a status and another ticket, and an emergency", async () => {
      {
        await using login = await Login.open(host, user);
        await login.run("cd /tmp");
        await login.run("echo one | grep two");
        await login.run(`: curl -u admin:${secret} https://x`);
        await login.run("saticket status in progress");
        await login.run(`saticket note 'the password=${secret} is wrong'`);
        await login.run("saticket new 'Another thing'");
        await login.leave("all of it");
      }
      await playLogin(
        host,
        user,
        'want {blank for new[^\\r\\n]*: $}\nline "emergency"\nwant {Reason for the emergency: $}\n' +
          'line "Fire in rack 7"\nwant {\\$ $}\nline "kill -9 \\$\\$"\nended',
      );
      await agent.find(
        "the end of both",
        "select 1 from event where kind = 'session closed' group by kind having count(*) = 2",
      );
      const kinds = new Set((await at.events()).map(({ kind }) => kind));
      for (
        const kind of ["session opened", "ticket switched", "note", "status", "command", "session closed"]
      ) {
        assert.ok(kinds.has(kind), kind);
      }
      assert.deepEqual(await at.allHeard(), HEARERS.map(() => 0));
    });

    const [first = "", second = ""] =
      (await agent.ask<{ id: string }>("select id from login_session order by seq"))
        .map(({ id }) => id);

    await test.step("each has the facts of a command that has failed", async () => {
      const [row] = await agent.ask<{ seq: number }>(
        `select coalesce(e.seq, c.seq) as seq from event c left join event e on e.command = c.seq
          where c.text = 'echo one | grep two'`,
      );
      const { id } = (await at.events()).find(({ seq }) => seq === row?.seq) ?? {};
      assert.ok(id);
      const name = user.name;
      const log = sinks.datadog.logs.indexed.find((one) => JSON.stringify(one.srvaudit).includes(id));
      assert.deepEqual(
        { ...log, ...(log?.command as object), timestamp: undefined, command: undefined },
        {
          ...log,
          ...(log?.command as object),
          hostname: Deno.hostname(),
          service: "srvaudit",
          ddsource: "srvaudit",
          ddtags: "env:test",
          status: "warning",
          message: `${name} (1) exit 1: $ echo one | grep two`,
          usr: { name, id: String(user.uid) },
          network: { client: { ip: "127.0.0.1" } },
          ticket: { id: "1" },
          text: "echo one | grep two",
          directory: "/tmp",
          exit_code: 1,
          pipe_states: [0, 1],
          timestamp: undefined,
          command: undefined,
        },
      );
      const facts = {
        userName: name,
        userId: user.uid,
        ticket: "1",
        directory: "/tmp",
        exitCode: 1,
        sessionId: first,
      };
      for (const stored of [sinks.newRelic.logs.stored, sinks.newRelic.events.stored]) {
        const found: Record<string, unknown> | undefined = stored.find(({ newsId }) => newsId === id);
        assert.deepEqual({ ...found, ...facts, command: "echo one | grep two" }, found);
      }
      const message = (await sinks.rsyslog.heard()).find(({ params }) => params?.id === id);
      assert.equal(message?.["app-name"], "srvaudit");
      assert.equal(message.hostname, Deno.hostname());
      assert.match(message.msg, /echo one \| grep two/);
      assert.deepEqual(
        [message.params?.user, message.params?.ticket, message.params?.exitcode, message.params?.directory],
        [name, "1", "1", "/tmp"],
      );
      const record = sinks.otlp.records.find(({ attributes }) => attributes["log.record.uid"] === id);
      assert.equal(record?.body, `${name} (1) exit 1: $ echo one | grep two`);
      assert.equal(record.attributes["process.exit.code"], 1n);
      assert.equal(record.attributes["process.working_directory"], "/tmp");
      assert.equal(record.attributes["session.id"], first);
      assert.equal(record.resource["host.name"], Deno.hostname());
      const news = sinks.webhook.news.find((one) => one.id === id) as Record<string, Record<string, unknown>>;
      assert.deepEqual([news.ticket, news.session?.user, news.command?.text, news.command?.exitCode], [
        "1",
        name,
        "echo one | grep two",
        1,
      ]);
    });

    await test.step("Slack has one message of each session, and in its thread what people should read", async () => {
      const events = await at.events();
      const [told, switched] = ["note", "ticket switched"].map((kind) =>
        events.filter((one) => one.kind === kind)
      );
      assert.equal(told?.length, 2);
      await at.slackHeard();
      const { card, thread } = sinks.slackOf(first) ?? assert.fail("no message of the first session");
      const shown = readBlocks(card.blocks).text;
      assert.ok(shown.includes(`${user.name} on ${Deno.hostname()}`), shown);
      assert.match(
        shown,
        /from 127\.0\.0\.1[^]*\(logout, exit 0\)[^]*[0-9]+ commands, [0-9]+ failed · 2 notes/,
      );
      const words = thread.map(({ blocks }) => readBlocks(blocks).text).join("\n");
      assert.match(words, /the password=\*+ is wrong/);
      assert.match(words, /all of it/);
      assert.match(words, /In Progress/);
      const inThread = thread.flatMap(newsIn);
      const wanted = events.filter(({ kind }) =>
        ["note", "status", "ticket switched", "session closed"].includes(kind)
      );
      const ofFirst = wanted.filter(({ id }) => inThread.includes(id)).map(({ id }) => id);
      assert.deepEqual(inThread, ofFirst);
      for (const { id } of [...told ?? [], ...switched ?? []]) assert.ok(inThread.includes(id), id);
      // Once in the channel of emergencies, once in the thread of its own session.
      const urgent = sinks.slack.channel("emergencies").messages.map(({ blocks }) => readBlocks(blocks).text);
      assert.equal(urgent.length, 1);
      assert.match(urgent[0] ?? "", /Emergency[^]*Fire in rack 7/);
      assert.match(readBlocks(sinks.slackOf(second)?.card.blocks ?? []).text, /Fire in rack 7/);
    });

    await test.step("what was masked is masked everywhere, and whole in evidence, which says so once each", async () => {
      const all = JSON.stringify([
        sinks.slack.requests,
        sinks.datadog.requests,
        sinks.newRelic.requests,
        sinks.otlp.requests,
        sinks.webhook.requests,
        await sinks.rsyslog.heard(),
      ]);
      assert.equal(all.includes(secret), false);
      assert.ok(all.includes("curl -u admin:*****"));
      const [kept] = await agent.ask<{ count: number }>(
        `select count(*) as count from event where text like '%${secret}%' or data like '%${secret}%'`,
      );
      assert.ok(kept && kept.count >= 2);
      const masked = await agent.ask<{ seq: number }>(
        `select value as seq from event, json_each(data, '$.events')
          where kind = 'agent' and json_extract(data, '$.what') = 'masked'`,
      );
      const seqs = masked.map(({ seq }) => seq);
      assert.equal(new Set(seqs).size, seqs.length, seqs.join());
    });

    await test.step("nobody on the host finds the config's secrets, and a sink's test tells what came back", async () => {
      const said = [agent.said];
      for (const name of ["slack", ...HEARERS]) {
        const { code, text, errors } = await at.srvaudit("sink", "test", name);
        assert.deepEqual([code, errors], [0, ""], text);
        assert.match(text, new RegExp(`^${name} has taken it: `));
        said.push(text);
      }
      const words = [["status"], ["status", "--json"], ["sink", "list"], ["sink", "list", "--json"], [
        "doctor",
      ]];
      for (const one of [...words, ["config", "check"]]) {
        const { text, errors } = await at.srvaudit(...one);
        said.push(text, errors);
      }
      const doctor = said.join("\n");
      for (const name of ["slack", ...HEARERS]) {
        assert.match(doctor, new RegExp(`${name} takes what it is told`));
      }
      for (const [i, found] of sinks.secrets.entries()) {
        assert.equal(said.join("\n").includes(found), false, `secret ${i}`);
        for (const place of ["var/log", "var/lib", "var/spool", "run"]) {
          const { code, text } = await run(["grep", "-rlF", "-e", found, `${host.root}/${place}`]);
          assert.deepEqual([code, text], [1, ""], `secret ${i}`);
        }
        assert.equal((await host.as(user, ["grep", "-rlsF", "-e", found, host.root])).text, "");
        assert.deepEqual(processesWith(found), []);
      }
      assert.equal((await host.as(user, [host.program("srvaudit"), "sink", "list"])).code, 1);
      const { text: refused } = await host.as(user, [host.program("srvaudit"), "sink", "test", "slack"]);
      assert.equal(refused, "");
    });
  },
);

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
