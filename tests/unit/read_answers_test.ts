import assert from "node:assert/strict";
import fc from "fast-check";
import { CONFIG_KEYS, SECRET_KEYS } from "../../src/config/agent_settings.ts";
import type { GivenAnswers, InstallFlags } from "../../src/install/answers.ts";
import { quoted } from "../../src/install/config_text.ts";
import { AnswersError, readAnswers, withoutAsking } from "../../src/install/read_answers.ts";

const NO_FLAGS: InstallFlags = {
  answers: undefined,
  set: [],
  setFrom: [],
  users: undefined,
  group: undefined,
  all: false,
  nobody: false,
  forceCommand: false,
  testTicket: undefined,
  noSafety: false,
};

function read(flags: Partial<InstallFlags>): GivenAnswers {
  return readAnswers({ ...NO_FLAGS, ...flags });
}

/** A file that goes with the test. */
class TestFile implements Disposable {
  readonly path = Deno.makeTempFileSync();

  constructor(text: string, mode = 0o600) {
    Deno.writeTextFileSync(this.path, text);
    Deno.chmodSync(this.path, mode);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path);
  }
}

function refused(flags: Partial<InstallFlags>, words: RegExp): void {
  assert.throws(() => read(flags), (error) => {
    assert.ok(error instanceof AnswersError, String(error));
    assert.match(error.message, words);
    assert.doesNotMatch(error.message, /s3cret/);
    return true;
  });
}

Deno.test("who says nothing has answered nothing, and wants nobody's shell changed", () => {
  const given = read({});
  assert.deepEqual(given, {
    config: {},
    who: undefined,
    forceCommand: undefined,
    testTicket: undefined,
    hasSafety: undefined,
  });
  assert.deepEqual(withoutAsking(given), {
    config: {},
    who: { who: "nobody" },
    forceCommand: false,
    testTicket: undefined,
    hasSafety: true,
  });
});

Deno.test("an answers file has keys of the config, and the installer's own", () => {
  using file = new TestFile(
    `# Answers.\npms="Redmine"\r\nredmineKey='k"ey' # mine\n\nusers="ann, bob,ann"\nforceCommand=yes\ntestTicket="OPS-17"\nsafety="no"\ngroup=""\n`,
  );
  assert.deepEqual(withoutAsking(read({ answers: file.path })), {
    config: { pms: "Redmine", redmineKey: 'k"ey' },
    who: { who: "users", names: ["ann", "bob"] },
    forceCommand: true,
    testTicket: "OPS-17",
    hasSafety: false,
  });
});

Deno.test("flags go before the file", () => {
  using file = new TestFile('pms="Redmine"\nlogTime="no"\nall="yes"\ntestTicket="1"\n');
  using key = new TestFile("https://s3cret\n");
  assert.deepEqual(
    read({
      answers: file.path,
      set: ["pms=jira", "jiraFields=a=b"],
      setFrom: [`slackURL=${key.path}`],
      group: "ops",
      testTicket: "2",
      forceCommand: true,
      noSafety: true,
    }),
    {
      config: { pms: "jira", jiraFields: "a=b", logTime: "no", slackURL: "https://s3cret" },
      who: { who: "group", group: "ops" },
      forceCommand: true,
      testTicket: "2",
      hasSafety: false,
    },
  );
});

Deno.test("a secret on the command line is refused, with the ways out, and is not repeated", () => {
  for (const key of [...SECRET_KEYS.filter((key) => key !== "proxy")]) {
    refused(
      { set: [`${key}=s3cret`] },
      new RegExp(`--set ${key} is refused.*--set-from ${key}=FILE.*--answers`),
    );
  }
  refused({ set: ["proxy=http://me:s3cret@proxy:3128"] }, /--set proxy is refused/);
  refused({ set: ["redmineURL=https://me:s3cret@host"] }, /--set redmineURL is refused/);
  assert.equal(read({ set: ["proxy=http://proxy:3128"] }).config.proxy, "http://proxy:3128");
  assert.equal(read({ set: ["redmineKey="] }).config.redmineKey, "");
});

Deno.test("a file with a secret in it that others can read is refused, with its mend", () => {
  for (const mode of [0o640, 0o604, 0o644]) {
    using file = new TestFile('redmineKey="s3cret"\n', mode);
    refused({ answers: file.path }, new RegExp(`others can read it: chmod 600 ${file.path}`));
    using key = new TestFile("s3cret", mode);
    refused({ setFrom: [`redmineKey=${key.path}`] }, /others can read it: chmod 600/);
  }
  using harmless = new TestFile('pms="0"\nredmineKey=""\n', 0o644);
  assert.deepEqual(read({ answers: harmless.path }).config, { pms: "0", redmineKey: "" });
});

Deno.test("a key that there is not is refused, with file, line and what may be meant", () => {
  using file = new TestFile('pms="0"\n\nredminKey="s3cret"\n');
  refused(
    { answers: file.path },
    new RegExp(`^${file.path}: line 3: redminKey: there is no such key; did you mean redmineKey\\?$`),
  );
  using own = new TestFile('user="ann"\n');
  refused({ answers: own.path }, /line 1: user: .*did you mean users\?$/);
  refused({ set: ["logtime=yes"] }, /--set logtime: there is no such key; did you mean logTime\?/);
  refused({ set: ["users=ann"] }, /--set users: that is said by --users/);
  refused({ setFrom: ["toString=/x"] }, /--set-from toString: there is no such key/);
});

Deno.test("a line that is none, a key twice, a value that no line can hold: refused, and no value is shown", () => {
  using bad = new TestFile("pms=0\nredmineKey s3cret\n");
  refused({ answers: bad.path }, new RegExp(`^${bad.path}: line 2: expected key="value"`));
  using twice = new TestFile('redmineKey="s3cret"\nredmineKey="s3cret2"\n');
  refused({ answers: twice.path }, /line 2: redmineKey stands there already/);
  refused({ set: ["pms=0", "pms=jira"] }, /--set pms: it is given twice/);
  refused({ set: ["s3cret"] }, /--set needs KEY=VALUE/);
  using lines = new TestFile("s3cret\ns3cret\n");
  refused({ setFrom: [`redmineKey=${lines.path}`] }, /--set-from redmineKey has a line break/);
  using binary = new TestFile("");
  Deno.writeFileSync(binary.path, new Uint8Array([0xff, 0xfe]));
  refused({ answers: binary.path }, /cannot be read: it is no UTF-8 text/);
  refused({ answers: "/nonexistent/file" }, /--answers: \/nonexistent\/file cannot be read: No such file/);
});

Deno.test("who it is for can be said in one way only, and in names that are some", () => {
  refused({ users: "ann", all: true }, /only one of --users, --group, --all and --nobody/);
  refused({ group: "ops", nobody: true }, /only one of/);
  using two = new TestFile('users="ann"\nall="yes"\n');
  refused({ answers: two.path }, /only one of users, group and all/);
  assert.deepEqual(read({ nobody: true }).who, { who: "nobody" });
  refused({ users: " , " }, /nobody is named/);
  for (const name of ["-x", "a:b", "a/b", "a\x1b[31m"]) refused({ users: name }, /is no name of a user/);
  refused({ group: "a b" }, /is no name of a group/);
  refused({ forceCommand: true, nobody: true }, /--force-command needs somebody/);
  assert.throws(() => withoutAsking(read({ forceCommand: true })), /--force-command needs somebody/);
  using words = new TestFile('all="perhaps"\n');
  refused({ answers: words.path }, /line 1: all="perhaps" is not one of: yes, no/);
  refused({ testTicket: "a b" }, /test ticket's key/);
});

Deno.test("whatever values a file has, they are read as they are", () => {
  const value = fc.string({ unit: "grapheme" }).filter((text) => !/\p{Cc}/u.test(text));
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...CONFIG_KEYS), value, { noNullPrototype: true }),
      (config) => {
        using file = new TestFile(
          Object.entries(config).map(([key, text]) => `${key}=${quoted(text)}\n`).join(""),
        );
        assert.deepEqual(read({ answers: file.path }).config, config);
      },
    ),
    { numRuns: 50 },
  );
});
