/** The day when nothing works: `srvaudit rescue`, and docs/operations.md, RESCUE, to the letter. */

import assert from "node:assert/strict";
import { type DebianRoot, debianRoot } from "../support/debian_root.ts";
import { ForcedHost } from "../support/forced_host.ts";
import { testThatNeeds } from "../support/needs.ts";
import { succeed } from "../support/run.ts";

const NEEDS = ["root", "debootstrap", "nsenter"] as const;
const PROJECT = new URL("../../", import.meta.url).pathname;
const PROGRAM = "/usr/lib/srvaudit/srvaudit";
const HELLOS = {
  alice: "/usr/bin/hello-srvaudit",
  bob: "/usr/lib/srvaudit/hello",
  carol: "/srv/audit/hello",
  dave: "/opt/srvaudit/lib/srvaudit/hello",
};
const BLOCK = "# >>> srvaudit >>>\nexit 1\n# <<< srvaudit <<<\n";

/** A Debian with our programs in it, in which nobody can log in: each user's hello is by another path, and fails. */
async function lockedOut(): Promise<DebianRoot> {
  const debian = await debianRoot();
  await debian.succeed([
    "mkdir",
    "-p",
    "/usr/lib/srvaudit",
    "/srv/audit",
    "/etc/srvaudit",
    "/etc/ssh/sshd_config.d",
  ]);
  await succeed(["cp", `${PROJECT}dist/srvaudit`, `${debian.root}${PROGRAM}`]);
  await debian.succeed(["ln", "-s", "../lib/srvaudit/srvaudit", "/usr/bin/srvaudit"]);
  for (const [name, shell] of Object.entries(HELLOS)) {
    await debian.succeed(["useradd", "--create-home", "--shell", shell, name]);
  }
  await debian.succeed(["useradd", "--create-home", "--shell", "/bin/sh", "erin"]);
  return debian;
}

function shellsOf(passwd: string): Record<string, string> {
  const lines = passwd.trimEnd().split("\n").map((line) => line.split(":"));
  return Object.fromEntries(
    lines.filter(([, , uid]) => Number(uid) >= 1000).map((fields) => [fields[0] ?? "", fields[6] ?? ""]),
  );
}

const PLAIN = Object.fromEntries(
  [...Object.keys(HELLOS).map((name) => [name, "/bin/bash"]), ["erin", "/bin/sh"], [
    "nobody",
    "/usr/sbin/nologin",
  ]],
);

testThatNeeds(
  NEEDS,
  "rescue lets everybody in again, with all of ours that can be broken broken",
  async () => {
    await using debian = await lockedOut();
    for (const name of Object.keys(HELLOS)) {
      assert.notEqual((await debian.run(["su", "-", name, "-c", "true"])).code, 0, "the test's own premise");
    }
    await Deno.mkdir(`${debian.root}/var/lib/srvaudit`);
    for (
      const path of ["/etc/srvaudit/config", "/etc/srvaudit/shells", "/var/lib/srvaudit/install.journal"]
    ) {
      await Deno.writeTextFile(`${debian.root}${path}`, "\0{{ broken\n");
    }
    await Deno.writeTextFile(`${debian.root}/etc/ssh/sshd_config.d/srvaudit.conf`, BLOCK);
    await debian.succeed(["sh", "-c", 'printf "%s" "$1" >> /etc/bash.bashrc', "sh", BLOCK]);
    const { code, errors } = await debian.run(["srvaudit", "rescue", "--hooks"]);
    assert.equal(
      errors,
      [
        "srvaudit: /bin/bash is the shell again of alice, bob, carol, dave",
        "srvaudit: sshd forces hello on nobody any more by /etc/ssh/sshd_config.d/srvaudit.conf",
        "srvaudit: the hooks are gone from /etc/bash.bashrc",
        "",
      ].join("\n"),
    );
    assert.equal(code, 0);
    assert.deepEqual(shellsOf(await Deno.readTextFile(`${debian.root}/etc/passwd`)), PLAIN);
    for (const name of Object.keys(HELLOS)) {
      assert.equal(await debian.succeed(["su", "-", name, "-c", "echo $0 $(id -un)"]), `-bash ${name}\n`);
    }
    assert.doesNotMatch(await Deno.readTextFile(`${debian.root}/etc/bash.bashrc`), /srvaudit/);
    assert.equal(
      (await debian.run(["setpriv", "--reuid=1000", "--clear-groups", "srvaudit", "rescue"])).code,
      1,
    );
  },
);

testThatNeeds(
  NEEDS,
  "rescue works from another disk, by the host's own executable, and touches nothing of that disk's",
  async () => {
    await using debian = await lockedOut();
    // This one is the rescue disk; the host's disk is mounted at /mnt.
    await debian.succeed([
      "sh",
      "-c",
      "mkdir -p /mnt/usr/lib/srvaudit && cp -a /etc /bin /lib* /mnt && cp -a /usr/bin /mnt/usr",
    ]);
    await debian.succeed(["mv", PROGRAM, `/mnt${PROGRAM}`]);
    // A link that leads to the rescue disk's own file if one takes it as this host's.
    await debian.succeed(["sh", "-c", 'printf "%s" "$1" | tee /etc/own > /mnt/etc/own', "sh", BLOCK]);
    await debian.succeed(["ln", "-sf", "/etc/own", "/mnt/etc/bash.bashrc"]);
    const own = await debian.succeed(["sha256sum", "/etc/passwd", "/etc/own"]);
    const { code, errors } = await debian.run([`/mnt${PROGRAM}`, "rescue", "--root", "/mnt/", "--hooks"]);
    assert.equal(
      errors,
      [
        "srvaudit: /bin/bash is the shell again of alice, bob, carol, dave",
        "srvaudit: the hooks are gone from /mnt/etc/bash.bashrc",
        "",
      ].join("\n"),
    );
    assert.equal(code, 0);
    assert.deepEqual(shellsOf(await Deno.readTextFile(`${debian.root}/mnt/etc/passwd`)), PLAIN);
    assert.equal(await Deno.readTextFile(`${debian.root}/mnt/etc/own`), "");
    assert.equal(await debian.succeed(["sha256sum", "/etc/passwd", "/etc/own"]), own);
  },
);

testThatNeeds(
  [...NEEDS, "mount"],
  "a full disk does not keep anybody out; a read-only one is named, with the way on",
  async () => {
    await using debian = await lockedOut();
    const root = "/mnt";
    await debian.succeed(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs", root]);
    await debian.succeed(["mkdir", "-p", `${root}/etc`, `${root}/bin`]);
    await debian.succeed(["cp", "-p", "/etc/passwd", "/etc/.pwd.lock", `${root}/etc`]);
    await debian.succeed([
      "sh",
      "-c",
      `printf '#!/bin/sh\\n' > ${root}/bin/bash; chmod 755 ${root}/bin/bash`,
    ]);
    await debian.succeed(["mount", "-o", "remount,ro", root]);
    const refused = await debian.run(["srvaudit", "rescue", "--root", root]);
    assert.equal(refused.code, 1);
    assert.match(
      refused.errors,
      /\/mnt\/etc\/passwd cannot be replaced: the file system is read-only: mount -o remount,rw/,
    );
    await debian.succeed(["mount", "-o", "remount,rw", root]);
    await debian.run(["dd", "if=/dev/zero", `of=${root}/full`, "bs=1k"]);
    assert.match(await debian.succeed(["df", root]), /100%/);
    const { code, errors } = await debian.run(["srvaudit", "rescue", "--root", root]);
    assert.deepEqual(
      [code, /the disk is full: \/mnt\/etc\/passwd was written over/.test(errors)],
      [0, true],
      errors,
    );
    const passwd = await Deno.readTextFile(`${debian.root}${root}/etc/passwd`);
    assert.deepEqual(shellsOf(passwd), PLAIN);
    const own = (await Deno.readTextFile(`${debian.root}/etc/passwd`)).split("\n");
    assert.deepEqual(
      passwd.split("\n").map((line) => line.replace(/[^:]*$/, "")),
      own.map((line) => line.replace(/[^:]*$/, "")),
    );
  },
);

testThatNeeds(
  ["root", "sshd", "nsenter"],
  "rescue has a running sshd force hello on nobody any more",
  async () => {
    await using forced = await ForcedHost.start();
    const { host } = forced;
    const [ann, ben] = [
      await host.addUser("/bin/bash"),
      await host.addUser("/usr/bin/hello-srvaudit", "/bin/sh"),
    ];
    await forced.listen();
    await forced.apply(`User ${ann.name}`);
    const recorded = async () => [(await host.sessions(ann)).length, (await host.sessions(ben)).length];
    for (const user of [ann, ben]) assert.equal((await forced.ssh(user, ["true"])).code, 0);
    assert.deepEqual(await recorded(), [1, 1]);
    await forced.root([PROGRAM, "rescue"]);
    assert.equal((await forced.ssh(ann, ["echo", "$0"])).text, "bash\n");
    assert.equal((await forced.ssh(ben, ["echo", "$0"])).text, "sh\n");
    assert.deepEqual(await recorded(), [1, 1]);
  },
);

/** What stands in a block of docs/operations.md, RESCUE, and begins so. */
function lineOfDocs(start: string): string {
  const docs = Deno.readTextFileSync(`${PROJECT}docs/operations.md`);
  const rescue = docs.slice(docs.indexOf("## RESCUE"), docs.indexOf("## Install"));
  const line = rescue.split("\n").find((line) => line.startsWith(start));
  assert.ok(line, `docs/operations.md, RESCUE, has no line: ${start}`);
  return line;
}

testThatNeeds(NEEDS, "the docs' own lines with sed, perl and usermod do what rescue does", async () => {
  await using debian = await lockedOut();
  const passwd = `${debian.root}/etc/passwd`;
  const before = await Deno.readTextFile(passwd);
  await debian.succeed(["srvaudit", "rescue"]);
  const rescued = await Deno.readTextFile(passwd);
  assert.deepEqual(shellsOf(rescued), PLAIN);
  for (const start of ["sed -i.before-rescue -E", "perl -i.before-rescue -pe"]) {
    const line = lineOfDocs(start);
    await Deno.writeTextFile(passwd, before);
    const { uid, gid, mode } = Deno.statSync(passwd);
    await debian.succeed(["sh", "-c", line]);
    assert.equal(await Deno.readTextFile(passwd), rescued, line);
    assert.equal(await Deno.readTextFile(`${passwd}.before-rescue`), before);
    const after = Deno.statSync(passwd);
    assert.deepEqual([after.uid, after.gid, after.mode], [uid, gid, mode]);
    // From a rescue disk: the same with what it is mounted at before /etc.
    await Deno.writeTextFile(passwd, before);
    await succeed(["sh", "-c", line.replace(" /etc/", ` ${debian.root}/etc/`)]);
    assert.equal(await Deno.readTextFile(passwd), rescued, line);
  }
  await Deno.writeTextFile(passwd, before);
  for (const name of Object.keys(HELLOS)) {
    await debian.succeed(["sh", "-c", lineOfDocs("usermod --shell").replace("alice", name)]);
  }
  assert.equal(await Deno.readTextFile(passwd), rescued);
  await Deno.writeTextFile(passwd, before);
  const mounted = lineOfDocs("usermod --root").replace("/mnt", debian.root);
  await succeed(["sh", "-c", mounted]);
  assert.equal(shellsOf(await Deno.readTextFile(passwd))["alice"], "/bin/bash");
});

testThatNeeds(NEEDS, "the docs' own way by chroot, and their lines for sshd and the hooks", async () => {
  await using debian = await lockedOut();
  const chroot = lineOfDocs("mount --bind /proc").replaceAll("/mnt", "/mnt/disk");
  await debian.succeed(["mkdir", "/mnt/disk"]);
  await debian.succeed(["mount", "--bind", "/", "/mnt/disk"]);
  await debian.succeed(["sh", "-c", chroot]);
  assert.deepEqual(shellsOf(await Deno.readTextFile(`${debian.root}/etc/passwd`)), PLAIN);
  await Deno.writeTextFile(`${debian.root}/etc/ssh/sshd_config.d/srvaudit.conf`, BLOCK);
  await Deno.writeTextFile(`${debian.root}/etc/ssh/sshd_config`, `UsePAM yes\n${BLOCK}UseDNS no\n`);
  for (const start of ["rm -f /etc/ssh/", "sed -i '/^# >>> srvaudit"]) {
    await debian.succeed(["sh", "-c", lineOfDocs(start)]);
  }
  assert.equal(await Deno.readTextFile(`${debian.root}/etc/ssh/sshd_config`), "UsePAM yes\nUseDNS no\n");
  assert.equal(await debian.succeed(["ls", "/etc/ssh/sshd_config.d"]), "");
});
