import assert from "node:assert/strict";
import { protect } from "../../src/posix/file_flags.ts";
import { effectiveUid } from "../../src/posix/libc.ts";
import { type NewFile, removeUnfinished, replaceFile } from "../../src/posix/replace_file.ts";
import { testThatNeeds } from "../support/needs.ts";
import { run, succeed } from "../support/run.ts";

const encoder = new TextEncoder();
const NEW = { mode: 0o640, uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
const MODULE = new URL("../../src/posix/replace_file.ts", import.meta.url).href;

class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "replace_file_" });

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }

  names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }
}

function put(path: string, text: string, newFile?: NewFile, root?: string): void {
  replaceFile(path, encoder.encode(text), newFile, root);
}

function modeOf(path: string): number {
  return (Deno.lstatSync(path).mode ?? 0) & 0o7777;
}

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
{
  using folder = new Folder();
  put(`${folder.path}/file`, "1", NEW);
  put(`${folder.path}/file`, "2");
  protect(`${folder.path}/file`, "none");
  effectiveUid();
}

Deno.test("a file that is not there is made as told, and one that is keeps its mode, whatever the umask", () => {
  using folder = new Folder();
  const path = `${folder.path}/file`;
  assert.throws(() => put(path, "none"), /file is not there/);
  put(path, "one", { ...NEW, mode: 0o666 });
  assert.equal(modeOf(path), 0o666);
  Deno.chmodSync(path, 0o4775);
  put(path, "two", NEW);
  assert.equal(modeOf(path), 0o4775);
  assert.equal(Deno.readTextFileSync(path), "two");
  assert.deepEqual(folder.names(), ["file"]);
});

Deno.test("whoever has the old file open goes on reading it", () => {
  using folder = new Folder();
  const path = `${folder.path}/file`;
  put(path, "old", NEW);
  using file = Deno.openSync(path);
  put(path, "new, and longer");
  const into = new Uint8Array(20);
  assert.equal(new TextDecoder().decode(into.subarray(0, file.readSync(into) ?? 0)), "old");
});

Deno.test("of a link, what it points to is replaced; on a mounted disk, what it points to there", () => {
  using folder = new Folder();
  Deno.mkdirSync(`${folder.path}/etc/bash`, { recursive: true });
  put(`${folder.path}/etc/bash/bashrc`, "old", NEW);
  Deno.symlinkSync("/etc/bash/bashrc", `${folder.path}/etc/absolute`);
  Deno.symlinkSync("../../../../../etc/absolute", `${folder.path}/etc/relative`);
  put(`${folder.path}/etc/relative`, "new", undefined, folder.path);
  assert.equal(Deno.readTextFileSync(`${folder.path}/etc/bash/bashrc`), "new");
  assert.equal(Deno.readLinkSync(`${folder.path}/etc/absolute`), "/etc/bash/bashrc");
  Deno.symlinkSync("loop", `${folder.path}/loop`);
  assert.throws(() => put(`${folder.path}/loop`, "", NEW), /too many links/);
});

Deno.test("nothing is written where anybody may write, and no folder or device is replaced", () => {
  using folder = new Folder();
  Deno.mkdirSync(`${folder.path}/open`);
  Deno.mkdirSync(`${folder.path}/open/closed`);
  for (const mode of [0o777, 0o1777]) {
    Deno.chmodSync(`${folder.path}/open`, mode);
    assert.throws(() => put(`${folder.path}/open/file`, "", NEW), /anybody may write to .*open/);
  }
  // Below a sticky folder nobody but its owner can put another folder in this one's place.
  put(`${folder.path}/open/closed/file`, "", NEW);
  Deno.chmodSync(`${folder.path}/open`, 0o777);
  assert.throws(() => put(`${folder.path}/open/closed/file`, ""), /anybody may write to .*open/);
  assert.throws(() => put(`${folder.path}/open/closed`, ""), /anybody may write|no plain file/);
  Deno.chmodSync(`${folder.path}/open`, 0o755);
  assert.throws(() => put(`${folder.path}/open/closed`, ""), /closed is no plain file/);
  assert.throws(() => put(`${folder.path}/none/file`, "", NEW), /there is no folder .*none/);
});

Deno.test("what a killed replacement has left goes with the next one; what is not of its kind stays", async () => {
  const ended = new Deno.Command("true").spawn();
  await ended.status;
  using folder = new Folder();
  const unfinished = `${folder.path}/.file.srvaudit-${ended.pid}-0123456789abcdef`;
  const others = [
    // Of a process that is at it just now.
    `.file.srvaudit-${Deno.ppid}-0123456789abcdef`,
    ".file.srvaudit-x",
    `.files.srvaudit-${ended.pid}-0123456789abcdef`,
  ];
  for (const name of others) Deno.writeTextFileSync(`${folder.path}/${name}`, "");
  Deno.writeTextFileSync(unfinished, "");
  put(`${folder.path}/file`, "", NEW);
  assert.deepEqual(folder.names(), [...others, "file"].sort());
  Deno.writeTextFileSync(unfinished, "");
  removeUnfinished(`${folder.path}/file`);
  assert.deepEqual(folder.names(), [...others, "file"].sort());
});

testThatNeeds(
  ["root"],
  "the owner stays, and what is another user's is neither written to nor followed",
  () => {
    using folder = new Folder();
    const path = `${folder.path}/file`;
    put(path, "one", { mode: 0o640, uid: 1234, gid: 4321 });
    Deno.chmodSync(path, 0o6755);
    put(path, "two");
    const { uid, gid } = Deno.statSync(path);
    assert.deepEqual([uid, gid, modeOf(path)], [1234, 4321, 0o6755]);
    Deno.mkdirSync(`${folder.path}/hers`);
    Deno.chownSync(`${folder.path}/hers`, 1234, 1234);
    Deno.symlinkSync(`${folder.path}/hers/file`, `${folder.path}/link`);
    assert.throws(() => put(`${folder.path}/hers/file`, "", NEW), /hers is neither root's nor this user's/);
    assert.throws(() => put(`${folder.path}/link`, "", NEW), /link is not followed: .*hers is neither/);
    // Her link in a folder that is root's, as in one that everybody could write to once.
    Deno.symlinkSync(path, `${folder.path}/her_link`);
    assert.equal(
      new Deno.Command("chown", { args: ["-h", "1234", `${folder.path}/her_link`] }).outputSync().code,
      0,
    );
    assert.throws(() => put(`${folder.path}/her_link`, ""), /her_link is neither/);
    assert.equal(Deno.readTextFileSync(path), "two");
  },
);

testThatNeeds(
  ["setfacl", "getfacl", "setfattr", "getfattr"],
  "ACLs and users' own attributes stay",
  async () => {
    using folder = new Folder();
    const path = `${folder.path}/file`;
    put(path, "one", NEW);
    await succeed(["setfacl", "-m", "u:1234:rw,g:4321:r", path]);
    await succeed(["setfattr", "-n", "user.note", "-v", "keep", path]);
    // Root may set a label where no SELinux reads it.
    if (Deno.uid() === 0) {
      await succeed(["setfattr", "-n", "security.selinux", "-v", "system_u:object_r:passwd_file_t:s0", path]);
    }
    const look = async () =>
      await succeed(["getfacl", "-p", path]) +
      await succeed(["getfattr", "-d", "-m", "-", "-e", "hex", path]);
    const before = await look();
    put(path, "two");
    assert.equal(await look(), before);
    assert.ok(before.includes("user.note") && before.includes("user:1234:rw-"), before);
  },
);

testThatNeeds(
  ["root"],
  "an immutable file stays, is named with the way out, and nothing is left beside it",
  () => {
    using folder = new Folder();
    const path = `${folder.path}/file`;
    put(path, "one", NEW);
    // Not on every file system.
    if (!protect(path, "immutable")) return;
    try {
      assert.throws(() => put(path, "two"), /file cannot be replaced: .*immutable.*chattr -i/);
    } finally {
      protect(path, "none");
    }
    assert.equal(Deno.readTextFileSync(path), "one");
    assert.deepEqual(folder.names(), ["file"]);
  },
);

const DISKS: Readonly<Record<string, [options: string, reason: RegExp]>> = {
  "a full disk": ["size=16k", /file cannot be replaced: the disk is full: make room/],
  "a disk without room for one more file": [
    "nr_inodes=2",
    /file cannot be replaced: the disk is full: make room/,
  ],
  "a read-only file system": [
    "ro",
    /file cannot be replaced: the file system is read-only: mount -o remount,rw/,
  ],
};

for (const [name, [options, reason]] of Object.entries(DISKS)) {
  testThatNeeds(
    ["root", "unshare"],
    `${name}: the file stays as it is, and nothing is left beside it`,
    async () => {
      using folder = new Folder();
      const script = 'mount -t tmpfs -o mode=755 tmpfs "$1" && echo one > "$1/file" && ' +
        'mount -o "remount,$2" "$1" && "$3" eval "$4" "$1/file"; ls -A "$1"; cat "$1/file"';
      const replace = `const { replaceFile } = await import("${MODULE}");
      try { replaceFile(Deno.args[0], new Uint8Array(40000)); } catch (error) { console.error(error.message); }`;
      const words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"];
      const { text, errors } = await run([...words, folder.path, options, Deno.execPath(), replace], {
        env: { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" },
      });
      assert.match(errors, reason);
      assert.equal(text, "file\none\n");
    },
  );
}
