import assert from "node:assert/strict";
import { type EtcBefore, isClosed } from "../../src/install/kinds/etc_file.ts";
import { configChange, configText, maskFile, plannedConfig } from "../../src/install/kinds/config.ts";
import type { ChangeKind } from "../../src/install/change.ts";
import type { Target } from "../../src/install/target.ts";
import { testThatNeeds } from "../support/needs.ts";

const SHIPPED = Deno.readTextFileSync(new URL("../../packaging/config", import.meta.url));
const MASK = Deno.readTextFileSync(new URL("../../packaging/mask", import.meta.url));
const GID = 4711;

/** A host's files, as far as the config is concerned. */
class ConfigHost implements Disposable {
  readonly root = Deno.makeTempDirSync();
  readonly target: Target = {
    root: this.root,
    family: "debian",
    init: "none",
    hasSelinux: false,
    library: "/usr/lib/srvaudit",
    hello: "/usr/bin/hello-srvaudit",
  };

  constructor() {
    for (const folder of ["etc/srvaudit", "usr/lib/srvaudit/defaults", "var/lib/srvaudit"]) {
      Deno.mkdirSync(`${this.root}/${folder}`, { recursive: true });
    }
    this.write("/etc/group", `root:x:0:\nsrvaudit:x:${GID}:\n`);
    this.write("/usr/lib/srvaudit/defaults/config", SHIPPED);
    this.write("/usr/lib/srvaudit/defaults/mask", MASK);
  }

  write(path: string, text: string, mode = 0o644, uid = 0, gid = 0): void {
    Deno.writeTextFileSync(this.root + path, text);
    Deno.chownSync(this.root + path, uid, gid);
    Deno.chmodSync(this.root + path, mode);
  }

  read(path: string): string | undefined {
    try {
      return Deno.readTextFileSync(this.root + path);
    } catch {
      return undefined;
    }
  }

  /** Mode, owner and group. */
  facts(path: string): string {
    const { mode, uid, gid } = Deno.statSync(this.root + path);
    return `${((mode ?? 0) & 0o7777).toString(8)} ${uid} ${gid}`;
  }

  files(): string[] {
    return ["/etc/srvaudit", "/var/lib/srvaudit"].flatMap((folder) =>
      [...Deno.readDirSync(this.root + folder)].map(({ name }) => `${folder}/${name}`)
    ).toSorted();
  }

  /** As the engine does. */
  async make(kind: ChangeKind<null, EtcBefore>, isFirst = true): Promise<EtcBefore> {
    const before = isFirst ? await kind.before(this.target, null) : null;
    assert.equal(await kind.isDone(this.target, null), false);
    await kind.apply(this.target, null);
    assert.equal(await kind.isDone(this.target, null), true);
    return before;
  }

  async undo(kind: ChangeKind<null, EtcBefore>, before: EtcBefore): Promise<void> {
    assert.deepEqual(await kind.undo(this.target, null, before), []);
    const files = this.files().map((file) => file + this.read(file));
    // Killed before that was on record, it is done again.
    assert.deepEqual(await kind.undo(this.target, null, before), []);
    assert.deepEqual(this.files().map((file) => file + this.read(file)), files);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root, { recursive: true });
  }
}

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
