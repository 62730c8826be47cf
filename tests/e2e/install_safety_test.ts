/** What nobody confirms is put back, whoever is killed: in a copy of the machine, with real users and a real agent. */

import assert from "node:assert/strict";
import { PseudoTerminal, startOn } from "../../src/posix/pseudo_terminal.ts";
import { endSession } from "../../src/posix/process_session.ts";
import { TestAgent } from "../support/agent.ts";
import { testThatNeeds } from "../support/needs.ts";
import { run, succeed } from "../support/run.ts";
import { TestHost, type TestUser, until } from "../support/sshd.ts";

const ARM = new URL("../support/arm.ts", import.meta.url).pathname;
const HELLO = "/usr/bin/hello-srvaudit";
// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
new PseudoTerminal({ rows: 24, columns: 80 })[Symbol.dispose]();

/** Longer than any test takes. */
const NEVER = 3600;

/** The words that give a user `hello`, with a guardian over it. */
function armWords(user: TestUser, seconds: number, ...rest: string[]): string[] {
  const environment = ["DENO_DIR", "DENO_NO_UPDATE_CHECK"].map((name) =>
    `${name}=${Deno.env.get(name) ?? ""}`
  );
  return [
    "env",
    ...environment,
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
    ARM,
    user.name,
    `${seconds}`,
    ...rest,
  ];
}

async function armed(host: TestHost, user: TestUser, seconds: number, ...rest: string[]): Promise<void> {
  const { text, errors } = await run(host.asRoot(armWords(user, seconds, ...rest)), { cwd: "/" });
  assert.match(text, /^armed [0-9]+\n$/, errors);
  assert.equal(shellOf(host, user), HELLO);
}

function shellOf(host: TestHost, { name }: TestUser): string | undefined {
  return Deno.readTextFileSync(`${host.root}/etc/passwd`).split("\n").find((line) =>
    line.startsWith(`${name}:`)
  )
    ?.split(":")[6];
}

function stateFile(host: TestHost, name: string): string {
  return `${host.root}/var/lib/srvaudit/${name}`;
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Waits until a user has her shell again, and nothing waits any more. */
async function putBack(host: TestHost, user: TestUser): Promise<void> {
  await until("a user's own shell", () => Promise.resolve(shellOf(host, user) === "/bin/bash"));
  await until(
    "the guardian's end",
    async () => !isThere(stateFile(host, "putting-back")) && (await guardians(host)).length === 0,
  );
  assert.equal(isThere(stateFile(host, "unconfirmed")), false);
}

/** The guardians in the copy of the machine; others may have their own. */
async function guardians(host: TestHost): Promise<number[]> {
  const script = `for pid in $(pgrep -f '^/usr/lib/srvaudit/srvaudit put-back'); do
    if [ "$(readlink "/proc/$pid/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ]; then echo "$pid"; fi
  done`;
  const text = await succeed(host.asRoot(["sh", "-c", script]));
  return text.split("\n").filter(Boolean).map(Number);
}

function srvaudit(host: TestHost, ...words: string[]) {
  return run(host.asRoot(["/usr/lib/srvaudit/srvaudit", ...words]), { cwd: "/" });
}

testThatNeeds(
  ["root"],
  "what nobody confirms is put back, on record, and the rest of srvAudit stays",
  async () => {
    await using host = await TestHost.start({ installed: true });
    await using agent = await TestAgent.start(host);
    const user = await host.addUser("/bin/bash");
    await armed(host, user, 1);
    await putBack(host, user);
    assert.match(
      Deno.readTextFileSync(`${host.root}/var/log/srvaudit.log`),
      /"message":"what nobody confirmed in time was put back","logger":"srvaudit.put-back","runs":\[2\],"left":\[\]/,
    );
    const [note] = await agent.find<{ data: string }>(
      "a note in evidence",
      "select data from event where kind = 'agent' and data like '%put back%'",
    );
    assert.deepEqual(JSON.parse(note?.data ?? ""), {
      what: "what was installed is put back: nobody confirmed it",
    });
    assert.equal((await srvaudit(host, "status")).code, 0);
    assert.equal(isThere(`${host.root}/etc/profile.d/srvaudit.sh`), true);
    const { code, errors } = await srvaudit(host, "install", "--confirm");
    assert.equal(code, 1);
    assert.match(errors, /nothing to confirm/);
  },
);

testThatNeeds(["root"], "what is confirmed stays, and its guardian goes", async () => {
  await using host = await TestHost.start({ installed: true });
  await using agent = await TestAgent.start(host);
  const user = await host.addUser("/bin/bash");
  await armed(host, user, 600);
  assert.equal((await guardians(host)).length, 1);
  const { code, errors } = await srvaudit(host, "install", "--confirm");
  assert.equal(code, 0, errors);
  assert.match(errors, /confirmed, 9m [0-9]+s before it would have been put back \(20.*\): it stays/);
  assert.match(errors, new RegExp(`hello is the shell, .* of ${user.name}`));
  await until("the guardian's end", async () => (await guardians(host)).length === 0);
  assert.equal(shellOf(host, user), HELLO);
  assert.equal((await srvaudit(host, "put-back", "--now")).code, 0);
  assert.equal(shellOf(host, user), HELLO);
  await agent.find(
    "a note in evidence",
    "select 1 from event where kind = 'agent' and data like '%confirmed%'",
  );
});

testThatNeeds(
  ["root"],
  "an admin whose terminal is gone, and an installer that is killed, are put back",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const user = await host.addUser("/bin/bash");
    {
      using terminal = new PseudoTerminal({ rows: 24, columns: 80 });
      const child = startOn(terminal, host.asRoot(armWords(user, 3, "killed")));
      await child.status;
      const { terminal: hers } = JSON.parse(Deno.readTextFileSync(stateFile(host, "unconfirmed")));
      assert.deepEqual(hers, { path: terminal.path, uid: 0 });
      // Ctrl-C, a hang-up, and the end of all that is left of her login.
      terminal.write("\x03");
      endSession(child.pid);
    }
    assert.equal(shellOf(host, user), HELLO);
    await putBack(host, user);
  },
);

testThatNeeds(["root"], "an executable that is gone keeps nobody from being put back", async () => {
  await using host = await TestHost.start({ installed: true });
  const user = await host.addUser("/bin/bash");
  await armed(host, user, 2);
  await succeed(host.asRoot(["rm", "-r", "/usr/lib/srvaudit"]));
  await putBack(host, user);
});

testThatNeeds(
  ["root"],
  "of many guardians one puts back, and one that was killed amid is gone on for",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const user = await host.addUser("/bin/bash");
    await armed(host, user, NEVER);
    for (const pid of await guardians(host)) Deno.kill(pid, "SIGKILL");
    await until("no guardian", async () => (await guardians(host)).length === 0);
    // As it is when one was killed after it had begun.
    await Deno.rename(stateFile(host, "unconfirmed"), stateFile(host, "putting-back"));
    assert.equal((await srvaudit(host, "install", "--confirm")).code, 1);
    const all = await Promise.all(
      [["--now"], ["--now"], [], ["--now"]].map((words) => srvaudit(host, "put-back", ...words)),
    );
    assert.deepEqual(all.map(({ code, errors }) => [code, errors.replace(/^.*\[(WRN|INF)\].*\n/gm, "")]), [
      [0, ""],
      [0, ""],
      [0, ""],
      [0, ""],
    ]);
    await putBack(host, user);
    const journal = Deno.readTextFileSync(stateFile(host, "install.journal"));
    assert.equal(journal.match(/"undone":\{"run":2,"kind":"login shells"/g)?.length, 1);
  },
);

testThatNeeds(["root"], "however long it cannot be put back, one guardian stays at it", async () => {
  await using host = await TestHost.start({ installed: true });
  const user = await host.addUser("/bin/bash");
  await armed(host, user, NEVER);
  const [first] = await guardians(host);
  // The agent starts one each time that it looks; here nothing is to be done yet.
  const others = await Promise.all(Array.from({ length: 3 }, () => srvaudit(host, "put-back")));
  assert.deepEqual(others.map(({ code, text }) => [code, text]), Array(3).fill([0, "waiting\n"]));
  assert.deepEqual(await guardians(host), [first]);
  // It cannot be replaced where it is.
  await succeed(host.asRoot(["mount", "--bind", "/etc/passwd", "/etc/passwd"]));
  const file = stateFile(host, "unconfirmed");
  const waiting = JSON.parse(Deno.readTextFileSync(file));
  Deno.writeTextFileSync(file, JSON.stringify({ ...waiting, seconds: 0 }));
  await until("a beginning", () => Promise.resolve(isThere(stateFile(host, "putting-back"))));
  assert.equal((await srvaudit(host, "put-back", "--now")).code, 1);
  assert.equal(shellOf(host, user), HELLO);
  await succeed(host.asRoot(["umount", "/etc/passwd"]));
  await putBack(host, user);
});

testThatNeeds(
  ["root"],
  "the agent puts back where the guardian was killed, also after a restart",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const user = await host.addUser("/bin/bash");
    await using agent = await TestAgent.start(host);
    const change = (since: Record<string, unknown>) => {
      const file = stateFile(host, "unconfirmed");
      const waiting = JSON.parse(Deno.readTextFileSync(file));
      Deno.writeTextFileSync(file, JSON.stringify({ ...waiting, since: { ...waiting.since, ...since } }));
    };
    const killGuardians = async () => {
      for (const pid of await guardians(host)) Deno.kill(pid, "SIGKILL");
    };
    const uptimeMs = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]) * 1000;
    // Its time is over by more than what the agent leaves to the first guardian.
    await armed(host, user, NEVER);
    await killGuardians();
    change({ uptimeMs: uptimeMs - (NEVER + 40) * 1000 });
    await putBack(host, user);
    // The machine was started again, while its time went by; the agent comes up.
    await agent.end();
    await armed(host, user, NEVER);
    await killGuardians();
    change({ bootId: "an earlier one", wallMs: Date.now() - (NEVER + 40) * 1000 });
    await agent.start();
    await putBack(host, user);
    assert.match(agent.said, /nobody confirmed in time what was installed, and it was not put back yet/);
  },
);
