import assert from "node:assert/strict";
import { SpoolWatcher } from "../../src/agent/spool_watcher.ts";
import { namesIn, type SpoolFolder } from "../../src/agent/spool_folder.ts";
import { asUser } from "../../src/posix/as_user.ts";
import { Inotify } from "../../src/posix/inotify.ts";
import { Poller } from "../../src/posix/poller.ts";

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
asUser({ uid: 1, gid: 1 }, () => 0);
namesIn({ path: "/nonexistent/spool", owner: { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 } });
new Inotify()[Symbol.dispose]();
new Poller()[Symbol.dispose]();

const SHELL = "4711-1.shell";

/** A watcher of two folders, and what it tells. */
class Watched implements Disposable {
  readonly root = Deno.makeTempDirSync({ prefix: "watcher_" });
  readonly host: SpoolFolder = { path: `${this.root}/host`, owner: undefined };
  readonly own: SpoolFolder = {
    path: `${this.root}/own`,
    owner: { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 },
  };
  readonly poller = new Poller();
  readonly watcher: SpoolWatcher;
  /** What was told in each call: `folder`, or `folder/name`. */
  readonly calls: string[][] = [];

  constructor(rescanMs = 3_600_000, againMs = 3_600_000) {
    Deno.mkdirSync(this.host.path);
    Deno.mkdirSync(this.own.path);
    this.watcher = new SpoolWatcher(this.poller, this.host, (dirty) => {
      this.calls.push(
        dirty.map(({ folder, name }) =>
          [folder === this.host ? "host" : "own", ...(name === undefined ? [] : [name])].join("/")
        ),
      );
    }, { gatherMs: 5, rescanMs, againMs });
  }

  /** Waits for the next call, however long it takes. */
  async next(): Promise<string[]> {
    while (this.calls.length === 0) await this.poller.turn(20);
    return this.calls.shift() ?? [];
  }

  [Symbol.dispose](): void {
    this.watcher[Symbol.dispose]();
    this.poller[Symbol.dispose]();
    Deno.removeSync(this.root, { recursive: true });
  }
}

Deno.test("a watcher has each folder looked through first, and then tells of what changes, once each", async () => {
  using at = new Watched();
  assert.deepEqual(await at.next(), ["host"]);
  at.watcher.adopt(at.own);
  assert.deepEqual(await at.next(), ["own"]);
  for (let i = 0; i < 20; i++) Deno.writeTextFileSync(`${at.own.path}/${SHELL}`, "x", { append: true });
  Deno.writeTextFileSync(`${at.own.path}/notes.txt`, "no spool file");
  assert.deepEqual(await at.next(), [`own/${SHELL}`]);
  Deno.removeSync(`${at.own.path}/${SHELL}`);
  assert.deepEqual(await at.next(), [`own/${SHELL}`]);
});

Deno.test("a folder that is moved away and made anew is watched again", async () => {
  using at = new Watched();
  at.watcher.adopt(at.own);
  assert.deepEqual((await at.next()).sort(), ["host", "own"]);
  Deno.renameSync(at.own.path, `${at.root}/away`);
  Deno.mkdirSync(at.own.path);
  assert.deepEqual(await at.next(), ["own"]);
  Deno.writeTextFileSync(`${at.own.path}/${SHELL}`, "x");
  while (!(await at.next()).includes(`own/${SHELL}`));
});

Deno.test("a folder that is not there yet is found at a rescan", async () => {
  using at = new Watched(30);
  Deno.removeSync(at.own.path);
  at.watcher.adopt(at.own);
  await at.next();
  Deno.mkdirSync(at.own.path);
  Deno.writeTextFileSync(`${at.own.path}/${SHELL}`, "x");
  while (!(await at.next()).includes("own"));
});

Deno.test("a folder that is made just after it was adopted is found in a moment", async () => {
  using at = new Watched(3_600_000, 30);
  Deno.removeSync(at.own.path);
  at.watcher.adopt(at.own);
  await at.next();
  Deno.mkdirSync(at.own.path);
  while (!(await at.next()).includes("own"));
  Deno.writeTextFileSync(`${at.own.path}/${SHELL}`, "x");
  while (!(await at.next()).includes(`own/${SHELL}`));
});

Deno.test("a folder that was released is not told of", async () => {
  using at = new Watched();
  at.watcher.adopt(at.own);
  await at.next();
  at.watcher.release(at.own.path);
  Deno.writeTextFileSync(`${at.own.path}/${SHELL}`, "x");
  Deno.writeTextFileSync(`${at.host.path}/stray.1-1-1.shell`, "x");
  assert.deepEqual(await at.next(), ["host/stray.1-1-1.shell"]);
});

Deno.test("a link in a folder's place is not followed", async () => {
  using at = new Watched();
  await at.next();
  Deno.renameSync(at.own.path, `${at.root}/elsewhere`);
  Deno.symlinkSync(`${at.root}/elsewhere`, at.own.path);
  at.watcher.adopt(at.own);
  await at.next();
  Deno.writeTextFileSync(`${at.root}/elsewhere/${SHELL}`, "x");
  Deno.writeTextFileSync(`${at.host.path}/stray.1-1-1.shell`, "x");
  assert.deepEqual(await at.next(), ["host/stray.1-1-1.shell"]);
});
