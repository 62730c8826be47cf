/** The admin's tool on a host where everything is real: an installation, an agent, sshd and a user. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { type Finished, run } from "../support/run.ts";
import { TestHost, type TestUser, until } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "sqlite3", "unshare"] as const;

/** Runs srvaudit as root on the host. */
function srvaudit(host: TestHost, ...args: string[]): Promise<Finished> {
  return run(host.asRoot([host.program("srvaudit"), ...args]));
}

/** Runs srvaudit as a user of the host. */
function asUser(host: TestHost, user: TestUser, ...args: string[]): Promise<Finished> {
  return host.as(user, [host.program("srvaudit"), ...args]);
}

testThatNeeds(
  NEEDS,
  "status, sessions, follow, verify and doctor tell of a real agent and a real login",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const user = await host.addUser();
    await using agent = await TestAgent.start(host);
    const [program = "", ...args] = host.asRoot([
      host.program("srvaudit"),
      "follow",
      "--json",
      "--user",
      user.name,
    ]);
    const following = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "inherit" })
      .spawn();
    let said = "";
    const reading = (async () => {
      for await (const text of following.stdout.pipeThrough(new TextDecoderStream())) said += text;
    })();
    const isSaid = (what: string) => until(`${what} of follow`, () => Promise.resolve(said.includes(what)));
    try {
      await using login = await Login.open(host, user);
      await login.run("cd /tmp; echo one");
      await isSaid('"text":"cd /tmp; echo one"');

      const status = await srvaudit(host, "status");
      assert.equal(status.code, 0, status.errors);
      assert.match(status.text, /^agent {4}up since /);
      assert.match(status.text, new RegExp(`^${user.name} +1 `, "m"), "her ticket");
      const [session] = JSON.parse((await srvaudit(host, "sessions", "--open", "--json")).text);
      assert.equal(session.user, user.name);
      assert.equal(session.ticket, "1");
      assert.equal(session.from, "127.0.0.1");

      // follow outlives an agent that is killed.
      await agent.end("SIGKILL");
      const down = await srvaudit(host, "status");
      assert.equal(down.code, 1);
      assert.match(down.text, /^agent {4}DOWN: /);
      assert.match(down.text, new RegExp(`^${user.name} `, "m"), "what was in evidence is shown");
      const unwell = await srvaudit(host, "doctor");
      assert.equal(unwell.code, 1);
      assert.match(unwell.text, /^wrong {4}agent: /m);
      await login.run("echo while it was down");
      await agent.start();
      await isSaid('"text":"echo while it was down"');

      const doctor = await srvaudit(host, "doctor");
      assert.deepEqual(doctor.text.split("\n").filter((line) => line.startsWith("wrong")), []);
      assert.equal(doctor.code, 0, doctor.errors);
      assert.match(doctor.text, /^ok +users: 1 of /m);

      const head = (await srvaudit(host, "head")).text.trim();
      const verified = await srvaudit(host, "verify", "--since", head);
      assert.equal(verified.code, 0, verified.text);
      assert.match(verified.text, /^intact /);

      // A user is told nothing of the evidence, and doctor says what it could not look at.
      for (const command of ["sessions", "follow", "verify", "head"]) {
        const { code, text, errors } = await asUser(host, user, command);
        assert.deepEqual([command, code, text], [command, 1, ""]);
        assert.match(errors, /evidence is root's alone: ask again with sudo/);
      }
      const hers = await asUser(host, user, "status", "--json");
      assert.deepEqual([hers.code, hers.text], [1, ""]);
      assert.match(hers.errors, /root alone: ask again with sudo/);
      const seen = await asUser(host, user, "doctor");
      assert.match(seen.text, /^unseen +evidence: /m);
      assert.match(seen.text, /^ok +agent: the agent answers$/m);

      assert.equal(await login.leave("done"), 0);
      await isSaid('"kind":"session closed"');
    } finally {
      // It is on the other side of nsenter: a closed pipe ends it.
      following.kill("SIGTERM");
      await following.status;
      await reading;
    }
  },
);
