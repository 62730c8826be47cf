import assert from "node:assert/strict";
import { withBlock } from "../../src/install/blocks.ts";
import { recordBegin, recordFinish } from "../../src/install/journal.ts";
import { type Clocks, clocksNow } from "../../src/install/safety.ts";
import { matchLines, SNIPPET } from "../../src/install/sshd_config.ts";
import type { Target } from "../../src/install/target.ts";
import type { Finding } from "../../src/srvaudit/doctor/finding.ts";
import * as installation from "../../src/srvaudit/doctor/installation.ts";
import * as logins from "../../src/srvaudit/doctor/logins.ts";
import { DoctorHost } from "../support/doctor_host.ts";

const HELLO = "/usr/bin/hello-srvaudit";

function targetOf({ root }: DoctorHost): Target {
  return {
    root,
    family: "other",
    init: "none",
    hasSelinux: false,
    library: "/usr/lib/srvaudit",
    hello: HELLO,
  };
}

function assertFound(findings: Finding[], state: Finding["state"], what: RegExp, mend = /./): void {
  assert.ok(
    findings.some((each) => each.state === state && what.test(each.what) && mend.test(each.mend ?? "")),
    `${state} ${what} in:\n${JSON.stringify(findings, null, 2)}`,
  );
}

const bad = (findings: Finding[]) => findings.filter(({ state }) => state !== "ok");

// libc is opened before a test counts what it opens.
{
  await using host = await DoctorHost.make();
  await host.write("/etc/passwd", `a:x:${Deno.uid()}:${Deno.gid()}::/home/a:/bin/bash\n`);
  await host.write(SNIPPET, withBlock("", matchLines("User *", HELLO)));
  await host.write("/run/srvaudit-install.lock", "");
  recordBegin(targetOf(host), 1, "1.0.0");
  await Promise.all([
    installation.installation(host),
    installation.installer(host),
    installation.forced(host),
  ]);
}

Deno.test("doctor: an installation that is as it was made is well", async () => {
  await using host = await DoctorHost.make();
  assert.deepEqual(bad(await installation.installation(host)), []);
  assert.deepEqual(bad(installation.installer(host)), []);
  assert.deepEqual(bad(await installation.forced(host)), []);
});

Deno.test("doctor: what was installed and is gone, changed, or of another mode is wrong", async () => {
  const faults: [breakIt: (host: DoctorHost) => Promise<void>, what: RegExp][] = [
    [(host) => host.remove("/usr/lib/srvaudit/shell/attach.bash"), /attach.bash is not there/],
    [(host) => host.write("/usr/lib/srvaudit/srvaudit", "x", 0o755), /srvaudit\/srvaudit was changed/],
    [(host) => host.chmod("/usr/lib/srvaudit/shell/attach.bash", 0o666), /has mode 0666, not 0644/],
    [(host) => host.remove(HELLO), /hello-srvaudit is not there/],
    [async (host) => {
      await host.remove("/usr/lib/srvaudit/hello");
      await Deno.symlink("/bin/bash", `${host.root}/usr/lib/srvaudit/hello`);
    }, /hello is not the link to srvaudit/],
  ];
  for (const [breakIt, what] of faults) {
    await using host = await DoctorHost.make();
    await breakIt(host);
    const found = bad(await installation.installation(host));
    assert.equal(found.length, 1);
    assertFound(found, "wrong", what, /install/);
  }
});

Deno.test("doctor: what an admin has made of files in /etc is hers; pages that a package has packed are nobody's concern", async () => {
  await using host = await DoctorHost.make();
  await host.write("/etc/logrotate.d/srvaudit", "daily\n");
  const manifest = `${host.places.program}/manifest`;
  const page = `file\t644\t${"0".repeat(64)}\t/usr/share/man/man1/hello.1\n`;
  await Deno.writeTextFile(manifest, page, { append: true });
  assert.deepEqual(bad(await installation.installation(host)), []);
});

Deno.test("doctor: many files that are gone are counted", async () => {
  await using host = await DoctorHost.make();
  const lines = Array.from(
    { length: 60 },
    (_, i) => `file\t644\t${"0".repeat(64)}\t/usr/lib/srvaudit/gone${i}\n`,
  );
  await Deno.writeTextFile(`${host.places.program}/manifest`, lines.join(""), { append: true });
  const found = bad(await installation.installation(host));
  assert.equal(found.length, 6);
  assertFound(found, "wrong", /and 55 more/);
});

Deno.test("doctor: a shell whose startup file lacks our lines, or has others, is mended by --hooks-only", async () => {
  await using host = await DoctorHost.make();
  await host.write("/usr/bin/zsh", "", 0o755);
  await host.write("/etc/bash.bashrc", withBlock("", "# off\n"));
  const found = bad(await installation.installation(host));
  assertFound(found, "wrong", /\/etc\/zsh\/zshrc lacks/, /--hooks-only/);
  assertFound(found, "wrong", /\/etc\/zsh\/zshenv lacks/, /--hooks-only/);
  assertFound(found, "wrong", /\/etc\/bash.bashrc has lines .* made other/, /--hooks-only/);
  await host.remove("/srv/audit/hello");
  assertFound(bad(await installation.installation(host)), "wrong", /\/srv\/audit\/hello/, /--hooks-only/);
});

Deno.test("doctor: a run of the installer that was cut off is wrong, but not while it is at work", async () => {
  await using host = await DoctorHost.make();
  recordBegin(targetOf(host), 1, "1.0.0");
  assertFound(installation.installer(host), "wrong", /cut off/, /install goes on/);
  await host.write("/run/srvaudit-install.lock", "");
  const holder = new Deno.Command("flock", {
    args: [`${host.root}/run/srvaudit-install.lock`, "sh", "-c", "echo held; read line"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = holder.stdout.getReader();
  await output.read();
  assert.deepEqual(bad(installation.installer(host)), []);
  await holder.stdin.close();
  await output.cancel();
  await holder.status;
  recordFinish(targetOf(host), 1);
  assert.deepEqual(bad(installation.installer(host)), []);
});

Deno.test("doctor: an installation that nobody has confirmed says until when", async () => {
  await using host = await DoctorHost.make();
  recordBegin(targetOf(host), 1, "1.0.0");
  recordFinish(targetOf(host), 1);
  const waits = (since: Clocks) => JSON.stringify({ runs: [1], seconds: 600, since, terminal: null });
  const now = clocksNow();
  await host.write("/var/lib/srvaudit/unconfirmed", waits(now), 0o600);
  assertFound(installation.installer(host), "warning", /in 10 minutes/, /--confirm/);
  await host.write(
    "/var/lib/srvaudit/unconfirmed",
    waits({ ...now, uptimeMs: now.uptimeMs - 700_000 }),
    0o600,
  );
  assertFound(installation.installer(host), "wrong", /nobody has put it back/, /put-back/);
});

Deno.test("doctor: force-command is called weaker once, with who it is for, and nobody misses passwd", async () => {
  await using host = await DoctorHost.make();
  await host.write("/etc/passwd", `alice:x:${Deno.uid()}:${Deno.gid()}::/home/alice:/bin/bash\n`);
  await host.write(SNIPPET, withBlock("", matchLines("User *", HELLO)));
  const found = bad(await installation.forced(host));
  assert.equal(found.length, 1);
  assertFound(found, "warning", /Match User \*,!root.*bashrc/, /without --force-command/);
  assert.deepEqual(bad(logins.users(host)), []);
});

Deno.test("doctor: keys with a command= that sshd sets aside are wrong, of those alone who are meant", async () => {
  await using host = await DoctorHost.make();
  const line = (name: string, shell = "/bin/bash") =>
    `${name}:x:${Deno.uid()}:${Deno.gid()}::/home/${name}:${shell}\n`;
  await host.write(
    "/etc/passwd",
    line("git") + line("alice") + line("backup") + line("sftp", "/usr/bin/git-shell") +
      line("sync", "/bin/sync"),
  );
  for (const name of ["git", "alice"]) {
    await host.write(`/home/${name}/.ssh/authorized_keys`, 'command="git-serve" ssh-ed25519 AAAA x\n', 0o600);
  }
  await host.write(SNIPPET, withBlock("", matchLines("User *,!alice", HELLO)));
  const found = (await installation.forced(host)).filter(({ state }) => state === "wrong");
  assert.equal(found.length, 2);
  assertFound(found, "wrong", /for git, but .*command=/);
  assertFound(found, "wrong", /for sftp, but .*git-shell/);
});
