import assert from "node:assert/strict";
import fc from "fast-check";
import { agentSettings, checkConfig, SECRET_KEYS } from "../../src/config/agent_settings.ts";
import { TRACKER_KEYS } from "../../src/config/tracker_keys.ts";

/** Settings as the config's text says them. */
function text(settings: Record<string, string>): string {
  return Object.entries(settings).map(([key, value]) => `${key}="${value}"\n`).join("");
}

/** Without the missing prototypes of records, which `deepEqual` would see. */
function plain<Value>(value: Value): Value {
  return structuredClone(value);
}

const REDMINE = { pms: "Redmine", redmineURL: "https://redmine.example", redmineKey: "0123abc" };
const JIRA = { pms: "jira", jiraURL: "https://jira.example", jiraToken: "token" };

Deno.test("agentSettings() reads which Redmine it is, and how to work with it", () => {
  assert.deepEqual(plain(agentSettings(text(REDMINE), "c").tracker), {
    kind: "Redmine",
    url: "https://redmine.example",
    key: "0123abc",
    projects: [],
    newTicketType: "",
    fields: {},
    users: {},
    mailDomain: "",
    unknownUsers: "allow",
    logsTime: false,
    storySeconds: 30,
    format: "textile",
    activity: "",
  });
  const all = {
    ...REDMINE,
    redmineURL: "https://redmine.example:8443/tickets/",
    redmineProject: "web-servers, ops,",
    redmineTracker: " Support ",
    redmineFields: "Change reason=routine; Environment=a=b;",
    redmineFormat: "common_mark",
    redmineActivity: "Operations",
    trackerUsers: "root=admin, deploy=ops@corp.example, constructor=c, __proto__=p",
    trackerMailDomain: "@corp.example",
    trackerUnknownUsers: "deny",
    logTime: "yes",
    storySeconds: "60",
    jiraURL: "what is not chosen is not looked at",
  };
  const { tracker } = agentSettings(text(all), "c");
  assert.ok(tracker.kind === "Redmine");
  assert.equal(tracker.url, "https://redmine.example:8443/tickets");
  assert.deepEqual(tracker.projects, ["web-servers", "ops"]);
  assert.equal(tracker.newTicketType, "Support");
  assert.deepEqual(Object.entries(tracker.fields), [["Change reason", "routine"], ["Environment", "a=b"]]);
  assert.equal(tracker.format, "common_mark");
  assert.equal(tracker.activity, "Operations");
  assert.equal(tracker.users["deploy"], "ops@corp.example");
  assert.equal(tracker.users["constructor"], "c");
  assert.equal(tracker.users["__proto__"], "p");
  assert.equal(tracker.users["toString"], undefined);
  assert.equal(tracker.mailDomain, "corp.example");
  assert.equal(tracker.unknownUsers, "deny");
  assert.equal(tracker.logsTime, true);
  assert.equal(tracker.storySeconds, 60);
});

Deno.test("agentSettings() reads which Jira it is, Cloud's or one's own", () => {
  const all = {
    ...JIRA,
    pms: "JIRA",
    jiraProjectKey: "ops,Web",
    jiraMail: "srvaudit@corp.example",
    jiraEdition: "cloud",
    jiraIssueType: "Change",
    jiraFields: "Environment=staging",
  };
  const { tracker } = agentSettings(text(all), "c");
  assert.ok(tracker.kind === "Jira");
  assert.deepEqual(tracker.projects, ["OPS", "WEB"]);
  assert.deepEqual([tracker.mail, tracker.token, tracker.edition], [
    "srvaudit@corp.example",
    "token",
    "cloud",
  ]);
  assert.equal(tracker.newTicketType, "Change");
  assert.deepEqual(plain(tracker.fields), { Environment: "staging" });
  const server = agentSettings(text(JIRA), "c").tracker;
  assert.ok(server.kind === "Jira");
  assert.deepEqual([server.mail, server.edition], ["", "ask"]);
});

Deno.test("agentSettings() keeps the tickets itself where no tracker is chosen, whatever else is set", () => {
  for (const pms of ["", "0"]) {
    const { settings, errors, warnings } = checkConfig(text({ ...REDMINE, ...JIRA, pms }), "c");
    assert.deepEqual(settings?.tracker, { kind: "local" });
    assert.deepEqual([errors, warnings], [[], []]);
  }
});

Deno.test("checkConfig() says what the chosen tracker cannot do without, and what is no value", () => {
  const wrong: [settings: Record<string, string>, ...errors: string[]][] = [
    [
      { pms: "redmine" },
      'c: line 1: pms="redmine" needs redmineURL: set redmineURL="https://redmine.example.com"',
      'c: line 1: pms="redmine" needs redmineKey: set redmineKey="..."',
    ],
    [
      { pms: "jira", jiraURL: "", jiraToken: "t" },
      'c: line 1: pms="jira" needs jiraURL: set jiraURL="https://jira.example.com"',
    ],
    [
      { pms: "bugzilla" },
      'c: line 1: pms="bugzilla" is not one of: jira, Redmine, 0 (the agent keeps the tickets itself)',
    ],
    [
      { ...REDMINE, redmineURL: "redmine.example" },
      'c: line 2: redmineURL="redmine.example" is no address: write https://host, or https://host/path',
    ],
    [
      { ...REDMINE, redmineURL: "ftp://redmine.example" },
      'c: line 2: redmineURL="ftp://redmine.example" is no address: write https://host, or https://host/path',
    ],
    [
      { ...REDMINE, redmineURL: "https://admin:s3cret@redmine.example" },
      "c: line 2: redmineURL has a user in it: the key alone says who srvAudit is",
    ],
    [
      { ...REDMINE, redmineURL: "https://redmine.example/?key=s3cret" },
      "c: line 2: redmineURL has a ? or # in it: the address of the front page is meant",
    ],
    [
      { ...REDMINE, redmineKey: "s3cret s3cret" },
      "c: line 3: redmineKey has blanks or characters in it that no key has: copy it anew",
    ],
    [
      { ...JIRA, jiraToken: "s3crét" },
      "c: line 3: jiraToken has blanks or characters in it that no key has: copy it anew",
    ],
    [{ ...JIRA, jiraMail: "alice" }, 'c: line 4: jiraMail="alice" is no e-mail address'],
    [
      { ...JIRA, jiraEdition: "cloud" },
      'c: line 4: jiraEdition="cloud" needs jiraMail, too: the e-mail address that jiraToken belongs to',
    ],
    [{ ...JIRA, jiraEdition: "home" }, 'c: line 4: jiraEdition="home" is not one of: cloud, server'],
    [
      { ...JIRA, jiraProjectKey: "OPS, the web" },
      'c: line 4: jiraProjectKey="OPS, the web" has "the web" in it, which is no project\'s key: OPS is the one of OPS-17',
    ],
    [
      { ...REDMINE, redmineProject: "Web Servers" },
      'c: line 4: redmineProject="Web Servers" has "Web Servers" in it, which is no project\'s identifier: it stands in the project\'s address, as in /projects/web-servers',
    ],
    [
      { ...REDMINE, redmineFormat: "html" },
      'c: line 4: redmineFormat="html" is not one of: textile, markdown, common_mark',
    ],
    [
      { ...REDMINE, redmineFields: "Reason" },
      'c: line 4: redmineFields="Reason" has "Reason" in it, which is no name=value',
    ],
    [
      { ...REDMINE, trackerUsers: "=admin" },
      'c: line 4: trackerUsers="=admin" has "=admin" in it, which is no name=value',
    ],
    [{ ...REDMINE, storySeconds: "0" }, 'c: line 4: storySeconds="0" is not a whole number from 1 to 3600'],
    [
      { ...REDMINE, trackerUnknownUsers: "no" },
      'c: line 4: trackerUnknownUsers="no" is not one of: allow, deny',
    ],
    [{ trackerTimeout: "0" }, 'c: line 1: trackerTimeout="0" is not a whole number from 1 to 60'],
    [
      { proxy: "alice:s3cret@proxy" },
      'c: line 1: proxy is no address of a proxy: write proxy="http://host:port", or "http://user:password@host:port"',
    ],
    [
      { proxy: "http://alice:s3cret%@proxy:3128" },
      "c: line 1: proxy has a % in its user or password that begins no code: write %25 for it",
    ],
    [
      { caFile: "/nowhere/ca.pem" },
      "c: line 1: caFile=\"/nowhere/ca.pem\" cannot be read: No such file or directory (os error 2): readfile '/nowhere/ca.pem'",
    ],
    [{ caFile: "ca.pem" }, 'c: line 1: caFile="ca.pem" is not an absolute path'],
    [{ caFile: "/etc/passwd" }, 'c: line 1: caFile="/etc/passwd" has no certificate in it (PEM)'],
  ];
  for (const [settings, ...errors] of wrong) {
    const report = checkConfig(text(settings), "c");
    assert.deepEqual(report.errors, errors);
    assert.equal(report.settings, undefined);
  }
});

Deno.test("checkConfig() warns of a key that travels in clear, but on this very host", () => {
  const warningsOf = (url: string) => checkConfig(text({ ...REDMINE, redmineURL: url }), "c").warnings;
  assert.deepEqual(warningsOf("http://redmine.example"), [
    'c: line 2: redmineURL="http://redmine.example" is plain http: the key and all texts can be read on their way; https is better',
  ]);
  assert.equal(warningsOf("http://127.0.0.1.example").length, 1);
  for (
    const here of [
      "http://localhost:3000",
      "http://127.0.0.1:3000/x",
      "http://[::1]:3000",
      "https://x.example",
    ]
  ) {
    assert.deepEqual(warningsOf(here), [], here);
  }
});

Deno.test("agentSettings() reads how to reach what is not on this host", () => {
  const { network } = agentSettings(
    text({
      proxy: "http://alice:a%40b@proxy.example:3128/",
      noProxy: "*.corp.example, .Other.example localhost",
    }),
    "c",
  );
  assert.deepEqual(network, {
    proxy: "http://alice:a%40b@proxy.example:3128",
    noProxy: ["corp.example", "other.example", "localhost"],
    caFile: "",
  });
});

Deno.test("checkConfig() takes a mask file in place of the defaults, and says what is wrong with it", () => {
  const mask = { text: "badge  BADGE-[0-9]+\n", file: "/etc/srvaudit/mask" };
  assert.deepEqual(checkConfig("", "c", mask).settings?.mask, [{
    name: "badge",
    expression: "BADGE-[0-9]+",
  }]);
  assert.deepEqual(checkConfig("", "c", { ...mask, text: "# nothing is masked\n" }).settings?.mask, []);
  const { settings, errors } = checkConfig('spoolDays="0"', "c", { ...mask, text: "badge  (\n" });
  assert.equal(settings, undefined);
  assert.deepEqual(errors, [
    'c: line 1: spoolDays="0" is not a whole number from 1 to 36500',
    "/etc/srvaudit/mask: line 1: badge: this is no regular expression of RE2: missing closing )",
  ]);
});

Deno.test("checkConfig() shows no secret, whatever is wrong with it", () => {
  const secret = fc.stringMatching(/^[ -~é]{0,6}s3cret[ -~é]{0,6}$/).filter((value) => !/["\\]/.test(value));
  const keys = TRACKER_KEYS.filter((key) => SECRET_KEYS.includes(key));
  assert.deepEqual(keys, ["redmineKey", "jiraToken", "proxy"]);
  fc.assert(fc.property(secret, fc.constantFrom(REDMINE, JIRA), (value, tracker) => {
    const settings = { ...tracker, ...Object.fromEntries(keys.map((key) => [key, value])) };
    const { errors, warnings } = checkConfig(text(settings), "c");
    assert.ok(![...errors, ...warnings].join("\n").includes("s3cret"));
    for (const url of [`https://${value}@h`, `${value}@h`, `http://h/?k=${value}`, `h#${value}`]) {
      const report = checkConfig(text({ ...tracker, redmineURL: url, jiraURL: url }), "c");
      assert.ok(![...report.errors, ...report.warnings].join("\n").includes("s3cret"), url);
    }
  }));
});

Deno.test("the config that is shipped names every key of a tracker, is valid, and changes nothing", async () => {
  const shipped = await Deno.readTextFile(new URL("../../packaging/config", import.meta.url));
  for (const key of TRACKER_KEYS) assert.match(shipped, new RegExp(`^${key}="`, "m"));
  const { settings, errors, warnings } = checkConfig(shipped, "c");
  assert.deepEqual([errors, warnings], [[], []]);
  assert.deepEqual(settings, agentSettings("", "c"));
  // What an admin's script does to set a key.
  const withKey = shipped.replace('redmineKey=""', 'redmineKey="KEY"').replace('pms="0"', 'pms="Redmine"')
    .replace('redmineURL=""', 'redmineURL="https://r.example"');
  assert.equal(checkConfig(withKey, "c").settings?.tracker.kind, "Redmine");
});
