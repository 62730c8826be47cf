import assert from "node:assert/strict";
import { ConfigHost, SHIPPED } from "../support/config_host.ts";
import { FakeDatadog } from "../support/datadog/fake_datadog.ts";
import { FakeJira } from "../support/jira/fake_jira.ts";
import { testThatNeeds } from "../support/needs.ts";
import { FakeNewRelic } from "../support/new_relic/fake_new_relic.ts";
import { start, type Terminal } from "../support/pty.ts";
import { Redmine, REDMINE_KEYS } from "../support/redmine.ts";
import { FakeSlack } from "../support/slack/fake_slack.ts";
import { until } from "../support/sshd.ts";
import type { Answers } from "../../src/install/answers.ts";

const DRIVER = new URL("../support/ask_answers.ts", import.meta.url).pathname;
const CONFIG = "/etc/srvaudit/config";
/** Nobody listens there. */
const NOBODY = "http://127.0.0.1:9";
const WRONG = "wrongwrongwrongwrongwrongwrong";

/** A host with some people, and an admin at its terminal who is asked. */
class AskedHost extends ConfigHost {
  constructor(config = SHIPPED) {
    super();
    this.write(CONFIG, config, 0o640);
    for (const folder of ["bin", "usr/sbin"]) Deno.mkdirSync(`${this.root}/${folder}`, { recursive: true });
    for (const shell of ["/bin/bash", "/usr/sbin/nologin"]) this.write(shell, "", 0o755);
    this.write(
      "/etc/passwd",
      "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/bash\n" +
        "bob:x:1001:1001::/home/bob:/bin/bash\nwww:x:33:33::/:/usr/sbin/nologin\n",
    );
    this.write("/etc/group", "root:x:0:\nops:x:50:ann\n");
  }

  /** Asks her. After it the terminal shows how it was left, and the exit code. */
  ask(given: object = {}, columns = 200): Terminal {
    const driver = `"$DENO" run -A --no-check "$DRIVER" "$ROOT" "$GIVEN"`;
    const left = `stty -a | tr ' ;' '\\n\\n' | grep -E -x -- '-?(echo|icanon|isig)' | tr '\\n' ' '`;
    return start("bash", [
      "-c",
      `set -m; ${driver}; code=$?; stty -a | grep -o 'susp = [^;]*'; ${left}; echo "END $code"`,
    ], {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: this.root,
      DENO: Deno.execPath(),
      DENO_DIR: Deno.env.get("DENO_DIR") ?? "",
      DENO_NO_UPDATE_CHECK: "1",
      NO_COLOR: "1",
      DRIVER,
      ROOT: this.root,
      GIVEN: JSON.stringify(given),
    }, { columns });
  }

  get answers(): Answers | undefined {
    const text = this.read("/answers");
    return text === undefined ? undefined : JSON.parse(text);
  }
}

/** Waits for a prompt, and answers. */
async function answer(terminal: Terminal, prompt: RegExp, text: string): Promise<string> {
  const shown = await terminal.expect(prompt);
  await terminal.send(`${text}\r`);
  return shown;
}

/** The terminal is as it was; nothing else is left. */
async function over(terminal: Terminal, code: number): Promise<void> {
  await terminal.expect(/susp = \^Z\s+isig icanon echo END (\d)/);
  assert.match(terminal.transcript(), new RegExp(`END ${code}\\r\\n$`));
  await terminal.close();
}

/** Leaves out all the sinks. */
async function noSinks(terminal: Terminal): Promise<void> {
  for (const sink of ["Slack", "New Relic", "Datadog"]) {
    await answer(terminal, new RegExp(`${sink}: .*: $`), "");
  }
}

async function nobody(terminal: Terminal): Promise<void> {
  await answer(terminal, /Who \(default 1\): $/, "");
}

Deno.test("Enter at every question: nothing is set, and nobody gets hello", async () => {
  using host = new AskedHost();
  await using terminal = host.ask();
  await answer(terminal, /Tracker \(default 1\): $/, "");
  await noSinks(terminal);
  await nobody(terminal);
  await over(terminal, 0);
  assert.deepEqual(host.answers, {
    config: {},
    who: { who: "nobody" },
    forceCommand: false,
    hasSafety: true,
  });
  assert.match(terminal.transcript(), /all people with bash or zsh: 2 \(ann, bob\)/);
});

Deno.test("Jira and all sinks, each checked as it is answered, and no secret shown", async () => {
  await using jira = await FakeJira.start({ edition: "cloud" });
  await using slack = FakeSlack.start();
  await using datadog = FakeDatadog.start();
  await using newRelic = FakeNewRelic.start();
  const relays = { slackApiURL: slack.apiUrl, datadogURL: datadog.url, newRelicURL: newRelic.url };
  using host = new AskedHost(
    SHIPPED + Object.entries(relays).map(([key, url]) => `${key}="${url}"\n`).join(""),
  );
  await using terminal = host.ask();
  await answer(terminal, /Tracker \(default 1\): $/, "3");
  await answer(terminal, /Jira's address .*: $/, jira.url);
  await answer(terminal, /mail address .*: $/, jira.mail);
  await answer(terminal, /API token .*: $/, jira.token);
  await answer(terminal, /Projects, by key.*: $/, "OPS");
  await terminal.expect(/Good: Jira at \S+ takes this key: .*; OPS/);
  await answer(terminal, /Slack: .*: $/, slack.world.token);
  await answer(terminal, /Channel \(#ops\): $/, "");
  await answer(terminal, /This is needed.*\s+Channel \(#ops\): $/, "C0000000OPS");
  await terminal.expect(/Good: Slack has taken a test/);
  await answer(terminal, /New Relic: .*: $/, newRelic.licenseKey);
  await terminal.expect(/Good: New Relic has taken a test/);
  await answer(terminal, /Datadog: .*: $/, datadog.key);
  await answer(terminal, /Datadog's site \[datadoghq.com\]: $/, "datadoghq.eu");
  await terminal.expect(/Good: Datadog has taken a test/);
  await answer(terminal, /Who \(default 1\): $/, "4");
  await answer(terminal, /login shell of 2 \(ann, bob\)\s+Is that right\? \[Y\/n\]: $/, "");
  await over(terminal, 0);
  assert.deepEqual(host.answers, {
    config: {
      pms: "jira",
      jiraURL: jira.url,
      jiraMail: jira.mail,
      jiraToken: jira.token,
      jiraProjectKey: "OPS",
      slackURL: "",
      slackToken: slack.world.token,
      slackChannel: "C0000000OPS",
      newRelicLicenseKey: newRelic.licenseKey,
      datadogKey: datadog.key,
      datadogSite: "datadoghq.eu",
    },
    who: { who: "all" },
    forceCommand: false,
    hasSafety: true,
  });
  for (const secret of [jira.token, slack.world.token, newRelic.licenseKey, datadog.key]) {
    assert.ok(!terminal.transcript().includes(secret));
  }
});

testThatNeeds(
  ["Redmine"],
  "a real Redmine: a wrong key is said and asked again, a right one taken",
  async () => {
    await using redmine = await Redmine.start();
    using host = new AskedHost();
    await using terminal = host.ask();
    await answer(terminal, /Tracker .*: $/, "9");
    await answer(terminal, /"9" is not a number from 1 to 3\s+Tracker .*: $/, "2");
    await answer(terminal, /address .*: $/, "redmine");
    await answer(terminal, /API key .*: $/, WRONG);
    await answer(terminal, /Projects, .*: $/, "");
    // What the agent would not take cannot be kept.
    await answer(
      terminal,
      /FAILED: redmineURL="redmine" is no address: [^]*\(a\)gain, or \(l\)eave it out\? \[a\]: $/,
      "",
    );
    await answer(terminal, /address .* \[redmine\]: $/, redmine.url);
    await answer(terminal, /API key .* \[set\]: $/, "");
    await answer(terminal, /Projects, .*: $/, "none");
    await answer(terminal, /FAILED: Redmine: .*redmineKey[^]*\(k\)eep it all the same.*: $/, "a");
    await answer(terminal, /address .*: $/, "");
    await answer(terminal, /API key .*: $/, REDMINE_KEYS.admin);
    await answer(terminal, /Projects, .* \[none\]: $/, "");
    await answer(
      terminal,
      /FAILED: Redmine at \S+: it takes this key \(admin\), which sees no project none[^]*\[a\]: $/,
      "a",
    );
    await answer(terminal, /address .*: $/, "");
    await answer(terminal, /API key .*: $/, "");
    await answer(terminal, /Projects, .* \[none\]: $/, "-");
    await terminal.expect(
      /Good: Redmine at \S+ takes this key: admin; all projects\s+Note: whoever Redmine does not know/,
    );
    await noSinks(terminal);
    await nobody(terminal);
    await over(terminal, 0);
    assert.deepEqual(host.answers?.config, {
      pms: "Redmine",
      redmineURL: redmine.url,
      redmineKey: REDMINE_KEYS.admin,
      redmineProject: "",
    });
    for (const secret of [WRONG, REDMINE_KEYS.admin]) assert.ok(!terminal.transcript().includes(secret));
  },
);

Deno.test("a server that is down: kept all the same, or left out", async () => {
  using host = new AskedHost();
  await using terminal = host.ask();
  await answer(terminal, /Tracker .*: $/, "2");
  await answer(terminal, /address .*: $/, NOBODY);
  await answer(terminal, /API key .*: $/, WRONG);
  await answer(terminal, /Projects, .*: $/, "ops");
  await answer(terminal, /FAILED: Redmine: .*refused[^]*\[a\]: $/, "k");
  await answer(terminal, /Slack: .*: $/, `${NOBODY}/services/hook`);
  await answer(terminal, /FAILED: Slack: [^]*\[a\]: $/, "x");
  await answer(terminal, /\[a\]: $/, "l");
  await answer(terminal, /New Relic: .*: $/, "");
  await answer(terminal, /Datadog: .*: $/, "");
  await nobody(terminal);
  await over(terminal, 0);
  assert.deepEqual(host.answers?.config, {
    pms: "Redmine",
    redmineURL: NOBODY,
    redmineKey: WRONG,
    redmineProject: "ops",
  });
});

Deno.test("what the config has is what Enter means; what is switched off is not offered; - takes away", async () => {
  await using slack = FakeSlack.start();
  await using datadog = FakeDatadog.start();
  using host = new AskedHost(
    `pms="0"\nslackURL="${slack.hook(0)}"\nnewRelicEnabled="0"\nnewRelicLicenseKey="${WRONG}"\n` +
      `datadogKey="${datadog.key}"\ndatadogURL="${datadog.url}"\n`,
  );
  await using terminal = host.ask();
  await answer(terminal, /Tracker .*: $/, "");
  await answer(terminal, /Slack: .* \[set\]: $/, "");
  await terminal.expect(/Good: Slack has taken a test/);
  await answer(terminal, /New Relic: [^[]*: $/, "");
  await answer(terminal, /Datadog: .* \(not shown; -: none\) \[set\]: $/, "-");
  await nobody(terminal);
  await over(terminal, 0);
  assert.deepEqual(host.answers?.config, { slackURL: slack.hook(0), datadogKey: "" });
  assert.equal(slack.channel("ops").messages.length, 1);
});

Deno.test("what was there before and fails now is switched off where it is left out, and stays to be switched on", async () => {
  using host = new AskedHost(
    `pms="jira"\njiraURL="${NOBODY}"\njiraToken="${WRONG}"\nslackURL="${NOBODY}/x"\n`,
  );
  await using terminal = host.ask();
  await answer(terminal, /Tracker \(default 3\): $/, "");
  await answer(terminal, /address .* \[\S+\]: $/, "");
  await answer(terminal, /mail .*: $/, "");
  await answer(terminal, /token .* \[set\]: $/, "");
  await answer(terminal, /Projects.*: $/, "");
  await answer(terminal, /FAILED: Jira: [^]*\[a\]: $/, "l");
  await answer(terminal, /Slack: .* \[set\]: $/, "");
  await answer(terminal, /FAILED: Slack: [^]*\[a\]: $/, "l");
  await answer(terminal, /New Relic: .*: $/, "");
  await answer(terminal, /Datadog: .*: $/, "");
  await nobody(terminal);
  await over(terminal, 0);
  assert.deepEqual(host.answers?.config, { pms: "0", slackEnabled: "0" });
});

Deno.test("what is given is not asked for, but checked", async () => {
  await using jira = await FakeJira.start({ edition: "server" });
  using host = new AskedHost();
  const config = { pms: "jira", jiraURL: jira.url, jiraToken: jira.token, proxy: "" };
  await using terminal = host.ask({
    config,
    who: { who: "users", names: ["ann"] },
    hasSafety: false,
    testTicket: "OPS-1",
  });
  await terminal.expect(/Good: Jira at \S+ takes this key/);
  assert.doesNotMatch(terminal.transcript(), /Tracker|Jira's address|API token/);
  await noSinks(terminal);
  await terminal.expect(/login shell of 1 \(ann\)/);
  await over(terminal, 0);
  assert.deepEqual(host.answers, {
    config,
    who: { who: "users", names: ["ann"] },
    forceCommand: false,
    testTicket: "OPS-1",
    hasSafety: false,
  });
});

Deno.test("who it is for: names that are none are asked again, root takes a yes of its own", async () => {
  using host = new AskedHost();
  await using terminal = host.ask({ config: { pms: "0" } });
  await noSinks(terminal);
  await answer(terminal, /Who .*: $/, "2");
  await answer(terminal, /Users .*: $/, "");
  await answer(terminal, /nobody is named\s+Users .*: $/, "ann, nobody-there");
  await answer(terminal, /FAILED: there is no user nobody-there[^]*Who .*: $/, "3");
  await answer(terminal, /Group: $/, "ops");
  await answer(terminal, /login shell of 1 \(ann\)\s+Is that right\? .*: $/, "n");
  await answer(terminal, /Who .*: $/, "2");
  await answer(terminal, /Users .*: $/, "root www ann");
  await answer(
    terminal,
    /not www: [^]*WARNING: root is among them\.[^]*Change root's shell, too\? \[y\/N\]: $/,
    "",
  );
  await answer(terminal, /Who .*: $/, "2");
  await answer(terminal, /Users .*: $/, "root");
  await answer(terminal, /\[y\/N\]: $/, "perhaps");
  await answer(terminal, /neither yes nor no\s+.*\[y\/N\]: $/, "y");
  await over(terminal, 0);
  assert.deepEqual(host.answers?.who, { who: "users", names: ["root"] });
});

Deno.test("a config that no answer mends is said before anything is asked", async () => {
  using host = new AskedHost('showBanner="perhaps"\npms="Redmine"\n');
  await using terminal = host.ask();
  await terminal.expect(
    /ERROR nothing was changed: first mend the config:\s+\/etc\/srvaudit\/config: line 1: showBanner="perhaps"/,
  );
  await over(terminal, 1);
  assert.doesNotMatch(terminal.transcript(), /Tracker|redmineURL/);
});

Deno.test("in a narrow terminal no line is wider than it, but for words that are", async () => {
  using host = new AskedHost();
  await using terminal = host.ask({}, 30);
  const shown = await terminal.expect(/Tracker \(default 1\): $/);
  for (const line of shown.split("\r\n")) assert.ok(line.length <= 30, line);
  await terminal.send("\x03");
  await over(terminal, 1);
});

/** Every kind of prompt, with the answers that lead to it. */
const PROMPTS: readonly [prompt: RegExp, answer: string][] = [
  [/Tracker .*: $/, "2"],
  [/address .*: $/, NOBODY],
  [/API key .*: $/, WRONG],
  [/Projects, .*: $/, ""],
  [/\[a\]: $/, "k"],
  [/Slack: .*: $/, ""],
  [/New Relic: .*: $/, ""],
  [/Datadog: .*: $/, ""],
  [/Who .*: $/, "2"],
  [/Users .*: $/, "ann"],
  [/Is that right\? .*: $/, ""],
];

for (const [name, key] of [["Ctrl-C", "\x03"], ["Ctrl-\\", "\x1c"], ["Ctrl-D", "\x04"]] as const) {
  Deno.test(`${name} at any prompt ends it: the terminal is as it was, and nothing was changed`, async () => {
    // Each in its turn would take a while.
    await Promise.all(PROMPTS.map(async ([last], at) => {
      using host = new AskedHost();
      await using terminal = host.ask();
      for (const [prompt, text] of PROMPTS.slice(0, at)) await answer(terminal, prompt, text);
      await terminal.expect(last);
      // What was typed before it does not stay for the shell.
      await terminal.send(key === "\x04" ? key : `half${key}`);
      await terminal.expect(/ERROR ended: nothing was changed/);
      await over(terminal, 1);
      assert.deepEqual([host.answers, host.read(CONFIG), host.files()], [undefined, SHIPPED, [CONFIG]]);
    }));
  });
}

Deno.test("Ctrl-Z at a secret does nothing: it is no part of it, and the terminal stays ours", async () => {
  await using slack = FakeSlack.start();
  using host = new AskedHost();
  await using terminal = host.ask({ config: { pms: "0" } });
  await terminal.expect(/Slack: .*: $/);
  await terminal.send(`\x1a${slack.hook(0)}\r`);
  await terminal.expect(/Good: Slack has taken a test/);
  await terminal.send("\x03");
  await over(terminal, 1);
});

Deno.test("Ctrl-C while a server does not answer ends it at once", async () => {
  await using slack = FakeSlack.start();
  using _silent = slack.fault({ on: /./, what: { kind: "silent", isDone: false } });
  using host = new AskedHost();
  await using terminal = host.ask({ config: { pms: "0" } });
  await answer(terminal, /Slack: .*: $/, slack.hook(0));
  await until("a test at Slack", () => Promise.resolve(slack.requests.length > 0));
  await terminal.send("\x03");
  await terminal.expect(/ERROR ended: nothing was changed/, 5_000);
  await over(terminal, 1);
});
