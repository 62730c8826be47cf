/** A host's files, as far as its config is concerned: what installs it is tried on them. */

import assert from "node:assert/strict";
import type { ChangeKind } from "../../src/install/change.ts";
import type { EtcBefore } from "../../src/install/kinds/etc_file.ts";
import type { Target } from "../../src/install/target.ts";

/** The config that is shipped. */
export const SHIPPED: string = Deno.readTextFileSync(new URL("../../packaging/config", import.meta.url));
/** The mask that is shipped. */
export const MASK: string = Deno.readTextFileSync(new URL("../../packaging/mask", import.meta.url));
/** The number of the host's group srvaudit. */
export const GID = 4711;

/** What the installer takes the files below a folder for. */
export function targetBelow(root: string): Target {
  return {
    root,
    family: "debian",
    init: "none",
    hasSelinux: false,
    library: "/usr/lib/srvaudit",
    hello: "/usr/bin/hello-srvaudit",
  };
}

/** The folder that it lies in goes with it. */
export class ConfigHost implements Disposable {
  readonly root = Deno.makeTempDirSync();
  readonly target: Target = targetBelow(this.root);

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
    if (Deno.uid() === 0) Deno.chownSync(this.root + path, uid, gid);
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
