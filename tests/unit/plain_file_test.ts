import assert from "node:assert/strict";
import { asUser } from "../../src/posix/as_user.ts";
import { factsOf, FileRefusedError, PlainFile } from "../../src/posix/plain_file.ts";
import { testThatNeeds } from "../support/needs.ts";

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
factsOf("/");
asUser({ uid: 1, gid: 1 }, () => 0);

class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "plain_file_" });

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

Deno.test("PlainFile reads a plain file from any place, and knows what the file system says of it", () => {
  using folder = new Folder();
  const path = `${folder.path}/file`;
  Deno.writeTextFileSync(path, "hello");
  const info = Deno.statSync(path);
  using file = PlainFile.open(path);
  assert.deepEqual(file?.facts, factsOf(path));
  assert.deepEqual([file?.facts.inode, file?.facts.size, file?.facts.uid], [
    String(info.ino),
    5,
    info.uid,
  ]);
  assert.equal(Math.floor((file?.facts.changedUs ?? 0) / 1000), info.mtime?.getTime());
  const into = new Uint8Array(10);
  assert.equal(file?.read(into, 2), 3);
  assert.equal(new TextDecoder().decode(into.subarray(0, 3)), "llo");
});

Deno.test("PlainFile opens no link, no FIFO, no folder and no device, and waits for none", () => {
  using folder = new Folder();
  Deno.writeTextFileSync(`${folder.path}/file`, "x");
  Deno.symlinkSync(`${folder.path}/file`, `${folder.path}/link`);
  new Deno.Command("mkfifo", { args: [`${folder.path}/fifo`] }).outputSync();
  for (const path of ["link", "fifo", "nothing", "file/x"].map((name) => `${folder.path}/${name}`)) {
    assert.equal(PlainFile.open(path), undefined, path);
    assert.equal(factsOf(path), undefined, path);
  }
  assert.equal(PlainFile.open(folder.path), undefined);
  assert.equal(PlainFile.open("/dev/zero"), undefined);
});

testThatNeeds(["root"], "asUser() reads with the user's rights and no more, and gives root's back", () => {
  using folder = new Folder();
  const path = `${folder.path}/secret`;
  Deno.writeTextFileSync(path, "x", { mode: 0o600 });
  Deno.chmodSync(folder.path, 0o755);
  const user = { uid: 30_001, gid: 30_001 };
  assert.throws(() => asUser(user, () => PlainFile.open(path)), FileRefusedError);
  assert.throws(() => asUser(user, () => Deno.readTextFileSync(path)), Deno.errors.PermissionDenied);
  assert.equal(Deno.readTextFileSync(path), "x");
  Deno.chownSync(path, user.uid, user.gid);
  assert.equal(asUser(user, () => Deno.readTextFileSync(path)), "x");
  assert.throws(() => asUser(user, () => Deno.writeTextFileSync(`${folder.path}/mine`, "")));
  Deno.writeTextFileSync(`${folder.path}/mine`, "");
  assert.equal(Deno.statSync(`${folder.path}/mine`).uid, 0);
});
