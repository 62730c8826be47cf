import assert from "node:assert/strict";
import fc from "fast-check";
import { ConfigError, parseKeyValues } from "../../src/config/key_values.ts";
import { DEFAULTS, loginSettings, mappedShell } from "../../src/config/settings.ts";

function value(line: string): string | undefined {
  return parseKeyValues(line, "config").get("key")?.value;
}

Deno.test("parseKeyValues() reads what a shell would", () => {
  assert.equal(value('key="a b"'), "a b");
  assert.equal(value("key='a $b \\'"), "a $b \\");
  assert.equal(value("key=bare"), "bare");
  assert.equal(value('  key="a # b"  # comment'), "a # b");
  assert.equal(value('key="say \\"hi\\" \\$HOME \\\\"'), 'say "hi" $HOME \\');
  assert.equal(value("key="), "");
  assert.equal(value('key="1"\n\n# none\nkey="2"'), "2");
});

Deno.test("parseKeyValues() reads any value that is quoted as a shell would quote it", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    fc.pre(!/[\n\r]/.test(text));
    assert.equal(value(`key="${text.replace(/["\\$`]/g, "\\$&")}"`), text);
  }));
});

Deno.test("parseKeyValues() never throws but a ConfigError with file and line", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    try {
      parseKeyValues(text, "/etc/x");
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /^\/etc\/x: line \d+: /);
    }
  }));
  assert.throws(
    () => parseKeyValues('a="1"\n\nb "2"', "/etc/x"),
    /^ConfigError: \/etc\/x: line 3: expected key="value"/,
  );
});

async function withFile(text: string, use: (file: string) => void): Promise<void> {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, text);
  try {
    use(file);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("loginSettings() takes the defaults where nothing is said", async () => {
  assert.deepEqual(loginSettings("/nowhere/at/all"), DEFAULTS);
  await withFile('slackURL=""\n', (file) => assert.deepEqual(loginSettings(file), DEFAULTS));
  await withFile('showBanner="no"\ndefaultShell="/bin/zsh"\nonFailure="deny"\n', (file) => {
    assert.deepEqual(loginSettings(file), { showBanner: false, defaultShell: "/bin/zsh", onFailure: "deny" });
  });
});

Deno.test("loginSettings() names the line of a value that is none", async () => {
  await withFile('\nonFailure="perhaps"', (file) => {
    assert.throws(() => loginSettings(file), {
      message: `${file}: line 2: onFailure="perhaps" is not one of: allow, deny`,
    });
  });
  await withFile('defaultShell="bash"', (file) => {
    assert.throws(() => loginSettings(file), /line 1: defaultShell="bash" is not an absolute path/);
  });
});

Deno.test("mappedShell() finds the user's own shell, and nobody else's", async () => {
  await withFile('alice="/usr/bin/zsh"\nbob.smith-2="/usr/bin/fish"', (file) => {
    assert.equal(mappedShell(file, "alice"), "/usr/bin/zsh");
    assert.equal(mappedShell(file, "bob.smith-2"), "/usr/bin/fish");
    assert.equal(mappedShell(file, "carol"), undefined);
  });
  // Whatever stands in another's line, or in a name.
  await withFile('_svc=oops "\nCORP\\\\al@x="/usr/bin/zsh"\nmallory="zsh"', (file) => {
    assert.equal(mappedShell(file, "CORP\\\\al@x"), "/usr/bin/zsh");
    assert.throws(
      () => mappedShell(file, "mallory"),
      /line 3: shell="zsh" is not|line 3: mallory="zsh" is not/,
    );
  });
});
