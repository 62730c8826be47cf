/** The try-out before anybody's shell is changed, in a copy of the machine, with its own su, PAM and shells. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { testThatNeeds } from "../support/needs.ts";
import { run, succeed } from "../support/run.ts";
import { TestHost, type TestUser } from "../support/sshd.ts";

const TRY_OUT = new URL("../support/try_out.ts", import.meta.url).pathname;

interface Outcome {
  step: string | null;
  message: string;
}

interface Options {
  hasAgent?: boolean;
  testTicket?: string;
  patienceMs?: number;
}

/** The words that try `hello` out as a user. */
function tryOutWords(user: TestUser, shell: string, options: Options = {}, hello?: string): string[] {
  const words = [{ name: user.name, shell }, { hasAgent: false, ...options }, { hello }].map((word) =>
    JSON.stringify(word)
  );
  const environment = ["DENO_DIR", "DENO_NO_UPDATE_CHECK"].map((name) =>
    `${name}=${Deno.env.get(name) ?? ""}`
  );
  return ["env", ...environment, Deno.execPath(), "run", "-A", "--no-check", TRY_OUT, ...words];
}

async function tryOut(host: TestHost, ...rest: Parameters<typeof tryOutWords>): Promise<Outcome> {
  const { text, errors } = await run(host.asRoot(tryOutWords(...rest)), { cwd: "/" });
  assert.equal(errors, "");
  return JSON.parse(text);
}

/** What of a user's runs, but for what takes in her history after any shell, and ends by itself. */
async function processesOf({ uid }: TestUser): Promise<string> {
  const { text } = await run(["ps", "-o", "stat=,args=", "-U", String(uid)]);
  return text.split("\n").filter((line) => !/^(?:Z.*|.*srvaudit ingest --linger [0-9]+)?$/.test(line)).join(
    "\n",
  );
}

testThatNeeds(
  ["root", "zsh", "fish"],
  "bash, zsh and fish pass, and the agent has it on record",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const shells = ["/bin/bash", "/usr/bin/zsh", "/usr/bin/fish"];
    for (const shell of shells) {
      assert.deepEqual(await tryOut(host, await host.addUser(shell), shell), { step: null }, shell);
    }
    // Others: the agent takes in what was recorded without it.
    const users: TestUser[] = [];
    for (const shell of shells) users.push(await host.addUser(shell));
    await using agent = await TestAgent.start(host);
    for (const [i, user] of users.entries()) {
      assert.deepEqual(
        await tryOut(host, user, shells[i] ?? "", { hasAgent: true }),
        { step: null },
        shells[i],
      );
    }
    const ours = `user in (${users.map(({ name }) => `'${name}'`).join()})`;
    // A new ticket each, and the two commands that were tried before.
    const logins = await agent.ask(
      `select user, shell, ticket, how_closed, exit_code from login_session where mode = 'interactive' and ${ours} order by ticket`,
    );
    assert.deepEqual(
      logins,
      users.map(({ name }, i) => ({
        user: name,
        // Her own, before any line in the map says so.
        shell: shells[i],
        ticket: String(i + 1),
        how_closed: "logout",
        exit_code: 0,
      })),
    );
    const commands = await agent.ask<{ command: string }>(
      `select command from login_session where mode = 'command' and ${ours} order by seq`,
    );
    assert.deepEqual(commands.map(({ command }) => command), users.flatMap(() => ["true", "cat"]));
    await agent.end();
    const late = await host.addUser("/bin/bash");
    const { step, message } = await tryOut(host, late, "/bin/bash", { hasAgent: true });
    assert.equal(step, "agent");
    assert.match(message, /cannot log in by hello yet: the agent .* does not answer|No such file|refused/);
  },
);

testThatNeeds(["root"], "a test ticket is taken, or the try-out says that it is not", async () => {
  await using host = await TestHost.start({ installed: true });
  await using _agent = await TestAgent.start(host);
  const user = await host.addUser("/bin/bash");
  assert.equal((await tryOut(host, user, "/bin/bash", { hasAgent: true })).step, null);
  assert.deepEqual(await tryOut(host, user, "/bin/bash", { hasAgent: true, testTicket: "1" }), {
    step: null,
  });
  const { step, message } = await tryOut(host, user, "/bin/bash", { hasAgent: true, testTicket: "4711" });
  assert.equal(step, "ticket");
  assert.match(message, /the ticket 4711 was not taken/);
  assert.match(message, /\| .*Ticket 4711 does not exist/);
  assert.equal(await processesOf(user), "");
});

testThatNeeds(
  ["root"],
  "users who need no ticket, and commands that do, pass by what the policy says",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const exempt = await host.addUser("/bin/bash");
    const user = await host.addUser("/bin/bash");
    await using agent = await TestAgent.start(host, [
      `exemptUsers="${exempt.name}"`,
      'nonInteractive="require"',
      'showBanner="0"',
    ]);
    assert.deepEqual(await tryOut(host, exempt, "/bin/bash", { hasAgent: true }), { step: null });
    assert.deepEqual(await tryOut(host, user, "/bin/bash", { hasAgent: true }), { step: null });
    const commands = await agent.ask<{ ticket: string | null }>(
      `select ticket from login_session where mode = 'command' and user = '${user.name}'`,
    );
    assert.deepEqual(commands.map(({ ticket }) => ticket !== null), [true, true]);
    await TestAgent.configure(host, ['nonInteractive="deny"']);
    agent.signal("SIGHUP");
    await succeed(host.asRoot([
      "sh",
      "-c",
      'until grep -q "\\"nonInteractive\\": *\\"deny\\"" /run/srvaudit/policy.json; do sleep 0.05; done',
    ]));
    assert.deepEqual(await tryOut(host, user, "/bin/bash", { hasAgent: true }), { step: null });
  },
);

testThatNeeds(
  ["root", "zsh"],
  "what a user's startup files do is borne, or named, and nothing of it stays",
  async () => {
    await using host = await TestHost.start({ installed: true });
    await using _agent = await TestAgent.start(host);
    const withFiles = async (shell: string, files: Record<string, string>) => {
      const user = await host.addUser(shell);
      for (const [name, text] of Object.entries(files)) await host.write(user, name, text);
      return user;
    };
    const bash = "/bin/bash";
    const another = await withFiles(bash, { ".bashrc": "case $- in *i*) exec zsh ;; esac\n", ".zshrc": "" });
    assert.deepEqual(await tryOut(host, another, bash, { hasAgent: true }), { step: null });
    const loud = await withFiles(bash, { ".bashrc": "yes 'so much' | head -c 5000000\n" });
    assert.deepEqual(await tryOut(host, loud, bash, { hasAgent: true }), { step: null });
    const said = await withFiles("/usr/bin/zsh", { ".zshenv": "echo whoever asks\n" });
    assert.deepEqual(await tryOut(host, said, "/usr/bin/zsh", { hasAgent: true }), { step: null });
    const homeless = await host.addUser(bash);
    await succeed(host.asRoot(["rm", "-rf", homeless.home]));
    assert.deepEqual(await tryOut(host, homeless, bash, { hasAgent: true }), { step: null });

    const expired = await withFiles(bash, {});
    await succeed(host.asRoot(["chage", "--expiredate", "1", expired.name]));
    const kept = await tryOut(host, expired, bash, { hasAgent: true });
    assert.equal(kept.step, "user", kept.message);
    assert.match(kept.message, /nobody can become her at present: .*expired/);

    const failing: [files: Record<string, string>, step: string, message: RegExp][] = [
      [
        { ".bashrc": "read -rp 'Really? ' a\nread -rp 'Really, really? ' b\nread -r c\n" },
        "shell",
        /\| .*Really\?/,
      ],
      [
        { ".bashrc": "trap '' HUP TERM; echo hanging; while :; do sleep 1000; done\n" },
        "shell",
        /\| hanging/,
      ],
      [{ ".bashrc": "yes\n" }, "shell", /ran no command in 3 s/],
      [{ ".bashrc": "printf '\\033]0;evil\\007\\033[31mred\\n'; exit 3\n" }, "shell", /\| red/],
    ];
    for (const [files, step, message] of failing) {
      const user = await withFiles(bash, files);
      const outcome = await tryOut(host, user, bash, { hasAgent: true, patienceMs: 3000 });
      assert.equal(outcome.step, step, outcome.message);
      assert.match(outcome.message, message);
      // deno-lint-ignore no-control-regex -- control characters are what this is about
      assert.doesNotMatch(outcome.message, /[\x00-\x09\x0b-\x1f]/);
      assert.equal(await processesOf(user), "");
    }
  },
);

testThatNeeds(
  ["root"],
  "hello that does not run, or does not record, fails the try-out and says why",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const user = await host.addUser("/bin/bash");
    const inHost = (script: string) => succeed(host.asRoot(["sh", "-c", script]));
    await inHost("chmod 700 /usr/lib/srvaudit");
    const closed = await tryOut(host, user, "/bin/bash");
    assert.equal(closed.step, "command");
    assert.match(
      closed.message,
      /hello -c true ended with exit code [0-9]+, and said: .*[Pp]ermission denied/,
    );
    await inHost("chmod 755 /usr/lib/srvaudit; mv /usr/lib/srvaudit/shell /usr/lib/srvaudit/shell.off");
    const hookless = await tryOut(host, user, "/bin/bash");
    assert.match(hookless.message, /NOT recorded/);
    await inHost("mv /usr/lib/srvaudit/shell.off /usr/lib/srvaudit/shell");
    // A tracker that demands what nobody can guess.
    await inHost(`cat > /usr/bin/demanding <<'END'
#!/bin/sh
[ "$1" != -c ] || exec sh "$@"
printf 'Ticket number (? or words to search, blank for new): '
read -r ticket
printf 'Choose tracker for new ticket: '
read -r tracker
printf 'Enter Cost centre for new ticket: '
read -r answer
END
chmod 755 /usr/bin/demanding`);
    const demanding = await tryOut(host, user, "/bin/bash", {}, "/usr/bin/demanding");
    assert.equal(demanding.step, "ticket");
    assert.match(demanding.message, /\(Enter Cost centre\): name one by --test-ticket/);
    assert.match(demanding.message, /Choose tracker for new ticket: 1$/m);
  },
);

testThatNeeds(
  ["root"],
  "an admin who is in a session of hello's herself can try it out for others",
  async () => {
    await using host = await TestHost.start({ installed: true });
    await using agent = await TestAgent.start(host);
    const admin = await host.addUser();
    const user = await host.addUser("/bin/bash");
    await succeed(host.asRoot(["install", "-m", "4755", "/usr/bin/setpriv", "/usr/local/bin/become"]));
    const words = ["become", "--reuid=0", "--regid=0", "--clear-groups"];
    words.push(...tryOutWords(user, "/bin/bash", { hasAgent: true }));
    await host.write(admin, "try.sh", words.map((word) => `'${word}'`).join(" ") + "\n");
    const { text, errors } = await host.ssh(admin, ["sh", "try.sh"]);
    assert.equal(errors, "");
    assert.deepEqual(JSON.parse(text), { step: null });
    // The agent sees those of other tests, too, which run beside.
    const ours = `user in ('${admin.name}', '${user.name}')`;
    const sessions = await agent.ask<{ user: string }>(`select user from login_session where ${ours}`);
    assert.deepEqual(sessions, [{ user: admin.name }]);
  },
);
