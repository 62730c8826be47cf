/** The Debian that tests of packages and installers run in. */

import assert from "node:assert/strict";
import { debianRoot } from "../support/debian_root.ts";
import { testThatNeeds } from "../support/needs.ts";

testThatNeeds(
  ["root", "debootstrap"],
  "a test's Debian is its own, and what runs in it ends with it",
  async () => {
    let left: string;
    {
      await using debian = await debianRoot();
      await using other = await debianRoot();
      assert.match(await Deno.readTextFile(`${debian.root}/etc/os-release`), /VERSION_CODENAME=bookworm/);
      await debian.succeed(["useradd", "--create-home", "--shell", "/bin/bash", "alice"]);
      assert.equal(await debian.succeed(["su", "-", "alice", "-c", "pwd; id -un"]), "/home/alice\nalice\n");
      assert.equal((await other.run(["id", "alice"])).code, 1);
      await debian.succeed(["sh", "-c", "sleep 1000 > /dev/null 2>&1 &"]);
      assert.match(await debian.succeed(["ps", "ax"]), /sleep 1000/);
      left = debian.root;
    }
    await assert.rejects(Deno.stat(left), Deno.errors.NotFound);
  },
);
