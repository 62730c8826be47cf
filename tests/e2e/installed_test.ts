/** On a machine that srvAudit is installed on: the system's startup files bring the hooks in. */

import assert from "node:assert/strict";
import { playLogin } from "../support/expect.ts";
import { testThatNeeds } from "../support/needs.ts";
import { commands, onlySession, summary } from "../support/records.ts";
import { TestHost } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "expect", "nsenter"] as const;

const HOSTILE = {
  "a PROMPT_COMMAND array": "PROMPT_COMMAND=('true' 'false')",
  "a PROMPT_COMMAND text": "PROMPT_COMMAND='history -a'",
  "a PROMPT_COMMAND that is a subshell": "PROMPT_COMMAND='(exit 3)'",
  "history switched off": "set +o history; unset HISTFILE; HISTCONTROL=ignoreboth HISTIGNORE='*'",
  "a DEBUG trap": "trap 'true' DEBUG",
};

for (const [name, line] of Object.entries(HOSTILE)) {
  testThatNeeds(NEEDS, `installed: bash with ${name} in ~/.bashrc`, async () => {
    await using host = await TestHost.start({ installed: true });
    const user = await host.addUser();
    await host.write(user, ".bashrc", `${line}\nPS1='\\u $ '\n`);
    await playLogin(
      host,
      user,
      `login "" "With ${name}"
       line " echo out-\\$((1+0)); (exit 4)"
       want {out-1\\r\\n.*\\$ $}
       line "echo was \\$?"
       want {was 4\\r\\n.*\\$ $}
       logout "" ""`,
    );
    assert.equal((await onlySession(host, user)).how, "logout");
    const [first, ...others] = await commands(host, user);
    assert.equal(first?.exitCode, 4, `the first command on record is: ${first?.text}`);
    // Where bash keeps no history when the hook comes, at the first command, that one's text may be cut: marked so.
    const marked = name === "history switched off" && first.textState === "partial";
    assert.equal(first.text.trim(), marked ? "echo out-$((1+0))" : "echo out-$((1+0)); (exit 4)");
    assert.deepEqual(summary(others), [["echo was $?", 0]]);
  });
}

/** Startup files that number the prompts, since zsh and fish draw one prompt many times. */
const NUMBERED_PROMPTS = {
  ".zshrc": 'precmd() { PROMPT="ready-$((++prompts))> " }\n',
  ".config/fish/config.fish":
    'set fish_greeting\nfunction fish_prompt; set -g prompts (math 0$prompts + 1); echo -n "ready-$prompts> "; end\n',
};

for (const shell of ["zsh", "fish"]) {
  testThatNeeds([...NEEDS, shell], `installed: ${shell} as a user's real shell`, async () => {
    await using host = await TestHost.start({ installed: true });
    const user = await host.addUser(undefined, `/usr/bin/${shell}`);
    for (const [name, text] of Object.entries(NUMBERED_PROMPTS)) await host.write(user, name, text);
    await playLogin(
      host,
      user,
      `want {blank for new[^\\r\\n]*: $}
       line ""
       want {Enter subject for new ticket: $}
       line "In ${shell}"
       want {ready-1> }
       line "cd /tmp"
       want {ready-2> }
       line "false | true"
       want {ready-3> }
       line "sh -c 'exit 6'"
       want {ready-4> }
       line "echo shell=\\$SHELL"
       want {shell=/usr/bin/${shell}\\r}
       want {ready-5> }
       line "exit"
       want {notes[^\\r\\n]*: $}
       line "noted"
       line ""
       want {Choose ticket status \\(default [0-9]+\\): *$}
       line ""
       ended`,
    );
    const session = (await host.sessions(user)).find((session) => session.mode === "interactive");
    assert.equal(session?.how, "logout");
    assert.equal(session.shell, `/usr/bin/${shell}`);
    const own = (await host.shells(user)).find((record) =>
      record.session === session.id && record.commands.length > 1
    );
    assert.match(own?.shell ?? "", new RegExp(shell));
    assert.deepEqual(summary(own?.commands ?? []), [
      ["cd /tmp", 0],
      ["false | true", 0],
      ["sh -c 'exit 6'", 6],
      ["echo shell=$SHELL", 0],
    ]);
    assert.deepEqual(own?.commands[1]?.pipeStates, "1_0");
    assert.deepEqual(own?.commands.slice(0, 2).map((command) => command.directory), [user.home, "/tmp"]);
  });
}

testThatNeeds(NEEDS, "installed: no variable of the user's moves the record", async () => {
  await using host = await TestHost.start({ installed: true, sshd: ["AcceptEnv *"] });
  const user = await host.addUser();
  const elsewhere = `${user.home}/elsewhere`;
  await host.as(user, ["mkdir", elsewhere]);
  const flags = [
    "-o",
    `SetEnv=SRVAUDIT_ROOT=${elsewhere} HOME=${elsewhere} SRVAUDIT_SESSION=made-up XDG_DATA_HOME=${elsewhere}`,
  ];
  await playLogin(
    host,
    user,
    `login "" "Elsewhere"\nline "echo here"\nwant {here\\r\\n.*\\$ $}\nlogout "" ""`,
    { flags },
  );
  assert.deepEqual(summary(await commands(host, user)), [["echo here", 0]]);
  assert.equal((await onlySession(host, user)).how, "logout");
});

testThatNeeds(NEEDS, "installed: ash_query and saticket answer within the session and after it", async () => {
  await using host = await TestHost.start({ installed: true });
  const user = await host.addUser();
  const { text } = await playLogin(
    host,
    user,
    `login "" "Ask about it"
     line "cd /etc && false"
     want {\\$ $}
     line "saticket note 'seen from within'"
     want {etc\\$ $}
     line "saticket"
     want {Ask about it.*etc\\$ $}
     line "ash_query --failed"
     want {cd /etc && false.*etc\\$ $}
     logout "and from the logout" "2"`,
  );
  assert.match(text, /cd \/etc && false/);
  const session = await onlySession(host, user);
  assert.deepEqual(session.said, ["seen from within", "and from the logout", "In Progress"]);
  const asked = await host.as(user, [host.program("ash_query"), "--ticket", "1", "-f", "json"]);
  assert.equal(asked.code, 0, asked.errors);
  assert.match(asked.text, /cd \/etc && false/);
  const rows = await host.as(user, [
    host.program("ash_query"),
    "-f",
    "json",
    "--sql",
    "select command, rval, cwd from commands where command like 'cd /etc%'",
  ]);
  assert.deepEqual(JSON.parse(rows.text), [{ command: "cd /etc && false", rval: 1, cwd: user.home }]);
});
