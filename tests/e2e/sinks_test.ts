/** Sinks on a host where everything is real: an agent, logins, `srvaudit`, and a receiver that fails at will. */

import assert from "node:assert/strict";
import type { SinkStatus } from "../../src/desk/protocol.ts";
import type { SinkNews } from "../../src/sinks/news.ts";
import { TestAgent } from "../support/agent.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { type Finished, run } from "../support/run.ts";
import { TestHost, until } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "sqlite3"] as const;

/** Takes what is posted, unless it is told otherwise. */
class Receiver implements AsyncDisposable {
  readonly taken: SinkNews[] = [];
  /** How many requests it has had. */
  requests = 0;
  answer: (news: readonly SinkNews[]) => number = () => 200;
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    this.requests++;
    const { news } = await request.json();
    const status = this.answer(news);
    if (status === 200) this.taken.push(...news);
    return new Response(`HTTP ${status} it is`, { status });
  });
  readonly url = `http://127.0.0.1:${this.#server.addr.port}/hook`;

  /** Those that have ended. */
  get commands(): string[] {
    return this.taken.flatMap(({ kind, command }) => kind === "command" && command ? [command.text] : []);
  }

  /** Waits until it has a command. */
  async hear(text: string): Promise<void> {
    await until(`the command ${text}`, () => Promise.resolve(this.commands.includes(text)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Runs srvaudit as root on the host. */
function srvaudit(host: TestHost, ...args: string[]): Promise<Finished> {
  return run(host.asRoot([host.program("srvaudit"), ...args]));
}

/** What the list says of the webhook. */
async function webhook(host: TestHost): Promise<SinkStatus> {
  const [sink] = JSON.parse((await srvaudit(host, "sink", "list", "--json")).text);
  return sink;
}

testThatNeeds(NEEDS, "what a sink refuses is a dead letter, and goes when it is redelivered", async () => {
  await using receiver = await Promise.resolve(new Receiver());
  await using host = await TestHost.start();
  const user = await host.addUser();
  await using _agent = await TestAgent.start(host, [`webhookURL="${receiver.url}"`]);
  const nothing = await srvaudit(host, "redeliver");
  assert.deepEqual([nothing.code, nothing.text], [0, "no sink has refused anything\n"]);
  // One that goes on may be told as such, too.
  receiver.answer = (news) =>
    news.some(({ kind, command }) => kind === "command" && command?.text.includes("poison")) ? 400 : 200;
  await using login = await Login.open(host, user);
  for (const text of ["echo 1", "echo poison", "echo 2", "echo poison too", "echo 3"]) await login.run(text);
  await receiver.hear("echo 3");
  assert.deepEqual(receiver.commands, ["echo 1", "echo 2", "echo 3"]);
  assert.equal((await webhook(host)).dead, 2);
  const status = await srvaudit(host, "status");
  assert.match(status.text, /^sinks {4}webhook has refused 2 events:\n {11}event \d+, .* ago: .*400/m);
  const doctor = await srvaudit(host, "doctor");
  assert.match(doctor.text, /^warning +sinks: webhook has refused 2 events/m);

  const again = await srvaudit(host, "redeliver", "webhook");
  assert.equal(again.code, 1, again.errors);
  assert.match(again.text, /^webhook: 0 of 2 delivered; 2 refused again: .*400/);
  receiver.answer = () => 200;
  const done = await srvaudit(host, "redeliver");
  assert.deepEqual([done.code, done.text], [0, "webhook: 2 of 2 delivered\n"]);
  assert.deepEqual(receiver.commands.slice(3), ["echo poison", "echo poison too"]);
  assert.equal((await webhook(host)).dead, 0);
  const off = await srvaudit(host, "redeliver", "slack");
  assert.equal(off.code, 1);
  assert.match(off.errors, /^srvaudit: slack is not switched on/);
});

testThatNeeds(
  NEEDS,
  "srvaudit sink test says what came back, past whatever waits, and has a sink that works again tried at once",
  async () => {
    await using receiver = await Promise.resolve(new Receiver());
    await using host = await TestHost.start();
    const user = await host.addUser();
    await using agent = await TestAgent.start(host, [`webhookURL="${receiver.url}"`]);
    receiver.answer = () => 401;
    await using login = await Login.open(host, user);
    await login.run("echo later");
    await until("a sink that is denied", async () => (await webhook(host)).state === "denied");
    const bad = await srvaudit(host, "sink", "test", "webhook");
    assert.equal(bad.code, 1);
    assert.match(bad.text, /^webhook has NOT taken it: .*401/);
    const doctor = await srvaudit(host, "doctor");
    assert.equal(doctor.code, 1);
    assert.match(doctor.text, /^wrong +sinks: webhook takes nothing: /m);
    const list = await srvaudit(host, "sink", "list");
    assert.match(list.text, /^webhook +DENIED +[1-9]/m);
    assert.match(list.text, /^slack +off /m);
    assert.equal([...agent.said.matchAll(/is told nothing until that is mended/g)].length, 1);

    receiver.answer = () => 200;
    const good = await srvaudit(host, "sink", "test", "webhook");
    assert.deepEqual([good.code, good.errors], [0, ""]);
    assert.match(good.text, /^webhook has taken it: /);
    await receiver.hear("echo later");
    assert.equal(receiver.taken[0]?.kind, "test");
    assert.match(agent.said, /webhook.* takes what it is told again/);

    const forbidden = await host.as(user, [host.program("srvaudit"), "sink", "test", "webhook"]);
    assert.equal(forbidden.code, 1);
    assert.match(forbidden.errors, /for root alone: ask again with sudo/);
  },
);

testThatNeeds(
  NEEDS,
  "an agent that is killed while sinks are told tells each of everything, in order, when it is back",
  async () => {
    await using receiver = await Promise.resolve(new Receiver());
    await using host = await TestHost.start();
    const user = await host.addUser();
    const config = [`webhookURL="${receiver.url}"`, 'syslogURL="udp://127.0.0.1:9"'];
    await using agent = await TestAgent.start(host, config);
    await using login = await Login.open(host, user);
    for (let i = 1; i <= 20; i++) {
      await login.run(`echo ${i}`);
      if (i % 7 === 0) {
        await agent.end("SIGKILL");
        await agent.start();
      }
    }
    await receiver.hear("echo 20");
    const firsts = [...new Set(receiver.commands)];
    assert.deepEqual(firsts, Array.from({ length: 20 }, (_, i) => `echo ${i + 1}`));

    // One that ends well tells nothing twice.
    const before = receiver.taken.length;
    await login.run("echo end");
    await receiver.hear("echo end");
    assert.equal(await agent.end(), 0);
    await agent.start();
    await login.run("echo begin");
    await receiver.hear("echo begin");
    const ids = receiver.taken.slice(before).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  },
);

testThatNeeds(
  NEEDS,
  "a sink that is switched off is told nothing of that time when it is on again, and the log says so",
  async () => {
    await using receiver = await Promise.resolve(new Receiver());
    await using host = await TestHost.start();
    const user = await host.addUser();
    const config = [`webhookURL="${receiver.url}"`];
    await using agent = await TestAgent.start(host, config);
    const reload = async (lines: readonly string[]) => {
      const from = agent.said.length;
      await TestAgent.configure(host, lines);
      agent.signal("SIGHUP");
      await until(
        "a config that is read",
        () => Promise.resolve(agent.said.includes("was read again", from)),
      );
    };
    await using login = await Login.open(host, user);
    await login.run("echo before");
    await receiver.hear("echo before");
    await reload([]);
    assert.match(agent.said, /webhook.* is switched off/);
    assert.equal(JSON.parse((await srvaudit(host, "sink", "list", "--json")).text).length, 0);
    await login.run("echo between");
    await agent.findCommand("echo between");
    await reload(config);
    await login.run("echo after");
    await receiver.hear("echo after");
    assert.deepEqual(receiver.commands, ["echo before", "echo after"]);
  },
);

testThatNeeds(
  NEEDS,
  "who wants one ticket hears that a session on it began and ended, though it ended on another",
  async () => {
    await using receiver = await Promise.resolve(new Receiver());
    await using host = await TestHost.start();
    const user = await host.addUser();
    const config = [`webhookURL="${receiver.url}"`, 'webhookTickets="1"'];
    await using agent = await TestAgent.start(host, config);
    {
      await using login = await Login.open(host, user);
      await login.run("echo on one");
      await login.run("saticket new 'Another thing'");
      await login.run("echo on another");
      await login.leave("done");
    }
    await agent.find("the end", "select 1 from event where kind = 'session closed'");
    await until("the end", () => Promise.resolve(receiver.taken.at(-1)?.kind === "session closed"));
    const kinds = receiver.taken.map(({ kind }) => kind).filter((kind) => !kind.startsWith("command"));
    assert.deepEqual(kinds, ["session opened", "ticket switched", "session closed"]);
    assert.deepEqual(receiver.taken.at(-1)?.closing?.tickets, ["1", "2"]);
    assert.ok(receiver.commands.includes("echo on one"));
    assert.ok(!receiver.commands.includes("echo on another"));
  },
);
