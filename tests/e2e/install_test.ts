/** `srvaudit install`, `uninstall` and what comes between them, on a Debian of the tests' own. */

import assert from "node:assert/strict";
import { type DebianRoot, debianRoot } from "../support/debian_root.ts";
import { readJournal } from "../../src/install/journal.ts";
import { assertSame, listing } from "../support/listing.ts";
import { testThatNeeds } from "../support/needs.ts";
import { start } from "../support/pty.ts";
import { run, succeed } from "../support/run.ts";
import { until } from "../support/sshd.ts";

const NEEDS = ["root", "debootstrap", "nsenter"] as const;
const PLACE_FILES = new URL("../../packaging/install_files.sh", import.meta.url).pathname;
const RELEASE = "/root/release";
const PROGRAM = "usr/lib/srvaudit/srvaudit";
/** What others write by themselves meanwhile: who has logged in, and what the accounts were before a test's own useradd. */
const OF_OTHERS = /^(\/|[0-9a-f]{64} {2})var\/log\/(lastlog|wtmp|btmp|faillog)/;

/** Unpacks a release, as install.sh does it. */
async function unpack(debian: DebianRoot, folder = RELEASE): Promise<void> {
  await succeed([PLACE_FILES, debian.root + folder, "/usr", "any"]);
}

/** Runs `srvaudit` of a release that was unpacked, or the installed one. */
function srvaudit(debian: DebianRoot, args: readonly string[], folder: string = RELEASE) {
  return debian.run([`${folder}/${PROGRAM}`, ...args]);
}

async function mustDo(
  debian: DebianRoot,
  args: readonly string[],
  folder: string = RELEASE,
): Promise<string> {
  const { code, errors, text } = await srvaudit(debian, args, folder);
  assert.equal(code, 0, errors + text);
  return errors;
}

function read(debian: DebianRoot, path: string): string {
  return Deno.readTextFileSync(debian.root + path);
}

function shellOf(debian: DebianRoot, user: string): string | undefined {
  return read(debian, "/etc/passwd").split("\n").find((line) => line.startsWith(`${user}:`))?.split(":")[6];
}

testThatNeeds(
  NEEDS,
  "installed, installed again, and removed: the host is as it was, to the byte",
  async () => {
    await using debian = await debianRoot();
    await unpack(debian);
    for (const user of ["alice", "bob"]) {
      await debian.succeed(["useradd", "--create-home", "--shell", "/bin/bash", user]);
    }
    const before = await listing(debian, OF_OTHERS);
    const said = await mustDo(debian, ["install", "-y", "--users", "alice", "--no-safety"]);
    assert.match(said, /tried out as alice: hello works/);
    assert.equal(shellOf(debian, "alice"), "/usr/bin/hello-srvaudit");
    assert.equal(shellOf(debian, "bob"), "/bin/bash");
    assert.match(read(debian, "/etc/srvaudit/shells"), /^alice="\/bin\/bash"$/m);
    assert.match(await mustDo(debian, ["status"], ""), /^$/);

    const installed = await listing(debian, /var\/log|var\/lib\/srvaudit\/|var\/spool\/srvaudit\//);
    for (const folder of [RELEASE, ""]) {
      const again = await mustDo(debian, ["install", "-y", "--users", "alice", "--no-safety"], folder);
      assert.match(again, /nothing is to be changed/);
    }
    assertSame(await listing(debian, /var\/log|var\/lib\/srvaudit\/|var\/spool\/srvaudit\//), installed);
    // A run that was killed when all was done is over when another one has looked.
    const begun = JSON.stringify({ run: 9, begun: "", version: "" }) + "\n";
    await Deno.writeTextFile(`${debian.root}/var/lib/srvaudit/install.journal`, begun, { append: true });
    await mustDo(debian, ["install", "-y"], "");
    assert.ok(readJournal(debian).isFinished);

    await mustDo(debian, ["uninstall", "--purge", "-y"], "");
    assertSame(await listing(debian, OF_OTHERS), before);
    assert.deepEqual(
      [...Deno.readDirSync(`${debian.root}/run`)].filter(({ name }) => name === "srvaudit"),
      [],
    );
    await debian.succeed(["su", "-", "alice", "-c", "true"]);
  },
);

testThatNeeds(
  NEEDS,
  "Ctrl-C amid the changes says how to go on, and the next run that it does",
  async () => {
    await using debian = await debianRoot();
    await unpack(debian);
    await debian.succeed(["useradd", "--create-home", "--shell", "/bin/bash", "alice"]);
    const [enter = "", ...inside] = debian.inside;
    // Its jobs are in the foreground alone: nsenter does not hear of Ctrl-C.
    await using terminal = start(enter, [...inside, "bash", "--norc", "-i"], {
      PATH: Deno.env.get("PATH") ?? "",
      PS1: "READY> ",
    });
    await terminal.expect(/READY> $/);
    await terminal.send(`${RELEASE}/${PROGRAM} install -y --users alice --no-safety; echo "END $?"\r`);
    await terminal.expect(/started the agent/);
    await terminal.send("\x03");
    await terminal.expect(/run this again, and it goes on where it was\r\nEND 130\r/);
    await terminal.send("exit\r");
    await terminal.close();
    assert.equal(shellOf(debian, "alice"), "/bin/bash");
    const said = await mustDo(debian, ["install", "-y", "--users", "alice", "--no-safety"]);
    assert.match(said, /the last run did not come to its end/);
    assert.equal(shellOf(debian, "alice"), "/usr/bin/hello-srvaudit");
  },
);

testThatNeeds(
  NEEDS,
  "without --purge the evidence and the config stay, and the next installation begins with them",
  async () => {
    await using debian = await debianRoot();
    await unpack(debian);
    await mustDo(debian, ["install", "-y"]);
    await debian.succeed(["sed", "-i", 's/^showBanner=.*/showBanner="0"  # mine/', "/etc/srvaudit/config"]);
    await mustDo(debian, ["uninstall", "-y"], "");
    assert.throws(() => Deno.statSync(`${debian.root}/etc/srvaudit`), Deno.errors.NotFound);
    assert.ok(Deno.statSync(`${debian.root}/var/lib/srvaudit/evidence.db`).isFile);
    await mustDo(debian, ["install", "-y"]);
    assert.match(read(debian, "/etc/srvaudit/config"), /^showBanner="0" {2}# mine$/m);
    await mustDo(debian, ["uninstall", "-y", "--purge"], "");
    assert.throws(() => Deno.statSync(`${debian.root}/var/lib/srvaudit`), Deno.errors.NotFound);
  },
);

testThatNeeds(
  [...NEEDS, "strace"],
  "killed at any moment: run again it goes on to the same end, and removed nothing of it is left",
  async () => {
    await using debian = await debianRoot();
    await unpack(debian);
    // As a file that somebody has left without a last line's end.
    await Deno.writeTextFile(`${debian.root}/etc/bash.bashrc`, "umask 022");
    const before = await listing(debian, OF_OTHERS);
    const kill = async (args: readonly string[], nth: number) => {
      const inject = `inject=fsync:signal=SIGKILL:when=${nth}`;
      const strace = ["strace", "-f", "-o", "/dev/null", "-e", "trace=fsync", "-e", inject];
      return await run([...strace, ...debian.inside, `${RELEASE}/${PROGRAM}`, ...args]);
    };
    await mustDo(debian, ["install", "--hooks-only"]);
    const unlessJournal = /install\.journal/;
    const installed = await listing(debian, unlessJournal);
    await mustDo(debian, ["uninstall", "--purge", "-y"]);
    assertSame(await listing(debian, OF_OTHERS), before);

    // A few of all the steps there are: the first ones, a file, the group, the config, a startup file.
    for (const nth of [1, 60, 163, 170]) {
      assert.notEqual((await kill(["install", "--hooks-only"], nth)).code, 0, `there is no step ${nth}`);
      await mustDo(debian, ["install", "--hooks-only"]);
      assertSame(await listing(debian, unlessJournal), installed);
      assert.notEqual((await kill(["uninstall", "--purge", "-y"], Math.ceil(nth / 3))).code, 0);
      await mustDo(debian, ["uninstall", "--purge", "-y"]);
      assertSame(await listing(debian, OF_OTHERS), before);
      await kill(["install", "--hooks-only"], nth);
      await mustDo(debian, ["uninstall", "--purge", "-y"]);
      assertSame(await listing(debian, OF_OTHERS), before);
    }
  },
);

testThatNeeds(
  NEEDS,
  "an upgrade: the agent is the new one, what runs goes on, and an admin's files stay hers",
  async () => {
    await using debian = await debianRoot();
    await unpack(debian);
    await debian.succeed(["useradd", "--create-home", "--shell", "/bin/bash", "alice"]);
    const before = await listing(debian, OF_OTHERS);
    await mustDo(debian, ["install", "-y", "--users", "alice", "--no-safety"]);
    const pid = () => read(debian, "/run/srvaudit/agent.pid").trim();
    const first = pid();
    // A program of the older version that is still at work.
    const [word = "", ...words] = debian.inside;
    const old = new Deno.Command(word, {
      args: [...words, "/usr/bin/srvaudit", "follow"],
      stdout: "null",
      stderr: "null",
    }).spawn();

    const newer = `${debian.root}/root/newer`;
    await succeed(["cp", "-a", debian.root + RELEASE, newer]);
    // Another byte where an ELF file has none that counts.
    await succeed([
      "sh",
      "-c",
      `printf '\\001' | dd of="$1" bs=1 seek=15 conv=notrunc`,
      "sh",
      `${newer}/${PROGRAM}`,
    ]);
    await Deno.writeTextFile(`${newer}/usr/lib/srvaudit/queries`, "# newer\n");
    await Deno.writeTextFile(`${newer}/etc/logrotate.d/srvaudit`, "# newer\n");
    await Deno.writeTextFile(`${newer}/usr/lib/srvaudit/snippets/bashrc.bash`, "# newer\n");
    await Deno.remove(`${newer}/usr/share/doc/srvaudit/security.md`);
    await remake(newer);
    const theirs = "# mine\n";
    await Deno.writeTextFile(`${debian.root}/etc/logrotate.d/srvaudit`, theirs);

    const said = await mustDo(debian, ["install", "-y"], "/root/newer");
    assert.match(said, /logrotate\.d\/srvaudit stays as somebody has made it/);
    assert.equal(read(debian, "/etc/logrotate.d/srvaudit"), theirs);
    assert.equal(read(debian, "/usr/lib/srvaudit/queries"), "# newer\n");
    assert.match(read(debian, "/etc/bash.bashrc"), /# >>> srvaudit >>>\n# newer\n# <<< srvaudit <<<\n$/);
    assert.throws(
      () => Deno.statSync(`${debian.root}/usr/share/doc/srvaudit/security.md`),
      Deno.errors.NotFound,
    );
    assert.equal(shellOf(debian, "alice"), "/usr/bin/hello-srvaudit");
    await until("the new agent", () => Promise.resolve(pid() !== first));
    assert.ok(Deno.statSync(`/proc/${old.pid}`).isDirectory);
    old.kill("SIGKILL");
    await old.status;

    const end = await mustDo(debian, ["uninstall", "-y"], "");
    assert.match(end, /\/etc\/logrotate\.d\/srvaudit is left as it is: somebody has changed it since/);
    assert.equal(shellOf(debian, "alice"), "/bin/bash");
    await unpack(debian);
    await Deno.remove(`${debian.root}/etc/logrotate.d/srvaudit`);
    await mustDo(debian, ["install", "-y"]);
    await mustDo(debian, ["uninstall", "--purge", "-y"], "");
    assertSame(await listing(debian, OF_OTHERS), before);
  },
);

/** Writes a release's manifest anew, for what is in it now. */
async function remake(folder: string): Promise<void> {
  const path = `${folder}/usr/lib/srvaudit/manifest`;
  const lines: string[] = [];
  for (const line of (await Deno.readTextFile(path)).split("\n").filter(Boolean)) {
    const [type = "", mode = "", what = "", name = ""] = line.split("\t");
    const { code, text } = await run(["sha256sum", folder + name]);
    if (type === "link") lines.push(line);
    else if (code === 0) lines.push([type, mode, text.slice(0, 64) || what, name].join("\t"));
  }
  await Deno.writeTextFile(path, lines.join("\n") + "\n");
}

testThatNeeds(
  NEEDS,
  "startup files as people have them come through: DOS ends, no end, no text, links; and what is added stays",
  async () => {
    await using debian = await debianRoot();
    await unpack(debian);
    const etc = `${debian.root}/etc`;
    await Deno.mkdir(`${etc}/zsh`);
    await Deno.mkdir(`${etc}/fish`);
    await Deno.writeTextFile(`${etc}/bash.real`, "umask 022\r\nalias ll='ls -l'");
    await Deno.remove(`${etc}/bash.bashrc`);
    await Deno.symlink("/etc/bash.real", `${etc}/bash.bashrc`);
    await Deno.writeFile(`${etc}/zsh/zshrc`, new Uint8Array([0xff, 0xfe, 0x0d, 0x0a, 0x00]));
    await Deno.writeTextFile(`${etc}/fish/config.fish`, "", { mode: 0o600 });
    const before = await listing(debian, OF_OTHERS);
    await mustDo(debian, ["install", "--hooks-only"]);
    assert.equal(await Deno.readLink(`${etc}/bash.bashrc`), "/etc/bash.real");
    assert.match(read(debian, "/etc/bash.real"), /^umask 022\r\nalias ll='ls -l'\n# >>> srvaudit >>>\n/);
    assert.throws(() => Deno.statSync(`${etc}/zsh/zshenv`), Deno.errors.NotFound);
    assert.equal((Deno.statSync(`${etc}/fish/config.fish`).mode ?? 0) & 0o777, 0o600);
    await mustDo(debian, ["uninstall", "--purge", "-y"]);
    assertSame(await listing(debian, OF_OTHERS), before);

    await mustDo(debian, ["install", "--hooks-only"]);
    await Deno.writeTextFile(`${etc}/bash.real`, "alias la='ls -a'\n", { append: true });
    await Deno.writeTextFile(`${etc}/shells`, "/bin/another\n", { append: true });
    const shells = read(debian, "/etc/shells");
    await mustDo(debian, ["uninstall", "--purge", "-y"]);
    assert.equal(read(debian, "/etc/bash.real"), "umask 022\r\nalias ll='ls -l'\nalias la='ls -a'\n");
    assert.equal(
      read(debian, "/etc/shells"),
      shells.replace("/usr/bin/hello-srvaudit\n/srv/audit/hello\n", ""),
    );
  },
);

testThatNeeds(
  NEEDS,
  "a group of that name, and what stood where ours is placed, are there again",
  async () => {
    await using debian = await debianRoot();
    await unpack(debian);
    await debian.succeed(["groupadd", "srvaudit"]);
    await debian.succeed(["mkdir", "-p", "/srv/audit", "/etc/srvaudit"]);
    await Deno.writeTextFile(`${debian.root}/usr/bin/saticket`, "another program\n", { mode: 0o711 });
    await Deno.symlink("/nowhere", `${debian.root}/srv/audit/hello`);
    await Deno.writeTextFile(`${debian.root}/etc/srvaudit/config`, 'showBanner="0"\n', { mode: 0o600 });
    await Deno.writeTextFile(`${debian.root}/etc/profile.d/srvaudit.sh`, "# mine\n");
    const before = await listing(debian, OF_OTHERS);
    await mustDo(debian, ["install", "--hooks-only"]);
    assert.equal(await Deno.readLink(`${debian.root}/srv/audit/hello`), "/usr/lib/srvaudit/hello");
    assert.match(read(debian, "/etc/srvaudit/config"), /showBanner="0"/);
    // Not a purge, which takes the folder with it.
    await mustDo(debian, ["uninstall", "-y"]);
    assertSame((await listing(debian, OF_OTHERS)).filter((line) => !/var\/lib\/srvaudit/.test(line)), before);
  },
);

testThatNeeds(NEEDS, "what cannot be changed is said before anything is changed", async () => {
  await using debian = await debianRoot();
  await unpack(debian);
  await debian.succeed(["useradd", "--create-home", "--shell", "/bin/bash", "alice"]);
  await debian.succeed(["mkdir", "-p", "/etc/srvaudit", "/etc/ssh/sshd_config.d"]);
  await debian.succeed(["touch", "/etc/srvaudit/config", "/etc/ssh/sshd_config.d/srvaudit.conf"]);
  await Deno.writeTextFile(`${debian.root}/etc/ssh/sshd_config`, "Include /etc/ssh/sshd_config.d/*.conf\n");
  // As chattr +i does it, which what is kept in memory does not know.
  for (
    const [path, args] of [
      ["/etc/bash.bashrc", ["--hooks-only"]],
      ["/etc/group", ["--hooks-only"]],
      ["/etc/srvaudit/config", ["--hooks-only"]],
      ["/etc/passwd", ["-y", "--users", "alice"]],
      ["/etc/ssh/sshd_config.d/srvaudit.conf", ["-y", "--users", "alice", "--force-command"]],
    ] as const
  ) {
    await debian.succeed(["mount", "--bind", path, path]);
    await debian.succeed(["mount", "-o", "remount,ro,bind", path]);
    const before = await listing(debian, OF_OTHERS);
    const { code, errors } = await srvaudit(debian, ["install", ...args]);
    assert.equal(code, 1, path);
    assert.ok(errors.includes(`${path} cannot be changed: its file system is read-only`), errors);
    assert.match(errors, /nothing was changed$/m);
    assertSame(await listing(debian, OF_OTHERS), before);
    await debian.succeed(["umount", path]);
  }
});

testThatNeeds(
  NEEDS,
  "nothing is changed by a dry run, nor where nobody is there to be asked, nor by who is not root",
  async () => {
    await using debian = await debianRoot();
    await unpack(debian);
    await debian.succeed(["useradd", "--create-home", "--shell", "/bin/bash", "alice"]);
    await Deno.writeTextFile(`${debian.root}/root/key`, "s3cr3t-of-redmine\n", { mode: 0o600 });
    const before = await listing(debian, OF_OTHERS);
    const dry = [
      "install",
      "--dry-run",
      "--all",
      "--set",
      "pms=Redmine",
      "--set",
      "redmineURL=https://redmine.example",
    ];
    const { code, text, errors } = await srvaudit(debian, [...dry, "--set-from", "redmineKey=/root/key"]);
    assert.equal(code, 0, errors);
    assert.match(text, /^--- \/etc\/bash\.bashrc\n\+\+\+ \/etc\/bash\.bashrc\n@@ /m);
    assert.match(text, /^-alice:.*:\/bin\/bash\n(.*\n)*?\+alice:.*:\/usr\/bin\/hello-srvaudit$/m);
    assert.match(text, /^\+redmineURL="https:\/\/redmine\.example"/m);
    assert.ok(!(text + errors).includes("s3cr3t"), "a secret is shown");
    assert.equal((await srvaudit(debian, ["install"])).code, 1);
    assert.match(
      (await srvaudit(debian, ["install", "-y", "--set", "redmineKey=x"])).errors,
      /--set redmineKey is refused/,
    );
    assert.equal((await srvaudit(debian, ["install", "-y", "--users", "nobody-is-called-so"])).code, 1);
    const closed = await srvaudit(debian, ["install", "-y", "--users", "alice,www-data"]);
    assert.match(
      closed.errors,
      /www-data is left as she is: .*nologin[^]*nothing was changed: name those alone/,
    );
    assert.equal(closed.code, 1);
    assert.equal((await srvaudit(debian, ["uninstall"])).code, 1);
    await debian.succeed(["chmod", "755", "/root"]);
    const asAlice = await debian.run(["su", "alice", "-c", `${RELEASE}/${PROGRAM} install -y`]);
    assert.match(asAlice.errors, /only root can do this/);
    assertSame(await listing(debian, OF_OTHERS), before);
  },
);

testThatNeeds(
  NEEDS,
  "Ctrl-C at the last question, and a no, end it: nothing was changed, and that is said",
  async () => {
    await using debian = await debianRoot();
    await unpack(debian);
    const [enter = "", ...words] = debian.inside;
    // A terminal of the host's own: Ctrl-C is for who has that, not for nsenter.
    const ask = (...args: string[]) => {
      const command = ["exec", `${RELEASE}/${PROGRAM}`, ...args].join(" ");
      const script = ["script", "--quiet", "--return", "--command", command, "/dev/null"];
      return start(enter, [...words, ...script], { TERM: "dumb", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" });
    };
    const before = await listing(debian, OF_OTHERS);
    for (
      const [keys, end] of [["\x03", "ended: nothing was changed"], ["n\r", "nothing was changed"]] as const
    ) {
      await using terminal = ask("install", "--set", "pms=0", "--nobody");
      for (const prompt of [/Slack: .*: $/, /New Relic: .*: $/, /Datadog: .*: $/]) {
        await terminal.expect(prompt);
        await terminal.send("\r");
      }
      await terminal.expect(/srvaudit: {3}start the agent|srvaudit: {3}write \/etc\/srvaudit\/config/);
      await terminal.expect(/Install\? \[Y\/n\]: $/);
      await terminal.send(keys);
      await terminal.expect(new RegExp(`srvaudit: ${end}`));
      assert.equal(await terminal.close(), 1);
    }
    for (const keys of ["\x03", "\r"]) {
      await using terminal = ask("uninstall", "--purge");
      await terminal.expect(/Remove srvAudit, and all evidence, from this host\? \[y\/N\]: $/);
      await terminal.send(keys);
      await terminal.expect(/srvaudit: .*nothing was changed/);
      assert.equal(await terminal.close(), 1);
    }
    assertSame(await listing(debian, OF_OTHERS), before);
  },
);

testThatNeeds(NEEDS, "of two installers at once the second says so", async () => {
  await using debian = await debianRoot();
  await unpack(debian);
  await debian.succeed(["mkdir", "-p", "/run"]);
  const holder = new Deno.Command(debian.inside[0] ?? "", {
    args: [...debian.inside.slice(1), "flock", "/run/srvaudit-install.lock", "sh", "-c", "echo held; cat"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = holder.stdout.getReader();
  await reader.read();
  const { code, errors } = await srvaudit(debian, ["install", "--hooks-only"]);
  assert.equal(code, 1);
  assert.match(errors, /another srvaudit install or uninstall is at work/);
  await holder.stdin.close();
  await reader.cancel();
  await holder.status;
});

testThatNeeds(
  NEEDS,
  "who got hello by usermod, and is in no journal, has a shell that is there after uninstall",
  async () => {
    await using debian = await debianRoot();
    await unpack(debian);
    await mustDo(debian, ["install", "--hooks-only"]);
    await debian.succeed(["useradd", "--create-home", "--shell", "/srv/audit/hello", "carol"]);
    assert.match(await mustDo(debian, ["uninstall", "-y"], ""), /carol has \/bin\/bash again/);
    assert.equal(shellOf(debian, "carol"), "/bin/bash");
  },
);

testThatNeeds(
  NEEDS,
  "an agent that systemd has started, and that does not come, is no installation",
  async () => {
    await using debian = await debianRoot();
    await unpack(debian);
    await debian.succeed(["useradd", "--create-home", "--shell", "/bin/bash", "alice"]);
    // All that is seen of a systemd whose unit ends as soon as it has begun.
    await debian.succeed(["mkdir", "-p", "/run/systemd/system"]);
    await Deno.writeTextFile(`${debian.root}/usr/bin/systemctl`, "#!/bin/sh\n", { mode: 0o755 });
    for (const who of ["--users=alice", "--nobody"]) {
      const { code, errors } = await srvaudit(debian, ["install", "-y", who]);
      assert.equal(code, 1);
      assert.match(errors, /the agent was started, and does not answer: .*\n.*srvaudit doctor says why/);
      assert.equal(shellOf(debian, "alice"), "/bin/bash");
    }
  },
);
