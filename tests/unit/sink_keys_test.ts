import assert from "node:assert/strict";
import fc from "fast-check";
import { agentSettings, checkConfig, SECRET_KEYS } from "../../src/config/agent_settings.ts";
import { SINK_KEYS, SINK_SECRET_KEYS } from "../../src/config/sink_keys.ts";
import type { SinkSettings } from "../../src/config/sink_settings.ts";

type Keys = Record<string, string>;

/** Settings as the config's text says them. */
function text(settings: Keys): string {
  return Object.entries(settings).map(([key, value]) => `${key}="${value}"\n`).join("");
}

function sinksOf(settings: Keys): readonly SinkSettings[] {
  return agentSettings(text(settings), "c").sinks;
}

const ALL = { users: [], hosts: [], tickets: [], exitCodes: "all" } as const;
const SESSIONS = { events: "sessions", ...ALL } as const;
const COMMANDS = { events: "commands", ...ALL } as const;
const HOOK = "https://hooks.slack.com/services/T0/B0/s3cret";

Deno.test("agentSettings() switches a sink on by what it cannot do without, and by that alone", () => {
  assert.deepEqual(sinksOf({}), []);
  assert.deepEqual(sinksOf(Object.fromEntries(SINK_KEYS.map((key) => [key, ""]))), []);
  assert.deepEqual(sinksOf({ slackURL: HOOK }), [{
    name: "slack",
    url: HOOK,
    token: "",
    apiUrl: "",
    channel: "",
    emergencyChannel: "",
    emergencyUrl: "",
    wants: SESSIONS,
  }]);
  assert.deepEqual(sinksOf({ datadogKey: "0123abc" }), [
    { name: "datadog", key: "0123abc", site: "datadoghq.com", url: "", tags: [], wants: COMMANDS },
  ]);
  assert.deepEqual(sinksOf({ newRelicLicenseKey: "0123NRAL" }), [
    { name: "newRelic", licenseKey: "0123NRAL", account: "", region: "US", url: "", wants: COMMANDS },
  ]);
  assert.deepEqual(sinksOf({ syslogURL: "udp://127.0.0.1" }), [{
    name: "syslog",
    transport: "udp",
    host: "127.0.0.1",
    port: 514,
    facility: 10,
    appName: "srvaudit",
    wants: COMMANDS,
  }]);
  assert.deepEqual(sinksOf({ otlpURL: "https://otel.example:4318/v1/logs/" }), [
    { name: "otlp", url: "https://otel.example:4318", headers: {}, wants: COMMANDS },
  ]);
  assert.deepEqual(sinksOf({ webhookURL: "https://siem.example/in/?a=b" }), [
    { name: "webhook", url: "https://siem.example/in/?a=b", secret: "", headers: {}, wants: COMMANDS },
  ]);
});

Deno.test("agentSettings() switches off what is told to be off, whatever else stands there", () => {
  for (const off of ["0", "no", "false"]) {
    const report = checkConfig(
      text({
        slackEnabled: off,
        slackURL: "what is switched off is not looked at",
        datadogEnabled: off,
        datadogKey: "k k",
        newRelicEnabled: off,
        newRelicLicenseKey: "k k",
      }),
      "c",
    );
    assert.deepEqual(report.settings?.sinks, []);
    assert.deepEqual([...report.errors, ...report.warnings], []);
  }
  for (const on of ["", "1", "yes", "true"]) {
    assert.equal(sinksOf({ slackEnabled: on, slackURL: HOOK }).length, 1);
  }
});

Deno.test("agentSettings() reads all that can be said of a sink", () => {
  const [slack, datadog, newRelic, syslog, otlp, webhook] = sinksOf({
    slackEnabled: "1",
    slackToken: "xoxb-1-2-abc",
    slackApiURL: "http://127.0.0.1:8080/api/",
    slackChannel: " #ops ",
    slackEmergencyChannel: "C0123456789",
    slackEvents: "commands",
    slackUsers: "root, deploy-* !deploy-test",
    slackHosts: "web*",
    slackTickets: "OPS-*",
    slackExitCodes: "failed",
    datadogKey: "k",
    datadogSite: "ap1.datadoghq.com",
    datadogURL: "https://relay.example",
    datadogTags: "env:prod, team:web/ops rôle:db:1",
    datadogExitCodes: " 1, 2,127 ",
    newRelicLicenseKey: "eu01xx0123",
    newRelicAccount: "1234567",
    newRelicURL: "https://relay.example/nr/",
    syslogURL: "tls://[2001:db8::1]",
    syslogFacility: "local6",
    syslogAppName: "audit",
    syslogEvents: "sessions",
    otlpURL: "http://localhost:4318/otel",
    otlpHeaders: "API-Key=a=b, Authorization=Basic%20YQ==,x=%2C%25",
    webhookURL: "https://siem.example/in",
    webhookSecret: "0123456789abcdef",
    webhookHeaders: "x-token = t",
  });
  assert.deepEqual(slack, {
    name: "slack",
    url: "",
    token: "xoxb-1-2-abc",
    apiUrl: "http://127.0.0.1:8080/api",
    channel: "#ops",
    emergencyChannel: "C0123456789",
    emergencyUrl: "",
    wants: {
      events: "commands",
      users: ["root", "deploy-*", "!deploy-test"],
      hosts: ["web*"],
      tickets: ["OPS-*"],
      exitCodes: "failed",
    },
  });
  assert.ok(datadog?.name === "datadog" && newRelic?.name === "newRelic" && syslog?.name === "syslog");
  assert.ok(otlp?.name === "otlp" && webhook?.name === "webhook");
  assert.deepEqual(datadog.tags, ["env:prod", "team:web/ops", "rôle:db:1"]);
  assert.deepEqual([datadog.site, datadog.url], ["ap1.datadoghq.com", "https://relay.example"]);
  assert.equal(newRelic.url, "https://relay.example/nr");
  assert.deepEqual(datadog.wants.exitCodes, [1, 2, 127]);
  assert.deepEqual([newRelic.region, newRelic.account], ["EU", "1234567"]);
  assert.deepEqual(
    [syslog.transport, syslog.host, syslog.port, syslog.facility, syslog.appName, syslog.wants.events],
    ["tls", "2001:db8::1", 6514, 22, "audit", "sessions"],
  );
  assert.equal(otlp.url, "http://localhost:4318/otel");
  assert.deepEqual(otlp.headers, { "api-key": "a=b", authorization: "Basic YQ==", x: ",%" });
  assert.deepEqual([webhook.secret, webhook.headers], ["0123456789abcdef", { "x-token": "t" }]);
  const [local] = sinksOf({ syslogURL: "unix:///dev/log" });
  assert.ok(local?.name === "syslog");
  assert.deepEqual([local.transport, local.host, local.port], ["unix", "/dev/log", 0]);
});

Deno.test("checkConfig() says what a sink cannot do without, and what is no value", () => {
  const NO_HOOK =
    "is no address of an incoming webhook: such are https://hooks.slack.com/services/T.../B.../...";
  const NO_SERVER =
    "is no address of a syslog server: write udp://host:514, tcp://host:514, tls://host:6514, or unix:///dev/log";
  const NO_TAG = "in it, which is no tag: write key:value, letters, digits and _-./ alone, a letter first";
  const datadog = { datadogKey: "k" };
  const otlp = { otlpURL: "https://otel.example" };
  const slack = { slackURL: HOOK };
  const wrong: [settings: Keys, error: string][] = [
    [{ slackEnabled: "1" }, 'line 1: slackEnabled="1" needs slackURL, or slackToken'],
    [{ slackEnabled: "on" }, 'line 1: slackEnabled="on" is not one of: yes, no, true, false, 1, 0'],
    [{ datadogEnabled: "yes" }, 'line 1: datadogEnabled="yes" needs datadogKey'],
    [
      { newRelicEnabled: "1", newRelicLicenseKey: "" },
      'line 1: newRelicEnabled="1" needs newRelicLicenseKey',
    ],
    [
      { slackURL: "hooks.slack.com/services/T/B/s3cret" },
      "line 1: slackURL is no address: write https://host/path",
    ],
    [{ slackURL: "https://hooks.slack.com/T0/s3cret" }, `line 1: slackURL ${NO_HOOK}`],
    [{ slackURL: "https://slack.com/services/T0/s3cret" }, `line 1: slackURL ${NO_HOOK}`],
    [{ slackURL: "https://chat.example/" }, `line 1: slackURL ${NO_HOOK}`],
    [
      { ...slack, slackEmergencyURL: "https://u:s3cret@chat.example/x" },
      "line 2: slackEmergencyURL has a user in it: that belongs into a header",
    ],
    [
      { ...slack, slackChannel: "ops, web" },
      'line 2: slackChannel="ops, web" is no channel: write #ops, or a channel\'s ID, such as C0123456789',
    ],
    [
      { slackToken: "s3cret", slackChannel: "#ops" },
      "line 1: slackToken is no token of a Slack app: a bot's begins with xoxb-",
    ],
    [{ slackToken: "xoxb-s3cret" }, 'line 1: slackToken needs slackChannel, too: set slackChannel="#ops"'],
    [
      { datadogKey: "s3 cret" },
      "line 1: datadogKey has blanks or characters in it that no key has: copy it anew",
    ],
    [
      { ...datadog, datadogSite: "app.datadoghq.com" },
      'line 2: datadogSite="app.datadoghq.com" is not one of: datadoghq.com, us3.datadoghq.com, us5.datadoghq.com, datadoghq.eu, ap1.datadoghq.com, ap2.datadoghq.com, uk1.datadoghq.com, ddog-gov.com, us2.ddog-gov.com',
    ],
    ...["prod", "1env:prod", "env:", "env:prod:", "env:a+b", `env:${"x".repeat(200)}`].map((
      tag,
    ): [Keys, string] => [
      { ...datadog, datadogTags: tag },
      `line 2: datadogTags="${tag}" has "${tag}" ${NO_TAG}`,
    ]),
    [
      { newRelicLicenseKey: "k", newRelicRegion: "Europe" },
      'line 2: newRelicRegion="Europe" is not one of: US, EU',
    ],
    [
      { newRelicLicenseKey: "k", newRelicAccount: "mine" },
      "line 2: newRelicAccount=\"mine\" is no account's number: it stands in New Relic's address, as in /accounts/1234567",
    ],
    ...[
      "log.example",
      "https://log.example",
      "udp://",
      "tcp://h:0",
      "tcp://h:70000",
      "tls://h/x",
      "unix://dev/log",
      "unix:///",
    ]
      .map((url): [Keys, string] => [{ syslogURL: url }, `line 1: syslogURL="${url}" ${NO_SERVER}`]),
    [{ syslogURL: "tls://a:s3cret@h" }, `line 1: syslogURL ${NO_SERVER}`],
    [
      { syslogURL: "tls://h", syslogAppName: "a b" },
      'line 2: syslogAppName="a b" is no name of a program: 48 characters of ASCII at most, without blanks',
    ],
    [
      { otlpURL: "otel:4318" },
      'line 1: otlpURL="otel:4318" is no address: write https://host, or https://host/path',
    ],
    [
      { ...otlp, otlpHeaders: "Bearer s3cret" },
      "line 2: otlpHeaders has no header in part 1: write name=value,name=value (%2C for a comma)",
    ],
    [
      { ...otlp, otlpHeaders: "a=b,s3cret=50%" },
      "line 2: otlpHeaders has a % in part 2 that begins no code: write %25 for it",
    ],
    [
      { ...otlp, otlpHeaders: "s3cret=s3cr%C3%A9t" },
      "line 2: otlpHeaders has a character in part 1 that no header has",
    ],
    [
      { ...otlp, otlpHeaders: "Content-Type=s3cret" },
      "line 2: otlpHeaders has the header content-type in it: srvAudit sets that itself",
    ],
    [
      { webhookURL: "https://siem.example/#s3cret" },
      "line 1: webhookURL has a # in it: what stands behind that is never sent",
    ],
    [{ ...slack, slackEvents: "all" }, 'line 2: slackEvents="all" is not one of: sessions, commands'],
    [
      { ...slack, slackUsers: "root !" },
      'line 2: slackUsers="root !" has a ! in it that stands for itself: write it before a name, as in !root',
    ],
    [
      { ...datadog, datadogExitCodes: "1,256" },
      'line 2: datadogExitCodes="1,256" is not "failed", "all", or exit codes, such as "1,2,127"',
    ],
  ];
  for (const [settings, error] of wrong) {
    const report = checkConfig(text(settings), "c");
    assert.deepEqual(report.errors, [`c: ${error}`]);
    assert.equal(report.settings, undefined);
  }
});

Deno.test("checkConfig() warns of what may not be meant: plain texts on their way, and keys without effect", () => {
  const warningsOf = (settings: Keys) => checkConfig(text(settings), "c").warnings;
  const PLAIN = "is plain http: all texts can be read on their way; https is better";
  assert.deepEqual(warningsOf({ webhookURL: "http://siem.example/s3cret" }), [
    `c: line 1: webhookURL ${PLAIN}`,
  ]);
  assert.deepEqual(warningsOf({ slackURL: "http://chat.example/s3cret" }), [`c: line 1: slackURL ${PLAIN}`]);
  assert.deepEqual(warningsOf({ datadogKey: "k", datadogURL: "http://d.example" }), [
    `c: line 2: datadogURL="http://d.example" ${PLAIN}`,
  ]);
  assert.deepEqual(warningsOf({ otlpURL: "http://o.example" }), [
    `c: line 1: otlpURL="http://o.example" ${PLAIN}`,
  ]);
  for (const url of ["udp://log.example", "tcp://log.example:601"]) {
    assert.deepEqual(warningsOf({ syslogURL: url }), [
      `c: line 1: syslogURL="${url}" is not encrypted: all texts can be read on their way; tls://host is better`,
    ]);
  }
  for (const url of ["udp://127.0.0.1", "tcp://localhost", "tls://log.example", "unix:///dev/log"]) {
    assert.deepEqual(warningsOf({ syslogURL: url }), [], url);
  }
  assert.deepEqual(warningsOf({ webhookURL: "http://[::1]:8080/x", otlpURL: "http://127.0.0.1:4318" }), []);
  assert.deepEqual(warningsOf({ slackURL: HOOK, slackToken: "xoxb-s3cret", slackChannel: "#ops" }), [
    "c: line 1: slackURL has no effect: there is slackToken",
  ]);
  assert.deepEqual(warningsOf({ slackURL: HOOK, slackEmergencyURL: HOOK }), []);
  const ofOld = "counts for old webhooks alone (an app's has a channel of its own)";
  assert.deepEqual(
    warningsOf({
      slackURL: HOOK,
      slackChannel: "#ops",
      slackEmergencyChannel: "#fire",
      slackApiURL: "http://[::1]",
    }),
    [
      `c: line 2: slackChannel="#ops" ${ofOld}: choose the channel where the webhook is made, or use slackToken`,
      `c: line 3: slackEmergencyChannel="#fire" ${ofOld}: set slackEmergencyURL to another webhook, or use slackToken`,
      `c: line 4: slackApiURL="http://[::1]" has no effect without slackToken: a webhook's address is slackURL`,
    ],
  );
  assert.deepEqual(warningsOf({ slackURL: "https://chat.example/hooks/x", slackChannel: "ops" }), []);
  assert.deepEqual(warningsOf({ slackToken: "xoxb-s3cret", slackChannel: "#ops" }), []);
  assert.deepEqual(warningsOf({ slackURL: HOOK, slackExitCodes: "failed" }), [
    'c: line 2: slackExitCodes="failed" has no effect: slack is told of sessions alone',
  ]);
  assert.deepEqual(warningsOf({ newRelicLicenseKey: "eu01xxs3cret", newRelicRegion: "US" }), [
    'c: line 2: newRelicRegion="US" is not the region of newRelicLicenseKey: EU',
  ]);
  assert.deepEqual(warningsOf({ webhookURL: "https://h/x", webhookSecret: "s3cret" }), [
    "c: line 2: webhookSecret is short: openssl rand -hex 32 makes one that nobody finds out",
  ]);
});

Deno.test("checkConfig() shows no secret of a sink, whatever is wrong with it", () => {
  assert.deepEqual(
    SINK_SECRET_KEYS.filter((key) => !SECRET_KEYS.includes(key) || !SINK_KEYS.includes(key)),
    [],
  );
  const secret = fc.stringMatching(/^[ -~é]{0,6}s3cret[ -~é]{0,6}$/).filter((value) => !/["\\]/.test(value));
  const shape = fc.constantFrom(
    (value: string) => value,
    (value: string) => `https://h/${value}`,
    (value: string) => `https://${value}@h/x#y`,
    (value: string) => `a=${value},${value}`,
  );
  fc.assert(fc.property(secret, shape, (value, shaped) => {
    const secrets = Object.fromEntries(SINK_SECRET_KEYS.map((key) => [key, shaped(value)]));
    for (const settings of [secrets, { ...secrets, slackToken: "" }, { ...secrets, otlpURL: "https://h" }]) {
      const { errors, warnings } = checkConfig(text(settings), "c");
      assert.ok(![...errors, ...warnings].join("\n").includes("s3cret"), [...errors, ...warnings].join("\n"));
    }
    for (const url of [`https://${value}@h`, `tls://${value}@h`, `http://h/?k=${value}`, `h#${value}`]) {
      const report = checkConfig(text({ otlpURL: url, syslogURL: url }), "c");
      assert.ok(![...report.errors, ...report.warnings].join("\n").includes("s3cret"), url);
    }
  }));
});

Deno.test("the config that is shipped names every key of a sink, and switches none on", async () => {
  const shipped = await Deno.readTextFile(new URL("../../packaging/config", import.meta.url));
  for (const key of SINK_KEYS) assert.match(shipped, new RegExp(`^${key}="`, "m"), key);
  assert.deepEqual(agentSettings(shipped, "c"), agentSettings("", "c"));
  // What an admin's script does to set a key: nothing else is needed.
  const withKeys = [["slackURL", HOOK], ["datadogKey", "k"], ["newRelicLicenseKey", "k"], [
    "syslogURL",
    "tls://h",
  ], [
    "otlpURL",
    "https://h",
  ], ["webhookURL", "https://h/x"]].reduce(
    (text, [key, value]) => text.replace(`${key}=""`, `${key}="${value}"`),
    shipped,
  );
  const { settings, errors, warnings } = checkConfig(withKeys, "c");
  assert.deepEqual([errors, warnings], [[], []]);
  assert.equal(settings?.sinks.length, 6);
  assert.deepEqual(settings.sinks[0]?.wants, SESSIONS);
});
