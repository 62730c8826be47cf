/** The admin's tools against a live agent: root's alone. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { run } from "../support/run.ts";
import { TestHost, until } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "sqlite3", "setpriv"] as const;

testThatNeeds(
  NEEDS,
  "verify, status, sessions, follow, doctor and ash_query tell root of a live agent, and no user",
  async () => {
    await using host = await TestHost.start();
    const user = await host.addUser();
    await using agent = await TestAgent.start(host);
    await Deno.chmod(`${host.root}/etc/srvaudit/config`, 0o640);
    const evidence = `${host.root}/var/lib/srvaudit/evidence.db`;
    const [program = "", ...args] = host.asRoot([host.program("srvaudit"), "follow", "--json", "-n", "0"]);
    const follow = new Deno.Command(program, { args, stdout: "piped", stderr: "null" }).spawn();
    let followed = "";
    const following = (async () => {
      for await (const text of follow.stdout.pipeThrough(new TextDecoderStream())) followed += text;
    })();
    await using login = await Login.open(host, user);
    // Whether follow has begun before or after the first commands: one that it sees comes.
    let word = 0;
    await until("a command as it comes", async () => {
      await login.run(`echo word-${++word}`);
      return /"echo word-[0-9]+"/.test(followed);
    });
    follow.kill("SIGTERM");
    await following;
    assert.equal((await follow.status).code, 0);
    for (const line of followed.trimEnd().split("\n")) JSON.parse(line);
    await agent.find("the last word", `select 1 from commands where command = 'echo word-${word}'`);

    const root = (...words: string[]) => run(host.asRoot([host.program("srvaudit"), ...words]));
    const verified = await root("verify");
    assert.deepEqual([verified.code, verified.errors], [0, ""]);
    assert.match(verified.text, /^intact /);
    const head = (await root("head")).text.trim();
    assert.match(head, /^[0-9]+:[0-9a-f]{64}$/);
    await login.run("echo beyond-that-head");
    await agent.find("more", "select 1 from commands where command = 'echo beyond-that-head'");
    assert.equal((await root("verify", "--since", head)).code, 0);
    const status = JSON.parse((await root("status", "--json")).text);
    assert.equal(status.agent.pid, agent.pid);
    assert.deepEqual(status.sessions.map((one: { user: string; ticket: string }) => [one.user, one.ticket]), [
      [user.name, "1"],
    ]);
    const [session] = JSON.parse((await root("sessions", "--open", "--json")).text);
    assert.deepEqual([session.user, session.how], [user.name, null]);
    const doctor = JSON.parse((await root("doctor", "--json")).text);
    assert.deepEqual(doctor.filter((one: { state: string }) => one.state === "wrong"), []);
    const sql = "select command from commands where command like 'echo beyond%'";
    const query = (as: typeof run) =>
      as([
        "env",
        `HOME=${host.folder}`,
        host.program("ash_query"),
        "-d",
        evidence,
        "-f",
        "csv",
        "--sql",
        sql,
      ]);
    const asked = await query((words) => run(host.asRoot(words)));
    assert.match(asked.text, /echo beyond-that-head/, asked.errors);

    for (const words of [["verify"], ["status"], ["sessions"], ["follow"], ["head"]]) {
      const { code, text, errors } = await host.as(user, [host.program("srvaudit"), ...words]);
      assert.notEqual(code, 0, words.join(" "));
      assert.match(text + errors, /root's? alone|for root alone/, words.join(" "));
      assert.doesNotMatch(text, /DOWN/);
    }
    const denied = await query((words) => host.as(user, words));
    assert.equal(denied.code, 1);
    assert.match(denied.errors, /Permission denied/);
  },
);
