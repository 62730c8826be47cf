/** Interactive sessions through sshd, driven by expect(1): what is recorded in them, and how they end. */

import assert from "node:assert/strict";
import { playLogin } from "../support/expect.ts";
import { testThatNeeds } from "../support/needs.ts";
import { commands, onlySession, summary } from "../support/records.ts";
import { TestHost, until } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "expect"] as const;

testThatNeeds(NEEDS, "a login with a new ticket: commands, notes and status are on record", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  const { code, text } = await playLogin(
    host,
    user,
    String.raw`
      login "" "Disk full on db-3"
      line "cd /tmp"
      want {tmp\$ $}
      line "false | true | (exit 3)"
      want {tmp\$ $}
      line "for i in 1 2; do"
      want {> $}
      line "  echo number-\$i"
      want {> $}
      line "done"
      want {number-2.*\$ $}
      line "shopt -q login_shell && echo is-login; echo shell=\$SHELL zero=\$0"
      want {is-login\r\nshell=/bin/bash zero=-bash\r\n.*\$ $}
      logout "freed 3 GB" ""
    `,
  );
  assert.equal(code, 0, text);
  const session = await onlySession(host, user);
  assert.equal(session.mode, "interactive");
  assert.equal(session.user, user.name);
  assert.equal(session.uid, user.uid);
  assert.equal(session.from, "127.0.0.1");
  assert.match(session.tty, /^\/dev\/pts\/\d+$/);
  assert.equal(session.shell, "/bin/bash");
  assert.equal(session.ticket, "1");
  assert.deepEqual([session.how, session.exitCode], ["logout", 0]);
  assert.deepEqual(session.said, ["freed 3 GB"]);
  const [shell, ...others] = (await host.shells(user)).filter((shell) => shell.commands.length > 0);
  assert.deepEqual(others, []);
  assert.equal(shell?.session, session.id);
  assert.equal(shell.tty, session.tty);
  const list = shell.commands;
  assert.deepEqual(summary(list).slice(0, 2), [["cd /tmp", 0], ["false | true | (exit 3)", 3]]);
  assert.deepEqual(list[1]?.pipeStates, "1_0_3");
  assert.deepEqual(list.map((command) => command.directory).slice(0, 2), [user.home, "/tmp"]);
  assert.match(list[2]?.text ?? "", /^for i in 1 2; do\n? *echo number-\$i[;\n] *done$/);
  assert.equal(list[2]?.exitCode, 0);
});

testThatNeeds(NEEDS, "Ctrl-C on an empty and on a half-typed line records nothing", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  await playLogin(
    host,
    user,
    `login "" "Interrupted"
     interrupt
     send "rm -rf half-typed"
     want {half-typed}
     interrupt
     line ""
     want {\\$ $}
     line "sh -c 'echo it sleeps; exec sleep 1000'"
     want {it sleeps\\r\\n}
     send "\\003"
     want {\\$ $}
     line "echo last"
     want {last\\r\\n.*\\$ $}
     logout "" ""`,
  );
  const list = summary(await commands(host, user));
  assert.deepEqual(list, [["sh -c 'echo it sleeps; exec sleep 1000'", 130], ["echo last", 0]]);
});

testThatNeeds(NEEDS, "a nested bash is a shell of its own, of the same login session", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  await playLogin(
    host,
    user,
    `login "" "Nested"
     line "echo outer-1"
     want {outer-1\\r\\n.*\\$ $}
     line "bash"
     want {\\$ $}
     line "echo inner"
     want {inner\\r\\n.*\\$ $}
     line "exit 5"
     want {\\$ $}
     line "echo outer-2"
     want {outer-2\\r\\n.*\\$ $}
     logout "" ""`,
  );
  const session = await onlySession(host, user);
  const shells = (await host.shells(user)).filter((shell) => shell.commands.length > 0);
  assert.deepEqual(shells.map((shell) => shell.session), [session.id, session.id]);
  const [outer, inner] = shells.toSorted((a, b) => a.shellLevel - b.shellLevel);
  assert.deepEqual(summary(outer?.commands ?? []), [
    ["echo outer-1", 0],
    ["bash", 5],
    ["echo outer-2", 0],
  ]);
  assert.deepEqual(inner?.commands[0]?.text, "echo inner");
});

testThatNeeds(NEEDS, "hello within the session asks for no ticket again", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  const { text } = await playLogin(
    host,
    user,
    `login "" "Once is enough"
     line "${host.program("hello")}"
     want {\\$ $}
     line "echo within"
     want {within\\r\\n.*\\$ $}
     line "exit"
     want {\\$ $}
     logout "" ""`,
  );
  assert.equal(text.match(/blank for new/g)?.length, 1);
  assert.equal(new Set((await host.sessions(user)).map((session) => session.ticket)).size, 1);
});

testThatNeeds(NEEDS, "the exit code of the shell is that of the login", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  const { code } = await playLogin(
    host,
    user,
    `login "" "Exit 42"
     line "exit 42"
     want {: $}
     line ""
     want {Choose ticket status \\(default [0-9]+\\): *$}
     line ""
     ended`,
  );
  assert.equal(code, 42);
  assert.equal((await onlySession(host, user)).exitCode, 42);
});

testThatNeeds(NEEDS, "Ctrl-D at the shell's prompt is a logout, and ~/.bash_logout is run", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  await Deno.writeTextFile(`${user.home}/.bash_logout`, "echo the-users-own-logout\n");
  const { text } = await playLogin(
    host,
    user,
    `login "" "Ctrl-D"
     send "\\004"
     want {: $}
     line ""
     want {Choose ticket status \\(default [0-9]+\\): *$}
     line ""
     ended`,
  );
  assert.match(text, /the-users-own-logout/);
  assert.equal((await onlySession(host, user)).how, "logout");
});

testThatNeeds(NEEDS, "Ctrl-C and Ctrl-D in the logout dialogue still close the session", async () => {
  for (const key of ["\\003", "\\004"]) {
    await using host = await TestHost.start();
    const user = await host.addUser();
    await playLogin(
      host,
      user,
      `login "" "Left in a hurry"
       line "exit"
       want {: $}
       send "${key}"
       expect {
         eof {}
         -re {Choose ticket status} { send "${key}"; expect eof }
         timeout { puts "\\nEXPECT: does not end"; exit 97 }
       }
       exit 0`,
    );
    assert.equal((await onlySession(host, user)).how, "logout", key);
  }
});

testThatNeeds(NEEDS, "a dropped connection: no dialogue, the session is closed by a hang-up", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  await playLogin(
    host,
    user,
    `login "" "The train enters a tunnel"
     line "echo before-the-drop"
     want {before-the-drop\\r\\n.*\\$ $}
     exec kill -9 [exp_pid]
     expect eof
     exit 0`,
  );
  const how = await until(
    "the end of the session",
    async () => (await onlySession(host, user)).how ?? undefined,
  );
  assert.equal(how, "hangup");
  assert.deepEqual(summary(await commands(host, user)).slice(0, 1), [["echo before-the-drop", 0]]);
});

testThatNeeds(NEEDS, "kill -9 of the shell: the next program of the user's closes the session", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  await playLogin(
    host,
    user,
    `login "" "Killed"
     line "echo before"
     want {before\\r\\n.*\\$ $}
     line "kill -9 \\$\\$"
     ended`,
  );
  const killed = (await host.sessions(user))[0];
  assert.ok(killed);
  await playLogin(host, user, `login "1"\nlogout "" ""`);
  const again = (await host.sessions(user)).find((session) => session.id === killed.id);
  assert.equal(again?.how, "killed");
  assert.deepEqual(summary(await commands(host, user)).slice(0, 2), [["echo before", 0], [
    "kill -9 $$",
    null,
  ]]);
});

testThatNeeds(NEEDS, "two logins at once: each its own session and its own commands", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  await Promise.all(["red", "blue"].map((colour) =>
    playLogin(
      host,
      user,
      `login "" "${colour} work"
       for {set i 0} {$i < 20} {incr i} {
         line "echo ${colour}-$i"
         want "${colour}-$i\\r\\n.*\\\\$ $"
       }
       logout "" ""`,
    )
  ));
  const sessions = await host.sessions(user);
  assert.equal(sessions.length, 2);
  assert.deepEqual(sessions.map((session) => session.ticket).toSorted(), ["1", "2"]);
  const shells = (await host.shells(user)).filter((shell) => shell.commands.length > 0);
  assert.equal(shells.length, 2);
  for (const shell of shells) {
    const texts = summary(shell.commands).map(([text]) => text);
    const colour = texts[0]?.slice("echo ".length, -"-0".length);
    assert.deepEqual(texts, Array.from({ length: 20 }, (_, i) => `echo ${colour}-${i}`));
    assert.ok(sessions.some((session) => session.id === shell.session));
  }
});
