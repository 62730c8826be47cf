/** What must never reach a real Redmine, and what nobody on the host may find. */

import assert from "node:assert/strict";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { REDMINE_KEYS } from "../support/redmine.ts";
import { RedmineHost } from "../support/redmine_host.ts";
import { run } from "../support/run.ts";

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

testThatNeeds(
  ["root", "sshd", "sqlite3", "Redmine"],
  "secrets stay on the host, and srvAudit's own key with the agent",
  async (test) => {
    await using at = await RedmineHost.start();
    const { host, agent, proxy } = at;
    const alice = at.user();
    proxy.transcript = "";
    const secrets = Array.from({ length: 7 }, () => crypto.randomUUID().replaceAll("-", ""));
    const [mysql, option, bearer, aws, note, subject, another] = secrets;
    const typed = [
      `mysql -uroot -p${mysql} -e 'select 1' 2> /dev/null`,
      `echo one --password=${option}`,
      `echo curl -H 'Authorization: Bearer ${bearer}'`,
      `export AWS_SECRET_ACCESS_KEY=${aws}`,
    ];

    await test.step("what people type is masked on its way out, and whole in evidence, which says so", async () => {
      await using login = await Login.open(host, alice, { ticket: "1" });
      for (const command of typed) await login.run(command);
      await login.run(`saticket note 'the password=${note} is wrong'`);
      await login.run(`saticket note --ticket 2 'token=${another}'`);
      await login.run(
        `saticket new --tracker Bug --field 'Change reason=routine' --no-switch 'Set password=${subject}'`,
      );
      await login.leave(`done, password=${note}`);
      const [story = "", ...others] = await at.ended(1);
      assert.deepEqual(others, []);
      for (
        const words of [
          "mysql -uroot -p*****",
          "--password=*****",
          "Bearer *****",
          "AWS_SECRET_ACCESS_KEY=*****",
        ]
      ) {
        assert.ok(story.includes(words), `${words}\n${story}`);
      }
      assert.match(story, /> the password=(?:&#42;){5} is wrong\n/);
      assert.ok(at.subjects().includes("Set password=*****"));
      const issues = JSON.stringify([await at.issue(1), await at.issue(2), await at.issue(6)]);
      for (const secret of secrets) {
        assert.equal(issues.includes(secret), false);
        assert.equal(proxy.transcript?.includes(secret), false);
      }
      const commands = await agent.ask<{ text: string }>("select text from event where kind = 'command'");
      for (const text of typed) assert.ok(commands.some((command) => command.text === text), text);
      const notes = await agent.ask<{ note: string }>(
        "select json_extract(data, '$.text') as note from event where kind = 'note' order by seq",
      );
      assert.deepEqual(notes.map((row) => row.note), [
        `the password=${note} is wrong`,
        `token=${another}`,
        `done, password=${note}`,
      ]);
      const masked = await agent.ask<{ data: string }>(
        "select data from event where kind = 'agent' and json_extract(data, '$.what') = 'masked' order by seq",
      );
      const all = masked.map(({ data }) => data).join("\n");
      for (const pattern of ["mysql-password", "variable", "authorization", "a note", "a new ticket"]) {
        assert.ok(all.includes(pattern), `${pattern}\n${all}`);
      }
    });

    await test.step("the key is with Redmine and the agent alone", async () => {
      const key = REDMINE_KEYS.admin;
      assert.ok(proxy.transcript?.toLowerCase().includes(`x-redmine-api-key: ${key}`));
      // So that it has something to say of errors, too.
      proxy.faults = { answer: { status: 401 } };
      await using login = await Login.open(host, alice, { ticket: "1" });
      const answers = [await login.run("saticket show"), await login.run("saticket status; env; set")];
      const said = [];
      for (const words of [["doctor"], ["status"], ["status", "--json"], ["config", "check"]]) {
        const { text, errors } = await at.srvaudit(...words);
        said.push(text, errors);
      }
      assert.match(said.join("\n"), /does not take the key: see redmineKey/);
      assert.deepEqual(processesWith(key), []);
      for (const text of [...answers, ...said, agent.said, login.shown]) {
        assert.equal(text.includes(key), false);
      }
      for (const place of ["var/log", "var/lib", "var/spool", "run"]) {
        const found = await run(["grep", "-rlF", key, `${host.root}/${place}`]);
        assert.deepEqual([found.code, found.text], [1, ""], place);
      }
      const readable = await host.as(alice, ["grep", "-rlsF", key, host.folder]);
      assert.equal(readable.text, "");
      assert.equal((await host.as(alice, ["cat", `${host.root}/etc/srvaudit/config`])).code, 1);
      assert.equal((await host.as(alice, ["grep", "-aF", key, `/proc/${agent.pid}/environ`])).code, 2);
    });
  },
);
