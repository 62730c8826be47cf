import assert from "node:assert/strict";
import { LocalTracker } from "../../src/trackers/local.ts";
import { effectiveUid } from "../../src/posix/libc.ts";
import { bootId } from "../../src/posix/process.ts";
import { readLoginSession, sessionFile } from "../../src/record/login_session.ts";
import { newSessionId } from "../../src/record/session_id.ts";
import { play } from "../support/expect.ts";
import { existingProcess, openSession } from "../support/fake_session.ts";
import { testThatNeeds } from "../support/needs.ts";
import { start } from "../support/pty.ts";
import { run } from "../support/run.ts";

// libc is opened once and for good: before the first test, or Deno would call it that test's leak.
effectiveUid();

const ROOT = new URL("../../", import.meta.url).pathname;
const SATICKET = `${ROOT}dist/saticket`;

/** A home with the tickets 1 (New) and 2, and a session on ticket 1 that a process still to come will lead. */
class Home implements Disposable {
  readonly path = Deno.makeTempDirSync();
  readonly spool = `${this.path}/.ash/spool`;
  readonly tickets = `${this.path}/.ash/tickets.db`;
  session = newSessionId();

  constructor() {
    using tracker = new LocalTracker(this.tickets, "alice");
    tracker.create("Replace the disk");
    tracker.create("Another");
    Deno.mkdirSync(this.spool, { mode: 0o700 });
  }

  /** The environment of what runs in the session. */
  get env() {
    return { HOME: this.path, SRVAUDIT_SESSION: this.session, PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" };
  }

  /**
   * A shell that becomes the session's leader, and runs `saticket logout` as the hook does.
   *
   * @param command what to run instead
   */
  leader(command = `${SATICKET} logout --exit-code 3`): string[] {
    const opened = JSON.stringify({
      kind: "session opened",
      session: this.session,
      atUs: Date.now() * 1000,
      user: "alice",
      uid: 0,
      host: "here",
      tty: "/dev/pts/0",
      from: "",
      mode: "interactive",
      shell: "/bin/bash",
      ticket: "1",
      leaderPid: "PID",
      leaderStartTicks: "TICKS",
      bootId: bootId(),
    }).replace('"PID"', "%s").replace('"TICKS"', "%s");
    const script = [
      "read -r stat < /proc/$$/stat",
      "set -- ${stat##*) }",
      `printf '\\036SA1\\0event\\0${opened}\\0\\036\\n' "$$" "$\{20}" > "$0"`,
      command,
      'echo "ended with $?"',
    ].join("\n");
    return ["bash", "-c", script, sessionFile(this.spool, this.session)];
  }

  /** What is on record since the opening, without times. */
  events(): Record<string, unknown>[] {
    const session = readLoginSession(this.spool, this.session);
    assert.ok(session, "the opening is on record");
    return session.events.slice(1).map(({ atUs: _, session: __, ...event }) => event);
  }

  ticket() {
    using tracker = new LocalTracker(this.tickets, "alice");
    return tracker.details("1");
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

const CLOSED = { kind: "session closed", how: "logout", exitCode: 3 };

testThatNeeds(
  ["expect"],
  "at logout the notes and the status are asked for, done and put on record",
  async () => {
    using home = new Home();
    const { text } = await play(
      home.leader(),
      String.raw`
      want {This session was on ticket 1: Replace the disk \(New\)}
      want {Session notes \(end with an empty line\): $}
      line "Took out the old one."
      want {> $}
      line "Put in the new one: é"
      want {> $}
      line ""
      want {1  New\s+2  In Progress\s+3  Resolved\s+4  Feedback\s+5  Closed\s+6  Rejected}
      want {Choose ticket status \(default 1\): $}
      line "3"
      want {ended with 0}
      ended
    `,
      home.env,
    );
    assert.doesNotMatch(text, /saticket:/);
    const note = "Took out the old one.\nPut in the new one: é";
    assert.deepEqual(home.events(), [
      { kind: "note", ticket: "1", text: note, told: true },
      { kind: "status", ticket: "1", from: "New", to: "Resolved" },
      CLOSED,
    ]);
    assert.equal(home.ticket().status, "Resolved");
    assert.deepEqual(home.ticket().notes.map((each) => each.text), [note]);
  },
);

for (const [keys, answer] of [["an empty line", String.raw`\r`], ["Ctrl-D", String.raw`\004`]] as const) {
  testThatNeeds(
    ["expect"],
    `${keys} to each question leaves everything as it is, and closes the session`,
    async () => {
      using home = new Home();
      await play(
        home.leader(),
        `
        want {: $}
        send "${answer}"
        want {Choose ticket status \\(default [0-9]+\\): $}
        send "${answer}"
        want {ended with 0}
        ended
      `,
        home.env,
      );
      assert.deepEqual(home.events(), [CLOSED]);
    },
  );
}

testThatNeeds(["expect"], "a wrong number is said and asked again, three times in all", async () => {
  using home = new Home();
  await play(
    home.leader(),
    String.raw`
      want {: $}
      line ""
      foreach wrong {0 7 closed} {
        want {Choose ticket status \(default 1\): $}
        line $wrong
        want "\"$wrong\" is not a number from 1 to 6"
      }
      want {the status stays as it is}
      want {ended with 0}
      ended
    `,
    home.env,
  );
  assert.deepEqual(home.events(), [CLOSED]);
});

for (const [name, key] of [["Ctrl-C", "003"], ["Ctrl-\\", "034"], ["Ctrl-Z", "032"]] as const) {
  testThatNeeds(
    ["expect"],
    `${name} skips what is still to be asked, keeps what was given, and closes`,
    async () => {
      using home = new Home();
      await play(
        // As an interactive shell does: the dialogue in a process group of its own, in the foreground.
        home.leader(`set -m; ${SATICKET} logout --exit-code 3`),
        `
        want {: $}
        line "half a note"
        want {> $}
        send "unfinished \\${key}"
        want {ended with 0}
        ended
      `,
        home.env,
      );
      assert.deepEqual(home.events(), [
        { kind: "note", ticket: "1", text: "half a note", told: true },
        CLOSED,
      ]);
      assert.equal(home.ticket().notes.length, 1);
    },
  );
}

testThatNeeds(["expect"], "Ctrl-C at the status keeps the notes that were given", async () => {
  using home = new Home();
  await play(
    home.leader(`set -m; ${SATICKET} logout --exit-code 3`),
    `
      want {: $}
      line "a note"
      want {> $}
      line ""
      want {Choose ticket status}
      send "3\\003"
      want {ended with 0}
      ended
    `,
    home.env,
  );
  assert.deepEqual(home.events(), [{ kind: "note", ticket: "1", text: "a note", told: true }, CLOSED]);
});

testThatNeeds(
  ["script"],
  "a hang-up in the middle keeps what was given and closes the session as hung up",
  async () => {
    using home = new Home();
    // Every process of the session holds this pipe's end: it is at its end when all of them are.
    const pipe = `${home.path}/alive`;
    await run(["mkfifo", pipe]);
    const [program = "", ...args] = home.leader(`exec 9>${pipe}; set -m; ${SATICKET} logout --exit-code 3`);
    await using terminal = start(program, args, home.env);
    const allEnded = Deno.readFile(pipe);
    await terminal.expect(/empty line\): $/);
    await terminal.send("a note\r");
    await terminal.expect(/> $/);
    await terminal.hangUp();
    await allEnded;
    assert.deepEqual(home.events(), [
      { kind: "note", ticket: "1", text: "a note", told: true },
      { ...CLOSED, how: "hangup" },
    ]);
  },
);

testThatNeeds(
  ["expect"],
  "silence takes the defaults and closes the session",
  async () => {
    using home = new Home();
    const module = new URL("../../src/saticket/logout.ts", import.meta.url).href;
    const program = `${home.path}/impatient.ts`;
    Deno.writeTextFileSync(
      program,
      `import { logout } from "${module}"; Deno.exit(await logout(["--exit-code", "3"], 700));`,
    );
    const deno = `${Deno.execPath()} run -A --no-check --quiet --config ${ROOT}deno.json ${program}`;
    await play(
      home.leader(deno),
      `
      want {Session notes}
        want {no answer in 1 seconds: the session is closed}
      want {ended with 0}
      ended
    `,
      { ...home.env, DENO_DIR: Deno.env.get("DENO_DIR") ?? "" },
    );
    assert.deepEqual(home.events(), [CLOSED]);
  },
);

testThatNeeds(
  ["expect"],
  "a store of tickets that cannot be used is said, notes go on record, and it closes",
  async () => {
    using home = new Home();
    Deno.writeTextFileSync(home.tickets, "no database\n".repeat(1000));
    const { text } = await play(
      home.leader(),
      `
      want {move it away}
      want {: $}
      line "a note"
      want {> $}
      line ""
      want {ended with 0}
      ended
    `,
      home.env,
    );
    assert.doesNotMatch(text, /Choose ticket status/);
    assert.deepEqual(home.events(), [{ kind: "note", ticket: "1", text: "a note" }, CLOSED]);
  },
);

testThatNeeds(
  ["expect"],
  "a ticket that is closed already keeps its status unless it is reopened",
  async () => {
    using home = new Home();
    {
      using tracker = new LocalTracker(home.tickets, "alice");
      tracker.setStatus("1", "Closed");
    }
    await play(
      home.leader(),
      String.raw`
      want {ticket 1: Replace the disk \(Closed\)}
      want {: $}
      line ""
      want {1  Closed\s+2  In Progress\s}
      want {Choose ticket status \(default 1\): $}
      line "1"
      want {ended with 0}
      ended
    `,
      home.env,
    );
    assert.deepEqual(home.events(), [CLOSED]);
  },
);

Deno.test("without a terminal nothing is asked, and the session is closed", async () => {
  using home = new Home();
  const [program = "", ...args] = home.leader();
  const { text, errors } = await run([program, ...args], { env: home.env, stdin: "a note\n\n3\n" });
  assert.equal(errors, "");
  assert.equal(text, "ended with 0\n");
  assert.deepEqual(home.events(), [CLOSED]);
});

Deno.test("a session is closed once, whoever else tries and however many at once", async () => {
  using home = new Home();
  home.session = openSession(home.spool, existingProcess("self"), "1");
  const logout = () => run([SATICKET, "logout", "--exit-code", "3"], { env: home.env });
  const all = await Promise.all(Array.from({ length: 6 }, logout));
  all.push(await logout());
  for (const { code, errors } of all) assert.deepEqual([code, errors], [0, ""]);
  assert.deepEqual(home.events(), [CLOSED]);
});

Deno.test("logout does nothing in a shell within the session's own, and outside of any session", async () => {
  using home = new Home();
  const outside = await run([SATICKET, "logout", "--exit-code", "0"], { env: home.env });
  assert.deepEqual([outside.code, outside.text, outside.errors], [0, "", ""]);
  home.session = openSession(home.spool, existingProcess("self"), "1");
  const nested = await run(["bash", "-c", `${SATICKET} logout --exit-code 0; exit $?`], { env: home.env });
  assert.deepEqual([nested.code, nested.text, nested.errors], [0, "", ""]);
  assert.deepEqual(home.events(), []);
});

Deno.test("an exit code that is none is left out, and the session is closed all the same", async () => {
  for (const args of [[], ["--exit-code"], ["--exit-code", "x"], ["--nonsense"]]) {
    using home = new Home();
    home.session = openSession(home.spool, existingProcess("self"), null);
    const { code } = await run([SATICKET, "logout", ...args], { env: home.env });
    assert.equal(code, 0);
    assert.deepEqual(home.events(), [{ kind: "session closed", how: "logout" }]);
  }
});
