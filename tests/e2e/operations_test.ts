/** docs/operations.md on installing, upgrading and removing, followed to the letter: what stands there is what runs here. */

import assert from "node:assert/strict";
import { type DebianRoot, debianRoot } from "../support/debian_root.ts";
import { blocksBelow, follow, headingsIn } from "../support/documented.ts";
import { assertSame, listing } from "../support/listing.ts";
import { isThere, testThatNeeds } from "../support/needs.ts";
import { madePackage, version } from "../support/packages.ts";
import { Redmine, REDMINE_KEYS } from "../support/redmine.ts";
import { Release } from "../support/release.ts";
import { run, succeed } from "../support/run.ts";

const PAGE = "operations.md";
const PROJECT = new URL("../../", import.meta.url).pathname;
const MACHINE = new URL("../support/machine.sh", import.meta.url).pathname;
const FOLDER = "/root/release";
const HELLO = "/usr/bin/hello-srvaudit";
const BASH = "/bin/bash";
/** What dpkg and apt write about themselves. */
const NOT_COMPARED = /var\/(lib\/dpkg|log\/(dpkg|alternatives)\.log|(lib|cache|log)\/apt)/;

/** What stands below a heading, on which host it is followed, and what is so afterwards. */
interface Section {
  heading: string;
  /** What the page's reader has done before: commands, or more than that. */
  before: readonly (string | ((host: DebianRoot) => Promise<void>))[];
  after?: (host: DebianRoot) => Promise<void>;
  /** Whether the host is as it was before, file by file, when nothing but this was done to it. */
  leavesNothing?: true;
}

const ALICE_HAS_HELLO = "sh install.sh -y --users alice --no-safety";
const NOBODY_HAS_HELLO = "sh install.sh -y --nobody";

const SECTIONS: readonly Section[] = [
  {
    heading: "### On one host",
    before: [],
    after: (host) => hasShells(host, { alice: HELLO, bob: BASH }),
  },
  {
    heading: "### A package",
    before: [bringPackage],
    after: (host) => hasShells(host, { alice: HELLO, bob: BASH }),
  },
  {
    heading: "## Who gets hello",
    before: [NOBODY_HAS_HELLO],
    after: async (host) => {
      await hasShells(host, { alice: BASH, bob: HELLO, carol: HELLO, root: BASH });
      assert.equal(await host.succeed(["stat", "-c", "%a", "/usr/bin/chsh"]), "755\n");
    },
  },
  {
    heading: "### By sshd, without passwd",
    before: [(host) => serve(host, freePort()), NOBODY_HAS_HELLO],
    after: async (host) => {
      await hasShells(host, { alice: BASH });
      const asked = ["sshd", "-T", "-C", "user=alice,host=h,addr=127.0.0.1"];
      assert.match(await host.succeed(asked), /^forcecommand exec .*hello/m);
    },
  },
  {
    heading: "## Upgrade",
    before: [installOlder],
    after: async (host) => {
      await hasShells(host, { alice: HELLO });
      assert.match(await Deno.readTextFile(`${host.root}/etc/srvaudit/config`), /^idleTimeout="0"$/m);
    },
  },
  {
    heading: "## Away again",
    before: [ALICE_HAS_HELLO],
    after: (host) => hasShells(host, { alice: HELLO }),
  },
  {
    heading: "### Keep the evidence",
    before: [ALICE_HAS_HELLO],
    after: async (host) => {
      await hasShells(host, { alice: BASH });
      await host.succeed(["ls", "/var/lib/srvaudit/evidence.db", "/var/lib/srvaudit/config"]);
    },
  },
  { heading: "### Without a trace", before: [ALICE_HAS_HELLO], leavesNothing: true },
  {
    heading: "### Of a package",
    before: [
      bringPackage,
      "apt-get install -y ./srvaudit_*.deb && srvaudit install -y --users alice --no-safety",
    ],
    leavesNothing: true,
  },
];
const MANY_HOSTS = "### Without questions, and on many hosts";
const REPOSITORY = "### From this repository";

Deno.test("docs/operations.md: all that it says on installing is followed here", () => {
  assert.deepEqual(
    headingsIn(PAGE, "## Install", "## The agent").sort(),
    [...SECTIONS.map(({ heading }) => heading), MANY_HOSTS, REPOSITORY].sort(),
  );
});

testThatNeeds(
  ["root", "debootstrap", "script", "checkmodule", "dh"],
  "docs/operations.md: who follows it installs, upgrades and removes",
  async (test) => {
    await using release = await Release.make();
    for (const section of SECTIONS) {
      await test.step(section.heading, () => followOnOneHost(release, section));
    }
    await test.step(REPOSITORY, followInCopyOfMachine);
    const isAlone = !isThere("Redmine");
    await test.step({
      name: isAlone ? `${MANY_HOSTS} [needs Redmine]` : MANY_HOSTS,
      ignore: isAlone,
      fn: () => followOnManyHosts(release),
    });
  },
);

async function followOnOneHost(
  release: Release,
  { heading, before, after, leavesNothing }: Section,
): Promise<void> {
  await using host = await newHost(release);
  const whatWas = leavesNothing ? await listing(host, NOT_COMPARED) : [];
  for (const each of before) {
    if (typeof each === "string") await host.succeed(["sh", "-c", `cd ${FOLDER}; ${each}`]);
    else await each(host);
  }
  if (leavesNothing) await hasShells(host, { alice: HELLO });
  for (const block of blocksBelow(PAGE, heading)) await follow({ host, folder: FOLDER }, block);
  await after?.(host);
  if (leavesNothing) assertSame(await listing(host, NOT_COMPARED), whatWas);
}

/** `make` needs what the project is built with: the machine has it. */
async function followInCopyOfMachine(): Promise<void> {
  const folder = await Deno.makeTempDir();
  const inside = ["unshare", "--mount", "--propagation", "private", MACHINE, folder];
  try {
    const script = blocksBelow(PAGE, REPOSITORY).flatMap(({ lines }) => lines).join("\n");
    const { code, text, errors } = await run([
      ...inside,
      "sh",
      "-ec",
      `cd ${PROJECT}\n${script}\ncat /usr/lib/srvaudit/manifest\n(cd /tmp/package && find . -type f)`,
    ], { cwd: "/" });
    assert.equal(code, 0, errors);
    assert.match(text, /\t\/usr\/lib\/srvaudit\/srvaudit\n[^]*\n\.\/usr\/lib\/srvaudit\/srvaudit\n/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The part that needs a tracker, and other hosts: two of them, and the admin's own. */
async function followOnManyHosts(release: Release): Promise<void> {
  await using redmine = await Redmine.start();
  await using host = await newHost(release);
  await using web1 = await newHost(release);
  await using web2 = await newHost(release);
  const ports = { web1: freePort(), web2: freePort() };
  await Promise.all([serve(host, freePort()), serve(web1, ports.web1), serve(web2, ports.web2)]);
  for (const web of [web1, web2]) {
    for (const home of ["/root", "/home/alice"]) {
      await Deno.copyFile(`${host.root}/root/.ssh/id.pub`, `${web.root}${home}/.ssh/authorized_keys`);
    }
  }
  const hosts = Object.entries(ports).map(([name, port]) =>
    `Host ${name}\n  HostName 127.0.0.1\n  Port ${port}\n`
  );
  await Deno.writeTextFile(
    `${host.root}/root/.ssh/config`,
    `${hosts.join("")}Host *\n  IdentityFile /root/.ssh/id\n  StrictHostKeyChecking accept-new\n`,
  );
  const instead = {
    "https://redmine.example.com": redmine.url,
    "0123456789abcdef0123456789abcdef01234567": REDMINE_KEYS.admin,
    'testTicket="17"': 'testTicket="1"',
  };
  for (const block of blocksBelow(PAGE, MANY_HOSTS)) await follow({ host, folder: FOLDER, instead }, block);
  for (const each of [host, web1, web2]) {
    await hasShells(each, { alice: HELLO, bob: BASH });
    const left = await each.run(["ls", "/var/lib/srvaudit/unconfirmed", "/root/answers"]);
    assert.equal(left.text, "", "it was confirmed, and no secret lies about");
  }
}

/** A Debian with alice, bob and carol, and the release in a folder of root's. */
async function newHost(release: Release): Promise<DebianRoot> {
  const host = await debianRoot();
  for (const name of ["alice", "bob", "carol"]) {
    await host.succeed(["useradd", "--create-home", "--shell", BASH, name]);
  }
  await Deno.mkdir(`${host.root}${FOLDER}`);
  await succeed([
    "cp",
    `${release.folder}/install.sh`,
    `${release.folder}/${release.tarball}`,
    `${host.root}${FOLDER}`,
  ]);
  // What the package only recommends is not there, and dpkg may start services.
  await Deno.writeTextFile(`${host.root}/etc/apt/apt.conf.d/99test`, 'APT::Install-Recommends "false";\n');
  await Deno.writeTextFile(`${host.root}/usr/sbin/policy-rc.d`, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  return host;
}

async function bringPackage(host: DebianRoot): Promise<void> {
  await succeed(["cp", await madePackage("deb"), `${host.root}${FOLDER}`]);
}

/** Starts sshd, which lets root in and alice, by root's own key. */
async function serve(host: DebianRoot, port: number): Promise<void> {
  await host.succeed(["apt-get", "install", "-y", "--no-download", "openssh-server"], {
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
  const settings = `ListenAddress 127.0.0.1\nPort ${port}\n`;
  await Deno.writeTextFile(`${host.root}/etc/ssh/sshd_config.d/test.conf`, settings);
  for (const [name, home] of [["root", "/root"], ["alice", "/home/alice"]] as const) {
    await host.succeed(["install", "-d", "-m", "700", "-o", name, `${home}/.ssh`]);
  }
  await host.succeed(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/.ssh/id"]);
  await host.succeed(["sh", "-c", "mkdir -p /run/sshd && exec /usr/sbin/sshd"]);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Installs what could be an older release: its executable, its hooks and its config were others. */
async function installOlder(host: DebianRoot): Promise<void> {
  await host.succeed(["sh", "-c", `cd /root && tar xzf ${FOLDER}/srvaudit-*.tar.gz && mv srvaudit-* older`]);
  const root = "/root/older/root";
  const library = `${root}/usr/lib/srvaudit`;
  const seal = async (path: string) => {
    const sum = (await host.succeed(["sha256sum", `${root}${path}`])).slice(0, 64);
    await host.succeed([
      "sed",
      "-i",
      `s|[0-9a-f]\\{64\\}\\t${path}$|${sum}\\t${path}|`,
      `${library}/manifest`,
    ]);
  };
  const edit = async (path: string, change: (text: string) => string) => {
    const text = await Deno.readTextFile(`${host.root}${root}${path}`);
    await Deno.writeTextFile(`${host.root}${root}${path}`, change(text));
    await seal(path);
  };
  // Of the same length, or the executable would not find what is in it.
  const now = await version();
  const then = now.replace(/[0-9]/g, "0");
  await host.succeed(["perl", "-pi", "-e", `s/"\\Q${now}\\E"/"${then}"/`, `${library}/srvaudit`]);
  assert.equal(await host.succeed([`${library}/srvaudit`, "--version"]), `srvaudit ${then}\n`);
  await seal("/usr/lib/srvaudit/srvaudit");
  await edit("/usr/lib/srvaudit/shell/srvaudit.bash", (text) => `${text}# An older one.\n`);
  const isNew = /\n# After how long a silence[^]*?\nidleTimeout="0"\n/;
  await edit("/usr/lib/srvaudit/defaults/config", (text) => text.replace(isNew, ""));
  await host.succeed([`${library}/srvaudit`, "install", "-y", "--users", "alice", "--no-safety"]);
  assert.doesNotMatch(await Deno.readTextFile(`${host.root}/etc/srvaudit/config`), /idleTimeout/);
}

async function hasShells(host: DebianRoot, shells: Readonly<Record<string, string>>): Promise<void> {
  const passwd = await Deno.readTextFile(`${host.root}/etc/passwd`);
  for (const [name, shell] of Object.entries(shells)) {
    assert.match(passwd, new RegExp(`^${name}:.*:${shell}$`, "m"));
  }
}
