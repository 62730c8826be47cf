/** The RPM: what is in it, and what rpm does with it on a host that is a test's own. */

import assert from "node:assert/strict";
import { type DebianRoot, debianRoot } from "../support/debian_root.ts";
import { assertSame, listing } from "../support/listing.ts";
import { testThatNeeds } from "../support/needs.ts";
import { madePackage, otherPackage, version } from "../support/packages.ts";
import { type Finished, run, succeed } from "../support/run.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;
const HELLO = "/usr/bin/hello-srvaudit";
/** What an earlier version shipped: a config without one of the keys, and another mask. */
const EARLIER = {
  "packaging/config": (text: string) =>
    text.replace(/\n# After how long a silence[^]*?\nidleTimeout="0"\n/, ""),
  "packaging/mask": (text: string) => `${text}# An earlier version's last line.\n`,
};
/** rpm's database, and the backups that groupadd and the test's own usermod make. */
const OF_RPM = /var\/lib\/rpm|etc\/(passwd|group|gshadow)-/;

/** Runs rpm on the host. The host's own packages are dpkg's: rpm knows of none that others could depend on. */
async function rpm(debian: DebianRoot, ...words: string[]): Promise<Finished> {
  return await run([...debian.beside, "rpm", "--root", debian.besideRoot, "--nodeps", ...words]);
}

async function shellOf(debian: DebianRoot, user: string): Promise<string | undefined> {
  return (await debian.succeed(["getent", "passwd", user])).trim().split(":")[6];
}

/** @returns the path of an RPM with one program in it, which does nothing */
async function packageWith(folder: string, name: string, program: string): Promise<string> {
  const spec = [
    `Name: ${name}\nVersion: 1\nRelease: 1\nSummary: a shell\nLicense: MIT\nBuildArch: noarch\n%description\na shell`,
    `%install\ninstall -D -m 755 /bin/true %{buildroot}${program}`,
    `%files\n${program}\n`,
  ].join("\n");
  await Deno.writeTextFile(`${folder}/${name}.spec`, spec);
  const defines = [
    "--define",
    `_topdir ${folder}`,
    "--define",
    "_binaries_in_noarch_packages_terminate_build 0",
  ];
  await succeed([
    "rpmbuild",
    "-bb",
    "--quiet",
    ...defines,
    "--define",
    "__os_install_post %{nil}",
    `${folder}/${name}.spec`,
  ]);
  return `${folder}/RPMS/noarch/${name}-1-1.noarch.rpm`;
}

testThatNeeds(
  ["rpmbuild"],
  "the .rpm has intact digests, and a payload that RHEL 8's rpm unpacks",
  async () => {
    const path = await madePackage("rpm");
    assert.match(await succeed(["rpm", "-K", path]), /: digests OK\n$/);
    assert.equal(await succeed(["rpm", "-qp", "--queryformat", "%{payloadcompressor}", path]), "xz");
    // What rpm itself must be able to do: nothing that came after RHEL 8's 4.14.
    const needed = (await succeed(["rpm", "-qpR", path])).split("\n").filter((line) =>
      line.startsWith("rpmlib(")
    );
    assert.deepEqual(needed.map((line) => line.replace(/ .*/, "")).sort(), [
      "rpmlib(CompressedFileNames)",
      "rpmlib(FileDigests)",
      "rpmlib(PayloadFilesHavePrefix)",
      "rpmlib(PayloadIsXz)",
    ]);
  },
);

testThatNeeds(
  ["root", "debootstrap", "rpmbuild"],
  "the .rpm installs below another root, keeps what an admin wrote over an upgrade, and goes as it came",
  async (test) => {
    await using debian = await debianRoot();
    await debian.succeed(["useradd", "--create-home", "--shell", "/bin/bash", "alice"]);
    const old = await Deno.makeTempDir();
    try {
      const older = await otherPackage("rpm", old, "0.0.9", EARLIER);
      const newer = await madePackage("rpm");
      const before = await listing(debian, OF_RPM);
      const config = `${debian.root}/etc/srvaudit/config`;

      await test.step("it installs: the programs run, rpm -V finds nothing changed, and nobody's shell is another", async () => {
        const { code, errors } = await rpm(debian, "--install", older);
        assert.equal(code, 0, errors);
        assert.doesNotMatch(errors, /warning|failed/);
        assert.equal(await debian.succeed(["srvaudit", "--version"]), `srvaudit ${await version()}\n`);
        assert.deepEqual(await rpm(debian, "--verify", "srvaudit").then(({ code, text }) => [code, text]), [
          0,
          "",
        ]);
        assert.equal(
          await debian.succeed(["stat", "-c", "%a %U:%G", "/etc/srvaudit/config"]),
          "640 root:srvaudit\n",
        );
        assert.match(await Deno.readTextFile(`${debian.root}/etc/bash.bashrc`), /^# >>> srvaudit >>>$/m);
        assert.equal(await shellOf(debian, "alice"), "/bin/bash");
        await Deno.stat(`${debian.root}/usr/share/selinux/packages/srvaudit.pp`);
      });

      await debian.succeed(["usermod", "--shell", HELLO, "alice"]);
      await test.step("an upgrade keeps her shell and what the admin wrote, and adds what is new", async () => {
        await Deno.writeTextFile(
          config,
          (await Deno.readTextFile(config)).replace('showBanner="yes"', 'showBanner="no"'),
        );
        const { code, errors } = await rpm(debian, "--upgrade", newer);
        assert.equal(code, 0, errors);
        assert.equal(await shellOf(debian, "alice"), HELLO);
        assert.equal(await debian.succeed(["su", "-", "alice", "-c", "echo in"]), "in\n");
        const text = await Deno.readTextFile(config);
        assert.match(text, /^showBanner="no"$/m);
        assert.match(text, /^idleTimeout="0"$/m);
        // What nobody has changed is the new version's.
        assert.equal(
          await Deno.readTextFile(`${debian.root}/etc/srvaudit/mask`),
          await Deno.readTextFile(`${PROJECT}packaging/mask`),
        );
        const { text: changed } = await rpm(debian, "--verify", "srvaudit");
        assert.match(changed, /^S\.5\.{4}T\. +c \/etc\/srvaudit\/config\n$/);
      });

      await test.step("a shell that comes later gets its hooks", async () => {
        const zsh = await packageWith(old, "zsh", "/usr/bin/zsh");
        const installed = await rpm(debian, "--install", zsh);
        assert.equal(installed.code, 0, installed.errors);

        assert.match(await Deno.readTextFile(`${debian.root}/etc/zsh/zshrc`), /^# >>> srvaudit >>>$/m);
        assert.equal((await rpm(debian, "--erase", "zsh")).code, 0);
      });

      await test.step("it is not removed when that would leave somebody with a shell that is not there", async () => {
        const program = `${debian.root}/usr/lib/srvaudit/srvaudit`;
        await Deno.rename(program, `${program}.away`);
        await Deno.writeTextFile(program, "#!/bin/sh\necho cannot >&2\nexit 1\n", { mode: 0o755 });
        const { code, errors } = await rpm(debian, "--erase", "srvaudit");
        assert.equal(code, 1);
        assert.match(errors, /cannot\nsrvaudit: not removed, since users may still have hello/);
        assert.equal(await shellOf(debian, "alice"), HELLO);
        await Deno.rename(`${program}.away`, program);
      });

      await test.step("removed, everybody has her own shell, and nothing is left but what the admin wrote", async () => {
        const { code, errors } = await rpm(debian, "--erase", "srvaudit");
        assert.equal(code, 0, errors);
        assert.equal(await shellOf(debian, "alice"), "/bin/bash");
        assert.equal(
          await debian.succeed(["stat", "-c", "%a %U:%G", "/etc/srvaudit/config.rpmsave"]),
          "640 root:root\n",
        );
        await Deno.remove(`${debian.root}/etc/srvaudit`, { recursive: true });
        assertSame(await listing(debian, OF_RPM), before);
      });
    } finally {
      await Deno.remove(old, { recursive: true });
    }
  },
);
