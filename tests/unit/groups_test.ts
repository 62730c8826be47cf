import assert from "node:assert/strict";
import { groupId, ownGroups } from "../../src/posix/groups.ts";
import { credentialsOf } from "../../src/posix/process.ts";
import { testThatNeeds } from "../support/needs.ts";
import { succeed } from "../support/run.ts";

// libc, opened at the first look-up, is no leak of a test's.
ownGroups();

Deno.test("groupId() knows what getent(1) knows, and nothing of a group that is none", async () => {
  assert.equal(groupId("root"), 0);
  const line = (await succeed(["getent", "group"])).trim().split("\n").at(-1) ?? "";
  const [name = "", , number] = line.split(":");
  assert.equal(groupId(name), Number(number));
  for (const none of ["", "no-such-group", "root\0", "0"]) assert.equal(groupId(none), undefined);
});

Deno.test("ownGroups() are the kernel's of this process", () => {
  const kernel = credentialsOf(Deno.pid);
  assert.deepEqual(
    new Set(ownGroups()),
    new Set([kernel?.effectiveGid, ...kernel?.groups ?? []]),
  );
});

testThatNeeds(["root", "setpriv"], "isInGroup() goes by supplementary groups, too", async () => {
  const module = new URL("../../src/posix/groups.ts", import.meta.url).href;
  const program = `import { isInGroup } from "${module}";
    console.log(["root", "adm", "daemon"].map((name) => isInGroup([name])).join(), isInGroup([]), isInGroup(["no-such", "adm"]));`;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/m.ts`, program);
    // adm is 4 on Debian and its kin, daemon 1.
    const groups = ["--regid=0", `--groups=${groupId("adm")}`];
    const text = await succeed([
      "setpriv",
      ...groups,
      Deno.execPath(),
      "run",
      "-A",
      "-q",
      "--no-config",
      `${folder}/m.ts`,
    ], { env: { DENO_DIR: Deno.env.get("DENO_DIR") ?? `${folder}/cache` } });
    assert.equal(text.trim(), "true,true,false false true");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
