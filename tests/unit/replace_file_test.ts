import assert from "node:assert/strict";
import { protect } from "../../src/posix/file_flags.ts";
import { removeUnfinished, replaceFile } from "../../src/posix/replace_file.ts";
import { testThatNeeds } from "../support/needs.ts";
import { run, succeed } from "../support/run.ts";

const encoder = new TextEncoder();
const NEW = { mode: 0o640, uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };

class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "replace_file_" });

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }

  names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }
}

function put(path: string, text: string, newFile?: typeof NEW): void {
  replaceFile(path, encoder.encode(text), newFile);
}

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
{
  using folder = new Folder();
  put(`${folder.path}/file`, "1", NEW);
  put(`${folder.path}/file`, "2");
  protect(`${folder.path}/file`, "none");
}

Deno.test("a file that is not there is made as told, and one that is keeps its mode, whatever the umask", () => {
  using folder = new Folder();
  const path = `${folder.path}/file`;
  put(path, "one", NEW);
  assert.equal((Deno.statSync(path).mode ?? 0) & 0o7777, 0o640);
  Deno.chmodSync(path, 0o4775);
  put(path, "two", NEW);
  assert.equal((Deno.statSync(path).mode ?? 0) & 0o7777, 0o4775);
  assert.equal(Deno.readTextFileSync(path), "two");
  assert.deepEqual(folder.names(), ["file"]);
});
