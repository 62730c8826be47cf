/** Logins whose tickets are in a real Redmine, as an admin drives them with expect(1); all is read back from its API. */

import assert from "node:assert/strict";
import { playLogin } from "../support/expect.ts";
import { testThatNeeds } from "../support/needs.ts";
import { markOf, RedmineHost } from "../support/redmine_host.ts";

testThatNeeds(
  ["root", "sshd", "sqlite3", "expect", "Redmine"],
  "logins on Redmine's tickets, driven by expect, and what Redmine then has",
  async (test) => {
    await using at = await RedmineHost.start({ people: ["alice", "bob", "mallory", ""] });
    const { host, agent, redmine } = at;
    const [alice, bob, mallory, eve] = [at.user(0), at.user(1), at.user(2), at.user(3)];

    await test.step("a new ticket: who made it, for whom, and in ONE comment what was done", async () => {
      const { code } = await playLogin(
        host,
        alice,
        String.raw`
          want {blank for new[^\r\n]*: $}
          line ""
          want {1  Bug\r\n.*3  Support\r\n.*Choose tracker for new ticket: $}
          line "3"
          want {Enter subject for new ticket: $}
          line "Disk of db03 is full"
          want {Enter Change reason for new ticket: $}
          line "incident 4711"
          want {Ticket 6  Disk of db03 is full  \(New\)\r\n.*\$ $}
          line "cd /tmp"
          want {tmp\$ $}
          line "false"
          want {tmp\$ $}
          line "sleep 0.3; echo '*bold* <pre> !x.png! |'"
          want {png! \|\r\n.*\$ $}
          line "exit 3"
          want {This session was on ticket 6: Disk of db03 is full \(New\)\r\n.*otes[^\r\n]*: $}
          line "freed 3 GB"
          want {> $}
          line "and told the team"
          want {> $}
          line ""
          want {1  New\r\n +2  In Progress\r\n.*Choose ticket status \(default 1\): $}
          line "2"
          ended
        `,
      );
      assert.equal(code, 3);
      const [story = "", ...others] = await at.ended(6);
      assert.deepEqual(others, []);
      const issue = await at.issue(6);
      assert.deepEqual(
        [issue.author.name, issue.assigned_to?.name, issue.subject, issue.tracker.name, issue.project.name],
        ["Alice Archer", "Alice Archer", "Disk of db03 is full", "Support", "Operations"],
      );
      assert.equal(issue.custom_fields?.find(({ name }) => name === "Change reason")?.value, "incident 4711");
      assert.equal(issue.status.name, "In Progress");
      // The status is alice's own, the comment srvAudit's; the notes are in it, and no comment of their own.
      assert.deepEqual(
        issue.journals.map(({ user, notes, details }) => [user.name, (notes ?? "") !== "", details.length]),
        [["Alice Archer", false, 1], ["Redmine Admin", true, 0]],
      );
      const [session] = await agent.ask<{ id: string; host: string; tty: string }>(
        "select id, host, tty from login_session",
      );
      assert.deepEqual(markOf(story), { session: session?.id, part: 1 });
      const time = "\\d\\d:\\d\\d:\\d\\d";
      const stamp = `\\d{4}-\\d\\d-\\d\\d ${time} UTC\\S*`;
      const lines = [
        `\\*${alice.name} on ${session?.host}: shell session\\*`,
        "",
        `\\* Who: ${alice.name} \\(user ${alice.uid}\\) on ${session?.host}, from 127\\.0\\.0\\.1, on ${
          session?.tty.replace("/dev/", "")
        }`,
        `\\* Began: ${stamp}`,
        `\\* Ended: ${stamp}: logged out, exit 3`,
        "\\* Time on this ticket: \\d+s",
        "\\* Commands: 4, 2 of them failed",
        "",
        "<pre>",
        "\\d{4}-\\d\\d-\\d\\d UTC\\S*",
        `${time}  exit 0 +\\d\\.\\d\\d s  ${host.folder}/home/${alice.name}  \\$ cd /tmp`,
        `${time}  exit 1 +\\d\\.\\d\\d s  /tmp  \\$ false`,
        `${time}  exit 0 +0\\.[3-9]\\d s  /tmp  \\$ sleep 0\\.3; echo '\\*bold\\* .*pre> !x\\.png! \\|'`,
        `${time}  exit 3 +\\d\\.\\d\\d s  /tmp  \\$ exit 3`,
        "</pre>",
        "",
        `${alice.name}, ${stamp}`,
        "",
        "> freed 3 GB",
        "> and told the team",
        "",
        `${stamp}: ${alice.name} set the status: New to In Progress`,
      ];
      assert.match(story, new RegExp(`^${lines.join("\n")}\n`));
    });

    await test.step("an existing ticket, by ? and by words; ONE comment with status at logout", async () => {
      await playLogin(
        host,
        alice,
        String.raw`
          want {blank for new[^\r\n]*: $}
          line "?"
          want {6  Disk of db03 is full  \(In Progress\)\r\n +2  Renew the TLS certificate  \(New\)\r\n +1  Disk of db01 is full  \(New\)\r\n[^\r\n]*blank for new[^\r\n]*: $}
          line "tls certificate"
          want {tls certificate\r\n +2  Renew the TLS certificate  \(New\)\r\n[^\r\n]*blank for new[^\r\n]*: $}
          line "#2"
          want {Ticket 2  Renew the TLS certificate  \(New\)\r\n.*\$ $}
          line "echo renewed"
          want {renewed\r\n.*\$ $}
          line "exit"
          want {otes[^\r\n]*: $}
          line ""
          want {3  Resolved\r\n.*Choose ticket status \(default 1\): $}
          line "3"
          ended
        `,
      );
      const [story = "", ...others] = await at.ended(2);
      assert.deepEqual(others, []);
      assert.match(story, /\$ echo renewed\n/);
      assert.match(story, /set the status: New to Resolved\n/);
      assert.equal((await at.issue(2)).status.name, "Resolved");
    });

    await test.step("a closed ticket, one of another project, a hidden, a closed project's, and none", async () => {
      await redmine.api("alice", "PUT", "/issues/2.json", { issue: { status_id: 5 } });
      for (
        const [numbers, answers] of [
          [["2", "3", "4"], [
            "Ticket 2 is Closed: choose an open one",
            "Ticket 3 does not exist",
            "Ticket 4 is New, in a closed project: choose an open one",
          ]],
          [["5", "999", "-1"], ["Ticket 5 does not exist", "Ticket 999 does not exist"]],
        ] as const
      ) {
        const { code, text } = await playLogin(
          host,
          alice,
          numbers.map((number) => `want {blank for new[^\\r\\n]*: $}\nline "${number}"`).join("\n") +
            (answers.length < 3 ? '\nwant {blank for new[^\\r\\n]*: $}\nline "0"\nended' : "\nended"),
        );
        assert.equal(code, 1);
        for (const answer of answers) assert.ok(text.includes(`\n${answer}.\r\n`), `${answer}\n${text}`);
        assert.match(text, /no open ticket in 3 tries/);
        assert.doesNotMatch(text, /Nobody may see this|Public disk question/);
      }
    });

    await test.step("what the workflow does not let bob do is not offered, and refused", async () => {
      const { text } = await playLogin(
        host,
        bob,
        String.raw`
          login "1"
          line "${host.program("saticket")} status closed"
          want {saticket: the status cannot be "closed" now \(it is New\)[^\r\n]*\r\n.*\$ $}
          logout "" ""
        `,
      );
      const [, offered = ""] = /\r\n( +1 +New\r\n.*)Choose ticket status/s.exec(text) ?? [];
      assert.match(offered, /2 +In Progress\r\n/);
      assert.doesNotMatch(offered, /Closed/);
      assert.equal((await at.issue(1)).status.name, "New");
    });

    await test.step("whose account is locked there does not get in", async () => {
      const words = "the account mallory is locked in Redmine";
      const { code, text } = await playLogin(
        host,
        mallory,
        String.raw`
          want {blank for new[^\r\n]*: $}
          line "1"
          want {${words}\r\n[^\r\n]*blank for new[^\r\n]*: $}
          line ""
          want {${words}\r\n}
          line "1"
          ended
        `,
      );
      assert.equal(code, 1, text);
    });

    await test.step("whom Redmine does not know works as srvAudit's account, and is named", async () => {
      await playLogin(
        host,
        eve,
        String.raw`
          want {blank for new[^\r\n]*: $}
          line ""
          want {Choose tracker for new ticket: $}
          line "Bug"
          want {Enter subject for new ticket: $}
          line "Made by nobody there"
          want {Enter Change reason for new ticket: $}
          line "routine"
          want {\$ $}
          logout "well done" ""
        `,
      );
      const [key = 0] = redmine.sql("SELECT id FROM issues WHERE subject = 'Made by nobody there'")
        .map(({ id }) => Number(id));
      const [story = ""] = await at.ended(key);
      assert.match(story, new RegExp(`^\\*${eve.name} on .*\n\n> well done\n`, "s"));
      const issue = await at.issue(key);
      assert.deepEqual([issue.author.name, issue.assigned_to], ["Redmine Admin", undefined]);
    });

    await test.step("... or not at all", async () => {
      await at.configure(['trackerUnknownUsers="deny"']);
      const words =
        `Redmine does not know ${eve.name}: give her an account there, or name it in trackerUsers`;
      const { code } = await playLogin(
        host,
        eve,
        String.raw`
          want {blank for new[^\r\n]*: $}
          line "1"
          want {${words}[^\r\n]*\r\n[^\r\n]*blank for new[^\r\n]*: $}
          line "2"
          want {blank for new[^\r\n]*: $}
          line "1"
          ended
        `,
      );
      assert.equal(code, 1);
      assert.deepEqual(
        await agent.ask(`select 1 from login_session where user = '${eve.name}' and closed_us is null`),
        [],
      );
    });

    await test.step("... until she is found by her mail", async () => {
      const made = await redmine.api("admin", "POST", "/users.json", {
        user: {
          login: "evelyn",
          firstname: "Evelyn",
          lastname: "Elder",
          mail: `${eve.name}@corp.example`,
          password: "evelyn-password",
        },
      });
      assert.equal(made.status, 201);
      const { id } = (made.body as { user: { id: number } }).user;
      await redmine.api("admin", "POST", "/projects/ops/memberships.json", {
        membership: { user_id: id, role_ids: [4] },
      });
      await at.configure(['trackerUnknownUsers="deny"', 'trackerMailDomain="corp.example"']);
      await playLogin(
        host,
        eve,
        String.raw`
          want {blank for new[^\r\n]*: $}
          line ""
          want {Choose tracker for new ticket: $}
          line "1"
          want {Enter subject for new ticket: $}
          line "Made by Evelyn"
          want {Enter Change reason for new ticket: $}
          line "routine"
          want {\$ $}
          logout "" ""
        `,
      );
      const [key = 0] = redmine.sql("SELECT id FROM issues WHERE subject = 'Made by Evelyn'")
        .map(({ id }) => Number(id));
      const issue = await at.issue(key);
      assert.deepEqual([issue.author.name, issue.assigned_to?.name], ["Evelyn Elder", "Evelyn Elder"]);
    });
  },
);
