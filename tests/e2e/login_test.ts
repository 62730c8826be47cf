/** Interactive logins through sshd, driven by expect(1): the ticket dialogue, and what leaves it. */

import assert from "node:assert/strict";
import { playLogin } from "../support/expect.ts";
import { testThatNeeds } from "../support/needs.ts";
import { commands, onlySession, summary } from "../support/records.ts";
import { TestHost } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "expect"] as const;

testThatNeeds(NEEDS, "a login with a ticket that is there already", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  await playLogin(host, user, `login "" "First work"\nlogout "began" ""`);
  const { text } = await playLogin(host, user, `login "1"\nline "true"\nwant {\\$ $}\nlogout "went on" ""`);
  assert.match(text, /First work/);
  assert.deepEqual((await host.sessions(user)).map((session) => session.ticket), ["1", "1"]);
});

testThatNeeds(NEEDS, "words instead of a number find the ticket", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  await playLogin(host, user, `login "" "Rotate the certificates"\nlogout "" ""`);
  await playLogin(host, user, `login "" "Something else"\nlogout "" ""`);
  const { text } = await playLogin(
    host,
    user,
    `want {blank for new[^\\r\\n]*: $}
     line "rotate cert"
     want {Rotate the certificates}
     want {blank for new[^\\r\\n]*: $}
     line "1"
     want {\\$ $}
     logout "" ""`,
  );
  assert.doesNotMatch(text, /Something else/);
  assert.deepEqual((await host.sessions(user)).map((session) => session.ticket), ["1", "2", "1"]);
});

testThatNeeds(NEEDS, "three wrong tickets: goodbye, no shell, nothing on record", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  const { code, text } = await playLogin(
    host,
    user,
    `foreach ticket {4711 4712 4713} {
       want {blank for new[^\\r\\n]*: $}
       line $ticket
     }
     ended`,
  );
  assert.notEqual(code, 0);
  assert.match(text, /goodbye/i);
  assert.doesNotMatch(text, /\$ $/);
  assert.deepEqual(await host.sessions(user), []);
  assert.deepEqual(await host.shells(user), []);
});

for (const [key, name] of [["\\003", "Ctrl-C"], ["\\004", "Ctrl-D"], ["\\034", "Ctrl-\\"]] as const) {
  for (const prompt of ["ticket", "subject"] as const) {
    testThatNeeds(
      NEEDS,
      `${name} at the ${prompt} prompt: no shell, exit code not 0, nothing on record`,
      async () => {
        await using host = await TestHost.start();
        const user = await host.addUser();
        const first = "want {blank for new[^\\r\\n]*: $}\n";
        const second = prompt === "ticket" ? "" : 'line ""\nwant {Enter subject for new ticket: $}\n';
        const { code, text } = await playLogin(host, user, `${first}${second}send "${key}"\nended`);
        assert.notEqual(code, 0, text);
        assert.doesNotMatch(text, /\$ $/);
        assert.deepEqual(await host.sessions(user), []);
        assert.deepEqual(await host.shells(user), []);
      },
    );
  }
}

testThatNeeds(NEEDS, "Ctrl-Z and arrow keys at the ticket prompt do no harm", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  await playLogin(
    host,
    user,
    `want {blank for new[^\\r\\n]*: $}
     send "\\032"
     send "\\033\\[A"
     line ""
     want {Enter subject for new ticket: $}
     line "Still here"
     want {\\$ $}
     logout "" ""`,
  );
  assert.equal((await onlySession(host, user)).how, "logout");
});

testThatNeeds(NEEDS, "what is typed ahead of the shell reaches the shell", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  await playLogin(
    host,
    user,
    `want {blank for new[^\\r\\n]*: $}
     send "\\rTyped ahead\\recho ahead-\\$((40+2))\\r"
     want {ahead-42}
     want {\\$ $}
     logout "" ""`,
  );
  assert.deepEqual(summary(await commands(host, user)).slice(0, 1), [["echo ahead-$((40+2))", 0]]);
});

testThatNeeds(
  NEEDS,
  "ssh -t host cmd asks for a ticket, runs the command and keeps its exit code",
  async () => {
    await using host = await TestHost.start();
    const user = await host.addUser();
    const { code } = await playLogin(
      host,
      user,
      `want {blank for new[^\\r\\n]*: $}
     line ""
     want {Enter subject for new ticket: $}
     line "One command"
     want {it-ran}
     want {Session notes[^\\r\\n]*: $}
     line ""
     want {Choose ticket status \\(default [0-9]+\\): *$}
     line ""
     ended`,
      { command: "tty -s && echo it-ran; exit 9" },
    );
    assert.equal(code, 9);
    const session = await onlySession(host, user);
    assert.equal(session.ticket, "1");
    assert.equal(session.command, "tty -s && echo it-ran; exit 9");
    assert.equal(session.exitCode, 9);
  },
);

testThatNeeds(NEEDS, "a connection dropped in the ticket dialogue leaves nothing on record", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  await playLogin(
    host,
    user,
    "want {blank for new[^\\r\\n]*: $}\nexec kill -9 [exp_pid]\nexpect eof\nexit 0",
  );
  const gone = async () =>
    (await host.as(user, ["pgrep", "-U", String(user.uid), "-x", "hello"])).text === "";
  for (let tries = 0; !(await gone()); tries++) assert.ok(tries < 200, "hello is still there");
  assert.deepEqual(await host.sessions(user), []);
});

testThatNeeds(NEEDS, "a config that cannot be read does not lock anybody out", async () => {
  await using host = await TestHost.start();
  const user = await host.addUser();
  await Deno.chmod(`${host.folder}/root/etc/srvaudit/config`, 0o000);
  await playLogin(host, user, `login "" "No config"\nlogout "" ""`);
  assert.equal((await onlySession(host, user)).ticket, "1");
});

testThatNeeds(
  NEEDS,
  "a home that cannot be written to: a shell all the same, and one line that says why",
  async () => {
    await using host = await TestHost.start();
    const user = await host.addUser();
    await Deno.writeTextFile(`${user.home}/.ash`, "in the way");
    const { code, text } = await playLogin(
      host,
      user,
      `expect {
       -re {blank for new[^\\r\\n]*: $} { line ""; exp_continue }
       -re {Enter subject for new ticket: $} { line "Anyway"; exp_continue }
       -re {\\$ $} {}
       timeout { puts "\\nEXPECT: no shell"; exit 97 }
     }
     line "exit"
     ended`,
    );
    assert.equal(code, 0, text);
    assert.match(text, /\.ash/);
  },
);
