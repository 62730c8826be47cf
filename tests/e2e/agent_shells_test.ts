/** On an installed host with an agent: every shell of a login writes where the agent says, whoever runs it and within what. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { playLogin } from "../support/expect.ts";
import { testThatNeeds } from "../support/needs.ts";
import { onlySession, type RecordedShell } from "../support/records.ts";
import { TestHost, type TestUser, until } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "expect", "tmux", "screen", "zsh", "fish", "sqlite3"] as const;

/** Startup files that number the prompts, since zsh and fish draw one prompt many times. */
const NUMBERED_PROMPTS = {
  ".zshrc": 'precmd() { PROMPT="ready-$((++prompts))> " }\n',
  ".config/fish/config.fish":
    'set fish_greeting\nfunction fish_prompt; set -g prompts (math 0$prompts + 1); echo -n "ready-$prompts> "; end\n',
};

/** A command in the evidence, and who ran it, in which login session. */
interface Row {
  text: string;
  uid: number;
  session: string | null;
  startUs: number;
}

const COMMANDS =
  `select c.command as text, s.uid as uid, h.login_session as session, x.start_us as startUs from commands c
  join srvaudit_commands x on x.command_id = c.id join sessions s on s.id = c.session_id join srvaudit_shells h on h.session_id = c.session_id`;

/** What lies in a user's own spool: plain files, and what the links in it point to. */
function spoolOf(user: TestUser): { files: string[]; links: string[] } {
  const spool = `${user.files}/.ash/spool`;
  const entries = [...Deno.readDirSync(spool)].filter(({ name }) => !name.startsWith("."));
  return {
    files: entries.filter(({ isFile }) => isFile).map(({ name }) => name),
    links: entries.filter(({ isSymlink }) => isSymlink).map(({ name }) =>
      Deno.readLinkSync(`${spool}/${name}`)
    ),
  };
}

function textsOf(rows: readonly Row[], { uid }: TestUser): string[] {
  return rows.filter((row) => row.uid === uid).map(({ text }) => text);
}

testThatNeeds(
  NEEDS,
  "with an agent, every shell within a login is recorded by it, and in the user's history",
  async () => {
    await using host = await TestHost.start({ installed: true });
    await using agent = await TestAgent.start(host);
    const [alice, bob] = [await host.addUser(), await host.addUser("/bin/bash")];
    // Whoever may become another user: here, everybody.
    await Deno.writeTextFile(
      `${host.root}/etc/pam.d/su`,
      "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\nsession sufficient pam_permit.so\n",
    );
    for (const [name, startup] of Object.entries(NUMBERED_PROMPTS)) await host.write(alice, name, startup);
    const { text, code } = await playLogin(
      host,
      alice,
      String.raw`
      login "" "Everything"
      line "echo in-leader"
      want {in-leader\r\n.*\$ $}
      line "exec bash"
      want {\$ $}
      line "echo in-exec"
      want {in-exec\r\n.*\$ $}
      line "bash"
      want {\$ $}
      line "echo in-bash"
      want {in-bash\r\n.*\$ $}
      line "exit"
      want {\$ $}
      line "zsh"
      want {ready-1> }
      line "echo in-zsh"
      want {ready-2> }
      line "exit"
      want {\$ $}
      line "fish"
      want {ready-1> }
      line "echo in-fish"
      want {ready-2> }
      line "exit"
      want {\$ $}
      line "su ${bob.name}"
      want {\$ $}
      line "echo in-su"
      want {in-su\r\n.*\$ $}
      line "exit"
      want {\$ $}
      line "su - ${bob.name}"
      want {\$ $}
      line "echo in-su-login"
      want {in-su-login\r\n.*\$ $}
      line "exit"
      want {\$ $}
      line "TERM=xterm tmux -f /dev/null new"
      want {\$ }
      line "echo in-tmux"
      want {in-tmux[^-]*in-tmux}
      line "exit"
      want {\[exited\].*\$ $}
      line "TERM=xterm screen -c /dev/null"
      want {\$ }
      line "echo in-screen"
      want {in-screen[^-]*in-screen}
      line "exit"
      want {terminating\].*\$ $}
      logout "" ""
    `,
    );
    assert.equal(code, 0, text);
    const rows = await until("nine commands in the evidence", async () => {
      const found = await agent.ask<Row>(`${COMMANDS} where c.command like 'echo in-%' order by c.id`);
      return found.length === 9 && found.sort((a, b) => a.startUs - b.startUs);
    });
    const session = await onlySession(host, alice);
    assert.deepEqual(
      rows.map(({ text, uid }) => [text, uid]),
      [
        ...["leader", "exec", "bash", "zsh", "fish"].map((name) => [`echo in-${name}`, alice.uid]),
        ...["su", "su-login"].map((name) => [`echo in-${name}`, bob.uid]),
        ...["tmux", "screen"].map((name) => [`echo in-${name}`, alice.uid]),
      ],
    );
    for (const { text, session: id } of rows) {
      // A tmux server is nobody's child: without audit or systemd sessions, nothing tells where it belongs.
      if (text !== "echo in-tmux") assert.equal(id, session.id, text);
    }
    const saidIn = (shells: readonly RecordedShell[]) =>
      shells.flatMap((shell) => shell.commands.map((command) => ({ ...command, session: shell.session })))
        .filter(({ text }) => text.startsWith("echo in-"));
    const [hers, his] = [saidIn(await host.shells(alice)), saidIn(await host.shells(bob))];
    assert.deepEqual(hers.map(({ text }) => text), textsOf(rows, alice));
    assert.deepEqual(his.map(({ text }) => text), textsOf(rows, bob));
    for (const command of [...hers, ...his]) assert.equal(command.session, session.id, command.text);
    for (const user of [alice, bob]) {
      assert.deepEqual(spoolOf(user).files, []);
      await until(`both readers have all of ${user.name}'s spool`, async () => {
        assert.equal((await host.as(user, [host.program("srvaudit"), "ingest"])).errors, "");
        return spoolOf(user).links.length === 0;
      });
    }
  },
);
