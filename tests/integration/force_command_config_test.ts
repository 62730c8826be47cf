/** Having sshd start hello: what stands in its configuration, before, meanwhile and afterwards, by a real sshd. */

import assert from "node:assert/strict";
import { ForcedHost } from "../support/forced_host.ts";
import { testThatNeeds } from "../support/needs.ts";

const NEEDS = ["root", "sshd", "nsenter"] as const;
const SNIPPET = "/etc/ssh/sshd_config.d/srvaudit.conf";
const CONFIG = "/etc/ssh/sshd_config";

testThatNeeds(
  NEEDS,
  "where sshd_config includes the folder, it is a file of its own, and undo leaves nothing",
  async () => {
    await using host = await ForcedHost.start();
    const [ours, theirs] = [await host.host.addUser("/bin/bash"), await host.host.addUser("/bin/bash")];
    await host.listen();
    const listing = await host.listing();
    const match = `User ${ours.name}`;
    assert.equal(await host.isDone(match), false);
    const before = await host.before(match);
    const [preview] = await host.preview(match);
    await host.apply(match);
    assert.equal(await host.isDone(match), true);
    assert.deepEqual(preview, { path: SNIPPET, then: await host.read(SNIPPET) });
    assert.equal(await host.root(["stat", "-c", "%a %u %g", SNIPPET]), "644 0 0\n");
    // sshd goes by it, without a restart.
    assert.equal((await host.ssh(ours, ["echo forced"])).text, "forced\n");
    assert.equal((await host.ssh(theirs, ["echo free"])).text, "free\n");
    assert.deepEqual((await host.host.sessions(ours)).map(({ command }) => command), ["echo forced"]);
    assert.deepEqual(await host.host.sessions(theirs), []);
    // Others are chosen: the same file, the same undo.
    await host.apply(`User ${theirs.name}`);
    assert.equal((await host.ssh(theirs, ["echo forced"])).text, "forced\n");
    assert.equal((await host.host.sessions(theirs)).length, 1);
    assert.deepEqual(await host.undo(match, before), []);
    assert.equal(await host.listing(), listing);
    assert.equal((await host.ssh(theirs, ["echo free"])).text, "free\n");
    assert.equal((await host.host.sessions(theirs)).length, 1);
    // Killed amid it: once more does no harm.
    assert.deepEqual(await host.undo(match, before), []);
    assert.equal(await host.listing(), listing);
  },
);

const LATE = "Port 22\nMatch User bob\n  Include /etc/ssh/sshd_config.d/*.conf\n  X11Forwarding no";
for (
  const [name, text] of Object.entries({
    "no Include": "Port 22\n",
    "an empty one": "",
    "an Include below a Match, and no end of the last line": LATE,
    "bytes that are not UTF-8": new Uint8Array([0x23, 0xfc, 0x0a, 0x23, 0xfc]),
  })
) {
  testThatNeeds(
    NEEDS,
    `an sshd_config with ${name} gets a block at its end, and loses it again`,
    async () => {
      await using host = await ForcedHost.start();
      await host.configure(text);
      const listing = await host.listing();
      const was = await host.read(CONFIG);
      const before = await host.before("User *");
      await host.apply("User *");
      assert.equal(await host.isDone("User *"), true);
      assert.equal(await host.exists(SNIPPET), false);
      assert.ok((await host.read(CONFIG)).startsWith(was));
      const forced = async (user: string) =>
        /^forcecommand .*$/m.exec(
          await host.root(["/usr/sbin/sshd", "-T", "-C", `user=${user},host=h,addr=10.1.1.1`]),
        )?.[0];
      assert.equal(await forced("alice"), "forcecommand exec /usr/bin/hello-srvaudit --forced");
      assert.equal(await forced("root"), "forcecommand none");
      await host.apply("User *,!alice");
      assert.equal(await forced("alice"), "forcecommand none");
      assert.deepEqual(await host.undo("User *", before), []);
      assert.equal(await host.listing(), listing);
    },
  );
}

testThatNeeds(NEEDS, "what an admin has written since stays, and is for everybody", async () => {
  await using host = await ForcedHost.start();
  await host.configure("Port 22");
  const before = await host.before("User *");
  await host.apply("User *");
  await host.write(CONFIG, await host.read(CONFIG) + "PermitTTY no\n");
  assert.match(await host.root(["/usr/sbin/sshd", "-T"]), /^permittty no$/m);
  assert.equal(await host.isDone("User *"), true);
  await host.apply("User *,!alice");
  assert.match(await host.root(["/usr/sbin/sshd", "-T"]), /^permittty no$/m);
  assert.deepEqual(await host.undo("User *", before), []);
  assert.equal(await host.read(CONFIG), "PidFile /run/satest-sshd.pid\nPort 22\nPermitTTY no\n");
});

testThatNeeds(
  NEEDS,
  "a snippet in a folder that is root's alone is root's alone, and one that was there stays",
  async () => {
    await using host = await ForcedHost.start();
    await host.root(["chmod", "700", "/etc/ssh/sshd_config.d"]);
    const before = await host.before("User *");
    await host.apply("User *");
    assert.equal(await host.root(["stat", "-c", "%a", SNIPPET]), "600\n");
    await host.write(SNIPPET, await host.read(SNIPPET) + "# mine\n");
    assert.deepEqual(await host.undo("User *", before), [{
      what: SNIPPET,
      why: "somebody has added lines of their own",
    }]);
    assert.equal(await host.read(SNIPPET), "# mine\n");
  },
);

testThatNeeds(
  NEEDS,
  "nothing is written where sshd is against it, or would go by something else",
  async () => {
    await using host = await ForcedHost.start();
    const user = await host.host.addUser("/bin/bash");
    const match = `User ${user.name}`;
    const include = "Include /etc/ssh/sshd_config.d/*.conf\n";
    const refused = async (text: string, message: RegExp) => {
      await host.configure(text);
      const listing = await host.listing();
      await assert.rejects(host.apply(match), message);
      assert.equal(await host.listing(), listing);
    };
    await refused(`${include}NoSuchThing yes\n`, /a fault already.*NoSuchThing/s);
    for (const text of [include, ""]) {
      const first = `Match User sat*\n  ForceCommand internal-sftp\nMatch all\n`;
      await refused(first + text, /ForceCommand internal-sftp comes first/);
    }
    await host.configure(include);
    await assert.rejects(host.apply("User al*ce"), /patterns/);
    assert.equal(await host.exists(SNIPPET), false);
  },
);

testThatNeeds(NEEDS, "a kill before sshd was told: the next run tells it", async () => {
  await using host = await ForcedHost.start();
  const user = await host.host.addUser("/bin/bash");
  const match = `User ${user.name}`;
  await host.listen();
  const [preview] = await host.preview(match);
  assert.ok(preview && "then" in preview && preview.then !== undefined);
  await host.write(SNIPPET, preview.then);
  assert.equal(await host.isDone(match), false);
  await host.apply(match);
  assert.equal(await host.isDone(match), true);
  await host.ssh(user, ["true"]);
  assert.equal((await host.host.sessions(user)).length, 1);
});

testThatNeeds(
  NEEDS,
  "sshd is asked where it has no host keys yet, and not the folder that its service makes",
  async () => {
    await using host = await ForcedHost.start();
    await host.root(["sh", "-c", "rm -rf /etc/ssh/ssh_host_* /run/sshd"]);
    await host.apply("User *");
    assert.equal(await host.isDone("User *"), true);
    assert.equal(
      await host.root([
        "sh",
        "-c",
        "ls -d /etc/ssh/ssh_host_* /run/sshd /run/srvaudit-private* 2>/dev/null || true",
      ]),
      "",
    );
  },
);

testThatNeeds(NEEDS, "who would lose or gain more than hello is left out, or refused by name", async () => {
  await using host = await ForcedHost.start();
  const names: string[] = [];
  const add = async (shell: string) => {
    const user = await host.host.addUser(shell);
    names.push(user.name);
    return user;
  };
  const plain = await add("/bin/bash");
  const gitShell = await add("/usr/bin/git-shell");
  const withKey = await add("/bin/zsh");
  await host.host.write(
    withKey,
    ".ssh/authorized_keys",
    '# mine\nno-pty,command="borg serve" ssh-ed25519 AAAA backup\n',
  );
  const kept = await add("/bin/bash");
  const linked = await add("/bin/bash");
  // Root reads nothing there that its owner could not.
  await host.host.as(linked, [
    "sh",
    "-c",
    "mkdir ~/.ssh && mkfifo ~/.ssh/authorized_keys && ln -s /etc/shadow ~/.ssh/authorized_keys2",
  ]);
  // A link of her own is sshd's way, too; what is closed to her is so to sshd; and what cannot be told is told of her alone.
  const byLink = await add("/bin/bash");
  await host.host.write(byLink, "dotfiles/keys", 'command="true" ssh-ed25519 AAAA\n');
  await host.host.as(byLink, ["sh", "-c", "mkdir ~/.ssh && ln -s ../dotfiles/keys ~/.ssh/authorized_keys"]);
  const closed = await add("/bin/bash");
  await host.host.as(closed, ["mkdir", "-m", "0", ".ssh"]);
  const large = await add("/bin/bash");
  await host.host.as(large, ["sh", "-c", "mkdir ~/.ssh && truncate -s 3G ~/.ssh/authorized_keys"]);
  await host.root(["groupadd", "satestops"]);
  for (const user of [plain, withKey]) await host.root(["usermod", "-aG", "satestops", user.name]);
  await host.configure(
    `Include sshd_config.d/*.conf\nMatch User ${kept.name}\n  ForceCommand internal-sftp\n`,
  );
  const whyNot = {
    [gitShell.name]: /git-shell/,
    [withKey.name]: /command=/,
    [kept.name]: /internal-sftp/,
    [byLink.name]: /command=/,
    [large.name]: /too large/,
  };
  for (const [name, why] of Object.entries(whyNot)) {
    await assert.rejects(host.choose({ who: "users", names: [plain.name, name] }), why);
  }
  await assert.rejects(host.choose({ who: "users", names: ["nobody-of-that-name"] }), /no user/);
  const able = [plain.name, linked.name, closed.name, "root"];
  const { accounts = [], ...chosen } = await host.choose({ who: "users", names: able }) ?? {};
  assert.deepEqual(chosen, { match: `User ${able.join()}`, left: [] });
  assert.deepEqual(accounts.map(({ name }) => name), able);
  const all = await host.choose({ who: "all" });
  assert.deepEqual(
    all?.left.map(({ name }) => name).filter((name) => names.includes(name)),
    Object.keys(whyNot),
  );
  assert.match(all?.match ?? "", new RegExp(`^User \\*,!root,.*!${withKey.name}`));
  const group = await host.choose({ who: "group", group: "satestops" });
  assert.deepEqual(group?.match, `Group satestops User *,!root,!${withKey.name}`);
  await host.apply(group?.match ?? "");
  await assert.rejects(host.choose({ who: "group", group: "no-such-group" }), /no group/);
});

testThatNeeds(
  NEEDS,
  "users of a directory, who are in no passwd, can be named, and are tried out",
  async () => {
    await using host = await ForcedHost.start();
    await host.write("/etc/nsswitch.conf", "passwd: files systemd\ngroup: files\n");
    await host.root(["mkdir", "-p", "/etc/userdb"]);
    const record = { userName: "dave", uid: 61_111, gid: 100, homeDirectory: "/", shell: "/bin/bash" };
    await host.write("/etc/userdb/dave.user", JSON.stringify({ ...record, disposition: "regular" }));
    await host.root(["getent", "passwd", "dave"]).catch(() => assert.fail("libnss-systemd is missing"));
    const local = await host.host.addUser("/bin/bash");
    await host.root(["sh", "-c", `echo 'satestops:x:64999:dave,${local.name}' >> /etc/group`]);
    assert.deepEqual(await host.tried({ who: "users", names: ["dave", local.name] }), ["dave", local.name]);
    assert.deepEqual(await host.tried({ who: "group", group: "satestops" }), ["dave", local.name]);
    const all = await host.tried({ who: "all" });
    assert.ok(all.includes(local.name) && !all.includes("dave"), all.join());
  },
);
