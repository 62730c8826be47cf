import assert from "node:assert/strict";
import fc from "fast-check";
import { ConfigError, parseKeyValues } from "../../src/config/key_values.ts";
import { DEFAULT_POLICY, loginPolicy, mappedShell, POLICY_KEYS } from "../../src/config/policy.ts";

/** Where nothing of an agent is. */
const NO_AGENT = { policy: "/nowhere/policy.json", hostSpool: "/nowhere/spool" };

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

async function withFile(text: string, use: (file: string) => void | Promise<void>): Promise<void> {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, text);
  try {
    await use(file);
  } finally {
    await Deno.remove(file);
  }
}

/** The policy for a login where the config is that file, and no agent has published anything. */
function withoutAgent(config: string) {
  const { policy, hasAgent } = loginPolicy({ ...NO_AGENT, config });
  assert.equal(hasAgent, false);
  return policy;
}

Deno.test("a host has an agent by what that has published, or by its spool, as when /run is still empty", async () => {
  const folder = await Deno.makeTempDir();
  const config = `${folder}/config`;
  try {
    assert.equal(loginPolicy({ ...NO_AGENT, config }).hasAgent, false);
    assert.equal(loginPolicy({ ...NO_AGENT, config, hostSpool: folder }).hasAgent, true);
    await Deno.writeTextFile(`${folder}/policy.json`, "{}");
    assert.equal(loginPolicy({ ...NO_AGENT, config, policy: `${folder}/policy.json` }).hasAgent, true);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("loginPolicy() takes the defaults where nothing is said", async () => {
  assert.deepEqual(withoutAgent("/nowhere/at/all"), DEFAULT_POLICY);
  await withFile('slackURL=""\n', (file) => assert.deepEqual(withoutAgent(file), DEFAULT_POLICY));
});

Deno.test("loginPolicy() reads every key of the config that is a login's", async () => {
  const lines = {
    showBanner: "no",
    defaultShell: "/bin/zsh",
    onFailure: "deny",
    onAgentDown: "deny",
    onTrackerOutage: "deny",
    nonInteractive: "require",
    exemptUsers: "backup, ansible",
    exemptGroups: "robots",
    breakGlassGroup: "oncall",
    ticketPattern: "OPS-[0-9]+",
    idleTimeout: "30m",
    trackerTimeout: "10",
  };
  assert.deepEqual(Object.keys(lines).sort(), [...POLICY_KEYS].sort());
  const text = Object.entries(lines).map(([key, value]) => `${key}="${value}"\n`).join("");
  await withFile(text, (file) => {
    assert.deepEqual(withoutAgent(file), {
      showBanner: false,
      defaultShell: "/bin/zsh",
      onFailure: "deny",
      onAgentDown: "deny",
      onTrackerOutage: "deny",
      nonInteractive: "require",
      exemptUsers: ["backup", "ansible"],
      exemptGroups: ["robots"],
      breakGlassGroup: "oncall",
      ticketPattern: "OPS-[0-9]+",
      idleTimeoutS: 1800,
      trackerTimeoutS: 10,
    });
  });
});

Deno.test("loginPolicy() names the line of a value that is none", async () => {
  const broken: [line: string, reason: RegExp][] = [
    ['onFailure="perhaps"', /is not one of: allow, deny$/],
    ['nonInteractive="no"', /is not one of: record, require, deny$/],
    ['defaultShell="bash"', /is not an absolute path$/],
    ['ticketPattern="OPS-("', /is not a regular expression/],
    ['idleTimeout="soon"', /is no length of time/],
    ['trackerTimeout="61"', /is not a whole number from 1 to 60$/],
  ];
  for (const [line, reason] of broken) {
    await withFile(`\n${line}`, (file) => {
      assert.throws(() => withoutAgent(file), (error: Error) => {
        assert.ok(error.message.startsWith(`${file}: line 2: ${line} `), error.message);
        assert.match(error.message, reason);
        return true;
      });
    });
  }
});

Deno.test("loginPolicy() goes by what an agent has published, whatever the config says", async () => {
  const published = (text: string, use: (policy: string) => void) => withFile(text, use);
  await withFile('onFailure="deny"\n', async (config) => {
    await published(JSON.stringify({ ...DEFAULT_POLICY, onAgentDown: "deny" }), (policy) => {
      assert.deepEqual(loginPolicy({ ...NO_AGENT, policy, config }), {
        policy: { ...DEFAULT_POLICY, onAgentDown: "deny" },
        hasAgent: true,
      });
    });
    // An older agent's, and what is none.
    await published('{"nonInteractive":"deny"}', (policy) => {
      assert.equal(loginPolicy({ ...NO_AGENT, policy, config }).policy.nonInteractive, "deny");
      assert.equal(loginPolicy({ ...NO_AGENT, policy, config }).policy.onFailure, "allow");
    });
    for (const text of ["", "[", "null", '"x"', '{"exemptUsers":7}']) {
      await published(
        text,
        (policy) => assert.throws(() => loginPolicy({ ...NO_AGENT, policy, config }), ConfigError, text),
      );
    }
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
