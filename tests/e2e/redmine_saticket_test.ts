/** `saticket` within a session whose tickets are in a real Redmine, and commands that need a ticket. */

import assert from "node:assert/strict";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { markOf, RedmineHost } from "../support/redmine_host.ts";

testThatNeeds(
  ["root", "sshd", "sqlite3", "Redmine"],
  "saticket on Redmine's tickets, and what Redmine then has",
  async (test) => {
    await using at = await RedmineHost.start({ people: ["alice"], config: ['redmineProject="ops"'] });
    const { host, agent, redmine } = at;
    const alice = at.user();
    const other = await redmine.issue("bob", { subject: "Second thing to do", assigned_to_id: 5 });
    await using login = await Login.open(host, alice, { ticket: "1" });

    await test.step("show, list, search", async () => {
      const shown = await login.run("saticket show");
      assert.match(shown, /^ticket +1 +Disk of db01 is full\nstatus +New\n/);
      assert.ok(shown.includes(`${at.proxy.url}/issues/1\n`), shown);
      assert.match(shown, /\nmade .* by Alice Archer\n/);
      assert.equal(
        await login.run("saticket list"),
        [
          `  ${other}  New  Second thing to do`,
          "  2  New  Renew the TLS certificate",
          "* 1  New  Disk of db01 is full",
          "",
        ]
          .join("\n"),
      );
      assert.match(await login.run("saticket search tls"), /^ +2 +New +Renew the TLS certificate\n$/);
      assert.match(await login.run("saticket search disk"), /^\* +1 +New +Disk of db01 is full\n$/);
      assert.match(
        await login.run("saticket show 3"),
        /there is no ticket 3 in Redmine that alice may see here/,
      );
    });

    await test.step("a note is in the session's own comment, and stands in it once", async () => {
      assert.equal(await login.run("saticket note 'looked at *it*'"), "added a note to ticket 1\n");
      const [story = "", ...others] = await at.told(1, "the note", (all) => all.join().includes("> looked"));
      assert.deepEqual(others, []);
      assert.match(story, /\* Ended: still open, as of /);
      assert.equal((await at.issue(1)).journals.length, 1);
    });

    await test.step("a note on another ticket is a note of hers there", async () => {
      await login.run(`saticket note --ticket ${other} 'see ticket 1'`);
      const { journals } = await at.issue(other);
      assert.deepEqual(journals.map(({ user, notes }) => [user.name, notes?.trim()]), [[
        "Alice Archer",
        "see ticket 1",
      ]]);
    });

    await test.step("a status by number and by name, within the workflow", async () => {
      assert.match(await login.run("saticket status"), /^ticket 1 is New; it can go to\n +1 +In Progress\n/);
      assert.equal(await login.run("saticket status 1"), "ticket 1 was New and is In Progress now\n");
      assert.equal((await at.issue(1)).status.name, "In Progress");
      assert.match(await login.run("saticket status feed"), /is Feedback now\n/);
      const issue = await at.issue(1);
      assert.equal(issue.status.name, "Feedback");
      assert.deepEqual(
        issue.journals.filter(({ details }) => details.length > 0).map(({ user }) => user.name),
        ["Alice Archer", "Alice Archer"],
      );
      assert.match(await login.run("saticket status nonsense"), /the status cannot be "nonsense" now/);
    });

    let made = 0;
    await test.step("a new ticket by the command line: the session goes on there, the story ends here", async () => {
      const refused = await login.run("saticket new 'No terminal' --tracker Bug < /dev/null 2>&1; echo $?");
      assert.equal(refused, "saticket: a new ticket needs --field 'Change reason=VALUE'\n1\n");
      const said = await login.run(
        "saticket new --tracker feature --field 'Change reason=audit' --field field:2=staging Try the new disk",
      );
      made = Number(/^made ticket (\d+): Try the new disk\nthis session is on it now\n$/.exec(said)?.[1]);
      assert.ok(made > other, said);
      const issue = await at.issue(made);
      assert.deepEqual(
        [issue.author.name, issue.assigned_to?.name, issue.tracker.name],
        ["Alice Archer", "Alice Archer", "Feature"],
      );
      assert.deepEqual(issue.custom_fields?.map(({ name, value }) => [name, value]), [
        ["Change reason", "audit"],
        ["Environment", "staging"],
      ]);
      await login.run("echo on the new one");
      const [first = ""] = await at.told(1, "going on", (all) => all.join().includes("Ended: went on to"));
      assert.ok(first.includes(`* Ended: went on to ${made}, `));
      assert.match(first, new RegExp(`: ${alice.name} went on to ${made}\n`));
      assert.doesNotMatch(first, /on the new one/);
      const [second = ""] = await at.told(
        made,
        "the command",
        (all) => all.join().includes("on the new one"),
      );
      assert.match(second, /: satest\S+ came here from 1\n/);
      assert.match(second, /\* On this ticket since: /);
      assert.equal(markOf(second).session, markOf(first).session);
    });

    await test.step("back again, the first comment goes on", async () => {
      assert.match(await login.run("saticket switch '#1'"), /this session is on ticket 1 now/);
      await login.run("echo back on the first");
      const [first = "", ...others] = await at.told(
        1,
        "the return",
        (all) => all.join().includes("back on the first"),
      );
      assert.deepEqual(others, []);
      assert.match(first, /went on to .*came here from .*back on the first/s);
      assert.match(first, /\* Ended: still open/);
      assert.match(await login.run("saticket switch 999"), /there is no ticket 999/);
      assert.match(await login.run("saticket switch 5"), /there is no ticket 5/);
    });

    await test.step("the end is told on the ticket that it was on, and both have every command once", async () => {
      // As the command before it.
      assert.equal(await login.leave("done with it"), 1);
      const [first = "", ...others] = await at.ended(1);
      const [second = "", ...seconds] = await at.ended(made);
      assert.deepEqual([others, seconds], [[], []]);
      assert.match(first, /\* Ended: .*: logged out, exit 1\n/);
      assert.match(first, /> done with it\n/);
      assert.match(second, /\* Ended: went on to 1, /);
      const told = [...`${first}\n${second}`.matchAll(/^\d\d:\d\d:\d\d +exit .{8,30}\S+ +\$ (.*)$/gm)].map((
        [, text],
      ) => text);
      const commands = await agent.ask<{ text: string }>("select text from event where kind = 'command'");
      assert.deepEqual(told.toSorted(), commands.map(({ text }) => text).toSorted());
      assert.equal(commands.length, new Set(commands.map(({ text }) => text)).size);
    });

    await test.step("a command without a terminal needs a ticket of Redmine's", async () => {
      await at.configure(['redmineProject="ops"', 'nonInteractive="require"']);
      const bare = await host.ssh(alice, ["echo in"]);
      assert.deepEqual([bare.code, bare.text], [1, ""]);
      assert.match(bare.errors, /SRVAUDIT_TICKET/);
      const flags = (ticket: string) => ({ flags: ["-o", `SetEnv=SRVAUDIT_TICKET=${ticket}`] });
      const none = await host.ssh(alice, ["echo in"], flags("3"));
      assert.deepEqual([none.code, none.text], [1, ""]);
      assert.match(none.errors, /SRVAUDIT_TICKET="3": there is no such ticket/);
      const real = await host.ssh(alice, ["echo in; exit 7"], flags(String(other)));
      assert.deepEqual([real.code, real.text, real.errors], [7, "in\n", ""]);
      const [story = ""] = await at.ended(other);
      assert.match(story, /: one command\*\n/);
      assert.match(story, /\$ echo in; exit 7\n/);
      assert.match(story, /exit 7/);
    });
  },
);
