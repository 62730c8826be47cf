/** install.sh, in copies of this machine: what it refuses, what it leaves, and a real installation by each shell. */

import assert from "node:assert/strict";
import { play } from "../support/expect.ts";
import { findProgram, testThatNeeds } from "../support/needs.ts";
import { Release } from "../support/release.ts";
import { succeed } from "../support/run.ts";
import { serveRelease } from "../support/release_server.ts";

const SHELLS = ["dash", "busybox sh", "bash"].filter((shell) => findProgram(shell.split(" ")[0] ?? ""));
const NEEDS = ["root", "checkmodule", "semodule_package"];

/** Says what is left of a private folder, and whether anything was installed. */
const TRACES =
  'ls -d /tmp/srvaudit-install.* /var/tmp/srvaudit-install.* /usr/lib/srvaudit* /usr/bin/srvaudit 2> /dev/null || echo "no trace"';

testThatNeeds(NEEDS, "install.sh installs what it has verified, and nothing else", async (test) => {
  await using release = await Release.make();
  await test.step("the same sources give the same release", () => isReproducible(release));
  for (const shell of SHELLS) {
    await test.step(`${shell}: installs from the tarball beside it, and srvaudit uninstall takes it away`, () =>
      installs(release, shell));
    await test.step(`${shell}: refuses what is not what it should be`, () => refusesForged(release, shell));
    await test.step(`${shell}: refuses hosts that it is not for`, () => refusesHosts(release, shell));
    await test.step(`${shell}: reads itself from a pipe, and asks on the terminal`, () =>
      isPiped(release, shell));
  }
  await test.step("busybox alone has all that it needs", () => needsBusyboxAlone(release));
  await test.step("a user gets hello, logs in, and has the old shell again", () => givesHello(release));
  await test.step("what was unpacked is installed from a copy that is checked", () =>
    installsUnpacked(release));
  await test.step("where /tmp is noexec it works elsewhere, and says so", () => avoidsNoexec(release));
  await test.step("where /usr is full it says how much is missing", () => refusesFull(release));
  await test.step("it downloads by https, and by nothing else without a sum", () => downloads(release));
  await test.step("ended amid a download or a question it leaves nothing", () => leavesNothing(release));
});

async function isReproducible(release: Release): Promise<void> {
  await using again = await Release.make();
  for (const name of [release.tarball, "install.sh", "SHA256SUMS"]) {
    await succeed(["cmp", `${release.folder}/${name}`, `${again.folder}/${name}`]);
  }
  const list = await succeed(["tar", "-tvzf", `${release.folder}/${release.tarball}`, "--numeric-owner"]);
  assert.ok(list.split("\n").filter(Boolean).every((line) => / 0\/0 /.test(line)), list);
  assert.match(list, /\/root\/usr\/share\/selinux\/packages\/srvaudit\.pp$/m);
}

async function installs(release: Release, shell: string): Promise<void> {
  const { code, text, errors } = await release.inMachine(`
    set -e
    ${shell} $release/install.sh --hooks-only
    srvaudit --version > /dev/null
    grep hello-srvaudit /etc/shells
    ls -d /tmp/srvaudit-install.* 2> /dev/null || echo "nothing left"
    srvaudit uninstall -y --purge
    ${TRACES}
  `);
  assert.equal(code, 0, errors);
  assert.equal(text, "/usr/bin/hello-srvaudit\nnothing left\nno trace\n", errors);
}

async function refusesForged(release: Release, shell: string): Promise<void> {
  const sum = await release.sum();
  const wrong = "0".repeat(64);
  const refused = async (script: string, why: RegExp, expected = 1) => {
    const { text, errors } = await release.inMachine(
      `mkdir /opt/x && cp "$tarball" $release/install.sh /opt/x && cd /opt/x && t=$(basename "$tarball") sh="${shell}"
       ${script}
       echo "code $?"
       ${TRACES}`,
    );
    assert.equal(text, `code ${expected}\nno trace\n`, `${script}: ${errors}`);
    assert.match(errors, why);
    assert.doesNotMatch(errors, /placed \d+ files/);
  };
  const source = new URL("../../install.sh", import.meta.url).pathname;
  await refused(
    'printf x >> "$t"; $sh install.sh --hooks-only',
    /not what it should be[^]*should be +[0-9a-f]{64}/,
  );
  await refused('truncate -s 1000000 "$t"; $sh install.sh --hooks-only', /was changed, or is not whole/);
  await refused("$sh install.sh --hooks-only --sha256 " + wrong, /not what it should be/);
  await refused("$sh install.sh --hooks-only --sha256=12ab", /a SHA-256 has 64/, 2);
  await refused("$sh install.sh --hooks-only --from", /--from wants a value/, 2);
  await refused("$sh install.sh --hooks-only --from nowhere.tar.gz", /no such file/);
  // The one in a source tree knows no sum.
  await refused(`$sh ${source} --hooks-only`, /no release beside this file/, 2);
  await refused(`$sh ${source} --hooks-only --from "$t"`, /its SHA-256 is not known/);
  await refused(
    `echo "${wrong}  $t" > SHA256SUMS; $sh ${source} --hooks-only --from "$t"`,
    /not what it should be/,
  );
  await refused(
    `echo "${sum}  another.tar.gz" > SHA256SUMS; $sh ${source} --hooks-only --from "$t"`,
    /is not known/,
  );
  // A tarball of somebody else's, whose sum is right.
  await refused(
    "mkdir srvaudit-9 && tar -czf other.tar.gz srvaudit-9; " +
      `$sh ${source} --hooks-only --from other.tar.gz --sha256 $(sha256sum < other.tar.gz | cut -c 1-64)`,
    /holds no root\/usr\/lib\/srvaudit\/srvaudit/,
  );
}

async function refusesHosts(release: Release, shell: string): Promise<void> {
  const refused = async (script: string, why: RegExp) => {
    const { text, errors } = await release.inMachine(
      `sh="${shell}"\n${
        script.replaceAll("INSTALL", "$sh $release/install.sh --hooks-only")
      }\necho "code $?"\n${TRACES}`,
    );
    assert.equal(text, "code 1\nno trace\n", errors);
    assert.match(errors, why);
  };
  const says = (libc: string) =>
    `rm /usr/bin/getconf; printf '#!/bin/sh\\n${libc}\\n' > /usr/bin/getconf; chmod 755 /usr/bin/getconf`;
  await refused(
    "setpriv --reuid 65534 --regid 65534 --clear-groups INSTALL",
    /only root can install srvAudit: sudo/,
  );
  await refused("setarch i686 INSTALL", /this release is for x86_64; this host is i\d86/);
  await refused(
    `${says("echo glibc 2.17")}; INSTALL`,
    /needs glibc 2.27; this host has 2.17.*CentOS\/RHEL 8/,
  );
  await refused(`${says("exit 1")}; touch /lib/ld-musl-x86_64.so.1; INSTALL`, /this host has musl/);
  // busybox has it inside.
  if (shell.startsWith("busybox")) return;
  await refused(
    "rm -f /usr/bin/sha256sum /usr/bin/shasum /usr/bin/openssl; INSTALL",
    /no sha256sum, shasum or openssl/,
  );
}

/** curl ... | sh: what is in the current folder is nobody's business then. */
async function isPiped(release: Release, shell: string): Promise<void> {
  const piped = `cd $release && cat install.sh | setsid ${shell}`;
  const alone = await release.inMachine(
    `${piped} -s -- --from "$tarball" --nobody; echo "code $?"; ${TRACES}`,
  );
  assert.equal(alone.text, "code 2\nno trace\n", alone.errors);
  assert.match(alone.errors, /no terminal to ask on: .*-y --answers FILE/);
  const nowhere = await release.inMachine(`${piped} -s -- --hooks-only; echo "code $?"; ${TRACES}`);
  assert.equal(nowhere.text, "code 2\nno trace\n", nowhere.errors);
  const unasked = await release.inMachine(
    `${piped} -s -- --from "$tarball" --hooks-only && ls /usr/bin/srvaudit`,
  );
  assert.equal(unasked.text, "/usr/bin/srvaudit\n", unasked.errors);
  // With a terminal it asks there.
  const asked = await play(
    release.words(
      `trap : INT; cat $release/install.sh | ${shell} -s -- --from "$tarball" --nobody; echo "code $?"; ${TRACES}`,
    ),
    String.raw`want {Where are the tickets\?[^$]*: $}
      send "\003"
      want {no trace}
      ended`,
  );
  assert.match(asked.text, /code (1|130)\b/);
}

/** Every program but the kernel's is busybox's. */
async function needsBusyboxAlone(release: Release): Promise<void> {
  const { code, errors } = await release.inMachine(`
    cd /usr/bin && for name in basename cat chmod cp cut df dirname du echo getconf gzip id ls mkdir mktemp mv rm sha256sum tail tar tr uname; do
      rm -f $name
      busybox --list | grep -qx $name && ln -s busybox $name
    done
    rm -f /usr/bin/curl /usr/bin/shasum /usr/bin/openssl
    busybox sh $release/install.sh --hooks-only && test -x /usr/lib/srvaudit/hello
  `);
  assert.equal(code, 0, errors);
}

async function givesHello(release: Release): Promise<void> {
  const { text, errors } = await release.inMachine(`
    useradd --create-home --shell /bin/bash sataker
    $release/install.sh -y --users sataker --no-safety; echo "code $?"
    getent passwd sataker | cut -d : -f 7
    su - sataker -c 'echo logged in; exit 7'; echo "code $?"
    srvaudit sessions --user sataker > /dev/null; echo "code $?"
    $release/install.sh -y --users sataker --no-safety; echo "code $?"
    $release/install.sh --no-such-flag; echo "code $?"
    srvaudit uninstall -y --purge; echo "code $?"
    getent passwd sataker | cut -d : -f 7
    ${TRACES}
  `);
  const expected = [
    "code 0",
    "/usr/bin/hello-srvaudit",
    "logged in",
    "code 7",
    "code 0",
    "code 0",
    "code 2",
    "code 0",
    "/bin/bash",
    "no trace",
  ];
  assert.deepEqual(text.trimEnd().split("\n"), expected, errors);
}

async function installsUnpacked(release: Release): Promise<void> {
  const unpack = 'cd /opt && tar -xzf "$tarball" && cd srvaudit-*';
  const good = await release.inMachine(
    `${unpack} && ./install.sh --hooks-only && test -x /usr/bin/hello-srvaudit && ls -d /tmp/srvaudit-install.*`,
  );
  assert.match(good.errors, /placed \d+ files[^]*cannot access '\/tmp\/srvaudit-install/);
  for (
    const [spoil, why] of [
      ["echo true >> root/usr/lib/srvaudit/shell/srvaudit.bash", /srvaudit\.bash is not what it should be/],
      ["sha256sum root/usr/lib/srvaudit/queries > SHA256SUMS", /SHA256SUMS is not the one of this release/],
      ["rm root/usr/lib/srvaudit/queries", /queries cannot be copied/],
    ] as const
  ) {
    const { text, errors } = await release.inMachine(
      `${unpack} && ${spoil}; ./install.sh --hooks-only; echo "code $?"; ${TRACES}`,
    );
    assert.equal(text, "code 1\nno trace\n", errors);
    assert.match(errors, why);
  }
}

async function avoidsNoexec(release: Release): Promise<void> {
  const noexec = (folder: string) => `mount -t tmpfs -o noexec tmpfs ${folder}`;
  const elsewhere = await release.inMachine(
    `cp -r $release /opt/release; ${
      noexec("/tmp")
    }; /opt/release/install.sh --hooks-only && ls -A /tmp /var/tmp | grep srvaudit`,
  );
  assert.match(elsewhere.errors, /programs may not run in \/tmp \(noexec\)[^]*placed \d+ files/);
  assert.equal(elsewhere.text, "");
}

async function refusesFull(release: Release): Promise<void> {
  const { text, errors } = await release.inMachine(`
    mkdir /small && mount -t tmpfs -o size=20m tmpfs /small && mkdir /small/upper /small/work
    mount -t overlay overlay -o lowerdir=/usr,upperdir=/small/upper,workdir=/small/work /usr
    $release/install.sh --hooks-only
    echo "code $?"
    ${TRACES}
    mount -t tmpfs -o size=20m tmpfs /var/tmp
    cp -r $release /opt/release; mount -t tmpfs -o size=20m tmpfs /tmp
    /opt/release/install.sh --hooks-only
    echo "code $?"
    ${TRACES}
  `);
  assert.equal(text, "code 1\nno trace\ncode 1\nno trace\n", errors);
  assert.match(errors, /\/usr has \d+ MB of room; srvAudit needs \d+ MB[^]*is there room\?/);
}

async function downloads(release: Release): Promise<void> {
  await using server = await serveRelease(release.folder);
  const source = new URL("../../install.sh", import.meta.url).pathname;
  const sum = await release.sum();
  const { https, http } = server;
  const trust = { env: { CURL_CA_BUNDLE: server.authority } };
  const name = release.tarball;
  const taken = async (script: string) => {
    const { text, errors } = await release.inMachine(`${script} --hooks-only && ls /usr/bin/srvaudit`, trust);
    assert.equal(text, "/usr/bin/srvaudit\n", `${script}: ${errors}`);
  };
  const refused = async (script: string, why: RegExp) => {
    const { text, errors } = await release.inMachine(`${script} --hooks-only > /dev/null; ${TRACES}`, trust);
    assert.equal(text, "no trace\n", `${script}: ${errors}`);
    assert.match(errors, why);
  };
  await taken(`$release/install.sh --from ${https}/${name}`);
  await taken(`${source} --from ${https}/${name}`);
  await taken(`${source} --from ${http}/${name} --sha256 ${sum.toUpperCase()}`);
  await taken(`rm /usr/bin/curl; $release/install.sh --from ${http}/${name} --sha256 ${sum}`);
  await refused(
    `$release/install.sh --from ${http}/${name}`,
    /what comes by http must have its sum given by hand/,
  );
  await refused(`$release/install.sh --from ftp://127.0.0.1/${name}`, /only https and http/);
  await refused(`${source} --from ${https}/spoilt/${name}`, /not what it should be/);
  await refused(`$release/install.sh --from ${https}/missing/${name}`, /could not be downloaded/);
  await refused(`$release/install.sh --from ${https}/insecure/${name}`, /could not be downloaded/);
  await refused(
    `unset CURL_CA_BUNDLE; $release/install.sh --from ${https}/${name}`,
    /could not be downloaded/,
  );
  await refused(
    `rm /usr/bin/curl; ${source} --from ${https}/${name}`,
    /without curl the sum must be known before/,
  );
}

async function leavesNothing(release: Release): Promise<void> {
  await using server = await serveRelease(release.folder);
  const download = `$release/install.sh --hooks-only --from ${server.https}/endless/x.tar.gz`;
  const underWay =
    "tries=0; until ls /tmp/srvaudit-install.*/release.tar.gz || [ $((tries += 1)) -gt 400 ]; do sleep 0.05; done > /dev/null 2>&1";
  const env = { CURL_CA_BUNDLE: server.authority };
  for (const signal of ["TERM", "HUP"]) {
    const { text, errors } = await release.inMachine(
      `setsid ${download} & ${underWay}; kill -s ${signal} -- -$!; wait $!; ${TRACES}`,
      { env },
    );
    assert.equal(text, "no trace\n", `${signal}: ${errors}`);
  }
  const interrupted = await play(
    release.words(`trap : INT; { ${underWay}; echo under way; } & ${download}; echo "code $?"; ${TRACES}`),
    String.raw`want {under way}
      send "\003"
      want {no trace}
      ended`,
    env,
  );
  assert.match(interrupted.text, /code 130\b/);
  const asked = await play(
    release.words(`trap : INT; $release/install.sh --nobody; echo "code $?"; ${TRACES}`),
    String.raw`want {Where are the tickets\?[^$]*: $}
      send "\003"
      want {no trace}
      ended`,
  );
  assert.match(asked.text, /code (1|130)\b/);
}
