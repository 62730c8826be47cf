import assert from "node:assert/strict";
import fc from "fast-check";
import { agentSettings, checkConfig } from "../../src/config/agent_settings.ts";
import { ConfigError } from "../../src/config/key_values.ts";
import { nearestWord } from "../../src/config/nearest_word.ts";
import { DEFAULT_MASK } from "../../src/config/mask_patterns.ts";
import { DEFAULT_POLICY } from "../../src/config/policy.ts";

Deno.test("agentSettings() takes the defaults where nothing is said", () => {
  assert.deepEqual(agentSettings("", "config"), {
    policy: DEFAULT_POLICY,
    retentionDays: 365,
    evidenceMaxMegabytes: 0,
    spoolDays: 30,
    spoolMaxMegabytes: 1024,
    logLevel: "info",
    tracker: { kind: "local" },
    network: { proxy: "", noProxy: [], caFile: "" },
    sinks: [],
    mask: DEFAULT_MASK,
  });
});

Deno.test("agentSettings() reads what the config says", () => {
  const text = 'retentionDays="0"\nspoolDays=7\nlogLevel=debug\nonAgentDown="deny"\nidleTimeout="30m"';
  const settings = agentSettings(text, "config");
  assert.equal(settings.retentionDays, 0);
  assert.equal(settings.spoolDays, 7);
  assert.equal(settings.logLevel, "debug");
  assert.equal(settings.policy.onAgentDown, "deny");
  assert.equal(settings.policy.idleTimeoutS, 1800);
});

Deno.test("agentSettings() names every error of a file at once, in the file's order", () => {
  const text = [
    'spoolDays="0"',
    "what is this",
    'logLevel="loud"',
    'onAgentDown="perhaps"',
    'retentionDays="-1"',
    'evidenceMaxMegabytes="1.5"',
    'spoolMaxMegabytes=""',
  ].join("\n");
  assert.throws(() => agentSettings(text, "/etc/x"), {
    name: "ConfigError",
    message: [
      '/etc/x: line 1: spoolDays="0" is not a whole number from 1 to 36500',
      '/etc/x: line 2: expected key="value", found no key and no =',
      '/etc/x: line 3: logLevel="loud" is not one of: debug, info, warning, error',
      '/etc/x: line 4: onAgentDown="perhaps" is not one of: allow, deny',
      '/etc/x: line 5: retentionDays="-1" is not a whole number from 0 to 36500',
      '/etc/x: line 6: evidenceMaxMegabytes="1.5" is not a whole number from 0 to 100000000',
      '/etc/x: line 7: spoolMaxMegabytes="" is not a whole number from 1 to 100000000',
    ].join("\n"),
  });
});

Deno.test("checkConfig() takes no ticketPattern that could keep the agent busy", () => {
  for (const pattern of ["(?=OPS)[A-Z]+-[0-9]+", "([A-Z]+)-\\1"]) {
    const { settings, errors: [error = ""] } = checkConfig(`\nticketPattern='${pattern}'`, "c");
    assert.equal(settings, undefined);
    assert.ok(
      error.startsWith(`c: line 2: ticketPattern="${pattern}" is no regular expression of RE2`),
      error,
    );
  }
  assert.ok(checkConfig('ticketPattern="(?:[A-Z]+)+-[0-9]+"', "c").settings);
});

Deno.test("checkConfig() warns of keys that nobody knows, and names the nearest", () => {
  const { settings, errors, warnings } = checkConfig('retentiondays="3"\nfavouriteColour="red"', "c");
  assert.deepEqual(errors, []);
  assert.equal(settings?.retentionDays, 365);
  assert.deepEqual(warnings, [
    "c: line 1: there is no key retentiondays: it has no effect; did you mean retentionDays?",
    "c: line 2: there is no key favouriteColour: it has no effect",
  ]);
});

Deno.test("checkConfig() shows nothing of a line that it cannot read but the key", () => {
  assert.deepEqual(checkConfig('redmineKey="s3cret', "c").errors, [
    'c: line 1: expected key="value", found redmineKey=...',
  ]);
});

Deno.test("checkConfig() says which of two lines counts", () => {
  const { settings, warnings } = checkConfig('spoolDays="3"\n\nspoolDays="4"', "c");
  assert.equal(settings?.spoolDays, 4);
  assert.deepEqual(warnings, ["c: line 3: spoolDays stands in line 1 already: this one counts"]);
});

Deno.test("agentSettings() never throws but a ConfigError, whatever the file holds", () => {
  const line = fc.oneof(
    fc.string(),
    fc.tuple(
      fc.constantFrom("spoolDays", "logLevel", "ticketPattern", "__proto__", "constructor"),
      fc.string(),
    )
      .map(([key, value]) => `${key}="${value}"`),
  );
  fc.assert(fc.property(fc.array(line), (lines) => {
    try {
      agentSettings(lines.join("\n"), "/etc/x");
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      for (const words of error.message.split("\n")) assert.match(words, /^\/etc\/x: line \d+: /);
    }
  }));
});

Deno.test("nearestWord() finds what was meant, and guesses nothing that is far away", () => {
  assert.equal(nearestWord("showbaner", ["pms", "showBanner"]), "showBanner");
  assert.equal(nearestWord("pm", ["pms", "showBanner"]), "pms");
  assert.equal(nearestWord("colour", ["pms", "showBanner"]), undefined);
  assert.equal(nearestWord("", []), undefined);
});
