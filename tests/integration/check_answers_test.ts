import assert from "node:assert/strict";
import { checkAnswers, type CheckReport } from "../../src/install/check_answers.ts";
import { ConfigHost } from "../support/config_host.ts";
import { FakeDatadog } from "../support/datadog/fake_datadog.ts";
import { FakeJira } from "../support/jira/fake_jira.ts";
import { testThatNeeds } from "../support/needs.ts";
import { FakeNewRelic } from "../support/new_relic/fake_new_relic.ts";
import { Redmine, REDMINE_KEYS } from "../support/redmine.ts";
import { FakeSlack } from "../support/slack/fake_slack.ts";

const WRONG = "s3cretAndWr0ngs3cretAndWr0ng";
/** Nobody listens there. */
const NOBODY = "http://127.0.0.1:9";

/** Checks answers on a host that has the shipped config, or another. */
async function check(config: Record<string, string>, present?: string): Promise<CheckReport> {
  using host = new ConfigHost();
  if (present !== undefined) host.write("/etc/srvaudit/config", present);
  const report = await checkAnswers({ config }, host.target);
  const text = JSON.stringify(report);
  for (const secret of [WRONG, ...Object.values(REDMINE_KEYS)]) assert.ok(!text.includes(secret), text);
  return report;
}

/** The one thing that failed. */
function only({ ok, failed }: CheckReport): string {
  assert.deepEqual([ok, failed.length], [[], 1], JSON.stringify(failed));
  return failed[0] ?? "";
}

Deno.test("who answers nothing asks nobody anything, also where the config names others", async () => {
  const present = `pms="Redmine"\nredmineURL="${NOBODY}"\nredmineKey="${WRONG}"\nslackURL="${NOBODY}/x"\n`;
  assert.deepEqual(await check({}, present), { ok: [], failed: [], notes: [] });
  assert.deepEqual(await check({ showBanner: "no" }, present), { ok: [], failed: [], notes: [] });
});

Deno.test("tickets of this host's own need nobody", async () => {
  assert.deepEqual(await check({ pms: "0" }), {
    ok: ["tickets are kept on this host"],
    failed: [],
    notes: [],
  });
});

Deno.test("what the agent would not take is said before anybody is asked", async () => {
  const { ok, failed } = await check({
    pms: "Redmine",
    redmineURL: "redmine",
    slackURL: NOBODY,
    redmineKey: WRONG,
  });
  assert.deepEqual(ok, []);
  assert.deepEqual(failed.length, 2);
  assert.match(
    failed.join("\n"),
    // By its key: the line is one of a config that is not there yet.
    /^redmineURL="redmine" is no address.*\nslackURL.* is no address of an incoming webhook/,
  );
});

Deno.test("an upgrade is not stopped by what was wrong before, answers are", async () => {
  const present = 'showBanner="perhaps"\n';
  assert.deepEqual((await check({}, present)).failed, []);
  assert.match(only(await check({ pms: "0" }, present)), /line 1: showBanner="perhaps"/);
});

for (const edition of ["cloud", "server"] as const) {
  Deno.test(`a Jira (${edition}) is asked for the account, the projects and a ticket`, async (test) => {
    await using jira = await FakeJira.start({ edition });
    const good = {
      pms: "jira",
      jiraURL: jira.url,
      jiraMail: jira.mail,
      jiraToken: jira.token,
      jiraProjectKey: "ops",
    };
    await test.step("which works", async () => {
      const { ok, failed } = await check(good);
      assert.deepEqual(failed, []);
      assert.match(ok.join(), new RegExp(`^Jira at ${jira.url} takes this key: .+; OPS$`));
      assert.ok(jira.requests.some(({ path }) => path.includes("/search")));
    });
    await test.step("whose key is wrong", async () => {
      assert.match(only(await check({ ...good, jiraToken: WRONG })), /^Jira: .*401.*(jiraToken|jiraMail)/);
    });
    await test.step("which has no such project", async () => {
      const says = only(await check({ ...good, jiraProjectKey: "OPS, NONE" }));
      assert.match(says, /^Jira at \S+: it takes this key \(.+\), which sees no project NONE$/);
    });
    await test.step("which has an outage", async () => {
      using _down = jira.fault({ on: /search/, what: { kind: "status", status: 503 } });
      assert.match(only(await check(good)), /^Jira: .*503/);
    });
    await test.step("which knows nobody of this host, and is to work for nobody else", async () => {
      assert.deepEqual((await check({ ...good, trackerUnknownUsers: "deny" })).failed, []);
    });
  });
}

testThatNeeds(
  ["Redmine"],
  "a real Redmine is asked for the account, the projects and a ticket",
  async (test) => {
    await using redmine = await Redmine.start();
    const good = {
      pms: "Redmine",
      redmineURL: redmine.url,
      redmineKey: REDMINE_KEYS.admin,
      redmineProject: "ops",
    };
    await test.step("which works, and what is not safe is said", async () => {
      const { ok, failed, notes } = await check(good);
      assert.deepEqual(failed, []);
      assert.deepEqual(ok, [`Redmine at ${redmine.url} takes this key: admin; ops`]);
      assert.match(notes.join(), /works there as srvAudit's account.*trackerUnknownUsers="deny"/);
    });
    await test.step("with the key of somebody who is no administrator, and all projects", async () => {
      const { ok, notes } = await check({ ...good, redmineKey: REDMINE_KEYS.bob, redmineProject: "" });
      assert.deepEqual([ok, notes], [[`Redmine at ${redmine.url} takes this key: bob; all projects`], []]);
    });
    await test.step("which knows nobody of this host, and is to work for nobody else", async () => {
      assert.deepEqual((await check({ ...good, trackerUnknownUsers: "deny" })).failed, []);
    });
    await test.step("whose key is wrong, or locked", async () => {
      for (const redmineKey of [WRONG, REDMINE_KEYS.mallory]) {
        assert.match(only(await check({ ...good, redmineKey })), /^Redmine: .*redmineKey/);
      }
    });
    await test.step("which has no such project", async () => {
      const says = only(await check({ ...good, redmineProject: "ops,none" }));
      assert.match(says, /it takes this key \(admin\), which sees no project none$/);
    });
    await test.step("whose REST API is off", async () => {
      redmine.setting("rest_api_enabled", "0");
      assert.match(only(await check(good)), /^Redmine: .*(REST API|redmineKey)/);
      redmine.setting("rest_api_enabled", "1");
    });
    await test.step("at another address", async () => {
      assert.match(
        only(await check({ ...good, redmineURL: `${redmine.url}/there` })),
        /^Redmine: .*redmineURL/,
      );
    });
  },
);

Deno.test("nobody listens: it is said who, and which key of the config is about that", async () => {
  const { ok, failed } = await check({
    pms: "Redmine",
    redmineURL: NOBODY,
    redmineKey: WRONG,
    slackURL: `${NOBODY}/services/${WRONG}`,
    datadogKey: WRONG,
    datadogURL: NOBODY,
    newRelicLicenseKey: WRONG,
    newRelicURL: NOBODY,
  });
  assert.deepEqual(ok, []);
  assert.deepEqual(failed.map((line) => line.split(/[: ]/)[0]).toSorted(), [
    "Datadog",
    "New",
    "Redmine",
    "Slack",
  ]);
  for (const line of failed) assert.match(line, /refuse/, line);
});

Deno.test("sinks get a marked test, each once, and those alone that are answered for", async () => {
  await using slack = FakeSlack.start();
  await using datadog = FakeDatadog.start();
  await using newRelic = FakeNewRelic.start();
  const present = `slackURL="${NOBODY}/x"\nwebhookURL="${NOBODY}/hook"\n`;
  const { ok, failed, notes } = await check({
    slackToken: slack.world.token,
    slackApiURL: slack.apiUrl,
    slackChannel: "C0000000OPS",
    datadogKey: datadog.key,
    datadogURL: datadog.url,
    newRelicLicenseKey: newRelic.licenseKey,
    newRelicURL: newRelic.url,
  }, present);
  assert.deepEqual(failed, []);
  assert.deepEqual(ok.map((line) => line.replace(/:.*/, "")), [
    "Slack has taken a test",
    "Datadog has taken a test",
    "New Relic has taken a test",
  ]);
  assert.match(notes.join(), /slackURL has no effect: there is slackToken/);
  assert.match(JSON.stringify(slack.channel("ops").messages), /test of slack: nothing has happened/);
  assert.equal(slack.channel("ops").messages.length, 1);
  assert.equal(datadog.logs.indexed.length, 1);
  assert.equal(newRelic.logs.stored.length, 1);
});

Deno.test("a sink's own no is shown, without the key", async () => {
  await using slack = FakeSlack.start();
  await using datadog = FakeDatadog.start();
  await using newRelic = FakeNewRelic.start();
  const { ok, failed } = await check({
    slackToken: `xoxb-${WRONG}`,
    slackApiURL: slack.apiUrl,
    slackChannel: "C0000000OPS",
    datadogKey: WRONG,
    datadogURL: datadog.url,
    newRelicLicenseKey: WRONG,
    newRelicURL: newRelic.url,
  });
  assert.deepEqual(ok, []);
  assert.match(
    failed.join("\n"),
    /^Slack: .*slackToken.*\nDatadog: .*datadogKey.*\nNew Relic: POST .*newRelicLicenseKey/,
  );
});

Deno.test("who never answers is given up after 10 seconds; an end that is asked for comes at once", async () => {
  await using jira = await FakeJira.start({ edition: "cloud" });
  await using slack = FakeSlack.start();
  using _jira = jira.fault({ on: /./, what: { kind: "silent" } });
  using _slack = slack.fault({ on: /./, what: { kind: "silent", isDone: false } });
  const config = {
    pms: "jira",
    jiraURL: jira.url,
    jiraMail: jira.mail,
    jiraToken: WRONG,
    slackURL: slack.hook(0),
  };
  const { failed } = await check(config);
  assert.equal(failed.length, 2);
  assert.match(failed.join("\n"), /^Jira.* 10 s.*\nSlack.* 10 s/);
  using host = new ConfigHost();
  const end = new AbortController();
  const checking = checkAnswers({ config }, host.target, end.signal);
  end.abort(new Error("Ctrl-C"));
  await assert.rejects(checking, /^Error: Ctrl-C$/);
});
