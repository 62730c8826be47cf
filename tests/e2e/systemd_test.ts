/** On a host that systemd has booted: its units as they are, in their sandbox, through kills and a reboot. */

import assert from "node:assert/strict";
import { assertSame, listing } from "../support/listing.ts";
import { testThatNeeds } from "../support/needs.ts";
import { madePackage } from "../support/packages.ts";
import { start, type Terminal } from "../support/pty.ts";
import { succeed } from "../support/run.ts";
import { until } from "../support/sshd.ts";
import { SystemdHost } from "../support/systemd_host.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;
const NEEDS = ["root", "debootstrap", "systemd"] as const;
const RELEASE = "/opt/release/root/usr/lib/srvaudit/srvaudit";
const HELLO = "/usr/bin/hello-srvaudit";
const AGENT = "srvaudit.service";
const GUARDIAN = "srvaudit-put-back.service";
/** What dpkg and systemd write about themselves, and logins about who was here. */
const OF_OTHERS =
  /var\/(tmp\/systemd-private|lib\/(dpkg|systemd)|log\/((dpkg|alternatives)\.log|[bw]tmp|lastlog|journal)|(lib|cache|log)\/apt)|etc\/passwd-/;

/** What stays where nobody asks for a purge. */
const RECORDED = /var\/((lib|spool)\/srvaudit|log\/srvaudit\.log)/;

/** CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, LINUX_IMMUTABLE and SYS_PTRACE, as /proc says it. */
const CAPABILITIES = [0, 1, 3, 5, 6, 7, 9, 19].reduce((mask, bit) => mask | 1 << bit, 0).toString(16)
  .padStart(16, "0");

/** A host on which alice may log in by a key of root's, with what a release holds in /opt. */
async function hostWithAlice(): Promise<SystemdHost> {
  const host = await SystemdHost.boot();
  await host.succeed(["useradd", "--create-home", "--shell", "/bin/bash", "alice"]);
  await host.succeed([
    "sh",
    "-ec",
    `
    ssh-keygen -q -t ed25519 -N '' -f /root/key
    install -d -m 700 -o alice -g alice /home/alice/.ssh
    install -m 600 -o alice -g alice /root/key.pub /home/alice/.ssh/authorized_keys
    echo "PS1='@@\\$ '" > /home/alice/.bashrc
  `,
  ]);
  await succeed([`${PROJECT}packaging/install_files.sh`, `${host.root}/opt/release/root`, "/usr", "any"]);
  return host;
}

/** The words that log alice in through sshd. */
function ssh(...words: string[]): string[] {
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
  ];
  return ["ssh", "-i", "/root/key", ...options.flatMap((option) => ["-o", option]), ...words];
}

/** Logs alice in, for a ticket of her own. @returns her terminal, at her shell's prompt */
async function logIn(host: SystemdHost, subject: string): Promise<Terminal> {
  const [program = "", ...args] = [...host.inside, ...ssh("-tt", "alice@127.0.0.1")];
  const terminal = start(program, args, { TERM: "dumb", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" });
  await terminal.expect(/blank for new[^\r\n]*: $/);
  await terminal.send("\r");
  await terminal.expect(/Enter subject for new ticket: $/);
  await terminal.send(`${subject}\r`);
  await terminal.expect(/@@\$ $/);
  return terminal;
}

async function type(terminal: Terminal, command: string): Promise<void> {
  await terminal.send(`${command}\r`);
  await terminal.expect(/@@\$ $/);
}

/** Waits until a command is in evidence. */
async function isOnRecord(host: SystemdHost, command: string): Promise<void> {
  const sql = `SELECT 1 AS found FROM commands WHERE command = '${command}'`;
  const words = ["ash_query", "-d", "/var/lib/srvaudit/evidence.db", "-f", "json", "--sql", sql];
  await until(`${command} in evidence`, async () => (await host.run(words)).text.includes("found"));
}

/** Writes a line of the config, and has the agent read it. */
async function configure(host: SystemdHost, line: string): Promise<void> {
  const [key = "", value = ""] = line.split(/=?"/);
  await host.succeed(["sed", "-i", `s/^${key}=.*/${line}/`, "/etc/srvaudit/config"]);
  await host.succeed(["systemctl", "reload", "srvaudit"]);
  const policy = `${host.root}/run/srvaudit/policy.json`;
  await until(
    `${line} in the policy`,
    async () => JSON.parse(await Deno.readTextFile(policy))[key] === value,
  );
}

/** Lets the time be over in which the installation can be confirmed, and that in which the agent waits for the guardian. */
async function timeIsOver(host: SystemdHost): Promise<void> {
  const file = `${host.root}/var/lib/srvaudit/unconfirmed`;
  const waiting = JSON.parse(await Deno.readTextFile(file));
  await Deno.writeTextFile(`${file}.new`, JSON.stringify({ ...waiting, seconds: -60 }));
  // Nobody must read half of it.
  await Deno.rename(`${file}.new`, file);
}

/** @throws {Error} if systemd, or a folder of its, still knows of a unit of ours */
async function hasNoUnit(host: SystemdHost): Promise<void> {
  assert.equal(await host.succeed(["systemctl", "list-units", "--all", "--no-legend", "srvaudit*"]), "");
  assert.equal((await host.run(["systemctl", "list-unit-files", "--no-legend", "srvaudit*"])).text, "");
  assert.equal(await host.succeed(["find", "/etc/systemd", "/run/systemd", "-name", "*srvaudit*"]), "");
  await assert.rejects(Deno.lstat(`${host.root}/run/srvaudit`), Deno.errors.NotFound);
}

async function shellOf(host: SystemdHost, user: string): Promise<string | undefined> {
  return (await host.succeed(["getent", "passwd", user])).trim().split(":")[6];
}

/** Waits until another process is the unit's. @returns its number, as the host counts */
async function begunAgain(host: SystemdHost, unit: string, before: string): Promise<string> {
  return await until(`${unit} again`, async () => {
    const pid = await host.property(unit, "MainPID");
    return (await host.property(unit, "ActiveState")) === "active" && pid !== "0" && pid !== before && pid;
  });
}

testThatNeeds(NEEDS, "on a host of systemd's, srvAudit lives as its units say", async (test) => {
  await using host = await hostWithAlice();
  const before = await listing(host, OF_OTHERS);

  await test.step("installed, the agent is enabled and runs, and the guardian waits", async () => {
    const { code, errors } = await host.run([RELEASE, "install", "-y", "--users", "alice"]);
    assert.equal(code, 0, errors);
    assert.equal(await host.succeed(["systemctl", "is-enabled", "srvaudit"]), "enabled\n");
    assert.equal(
      await host.succeed(["systemctl", "is-active", AGENT, GUARDIAN]),
      "active\nactive\n",
    );
    assert.equal(await shellOf(host, "alice"), HELLO);
  });

  await test.step("the guardian outlives a kill and a reboot, and what nobody confirms is put back", async () => {
    const first = await host.property(GUARDIAN, "MainPID");
    await host.succeed(["kill", "-KILL", first]);
    await begunAgain(host, GUARDIAN, first);
    await host.reboot();
    assert.equal(await host.succeed(["systemctl", "is-active", AGENT, GUARDIAN]), "active\nactive\n");
    assert.equal(await shellOf(host, "alice"), HELLO);
    await timeIsOver(host);
    await until(
      "the guardian's end",
      async () => (await host.property(GUARDIAN, "ActiveState")) === "inactive",
    );
    assert.equal(await shellOf(host, "alice"), "/bin/bash");
    await hasNoUnit(host);
    const now = await listing(host, OF_OTHERS);
    assertSame(now.filter((line) => !RECORDED.test(line)), before);
  });

  await test.step("confirmed, it stays, and the agent has no more than its unit gives it", async () => {
    await host.succeed([RELEASE, "install", "-y", "--users", "alice"]);
    await host.succeed(["srvaudit", "install", "--confirm"]);
    await until(
      "the guardian's end",
      async () => (await host.property(GUARDIAN, "ActiveState")) === "inactive",
    );
    const pid = await host.property(AGENT, "MainPID");
    const status = await host.succeed(["cat", `/proc/${pid}/status`]);
    for (
      const line of [`CapBnd:\t${CAPABILITIES}`, `CapEff:\t${CAPABILITIES}`, "NoNewPrivs:\t1", "Seccomp:\t2"]
    ) {
      assert.ok(status.split("\n").includes(line), `${line} in ${status}`);
    }
    for (const folder of ["/usr", "/etc", "/sys/fs/cgroup"]) {
      const { errors } = await host.run(["nsenter", `--target=${pid}`, "--mount", "touch", `${folder}/file`]);
      assert.match(errors, /Read-only file system/);
    }
    assert.equal(await host.succeed(["systemd-analyze", "verify", "--man=no", AGENT, GUARDIAN]), "");
  });

  await test.step("a session through sshd is on record, at home too", async (test) => {
    await using alice = await logIn(host, "see what systemd does");
    await type(alice, "echo on record");
    await isOnRecord(host, "echo on record");
    const own = ["setpriv", "--reuid=alice", "--regid=alice", "--init-groups", "env", "HOME=/home/alice"];
    assert.match(
      await host.succeed([...own, "ash_query", "--sql", "SELECT command FROM commands"]),
      /echo on record/,
    );
    assert.match(await host.succeed(["srvaudit", "verify"]), /^intact /);

    await test.step("systemctl reload has the agent read its config", async () => {
      await configure(host, 'onAgentDown="deny"');
    });

    await test.step("killed again and again, the agent is back, and the session goes on", async () => {
      for (let kills = 1; kills <= 6; kills++) {
        const pid = await host.property(AGENT, "MainPID");
        await host.succeed(["kill", "-KILL", pid]);
        await begunAgain(host, AGENT, pid);
      }
      await type(alice, "echo through kills");
      await isOnRecord(host, "echo through kills");
    });

    await test.step("stopped, logins get what the policy says", async () => {
      await host.succeed(["systemctl", "stop", AGENT]);
      const refused = await host.run(ssh("alice@127.0.0.1", "echo in"));
      assert.notEqual(refused.code, 0);
      assert.match(refused.errors, /agent/);
      await host.succeed(["systemctl", "start", AGENT]);
      await configure(host, 'onAgentDown="allow"');
      await host.succeed(["systemctl", "stop", AGENT]);
      assert.equal(await host.succeed(ssh("alice@127.0.0.1", "echo in")), "in\n");
      await type(alice, "echo without it");
      await host.succeed(["systemctl", "start", AGENT]);
      await isOnRecord(host, "echo without it");
    });
    assert.match(await host.succeed(["srvaudit", "verify"]), /^intact /);
  });

  await test.step("removed with a purge, there is no unit, and nothing else", async () => {
    await host.succeed(["srvaudit", "uninstall", "--purge", "-y"]);
    await hasNoUnit(host);
    assertSame(await listing(host, OF_OTHERS), before);
  });

  await test.step("by sshd's ForceCommand: sshd is reloaded, not restarted", async () => {
    const sshd = await host.property("ssh", "MainPID");
    await host.succeed([RELEASE, "install", "-y", "--users", "alice", "--force-command", "--no-safety"]);
    assert.equal(await host.property("ssh", "MainPID"), sshd);
    assert.equal(await shellOf(host, "alice"), "/bin/bash");
    {
      await using alice = await logIn(host, "forced");
      await type(alice, "echo forced");
      await isOnRecord(host, "echo forced");
    }
    await host.succeed(["srvaudit", "uninstall", "--purge", "-y"]);
    assert.equal(await host.succeed(ssh("alice@127.0.0.1", "echo $0")), "bash\n");
    assert.equal(await host.property("ssh", "MainPID"), sshd);
    await hasNoUnit(host);
    assertSame(await listing(host, OF_OTHERS), before);
  });
});

testThatNeeds(
  NEEDS,
  "where systemd does not know the guardian's unit, the agent has it start the guardian",
  async () => {
    await using host = await hostWithAlice();
    await succeed([`${PROJECT}packaging/install_files.sh`, host.root, "/opt/srvaudit", "any"]);
    await host.succeed(["/opt/srvaudit/bin/srvaudit", "install", "-y", "--users", "alice"]);
    const first = await host.property(GUARDIAN, "MainPID");
    await host.succeed(["kill", "-KILL", first]);
    await begunAgain(host, GUARDIAN, first);
    // As it is after a restart of the machine.
    await host.succeed(["systemctl", "stop", GUARDIAN]);
    await timeIsOver(host);
    await until("alice's own shell", async () => (await shellOf(host, "alice")) === "/bin/bash");
    await until(
      "the guardian's end",
      async () => (await host.property(GUARDIAN, "ActiveState")) === "inactive",
    );
    await hasNoUnit(host);
  },
);

testThatNeeds(
  [...NEEDS, "dh"],
  "on a host of systemd's, the .deb starts the agent, restarts it below a session, and leaves no unit",
  async () => {
    await using host = await hostWithAlice();
    await succeed(["cp", await madePackage("deb"), `${host.root}/root/srvaudit.deb`]);
    const before = await listing(host, OF_OTHERS);
    await host.succeed(["dpkg", "--install", "/root/srvaudit.deb"]);
    assert.equal(await host.succeed(["systemctl", "is-enabled", AGENT]), "enabled\n");
    assert.equal(await host.property(AGENT, "ActiveState"), "active");
    await host.succeed(["srvaudit", "install", "-y", "--users", "alice"]);
    assert.equal(await host.property(GUARDIAN, "ActiveState"), "active");
    await host.succeed(["srvaudit", "install", "--confirm"]);
    {
      await using alice = await logIn(host, "see how packages do");
      await type(alice, "echo before the upgrade");
      const agent = await host.property(AGENT, "MainPID");
      // To dpkg, and to systemd, the same version once more is an upgrade.
      await host.succeed(["dpkg", "--install", "/root/srvaudit.deb"]);
      await begunAgain(host, AGENT, agent);
      await type(alice, "echo after the upgrade");
      await isOnRecord(host, "echo after the upgrade");
    }
    await host.succeed(["dpkg", "--purge", "srvaudit"]);
    assert.equal(await shellOf(host, "alice"), "/bin/bash");
    await hasNoUnit(host);
    assertSame(await listing(host, OF_OTHERS), before);
  },
);
