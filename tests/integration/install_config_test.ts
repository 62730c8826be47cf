import assert from "node:assert/strict";
import { recordChange } from "../../src/install/journal.ts";
import { isClosed } from "../../src/install/kinds/etc_file.ts";
import { configChange, configText, maskFile, plannedConfig } from "../../src/install/kinds/config.ts";
import { ConfigHost, GID, MASK, SHIPPED } from "../support/config_host.ts";
import { testThatNeeds } from "../support/needs.ts";

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
if (Deno.uid() === 0) {
  using host = new ConfigHost();
  host.write("/etc/srvaudit/config", "");
  configText.apply(host.target, null);
}

const CONFIG = "/etc/srvaudit/config";
const KEPT = "/var/lib/srvaudit/config";
const REDMINE = { pms: "Redmine", redmineURL: "http://127.0.0.1:3000", redmineKey: "s3cret" };

testThatNeeds(
  ["root"],
  "a host without a config gets the shipped one, with the answers in it, for root and the group",
  async () => {
    using host = new ConfigHost();
    const { kind } = configChange(REDMINE);
    assert.equal(await host.make(kind), null);
    assert.equal(host.facts(CONFIG), `640 0 ${GID}`);
    assert.match(host.read(CONFIG) ?? "", /^redmineKey="s3cret"$/m);
    assert.equal(host.read(CONFIG), plannedConfig(host.target, {}));
    // An upgrade without answers has nothing to do.
    assert.equal(await configText.isDone(host.target, null), true);
    assert.deepEqual(await configText.preview(host.target, null), []);
  },
);

testThatNeeds(
  ["root"],
  "uninstalling removes the config that we made, keeps a copy for root, and installing begins with that",
  async () => {
    using host = new ConfigHost();
    const before = await host.make(configChange(REDMINE).kind);
    host.write(CONFIG, (host.read(CONFIG) ?? "") + "# mine\n", 0o640, 0, GID);
    await host.undo(configText, before);
    assert.deepEqual(host.files(), [KEPT]);
    assert.equal(host.facts(KEPT), "600 0 0");
    await host.make(configChange({ logTime: "yes" }).kind);
    assert.match(host.read(CONFIG) ?? "", /^redmineKey="s3cret"$[^]*^logTime="yes"$[^]*# mine\n$/m);
    assert.deepEqual(host.files(), [CONFIG]);
  },
);

testThatNeeds(
  ["root"],
  "a config that was there before comes back as it was, with its mode and owner, however often we upgraded",
  async () => {
    using host = new ConfigHost();
    const mine = "# Mine.\nlogTime='yes'\n#redmineKey=\"\"\n";
    host.write(CONFIG, mine, 0o604, 12, 34);
    const before = await host.make(configChange(REDMINE).kind);
    assert.equal(host.facts(CONFIG), `640 0 ${GID}`);
    assert.ok(
      host.read(CONFIG)?.startsWith('# Mine.\nlogTime=\'yes\'\n#redmineKey=""\nredmineKey="s3cret"\n'),
    );
    await host.make(configChange({ logTime: "no" }).kind, false);
    await host.undo(configText, before);
    assert.deepEqual([host.read(CONFIG), host.facts(CONFIG)], [mine, "604 12 34"]);
    assert.match(host.read(KEPT) ?? "", /^logTime="no"$/m);
    assert.deepEqual(host.files(), [CONFIG, KEPT]);
  },
);

testThatNeeds(["root"], "a package's config stays as it is when we go, but for its owner", async () => {
  using host = new ConfigHost();
  host.write("/usr/lib/srvaudit/package", "deb\n");
  host.write(CONFIG, SHIPPED, 0o640);
  const before = await host.make(configChange(REDMINE).kind);
  const last = host.read(CONFIG);
  await host.undo(configText, before);
  assert.deepEqual([host.read(CONFIG), host.facts(CONFIG)], [last, "640 0 0"]);
  assert.deepEqual(host.files(), [CONFIG]);
});

testThatNeeds(["root"], "nothing is written where the agent would not take the result", async () => {
  using host = new ConfigHost();
  const mine = 'pms="0"\nshowBanner="perhaps"\n';
  host.write(CONFIG, mine);
  const { kind } = configChange(REDMINE);
  const words = /would have errors, so nothing is written:\n\/etc\/srvaudit\/config: line 2: showBanner/;
  assert.throws(() => kind.apply(host.target, null), words);
  assert.throws(() => kind.preview(host.target, null), words);
  assert.throws(
    () => configChange({ pms: "Redmine", redmineURL: "x y" }).kind.preview(host.target, null),
    /redmineURL="x y" is no address/,
  );
  assert.deepEqual([host.read(CONFIG), host.files()], [mine, [CONFIG]]);
  // An upgrade, which nobody has given answers to, goes on.
  await host.make(configText);
  assert.deepEqual([host.read(CONFIG), isClosed(host.target, "config")], [mine, true]);
});

testThatNeeds(["root"], "what will be changed is shown, without secrets", async () => {
  using host = new ConfigHost();
  const [fresh] = await configChange(REDMINE).kind.preview(host.target, null);
  assert.ok(fresh && "then" in fresh && fresh.now === undefined);
  assert.match(fresh.then ?? "", /^redmineKey="\*{5}"$/m);
  host.write(CONFIG, SHIPPED.replace('redmineKey=""', 'redmineKey="0ld"'));
  const [change, facts] = await configChange(REDMINE).kind.preview(host.target, null);
  assert.ok(change && "then" in change);
  assert.match(change.now ?? "", /^redmineKey="\*{5}"$/m);
  assert.match(change.then ?? "", /^redmineKey="\*{5} \(another one\)"$/m);
  assert.doesNotMatch(JSON.stringify(change), /s3cret|0ld/);
  assert.deepEqual(facts, { does: `chown root:srvaudit ${CONFIG}; chmod 640 ${CONFIG}` });
});

testThatNeeds(["root"], "without the group nothing is written, and a config that is no text is left", () => {
  using host = new ConfigHost();
  host.write("/etc/group", "root:x:0:\n");
  assert.throws(() => configText.apply(host.target, null), /there is no group srvaudit/);
  Deno.writeFileSync(host.root + CONFIG, new Uint8Array([0xff]));
  assert.throws(() => configText.preview(host.target, null), /config is not UTF-8/);
  Deno.removeSync(`${host.root}/usr/lib/srvaudit/defaults/config`);
  Deno.removeSync(host.root + CONFIG);
  assert.throws(() => configText.preview(host.target, null), /defaults\/config is missing/);
});

testThatNeeds(
  ["root"],
  "the mask is placed, follows later versions until somebody changes it, and then stays",
  async () => {
    using host = new ConfigHost();
    const before = await host.make(maskFile);
    assert.deepEqual([host.read("/etc/srvaudit/mask"), host.facts("/etc/srvaudit/mask")], [
      MASK,
      `640 0 ${GID}`,
    ]);
    host.write("/usr/lib/srvaudit/defaults/mask", `${MASK}newer x\n`);
    await host.make(maskFile, false);
    assert.equal(host.read("/etc/srvaudit/mask"), `${MASK}newer x\n`);
    host.write("/etc/srvaudit/mask", "mine x\n", 0o640, 0, GID);
    host.write("/usr/lib/srvaudit/defaults/mask", `${MASK}newest x\n`);
    assert.equal(await maskFile.isDone(host.target, null), true);
    await host.undo(maskFile, before);
    assert.deepEqual(host.files(), ["/var/lib/srvaudit/mask"]);
    await host.make(maskFile);
    assert.equal(host.read("/etc/srvaudit/mask"), "mine x\n");
  },
);

testThatNeeds(["root"], "a mask that nobody changed leaves nothing behind", async () => {
  using host = new ConfigHost();
  await host.undo(maskFile, await host.make(maskFile));
  assert.deepEqual(host.files(), []);
});

testThatNeeds(
  ["root"],
  "a group of that name that was there before, with somebody in it, reads no secret",
  async () => {
    for (const file of ["/etc/group", "/etc/passwd"]) {
      using host = new ConfigHost();
      host.write(
        "/etc/passwd",
        `srvaudit:x:1000:${file === "/etc/passwd" ? GID : 100}::/home/srvaudit:/bin/sh\n`,
      );
      host.write("/etc/group", `srvaudit:x:${GID}:${file === "/etc/group" ? "srvaudit" : ""}\n`);
      await host.make(configChange(REDMINE).kind);
      assert.equal(host.facts(CONFIG), "640 0 0", file);
      assert.equal(isClosed(host.target, "config"), true);
      // Of ours an admin decides.
      const before = { isThere: false, isWhole: true, isShadowWhole: true };
      recordChange(host.target, {
        run: 1,
        kind: "group",
        about: "srvaudit",
        args: { name: "srvaudit" },
        before,
      });
      await host.make(configChange(REDMINE).kind, false);
      assert.equal(host.facts(CONFIG), `640 0 ${GID}`, file);
    }
  },
);
