/** What a sink hears of a real login: a webhook's receiver, told by the real agent. */

import assert from "node:assert/strict";
import type { SinkNews } from "../../src/sinks/news.ts";
import { TestAgent } from "../support/agent.ts";
import { playLogin } from "../support/expect.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { succeed } from "../support/run.ts";
import { TestHost, until } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "sqlite3", "expect"] as const;

/** Takes whatever is posted. */
class Receiver implements AsyncDisposable {
  readonly news: SinkNews[] = [];
  /** What it answers. */
  status = 200;
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { news } = await request.json();
    if (this.status === 200) this.news.push(...news);
    return new Response(null, { status: this.status });
  });
  readonly url = `http://127.0.0.1:${this.#server.addr.port}/in/path-s3cret`;

  /** Waits until it was told something. */
  async hear(what: string, is: (news: SinkNews) => boolean): Promise<SinkNews> {
    return await until(what, () => Promise.resolve(this.news.find(is) ?? false));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

testThatNeeds(
  NEEDS,
  "a sink hears of a login as it goes on: once each, in order, masked, with its session and ticket",
  async () => {
    await using receiver = new Receiver();
    await using host = await TestHost.start();
    const user = await host.addUser();
    await using agent = await TestAgent.start(host, [`webhookURL="${receiver.url}"`]);
    await using login = await Login.open(host, user);
    await login.run("cd /tmp");
    await login.run("true -u a; : curl -u admin:hunter2 https://x; false");
    const ran = await receiver.hear("the command", ({ command }) => command?.exitCode === 1);
    assert.equal(ran.command?.text, "true -u a; : curl -u admin:***** https://x; false");
    await login.terminal.send("cat\r");
    await receiver.hear("a command that goes on", ({ kind, command }) => {
      return kind === "command started" && command?.text === "cat";
    });
    await login.terminal.send("\x04");
    await login.prompt();
    // What it is not told now it is told later, and a sink that is told again knows it by its id.
    receiver.status = 503;
    await login.run("echo later");
    await agent.findCommand("echo later");
    receiver.status = 200;
    assert.equal(await login.leave("password=hunter2 is no secret"), 0);
    const end = await receiver.hear("the session's end", ({ kind }) => kind === "session closed");

    const { news } = receiver;
    assert.equal(new Set(news.map(({ id }) => id)).size, news.length);
    assert.deepEqual(news.map(({ seq }) => seq), news.map(({ seq }) => seq).toSorted((a, b) => a - b));
    assert.ok(!JSON.stringify(news).includes("hunter2"));
    const shown = (one: SinkNews) =>
      `${one.kind}: ${one.command?.text ?? one.text ?? one.closing?.how ?? ""}`;
    const said = news.map(shown);
    const wanted = [
      "session opened: ",
      "command: cd /tmp",
      "command: true -u a; : curl -u admin:***** https://x; false",
      "command started: cat",
      "command: cat",
      "command: echo later",
      "note: password=***** is no secret",
      "session closed: logout",
    ];
    assert.deepEqual(said.filter((one) => wanted.includes(one)), wanted, said.join("\n"));
    const [session] = await agent.ask<{ id: string }>("select id from login_session");
    for (const one of news) {
      assert.deepEqual([one.session?.id, one.session?.user, one.session?.uid], [
        session?.id,
        user.name,
        user.uid,
      ]);
      assert.equal(one.ticket, "1");
    }
    assert.equal(end.closing?.commands, news.filter(({ kind }) => kind === "command").length);
    assert.equal(end.closing?.failures, 1);
    // Evidence has it as it was typed, says once that it was masked, and has the ids.
    // It says so with the delivery's end.
    const masked = await until("what was masked", async () => {
      const rows = await agent.ask<{ kind: string; typed: string }>(
        `select e.kind, coalesce(e.text, json_extract(e.data, '$.text')) as typed
          from event m, json_each(m.data, '$.events') v join event e on e.seq = v.value
          where m.kind = 'agent' and json_extract(m.data, '$.what') = 'masked' order by e.seq`,
      );
      return rows.length > 1 && rows;
    });
    assert.deepEqual(masked, [
      { kind: "command", typed: "true -u a; : curl -u admin:hunter2 https://x; false" },
      { kind: "note", typed: "password=hunter2 is no secret" },
    ]);
    const [own] = await agent.ask<{ hash: string }>(
      `select lower(hex(hash)) as hash from event where seq = ${ran.seq}`,
    );
    assert.equal(own?.hash.slice(0, 12), ran.id.replaceAll("-", "").slice(0, 12));
    assert.equal(agent.said.includes("s3cret"), false);
  },
);

testThatNeeds(
  NEEDS,
  "a sink that wants sessions alone, and not these, hears of an emergency all the same",
  async () => {
    await using receiver = new Receiver();
    await using host = await TestHost.start();
    const user = await host.addUser();
    await succeed(host.asRoot(["usermod", "-aG", "games", user.name]));
    await using agent = await TestAgent.start(host, [
      `webhookURL="${receiver.url}"`,
      'webhookEvents="sessions"',
      'webhookUsers="nobody-else"',
      'breakGlassGroup="games"',
    ]);
    {
      await using login = await Login.open(host, user);
      await login.run("echo unheard");
      await login.leave();
    }
    await agent.find("the end of the first", "select 1 from event where kind = 'session closed'");
    const reason =
      'line "emergency"\nwant {Reason for the emergency: $}\nline "Fire in rack 7"\nwant {\\$ $}';
    await playLogin(
      host,
      user,
      `want {blank for new[^\\r\\n]*: $}\n${reason}\nline "echo unheard, too"\nline "kill -9 \\$\\$"\nended`,
    );
    await receiver.hear("the end of the emergency", ({ kind }) => kind === "session closed");
    assert.deepEqual(receiver.news.map(({ kind, session }) => [kind, session?.emergency]), [
      ["session opened", "Fire in rack 7"],
      ["session closed", "Fire in rack 7"],
    ]);
  },
);
