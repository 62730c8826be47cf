/** `hello` by sshd's ForceCommand: what works by passwd works so too, and what is weaker. */

import assert from "node:assert/strict";
import { matchLines } from "../../src/install/sshd_config.ts";
import { playLogin } from "../support/expect.ts";
import { testThatNeeds } from "../support/needs.ts";
import { commands, onlySession, summary } from "../support/records.ts";
import { type Finished, run, type RunOptions, succeed } from "../support/run.ts";
import { TestHost, type TestUser } from "../support/sshd.ts";
import { TRANSFERS } from "../support/transfers.ts";

const NEEDS = ["root", "sshd", "nsenter"] as const;
const GROUP = "satestforced";
const HELLO = "/usr/bin/hello-srvaudit";

/** An installed host whose sshd forces hello on a group. */
class GroupHost implements AsyncDisposable {
  private constructor(readonly host: TestHost, readonly file: string) {}

  /** @param sshd further lines for sshd_config */
  static async start(sshd: readonly string[] = []): Promise<GroupHost> {
    const file = await Deno.makeTempFile({ dir: "/tmp", suffix: ".conf" });
    await Deno.writeTextFile(file, matchLines(`Group ${GROUP}`, HELLO));
    try {
      const host = await TestHost.start({ installed: true, sshd: [`Include ${file}`, ...sshd] });
      await succeed(host.asRoot(["groupadd", GROUP]));
      return new GroupHost(host, file);
    } catch (error) {
      await Deno.remove(file);
      throw error;
    }
  }

  /** A user that hello is forced on. */
  async forced(shell = "/bin/bash"): Promise<TestUser> {
    const user = await this.host.addUser(shell);
    await succeed(this.host.asRoot(["usermod", "-aG", GROUP, user.name]));
    return user;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
    await Deno.remove(this.file);
  }
}

for (const { name, needs, play } of TRANSFERS) {
  testThatNeeds([...NEEDS, ...needs], `forced: ${name}`, async () => {
    await using group = await GroupHost.start();
    await play(group.host, await group.forced());
  });
}

for (const name of ["scp in its sftp mode, there and back", "sftp: put, rename and get"]) {
  testThatNeeds([...NEEDS, "scp", "sftp"], `forced, and Subsystem sftp internal-sftp: ${name}`, async () => {
    await using group = await GroupHost.start(["Subsystem sftp internal-sftp -l INFO"]);
    const user = await group.forced();
    await TRANSFERS.find((transfer) => transfer.name === name)?.play(group.host, user);
    for (const { command } of await group.host.sessions(user)) {
      assert.match(command ?? "", /^\/\S+\/sftp-server -l INFO$/);
    }
  });
}

/** What a client sees of a command, the users' names made the same. */
function seen({ code, text, errors }: Finished, user: TestUser) {
  return { code, text: text.replaceAll(user.name, "USER"), errors: errors.replaceAll(user.name, "USER") };
}

testThatNeeds(NEEDS, "forced: ssh host cmd is as with a user whom sshd leaves to bash", async () => {
  await using group = await GroupHost.start();
  const { host } = group;
  const [ours, theirs] = [await group.forced(), await host.addUser("/bin/bash")];
  const same = async (command: string, options: RunOptions & { flags?: string[] } = {}) => {
    const [expected, got] = [
      await host.ssh(theirs, [command], options),
      await host.ssh(ours, [command], options),
    ];
    assert.deepEqual({ command, ...seen(got, ours) }, { command, ...seen(expected, theirs) });
    return got;
  };
  const recorded = [
    "echo out; echo err >&2; exit 3",
    "exit 255",
    "no-such-command-here",
    "if then fi",
    'printf \'%s\\n\' "$0" "$#" "$-" "$SHLVL" "$SHELL" "${BASH_ENV-}" "${PROMPT_COMMAND-}"',
    "cd /tmp && pwd; pwd -P; echo ~; umask; ulimit -n; shopt; set -o",
    "echo 'quotes \" and $dollars' \"and ' these\" \\\\ `echo ticks`",
    "for i in 1 2 3\ndo\n  echo $i\ndone\necho é ☃ 漢",
    "ls -l /proc/self/fd | sed 's/.* \\([0-9]* ->\\).*/\\1/'",
    "set +o | sort; alias; compgen -A function | grep -v _srvaudit_",
    "yes | head -n 1; echo ${PIPESTATUS[*]}",
    "env -0 | cut -z -d= -f1 | sort -z | grep -zv -e '^_$' -e '^SRVAUDIT_' -e '^SSH_ORIGINAL_COMMAND$'",
  ];
  for (const command of recorded) await same(command);
  const sessions = await host.sessions(ours);
  assert.deepEqual(sessions.map(({ command }) => command), recorded);
  for (const { mode, from, how } of sessions) {
    assert.deepEqual({ mode, from, how }, { mode: "command", from: "127.0.0.1", how: "logout" });
  }
  for (const command of ["kill -TERM $$", "kill -KILL $$"]) {
    const [expected, got] = [await host.ssh(theirs, [command]), await host.ssh(ours, [command])];
    assert.deepEqual([got.code, got.text], [expected.code, expected.text], command);
  }
  const bytes = crypto.getRandomValues(new Uint8Array(65536));
  const copied = await same("cat", { stdin: bytes });
  assert.ok(copied.stdout.every((byte, i) => byte === bytes[i]));
  // What editors do: a shell by name, its script on standard input.
  await same("bash", { stdin: "echo from-a-script; exit 7\n", flags: ["-T"] });
  // And a shell that nobody names: it is a login.
  const script =
    'echo one\nread line\nthis is read\necho "$line"\nshopt -q login_shell && echo login\necho "$0"\nexit 4\n';
  const [got, expected] = [
    await host.ssh(ours, [], { stdin: script, flags: ["-T"] }),
    await host.ssh(theirs, [], { stdin: script, flags: ["-T"] }),
  ];
  assert.deepEqual(seen(got, ours), seen(expected, theirs));
  assert.match(got.text, /login\n-bash\n$/);
});

testThatNeeds(NEEDS, "forced: what SSH_ORIGINAL_COMMAND asked for is asked for once", async () => {
  await using group = await GroupHost.start(["AcceptEnv *"]);
  const { host } = group;
  const user = await group.forced();
  const ssh = async (command: string) => (await host.ssh(user, [command])).text;
  // Others who are started so look at it.
  assert.equal(await ssh("echo $SSH_ORIGINAL_COMMAND"), "echo $SSH_ORIGINAL_COMMAND\n");
  assert.equal(await ssh(`${HELLO} -c 'echo within'`), "within\n");
  assert.equal(await ssh(`echo 'echo read' | ${HELLO}`), "read\n");
  // Of one who sends it by hand: sshd has the last word where there is a command.
  const sent = await host.ssh(user, ["echo mine"], { flags: ["-o", "SetEnv=SSH_ORIGINAL_COMMAND=id"] });
  assert.equal(sent.text, "mine\n");
  const client = [...host.client("ssh"), host.at(user)].join(" ");
  const latin = await run(["sh", "-c", `${client} "printf '%s' $(printf '\\374')"`]);
  assert.deepEqual([latin.code, latin.text], [1, ""]);
  assert.match(latin.errors, /not UTF-8/);
});

for (const shell of ["bash", "zsh", "fish"]) {
  testThatNeeds(
    [...NEEDS, "expect", shell],
    `forced: a person with ${shell} is asked, and is in a login shell`,
    async () => {
      await using group = await GroupHost.start();
      const { host } = group;
      const user = await group.forced(`/usr/bin/${shell}`);
      await host.write(user, ".bashrc", "PS1='ready> '\n");
      await host.write(user, ".profile", ". ~/.bashrc\nexport FROM_PROFILE=yes\n");
      await host.write(user, ".zshrc", "PROMPT='ready> '\nunsetopt prompt_sp prompt_cr zle\n");
      await host.write(user, ".zprofile", "export FROM_PROFILE=yes\n");
      await host.write(
        user,
        ".config/fish/config.fish",
        "set fish_greeting\nfunction fish_prompt; echo -n 'ready> '; end\nstatus is-login; and set -gx FROM_PROFILE yes\n",
      );
      await playLogin(
        host,
        user,
        `want {blank for new[^\\r\\n]*: $}
       line ""
       want {Enter subject for new ticket: $}
       line "Forced ${shell}"
       want {ready> }
       line "echo profile=\\$FROM_PROFILE shell=\\$SHELL"
       want {profile=yes shell=/usr/bin/${shell}\\r}
       want {ready> }
       line "sh -c 'exit 6'"
       want {ready> }
       line "exit"
       want {notes[^\\r\\n]*: $}
       line ""
       want {Choose ticket status \\(default [0-9]+\\): *$}
       line ""
       ended`,
      );
      const session = await onlySession(host, user);
      const { mode, from, how } = session;
      assert.deepEqual({ mode, from, how }, { mode: "interactive", from: "127.0.0.1", how: "logout" });
      assert.equal(session.shell, `/usr/bin/${shell}`);
      assert.equal(session.command, null);
      const own = (await host.shells(user)).find((record) => record.commands.length > 1);
      assert.deepEqual(summary(own?.commands ?? []).slice(0, 2), [
        ["echo profile=$FROM_PROFILE shell=$SHELL", 0],
        ["sh -c 'exit 6'", 6],
      ]);
    },
  );
}

testThatNeeds(
  [...NEEDS, "expect"],
  "forced: ssh -t host cmd asks for a ticket, and ends with the command's code",
  async () => {
    await using group = await GroupHost.start();
    const user = await group.forced();
    const { code, text } = await playLogin(
      group.host,
      user,
      `want {blank for new[^\\r\\n]*: $}
     line ""
     want {Enter subject for new ticket: $}
     line "One command"
     want {tty=/dev/pts}
     want {notes[^\\r\\n]*: $}
     line ""
     want {Choose ticket status \\(default [0-9]+\\): *$}
     line ""
     ended`,
      { command: "echo tty=$(tty) term=$TERM; exit 5" },
    );
    assert.equal(code, 5);
    assert.match(text, /term=dumb/);
    assert.equal((await onlySession(group.host, user)).command, "echo tty=$(tty) term=$TERM; exit 5");
  },
);

testThatNeeds(
  [...NEEDS, "expect"],
  "hello in passwd and forced as well: one question, one session, no wrapping on record",
  async () => {
    await using group = await GroupHost.start();
    const { host } = group;
    const user = await group.forced("/usr/bin/hello-srvaudit");
    await playLogin(host, user, `login "" "Twice"\nline "echo once"\nwant {once\\r\\n.*\\$ $}\nlogout "" ""`);
    assert.deepEqual(summary(await commands(host, user)), [["echo once", 0]]);
    assert.equal((await onlySession(host, user)).command, null);
    assert.equal((await host.ssh(user, ["echo $0 $SHELL; exit 9"])).code, 9);
    assert.deepEqual((await host.sessions(user)).map(({ command }) => command), [
      null,
      "echo $0 $SHELL; exit 9",
    ]);
  },
);

testThatNeeds([...NEEDS, "ssh-agent"], "forced: ssh -A hands the agent on", async () => {
  await using group = await GroupHost.start();
  const { host } = group;
  const user = await group.forced();
  const ssh = [...host.client("ssh"), "-A", host.at(user), "ssh-add -l"].map((word) => `'${word}'`).join(" ");
  const { text, errors } = await run([
    "ssh-agent",
    "sh",
    "-c",
    `ssh-add -q '${host.folder}/user_key' && ${ssh}`,
  ]);
  assert.match(text, /user_key/, errors);
});

/** docs/security.md: what ForceCommand does not keep. */
testThatNeeds(
  NEEDS,
  "forced: a ~/.bashrc that execs runs before hello, and no session is on record",
  async () => {
    await using group = await GroupHost.start();
    const { host } = group;
    const user = await group.forced();
    await host.write(user, ".bashrc", 'exec /bin/bash --norc -c "$SSH_ORIGINAL_COMMAND"\n');
    assert.equal((await host.ssh(user, ["echo past hello"])).text, "past hello\n");
    assert.deepEqual(await host.sessions(user), []);
    // By passwd it is hello that starts first.
    const other = await host.addUser();
    await host.write(other, ".bashrc", 'exec /bin/bash --norc -c "$SSH_ORIGINAL_COMMAND"\n');
    await host.ssh(other, ["echo on record"]);
    assert.deepEqual((await host.sessions(other)).map(({ command }) => command), ["echo on record"]);
  },
);

testThatNeeds(
  [...NEEDS, "expect"],
  "forced: of a shell that ~/.bashrc execs, what its hooks see is on record, with no ticket",
  async () => {
    await using group = await GroupHost.start();
    const { host } = group;
    const user = await group.forced();
    await host.write(user, ".bashrc", "[[ $- == *i* ]] || exec /bin/bash -i\nPS1='past> '\n");
    await playLogin(
      host,
      user,
      `want {past> }\nline "echo seen"\nwant {seen\\r\\n.*past> }\nline "exit"\nended`,
    );
    assert.deepEqual(await host.sessions(user), []);
    const [shell] = await host.shells(user);
    assert.equal(shell?.session, null);
    assert.deepEqual(summary(shell?.commands ?? []).slice(0, 1), [["echo seen", 0]]);
    // And without hooks, nothing.
    await host.write(user, ".bashrc", "[[ $- == *i* ]] || exec /bin/bash --norc -i\n");
    await playLogin(
      host,
      user,
      `want {\\$ $}\nline "echo unseen"\nwant {unseen\\r\\n.*\\$ $}\nline "exit"\nended`,
    );
    assert.equal((await host.shells(user)).length, 1);
  },
);
