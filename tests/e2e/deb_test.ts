/** The Debian package: what is in it, and what dpkg does with it on a Debian that is a test's own. */

import assert from "node:assert/strict";
import { type DebianRoot, debianRoot } from "../support/debian_root.ts";
import { assertSame, listing } from "../support/listing.ts";
import { testThatNeeds } from "../support/needs.ts";
import { madePackage, otherPackage, version } from "../support/packages.ts";
import { start, type Terminal } from "../support/pty.ts";
import { run, succeed } from "../support/run.ts";
import { until } from "../support/sshd.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;
const HELLO = "/usr/bin/hello-srvaudit";
/** What an earlier version shipped: a config without one of the keys, and another mask. */
const EARLIER = {
  "packaging/config": (text: string) =>
    text.replace(/\n# After how long a silence[^]*?\nidleTimeout="0"\n/, ""),
  "packaging/mask": (text: string) => `${text}# An earlier version's last line.\n`,
};
/** dpkg's database, its and apt's logs, and the backup that the test's own usermod makes. */
const OF_DPKG = /var\/(lib\/dpkg|log\/(dpkg|alternatives)\.log|(lib|cache|log)\/apt)|etc\/passwd-/;

/** A Debian on which alice has a home and a bash, and dpkg may start services. */
async function hostWithAlice(): Promise<DebianRoot> {
  const debian = await debianRoot();
  await debian.succeed(["useradd", "--create-home", "--shell", "/bin/bash", "alice"]);
  await Deno.writeTextFile(`${debian.root}/home/alice/.bashrc`, "PS1='@@\\$ '\n");
  await Deno.writeTextFile(`${debian.root}/usr/sbin/policy-rc.d`, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  return debian;
}

/** Runs dpkg, as apt-get does where nobody is to be asked. */
async function dpkg(debian: DebianRoot, ...words: string[]): Promise<string> {
  const finished = await tryDpkg(debian, ...words);
  assert.equal(finished.code, 0, finished.text + finished.errors);
  return finished.text + finished.errors;
}

async function tryDpkg(debian: DebianRoot, ...words: string[]) {
  return await debian.run(["dpkg", "--force-confdef", "--force-confold", ...words], {
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
}

/** Hands a package over. @returns where dpkg finds it */
async function bring(debian: DebianRoot, path: string): Promise<string> {
  await Deno.mkdir(`${debian.root}/tmp/packages`, { recursive: true });
  const name = path.slice(path.lastIndexOf("/") + 1);
  await succeed(["cp", path, `${debian.root}/tmp/packages/${name}`]);
  return `/tmp/packages/${name}`;
}

/** Logs alice in on a terminal of the host's own. */
function logIn(debian: DebianRoot): Terminal {
  const [program = "", ...args] = debian.inside;
  // A terminal of this machine's would have no name there.
  const words = ["script", "--quiet", "--return", "--command", "su - alice", "/dev/null"];
  return start(program, [...args, ...words], { TERM: "dumb", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" });
}

async function shellOf(debian: DebianRoot, user: string): Promise<string | undefined> {
  return (await debian.succeed(["getent", "passwd", user])).trim().split(":")[6];
}

testThatNeeds(
  ["lintian", "dh"],
  "lintian has nothing to say about the .deb, pedantic as it may be",
  async () => {
    const { code, text, errors } = await run([
      "lintian",
      "--allow-root",
      "--pedantic",
      "--display-info",
      "--fail-on=error,warning,info,pedantic",
      await madePackage("deb"),
    ]);
    assert.deepEqual([code, text], [0, ""], errors);
  },
);

testThatNeeds(
  ["root", "debootstrap", "dh"],
  "the .deb installs, lets people log in, is upgraded below them, and leaves nothing behind when it is purged",
  async (test) => {
    await using debian = await hostWithAlice();
    const old = await Deno.makeTempDir();
    try {
      const older = await bring(debian, await otherPackage("deb", old, "0.0.9", EARLIER));
      const newer = await bring(debian, await madePackage("deb"));
      const before = await listing(debian, OF_DPKG);
      const config = `${debian.root}/etc/srvaudit/config`;

      await test.step("it installs: the programs run, the config is closed, the agent runs, and nobody's shell is another", async () => {
        await dpkg(debian, "--install", older);
        assert.equal(await debian.succeed(["srvaudit", "--version"]), `srvaudit ${await version()}\n`);
        assert.equal(
          await debian.succeed(["stat", "-c", "%a %U:%G", "/etc/srvaudit/config", "/etc/srvaudit/mask"]),
          "640 root:srvaudit\n".repeat(2),
        );
        assert.equal(await shellOf(debian, "alice"), "/bin/bash");
        assert.equal(await shellOf(debian, "root"), "/bin/bash");
        assert.match(await Deno.readTextFile(`${debian.root}/etc/shells`), /^\/usr\/bin\/hello-srvaudit$/m);
        assert.doesNotMatch(await Deno.readTextFile(config), /idleTimeout/);
        // Where systemd begins, it begins the agent; here the init script has done so.
        await Deno.lstat(`${debian.root}/etc/systemd/system/multi-user.target.wants/srvaudit.service`);
        await debian.succeed(["/etc/init.d/srvaudit", "status"]);
        const doctor = await debian.run(["srvaudit", "doctor"]);
        assert.match(doctor.text + doctor.errors, /\n0 wrong, /, doctor.text);
        assert.equal(await debian.succeed(["dpkg", "--verify", "srvaudit"]), "");
      });

      await debian.succeed(["usermod", "--shell", HELLO, "alice"]);
      await using alice = logIn(debian);
      await test.step("somebody who was given hello by hand logs in and gets a ticket", async () => {
        await alice.expect(/blank for new[^\r\n]*: $/);
        await alice.send("\r");
        await alice.expect(/Enter subject for new ticket: $/);
        await alice.send("see how packages do\r");
        await alice.expect(/@@\$ $/);
        await alice.send("echo before the upgrade\r");
        await alice.expect(/@@\$ $/);
      });

      await test.step("an upgrade keeps the session, her shell and what the admin wrote, and adds what is new", async () => {
        await Deno.writeTextFile(
          config,
          (await Deno.readTextFile(config)).replace('showBanner="yes"', 'showBanner="no"'),
        );
        const agent = await Deno.readTextFile(`${debian.root}/run/srvaudit/agent.pid`);
        await dpkg(debian, "--install", newer);
        assert.equal(await shellOf(debian, "alice"), HELLO);
        const text = await Deno.readTextFile(config);
        assert.match(text, /^showBanner="no"$/m);
        assert.match(text, /^idleTimeout="0"$/m);
        // What nobody has changed is the new version's.
        assert.equal(
          await Deno.readTextFile(`${debian.root}/etc/srvaudit/mask`),
          await Deno.readTextFile(`${PROJECT}packaging/mask`),
        );
        assert.equal(
          await debian.succeed(["stat", "-c", "%a %U:%G", "/etc/srvaudit/config"]),
          "640 root:srvaudit\n",
        );
        await until(
          "the agent of the new version",
          async () => (await Deno.readTextFile(`${debian.root}/run/srvaudit/agent.pid`)) !== agent,
        );
        await alice.send("echo after the upgrade\r");
        await alice.expect(/@@\$ $/);
        await until(
          "her command in evidence",
          async () =>
            (await debian.succeed([
              "ash_query",
              "-d",
              "/var/lib/srvaudit/evidence.db",
              "-f",
              "json",
              "--sql",
              "SELECT command FROM commands",
            ]))
              .includes("after the upgrade"),
        );
      });

      await test.step("a shell that comes later gets its hooks", async () => {
        await debian.succeed([
          "apt-get",
          "install",
          "--yes",
          "--no-download",
          "--no-install-recommends",
          "zsh",
        ], {
          env: { DEBIAN_FRONTEND: "noninteractive" },
        });
        for (const name of ["zshrc", "zshenv"]) {
          assert.match(await Deno.readTextFile(`${debian.root}/etc/zsh/${name}`), /^# >>> srvaudit >>>$/m);
        }
        await debian.succeed(["apt-get", "purge", "--yes", "--autoremove", "zsh"]);
      });

      await test.step("it is not removed when that would leave somebody with a shell that is not there", async () => {
        const program = `${debian.root}/usr/lib/srvaudit/srvaudit`;
        await Deno.rename(program, `${program}.away`);
        await Deno.writeTextFile(program, "#!/bin/sh\necho cannot >&2\nexit 1\n", { mode: 0o755 });
        const { code, errors } = await tryDpkg(debian, "--remove", "srvaudit");
        assert.equal(code, 1);
        assert.match(errors, /cannot\nsrvaudit: not removed, since users may still have hello/);
        assert.equal(await shellOf(debian, "alice"), HELLO);
        await Deno.rename(`${program}.away`, program);
        await dpkg(debian, "--configure", "--pending");
      });

      await test.step("removed, everybody has her own shell again, and the config and the evidence stay", async () => {
        await dpkg(debian, "--remove", "srvaudit");
        assert.equal(await shellOf(debian, "alice"), "/bin/bash");
        assert.match(await Deno.readTextFile(config), /^showBanner="no"$/m);
        // No group has that number any more, or another one will.
        assert.equal(
          await debian.succeed(["stat", "-c", "%a %U:%G", "/etc/srvaudit/config"]),
          "640 root:root\n",
        );
        await Deno.stat(`${debian.root}/var/lib/srvaudit/evidence.db`);
        assert.equal((await debian.run(["pgrep", "-f", "srvaudit agent"])).text, "");
        await alice.send("exit\r");
        await alice.close();
      });

      await test.step("purged, all is as it was", async () => {
        await dpkg(debian, "--purge", "srvaudit");
        assertSame(await listing(debian, OF_DPKG), before);
      });
    } finally {
      await Deno.remove(old, { recursive: true });
    }
  },
);

testThatNeeds(
  ["root", "debootstrap", "dh"],
  "a .deb that was unpacked, never configured and removed leaves nobody with a shell that is not there",
  async () => {
    await using debian = await hostWithAlice();
    const path = await bring(debian, await madePackage("deb"));
    await dpkg(debian, "--install", path);
    await debian.succeed(["usermod", "--shell", HELLO, "alice"]);
    await debian.succeed(["useradd", "--shell", "/srv/audit/hello", "bob"]);
    await Deno.writeTextFile(`${debian.root}/etc/srvaudit/shells`, 'alice="/bin/dash"\n');
    // As it is where an upgrade ends between its two halves: then dpkg runs no prerm.
    await dpkg(debian, "--unpack", path);
    const said = await dpkg(debian, "--remove", "srvaudit");
    assert.match(said, /srvaudit: alice has \/bin\/dash again/);
    assert.deepEqual([await shellOf(debian, "alice"), await shellOf(debian, "bob")], [
      "/bin/dash",
      "/bin/bash",
    ]);
  },
);

testThatNeeds(
  ["root", "debootstrap", "dh"],
  "an installation without dpkg becomes the package's, and goes with it",
  async () => {
    await using debian = await hostWithAlice();
    const path = await bring(debian, await madePackage("deb"));
    await succeed([`${PROJECT}packaging/install_files.sh`, `${debian.root}/opt/release/root`, "/usr", "any"]);
    const before = await listing(debian, OF_DPKG);
    await debian.succeed([
      "/opt/release/root/usr/lib/srvaudit/srvaudit",
      "install",
      "-y",
      "--nobody",
      "--no-safety",
    ]);
    await debian.succeed(["usermod", "--shell", HELLO, "alice"]);
    const agent = await Deno.readTextFile(`${debian.root}/run/srvaudit/agent.pid`);
    await dpkg(debian, "--install", path);
    assert.equal(await shellOf(debian, "alice"), HELLO);
    await debian.succeed(["/etc/init.d/srvaudit", "status"]);
    assert.notEqual(await Deno.readTextFile(`${debian.root}/run/srvaudit/agent.pid`), agent);
    await dpkg(debian, "--purge", "srvaudit");
    assert.equal(await shellOf(debian, "alice"), "/bin/bash");
    assertSame(await listing(debian, OF_DPKG), before);
  },
);

testThatNeeds(
  ["root", "debootstrap", "dh"],
  "srvaudit uninstall --purge leaves of a package what dpkg removes, and no agent",
  async () => {
    await using debian = await hostWithAlice();
    const path = await bring(debian, await madePackage("deb"));
    const before = await listing(debian, OF_DPKG);
    await dpkg(debian, "--install", path);
    await debian.succeed(["usermod", "--shell", HELLO, "alice"]);
    const { errors } = await debian.run(["srvaudit", "uninstall", "--purge", "-y"]);
    assert.match(errors, /but for the package's own files: apt-get purge srvaudit\n$/);
    assert.equal((await debian.run(["pgrep", "-f", "srvaudit agent"])).text, "");
    assert.equal(await shellOf(debian, "alice"), "/bin/bash");
    await dpkg(debian, "--purge", "srvaudit");
    assertSame(await listing(debian, OF_DPKG), before);
  },
);
