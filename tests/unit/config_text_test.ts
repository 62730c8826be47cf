import assert from "node:assert/strict";
import fc from "fast-check";
import { checkConfig, CONFIG_KEYS, SECRET_KEYS } from "../../src/config/agent_settings.ts";
import { parseKeyValues } from "../../src/config/key_values.ts";
import { quoted, withNewKeys, withoutSecrets, withValues } from "../../src/install/config_text.ts";
import { succeed } from "../support/run.ts";

const SHIPPED = Deno.readTextFileSync(new URL("../../packaging/config", import.meta.url));

function valuesOf(text: string): Record<string, string> {
  return Object.fromEntries([...parseKeyValues(text, "config")].map(([key, { value }]) => [key, value]));
}

Deno.test("a key is set in its own line, and nothing else changes", () => {
  const text = '# Mine.\n\n  pms="0"\t# later: Redmine \nredmineURL=""\n\n';
  assert.equal(withValues(text, { pms: "Redmine" }), text.replace('"0"', '"Redmine"'));
});

Deno.test("a value that is there already is left as somebody has written it", () => {
  const text = "pms='jira'\nlogTime=yes # as the boss says\r\nproxy=";
  assert.equal(withValues(text, { pms: "jira", logTime: "yes", proxy: "" }), text);
});

Deno.test("single-quoted and bare values, empty ones too, become double-quoted ones", () => {
  assert.equal(
    withValues("pms='jira' # a\nredmineKey= # b\nlogTime=no#c\nproxy=", {
      pms: "0",
      redmineKey: "k",
      logTime: "yes",
      proxy: "http://p:1",
    }),
    'pms="0" # a\nredmineKey="k" # b\nlogTime="yes"#c\nproxy="http://p:1"',
  );
});

Deno.test("of a key that stands twice the last is set: that one counts", () => {
  assert.equal(withValues('pms="0"\npms="jira"\n', { pms: "Redmine" }), 'pms="0"\npms="Redmine"\n');
});

Deno.test("a key that is commented out is set behind its comment, and the comment stays", () => {
  assert.equal(
    withValues('#redmineKey="old"\r\nlogTime="no"\r\n', { redmineKey: "new" }),
    '#redmineKey="old"\r\nredmineKey="new"\r\nlogTime="no"\r\n',
  );
  assert.equal(withValues("# pms=0", { pms: "jira" }), '# pms=0\npms="jira"\n');
});

Deno.test("a key that is not there comes at the end, also of a text without a last line end", () => {
  assert.equal(withValues('logTime="no"', { pms: "jira" }), 'logTime="no"\npms="jira"\n');
  assert.equal(withValues("", { pms: "jira" }), 'pms="jira"\n');
});

Deno.test("what a shell would take for its own is quoted, and read back as it was", () => {
  const value = 'a"b\\c$d`e\'f # g "" é\\';
  assert.equal(valuesOf(withValues("redmineKey='x' # mine", { redmineKey: value })).redmineKey, value);
  assert.throws(
    () => withValues("", { redmineKey: "a\nshowBanner=no" }),
    /^Error: redmineKey has a line break/,
  );
});

Deno.test("whatever is set, it is read back, and all else is as before", () => {
  const value = fc.string({ unit: "grapheme" }).filter((text) => !/\p{Cc}/u.test(text));
  const written = fc.oneof(
    value.map(quoted),
    fc.stringMatching(/^[a-z0-9]*$/),
    fc.stringMatching(/^[a-z "]*$/).map((text) => `'${text}'`),
  );
  const key = fc.constantFrom(...CONFIG_KEYS.slice(0, 12));
  const line = fc.oneof(
    fc.tuple(fc.constantFrom("", "  ", "#", "# "), key, written, fc.constantFrom("", " ", "\t# why", "\r"))
      .map((
        parts,
      ) => `${parts[0]}${parts[1]}=${parts[2]}${parts[3]}`),
    fc.constantFrom("", "# a comment", "   ", "\r"),
  );
  const text = fc.tuple(fc.array(line), fc.constantFrom("", "\n", "\r\n")).map(([lines, end]) =>
    lines.join("\n") + end
  );
  fc.assert(fc.property(text, fc.dictionary(key, value, { noNullPrototype: true }), (before, set) => {
    const after = withValues(before, set);
    assert.deepEqual(valuesOf(after), { ...valuesOf(before), ...set });
    assert.equal(withValues(after, set), after);
    const others = (of: string) =>
      of.split(/\r?\n/).filter((line) =>
        !Object.keys(set).some((name) => line.trim().startsWith(`${name}=`))
      );
    assert.deepEqual(others(after).join("\n").trim(), others(before).join("\n").trim());
  }));
});

Deno.test("sed sets a key of the shipped config, of one that was set, and of one whose key was taken away", async () => {
  const sed = (text: string) => succeed(["sed", 's/redmineKey=""/redmineKey="KEY"/g'], { stdin: text });
  for (
    const text of [
      SHIPPED,
      withValues(SHIPPED, { pms: "jira", jiraToken: "t" }),
      withValues(SHIPPED.replace('redmineKey=""', "redmineKey='old'"), { redmineKey: "" }),
      withNewKeys('pms="0"\n', SHIPPED),
    ]
  ) assert.equal(valuesOf(await sed(text)).redmineKey, "KEY");
});

Deno.test("the shipped config has every key, each once, none of them commented out", () => {
  assert.deepEqual(Object.keys(valuesOf(SHIPPED)).toSorted(), CONFIG_KEYS.toSorted());
  assert.deepEqual(checkConfig(SHIPPED, "config").warnings, []);
  assert.equal(withNewKeys(SHIPPED, SHIPPED), SHIPPED);
});

Deno.test("an upgrade adds the keys that are new, each with its comment, once, and nothing else", () => {
  const old = SHIPPED.replace(/^logTime=.*\n/m, "").replace(/^webhook\w+=.*\n/mg, "").replace(
    'pms="0"',
    'pms="jira" # !',
  );
  const grown = withNewKeys(old, SHIPPED);
  assert.ok(grown.startsWith(old));
  assert.match(
    grown.slice(old.length),
    /^\n# For how many seconds a person waits.*\n.*\nlogTime="no"\n\n# Any other program: .*\nwebhookURL=""\n(webhook\w+=".*"\n){7}$/,
  );
  assert.equal(withNewKeys(grown, SHIPPED), grown);
  assert.deepEqual(valuesOf(grown), { ...valuesOf(SHIPPED), pms: "jira" });
});

Deno.test("a key that somebody has commented out is not new, and an empty config gets all of the shipped one's keys", () => {
  const shipped = '# How.\npms="0"\n\n# Loud.\nlogLevel="info"\n';
  assert.equal(withNewKeys("#pms=0", shipped), '#pms=0\n\n# Loud.\nlogLevel="info"\n');
  assert.equal(withNewKeys("", shipped), shipped);
  assert.equal(withNewKeys('pms="jira"\r\n', shipped), 'pms="jira"\r\n\r\n# Loud.\r\nlogLevel="info"\r\n');
});

Deno.test("no secret is shown, in whatever line it stands, and that it changes is", () => {
  const now = SECRET_KEYS.map((key) =>
    `${key}="s3cret@"\n# ${key}="s3cret@"\n${key} = s3cret@\n  ${key}='s3cret@' # mine`
  );
  const text = [...now, 'redmineURL="https://x?s3cret"', 'pms="0"', 'proxy=""', 'slackURL="" # none'].join(
    "\n",
  );
  const shown = withoutSecrets(text, undefined);
  assert.doesNotMatch(shown, /s3cret/);
  assert.match(shown, /^pms="0"\nproxy=""\nslackURL="" # none$/m);
  assert.match(shown, /^ {2}redmineKey="\*{5}" # mine$/m);
  assert.equal(
    withoutSecrets('redmineKey="new"\njiraToken="same"', 'redmineKey="old"\njiraToken="same"'),
    'redmineKey="***** (another one)"\njiraToken="*****"',
  );
});
