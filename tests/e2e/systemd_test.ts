/** On a host that systemd has booted: its units as they are, in their sandbox, through kills and a reboot. */

import assert from "node:assert/strict";
import { assertSame, listing } from "../support/listing.ts";
import { testThatNeeds } from "../support/needs.ts";
import { madePackage, otherPackage } from "../support/packages.ts";
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
    const file = `${host.root}/var/lib/srvaudit/unconfirmed`;
    const waiting = JSON.parse(await Deno.readTextFile(file));
    await Deno.writeTextFile(file, JSON.stringify({ ...waiting, seconds: 1 }));
    await until(
      "the guardian's end",
      async () => (await host.property(GUARDIAN, "ActiveState")) !== "active",
    );
    assert.equal(await shellOf(host, "alice"), "/bin/bash");
    const now = await listing(host, OF_OTHERS);
    assertSame(now.filter((line) => !RECORDED.test(line)), before);
  });
});
