/** Sessions driven through tmux from outside, and tmux inside a session. */

import assert from "node:assert/strict";
import { testThatNeeds } from "../support/needs.ts";
import { onlySession, summary } from "../support/records.ts";
import { run, succeed } from "../support/run.ts";
import { TestHost, type TestUser } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "tmux"] as const;

/** A person at a terminal: a tmux server of its own, with a login in its only pane. */
class Screen implements AsyncDisposable {
  private constructor(private readonly tmux: string[]) {}

  static async open(host: TestHost, user: TestUser): Promise<Screen> {
    const tmux = ["tmux", "-S", `${host.folder}/screen`, "-f", "/dev/null"];
    // What the screen shows at the login's end stays to be seen.
    const login = ["sh", "-c", '"$@"; echo "login over: $?"; exec cat', "sh"];
    const ssh = [...host.client("ssh"), "-tt", host.at(user)];
    await succeed([...tmux, "new-session", "-d", "-x", "160", "-y", "50", ...login, ...ssh], {
      env: { TERM: "xterm" },
    });
    return new Screen(tmux);
  }

  /** Types a line. */
  async line(text: string): Promise<void> {
    await succeed([...this.tmux, "send-keys", "-l", text]);
    await succeed([...this.tmux, "send-keys", "Enter"]);
  }

  /** Presses keys, by tmux's names for them. */
  async keys(...names: string[]): Promise<void> {
    await succeed([...this.tmux, "send-keys", ...names]);
  }

  /** Waits until the screen shows something. */
  async shows(pattern: RegExp): Promise<string> {
    const deadline = Date.now() + 20_000;
    while (true) {
      const shown = await succeed([...this.tmux, "capture-pane", "-p", "-J"]);
      if (pattern.test(shown.trimEnd())) return shown;
      if (Date.now() > deadline) throw new Error(`the screen never shows ${pattern}:\n${shown}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // An error means that the server went with its last session.
    await run([...this.tmux, "kill-server"]);
  }
}

async function login(screen: Screen, subject: string): Promise<void> {
  await screen.shows(/blank for new[^\n]*:$/);
  await screen.keys("Enter");
  await screen.shows(/Enter subject for new ticket:$/);
  await screen.line(subject);
  await screen.shows(/\$$/);
}

async function logout(screen: Screen): Promise<void> {
  await screen.line("exit");
  await screen.shows(/:$/);
  await screen.keys("Enter");
  await screen.shows(/Choose ticket status \(default \d+\):$/);
  await screen.keys("Enter");
  await screen.shows(/login over: 0$/);
}

testThatNeeds(
  NEEDS,
  "a login in a tmux pane: line editing, history keys and a full-screen redraw",
  async () => {
    await using host = await TestHost.start();
    const user = await host.addUser();
    await using screen = await Screen.open(host, user);
    await login(screen, "From within tmux");
    await screen.line("echo one-$((1+0))");
    await screen.shows(/one-1\n.*\$$/);
    await screen.keys("Up", ...Array<string>("$((1+0))".length).fill("BSpace"));
    await screen.line("$((2+0))");
    await screen.shows(/one-2\n.*\$$/);
    await screen.keys("C-l");
    await screen.line("clear");
    await screen.shows(/^\S+\$$/);
    await logout(screen);
    const [shell] = (await host.shells(user)).filter((shell) => shell.commands.length > 0);
    assert.deepEqual(summary(shell?.commands ?? []).map(([text]) => text), [
      "echo one-$((1+0))",
      "echo one-$((2+0))",
      "clear",
    ]);
  },
);

testThatNeeds(
  NEEDS,
  "tmux inside a session: each pane a shell of that session, and no ticket asked for again",
  async () => {
    await using host = await TestHost.start();
    const user = await host.addUser();
    await using screen = await Screen.open(host, user);
    await login(screen, "Two panes");
    await screen.line("tmux -f /dev/null new-session");
    await screen.shows(/\[0\] 0:bash\*/);
    await screen.line("echo pane-$((0+1)) >&2");
    await screen.shows(/pane-1\n/);
    await screen.keys("C-b", "%");
    // The border, and the second pane's prompt behind it.
    await screen.shows(/[│x]satest\S+\$/);
    await screen.line("echo pane-$((1+1)) >&2");
    await screen.shows(/pane-2/);
    await screen.line("exit");
    // No border any more.
    await screen.shows(/pane-1 *\n/);
    await screen.line("exit");
    await screen.shows(/\[exited\]\n.*\$$/);
    await logout(screen);
    const session = await onlySession(host, user);
    const shells = (await host.shells(user)).filter((shell) => shell.commands.length > 0);
    assert.deepEqual(shells.map((shell) => shell.session), [session.id, session.id, session.id]);
    assert.deepEqual(shells.map((shell) => summary(shell.commands)).toSorted(), [
      [["echo pane-$((0+1)) >&2", 0]],
      [["echo pane-$((1+1)) >&2", 0]],
      [["tmux -f /dev/null new-session", 0]],
    ]);
    assert.equal(new Set(shells.map((shell) => shell.tty)).size, 3);
  },
);
