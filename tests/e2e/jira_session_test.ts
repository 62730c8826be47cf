/** Sessions on tickets of a Jira, in both editions, driven by expect(1); all is looked up in Jira itself. */

import assert from "node:assert/strict";
import { textOfAdf, textOfWiki } from "../../src/trackers/jira/texts.ts";
import { TestAgent } from "../support/agent.ts";
import { playLogin } from "../support/expect.ts";
import { FakeJira } from "../support/jira/fake_jira.ts";
import type { Issue } from "../support/jira/world.ts";
import { EDITIONS } from "../support/jira_tracker.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { TestHost, until } from "../support/sshd.ts";

for (const edition of EDITIONS) {
  testThatNeeds(
    ["root", "sshd", "sqlite3", "expect"],
    `Jira ${edition}: logins, one comment each, a transition, a worklog`,
    async (test) => {
      await using jira = await FakeJira.start({ edition });
      await using host = await TestHost.start({ sshd: ["AcceptEnv SRVAUDIT_TICKET"] });
      const user = await host.addUser();
      await using agent = await TestAgent.start(host, [
        'pms="jira"',
        `jiraURL="${jira.url}"`,
        `jiraMail="${jira.mail}"`,
        `jiraToken="${jira.token}"`,
        'jiraProjectKey="OPS,WEB"',
        `trackerUsers="${user.name}=alice@corp.example"`,
        'logTime="yes"',
        'storySeconds="1"',
        'trackerTimeout="20"',
        'showBanner="no"',
      ]);
      const textOf = edition === "cloud" ? textOfAdf : textOfWiki;
      const issue = (key: string): Issue => {
        const found = jira.world.issues.find((one) => one.key === key);
        if (!found) throw new Error(`there is no issue ${key}`);
        return found;
      };
      /** The comments of an issue, when so many sessions are over for it. */
      const ended = async (key: string, sessions = 1) => {
        await until(
          `the end on ${key}: ${agent.said}`,
          async () =>
            (await agent.ask(`select 1 from story where ticket = '${key}' group by ticket
            having count(*) >= ${sessions} and min(is_over) = 1 and max(waiting_us) is null`)).length > 0,
        );
        return issue(key).comments;
      };

      await test.step("a new issue: project, type and required fields are asked for", async () => {
        await playLogin(
          host,
          user,
          String.raw`
            want {blank for new[^\r\n]*: $}
            line ""
            want {1  OPS Operations  \(default\)\r\n.*Choose project for new ticket: $}
            line ""
            want {1  Task\r\n +2  Bug\r\n.*Choose tracker for new ticket: $}
            line "1"
            want {Enter subject for new ticket: $}
            line "Fan of db1 is loud"
            want {1  production\r\n +2  staging\r\n.*Choose Environment for new ticket: $}
            line "staging"
            want {Enter Change reason for new ticket: $}
            line "noise"
            want {Ticket OPS-[0-9]+  Fan of db1 is loud  \(To Do\)\r\n.*\$ $}
            line "cd /tmp"
            want {tmp\$ $}
            line "echo '*bold* {noformat}'; false"
            want {noformat\}\r\n.*\$ $}
            logout "oiled" "2"
          `,
        );
        const made = jira.world.issues.find(({ summary }) => summary === "Fan of db1 is loud");
        assert.ok(made);
        const [comment, ...others] = await ended(made.key);
        assert.deepEqual(others, []);
        const text = textOf(comment?.body);
        assert.match(text, new RegExp(`${user.name} on .*: shell session`));
        assert.match(text, /Ended: .*: logged out, exit 1/);
        assert.match(
          text,
          /exit 0 [^\n]*\$ cd \/tmp\n.*exit 1 [^\n]*\/tmp +\$ echo '\*bold\* \{noformat\}'; false\n/s,
        );
        assert.match(text, /oiled/);
        assert.match(text, /set the status: To Do to In Progress/);
        assert.deepEqual(
          [made.project, made.type, made.assignee, made.reporter, made.status, comment?.author],
          ["OPS", "Task", "alice", made.reporter, "In Progress", "srvaudit"],
        );
        assert.deepEqual(made.fields["customfield_10041"], "noise");
        assert.equal((made.fields["customfield_10040"] as { value: string }).value, "staging");
        assert.equal(made.worklogs.length, 1);
        assert.match(
          textOf(made.worklogs[0]?.comment),
          new RegExp(`^${user.name} on .*, 3 commands;`),
        );
      });

      await test.step("17 is OPS-17; its comment is changed in place; saticket; a transition at logout", async () => {
        await using login = await Login.open(host, user, { ticket: "17" });
        assert.match(login.shown, /Ticket OPS-17 +Renew the certificates of mail.corp.example +\(To Do\)/);
        await login.run("echo first");
        await until(
          "the first telling",
          () => Promise.resolve(textOf(issue("OPS-17").comments[0]?.body ?? "").includes("echo first")),
        );
        const { id } = issue("OPS-17").comments[0] ?? { id: "" };
        await login.run("saticket note 'half way'");
        assert.match(
          await login.run("saticket status"),
          /^ticket OPS-17 is To Do; it can go to\n +1 +In Progress\n$/,
        );
        assert.match(await login.run("saticket switch web-1"), /on ticket WEB-1 now/);
        assert.match(await login.run("saticket switch SECRET-1"), /there is no ticket SECRET-1/);
        assert.match(await login.run("saticket switch 3"), /ticket OPS-3 is Done/);
        await login.run("saticket switch 17");
        await login.terminal.send("exit\r");
        await login.terminal.expect(/otes[^\r\n]*: $/);
        await login.terminal.send("\r");
        await login.terminal.expect(/1 +To Do\r\n +2 +In Progress\r\nChoose ticket status \(default 1\): *$/);
        await login.terminal.send("2\r");
        await login.terminal.close();
        const comments = await ended("OPS-17");
        assert.deepEqual(comments.map((comment) => comment.id), [id]);
        const text = textOf(comments[0]?.body);
        assert.match(text, /echo first\n.*half way.*went on to WEB-1.*came here from WEB-1/s);
        assert.equal(issue("OPS-17").status, "In Progress");
        const [web, ...others] = await ended("WEB-1");
        assert.deepEqual(others, []);
        assert.match(textOf(web?.body), /Ended: went on to OPS-17/);
        assert.deepEqual([issue("OPS-17").worklogs.length, issue("WEB-1").worklogs.length], [1, 1]);
      });

      await test.step("done, hidden, other and no issues are refused", async () => {
        const { code, text } = await playLogin(
          host,
          user,
          ["3", "SECRET-1", "OPS-4711"].map((key) => `want {blank for new[^\\r\\n]*: $}\nline "${key}"`).join(
            "\n",
          ) +
            "\nended",
        );
        assert.equal(code, 1);
        for (
          const answer of [
            "Ticket OPS-3 is Done: choose an open one.",
            "Ticket SECRET-1 does not exist.",
            "Ticket OPS-4711 does not exist.",
          ]
        ) assert.ok(text.includes(`\n${answer}\r\n`), `${answer}\n${text}`);
      });

      await test.step("in an outage 2 is taken as it is, and is OPS-2 later", async () => {
        const before = agent.said.length;
        {
          using _away = jira.fault({ on: /./, what: { kind: "status", status: 503 } });
          await playLogin(
            host,
            user,
            `want {blank for new[^\\r\\n]*: $}\nset timeout 5\nline "2"\nwant {\\$ $}\nline "echo away"\nwant {away\\r\\n.*\\$ $}\nline "exit"\nwant {otes[^\\r\\n]*: $}\nline ""\nended`,
          );
        }
        agent.signal("SIGHUP");
        await until("the config", () => Promise.resolve(agent.said.includes("was read again", before)));
        const [comment, ...others] = await ended("OPS-2");
        assert.deepEqual(others, []);
        assert.match(textOf(comment?.body), /echo away/);
      });

      await test.step("a secret reaches Jira neither in a body nor in an address; the token nobody", async () => {
        const { text } = await host.ssh(user, ["echo --password=tops3cret; env"], {
          flags: ["-o", "SetEnv=SRVAUDIT_TICKET=OPS-1"],
        });
        await ended("OPS-1");
        assert.match(textOf(issue("OPS-1").comments[0]?.body), /--password=\*{5}/);
        assert.equal(jira.requests.some(({ body, path }) => (body + path).includes("tops3cret")), false);
        for (const seen of [text, agent.said, ...jira.requests.map(({ body, path }) => body + path)]) {
          assert.equal(seen.includes(jira.token), false);
        }
      });
    },
  );
}
