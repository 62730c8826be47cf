/** A Redmine that hangs, is away or says no while people log in: they get their shells, and Redmine everything later, once. */

import assert from "node:assert/strict";
import { playLogin } from "../support/expect.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { RedmineHost } from "../support/redmine_host.ts";
import { until } from "../support/sshd.ts";

/** What nobody may wait longer for, in seconds: expect ends the script where it comes later. */
const FIVE = "set timeout 5\n";

const DEFAULTS = [
  'redmineTracker="Bug"',
  'redmineFields="Change reason=routine"',
  'trackerTimeout="3"',
  'redmineProject="ops"',
];

testThatNeeds(
  ["root", "sshd", "sqlite3", "expect", "Redmine"],
  "Redmine fails while people log in, and comes back",
  async (test) => {
    await using at = await RedmineHost.start({ people: ["alice", "bob"], config: DEFAULTS });
    const { host, agent, proxy, redmine } = at;
    const [alice, bob] = [at.user(0), at.user(1)];
    const isBack = async () => {
      proxy.faults = {};
      proxy.hangUp();
      const from = agent.said.length;
      // What was wrong may be mended: it asks at once.
      agent.signal("SIGHUP");
      await until("the config", () => Promise.resolve(agent.said.includes("was read again", from)));
      await until("Redmine's answer", async () => {
        const status = await host.as(alice, [host.program("saticket"), "list"]);
        return status.code === 0;
      });
    };

    await test.step("it hangs: a shell and a logout within five seconds; later all of it is told, once", async () => {
      proxy.faults = { hang: true };
      const { code } = await playLogin(
        host,
        alice,
        String.raw`
          want {blank for new[^\r\n]*: $}
          ${FIVE}
          line "nonsense 7"
          want {blank for new[^\r\n]*: $}
          line "#1"
          want {Ticket 1  \(not looked up\)\r\n.*\$ $}
          line "echo while it hung"
          want {hung\r\n.*\$ $}
          line "${host.program("saticket")} note 'said while it hung'"
          want {added a note to ticket 1\r\n.*\$ $}
          line "exit"
          want {otes[^\r\n]*: $}
          line "and at the end"
          want {> $}
          line ""
          ended
        `,
      );
      assert.equal(code, 0);
      assert.deepEqual(await at.stories(1), []);
      await isBack();
      const [story = "", ...others] = await at.ended(1);
      assert.deepEqual(others, []);
      assert.match(
        story,
        /\* Ticket: could not be looked up at the login; it was found later\n.*\$ echo while it hung\n.*> said while it hung\n.*> and at the end\n/s,
      );
      assert.equal((await at.issue(1)).journals.length, 1);
      await agent.find(
        "the verification",
        "select 1 from event where kind = 'agent' and json_extract(data, '$.what') = 'ticket verified'",
      );
    });

    await test.step("it is away: a ticket that is wanted is made later, and the session goes on to it", async () => {
      proxy.refuse();
      await using wanting = await Login.open(host, alice);
      assert.match(wanting.shown, /^srvaudit: Redmine[^\r\n]*; going on without it\r$/m);
      await wanting.run("echo before there was one");
      assert.equal(at.subjects().includes("what there is to do"), false);
      proxy.listen();
      await isBack();
      const key = await until(
        "the ticket",
        () => Promise.resolve(at.subjects().indexOf("what there is to do") + 1 || undefined),
      );
      await agent.find("the switch", `select 1 from event where json_extract(data, '$.to') = '${key}'`);
      await wanting.run("echo on it");
      await wanting.leave("found out");
      const [story = "", ...others] = await at.ended(key);
      assert.deepEqual(others, []);
      assert.match(story, /\$ echo before there was one\n.*\$ echo on it\n.*> found out\n/s);
      const issue = await at.issue(key);
      assert.deepEqual(
        [issue.author.name, issue.assigned_to?.name, issue.tracker.name, issue.custom_fields?.[0]?.value],
        ["Alice Archer", "Alice Archer", "Bug", "routine"],
      );
      assert.deepEqual(at.subjects().filter((subject) => subject === "what there is to do").length, 1);
    });

    await test.step("500, 401, 403, 429: a shell each time; the key is said to be wrong; all of it arrives in order", async () => {
      const doctor: string[] = [];
      for (const status of [500, 401, 403, 429]) {
        const headers: Record<string, string> = status === 429 ? { "retry-after": "3600" } : {};
        proxy.faults = { answer: { status, headers } };
        await playLogin(
          host,
          bob,
          String.raw`
            want {blank for new[^\r\n]*: $}
            ${FIVE}
            line "2"
            want {\$ $}
            line "echo answered ${status}"
            want {answered [0-9]+\r\n.*\$ $}
            line "exit"
            want {otes[^\r\n]*: $}
            line "note ${status}"
            want {> $}
            line ""
            ended
          `,
        );
        if (status === 401 || status === 403) {
          doctor.push((await at.srvaudit("doctor")).text, (await at.srvaudit("status")).text);
        }
        if (status !== 429) await isBack();
      }
      // It wants an hour of rest, and gets it though it would answer.
      proxy.faults = {};
      const asked = proxy.asked.length;
      await playLogin(
        host,
        bob,
        `${FIVE}\nlogin "2"\nline "echo unheard"\nwant {unheard\\r\\n.*\\$ $}\nline "exit"\nwant {otes[^\\r\\n]*: $}\nline ""\nended`,
      );
      assert.deepEqual(proxy.asked.slice(asked), []);
      await isBack();
      const stories = await at.ended(2, 5);
      assert.deepEqual(
        stories.map((
          story,
        ) => [/echo (answered \d+|unheard)/.exec(story)?.[1], /> (note \d+)/.exec(story)?.[1]]),
        [
          ...[500, 401, 403, 429].map((status) => [`answered ${status}`, `note ${status}`]),
          ["unheard", undefined],
        ],
      );
      for (const said of doctor) assert.match(said, /answered 40[13]: .*see redmineKey/);
      for (const said of [doctor[0] ?? "", doctor[2] ?? ""]) {
        assert.match(
          said,
          /^wrong +tracker: the tracker does not let srvAudit in: .*Mend: give redmineKey in /m,
        );
      }
    });

    await test.step('onTrackerOutage="deny": no shell, and why', async () => {
      await at.configure([...DEFAULTS, 'onTrackerOutage="deny"']);
      proxy.refuse();
      const { code, text } = await playLogin(
        host,
        alice,
        `want {blank for new[^\\r\\n]*: $}\n${FIVE}\nline "1"\nended`,
      );
      assert.equal(code, 1);
      assert.match(
        text,
        /^srvaudit: Redmine[^\r\n]*; onTrackerOutage="deny": no shell until it answers: try again later\r$/m,
      );
      proxy.listen();
      await at.configure(DEFAULTS);
      await isBack();
    });

    await test.step("a ticket that is deleted, and one whose project is closed, hold up no others", async () => {
      const gone = await redmine.issue("alice", { subject: "Soon gone" });
      const other = await redmine.issue("alice", { subject: "It stays" });
      const made = await redmine.api("admin", "POST", "/projects.json", {
        project: { name: "Brief", identifier: "brief", is_public: true, tracker_ids: [1] },
      });
      assert.equal(made.status, 201);
      const stuck = await redmine.issue("admin", {
        project_id: "brief",
        tracker_id: 1,
        subject: "Soon stuck",
        custom_fields: [],
      });
      await at.configure([...DEFAULTS, 'redmineProject="ops,brief"']);
      await using onGone = await Login.open(host, alice, { ticket: String(gone) });
      await using onStuck = await Login.open(host, alice, { ticket: String(stuck) });
      await using onOther = await Login.open(host, bob, { ticket: String(other) });
      for (const login of [onGone, onStuck, onOther]) await login.run("echo begun");
      for (const key of [gone, stuck, other]) {
        await at.told(key, "the beginning", (all) => all.join().includes("echo begun"));
      }
      assert.equal((await redmine.api("admin", "DELETE", `/issues/${gone}.json`)).status, 204);
      assert.equal((await redmine.api("admin", "PUT", "/projects/brief/close.json")).status, 204);
      for (const login of [onGone, onStuck, onOther]) await login.run("echo goes on");
      await onGone.leave("on what is gone", false);
      await onStuck.leave("on what is stuck");
      await onOther.leave("on what stays");
      const [story = ""] = await at.ended(other);
      assert.match(story, /echo begun\n.*echo goes on\n.*> on what stays\n/s);
      await until("both held", () => Promise.resolve(agent.said.split("cannot be told: ").length === 3));
      assert.deepEqual(
        await agent.ask("select ticket from story where waiting_us is not null and tries > 0 order by id"),
        [{ ticket: String(gone) }, { ticket: String(stuck) }],
      );
      const { text } = await at.srvaudit("doctor");
      for (const key of [gone, stuck]) {
        assert.match(
          text,
          new RegExp(`^warning +stories: the story for ticket ${key} is refused since `, "m"),
        );
      }
    });
  },
);
