import assert from "node:assert/strict";
import type { Change, Json } from "../../src/install/change.ts";
import { detectTarget } from "../../src/install/detect.ts";
import { readJournal } from "../../src/install/journal.ts";
import { sumOf } from "../../src/install/kinds/file.ts";
import { readManifest } from "../../src/install/manifest.ts";
import { planHooks } from "../../src/install/plan.ts";
import { effectiveUid } from "../../src/posix/libc.ts";
import { replaceFile } from "../../src/posix/replace_file.ts";
import { DoctorHost } from "../support/doctor_host.ts";

// libc is opened before a test counts what it opens.
{
  await using host = await DoctorHost.make();
  effectiveUid();
  replaceFile(`${host.root}/etc/shells`, new Uint8Array());
}

/** What is planned for a host where a package has placed the files. */
function plannedFor(host: DoctorHost): readonly Change[] {
  const { root } = host;
  const target = { ...detectTarget(root), library: "/usr/lib/srvaudit", hello: "/usr/bin/hello-srvaudit" };
  const placed = readManifest(`${root}/usr/lib/srvaudit/manifest`) ?? [];
  return planHooks(target, { root, library: target.library, placed }, readJournal(target)).changes;
}

function shellsChanges(host: DoctorHost): Change[] {
  return plannedFor(host).filter(({ about }) => about.startsWith("/etc/shells"));
}

Deno.test("/etc/shells gets both names of hello, and is put back to the byte", async () => {
  await using host = await DoctorHost.make();
  const target = detectTarget(host.root);
  const file = `${host.root}/etc/shells`;
  for (
    const text of [
      "",
      "/bin/sh",
      "/bin/sh\n",
      "# shells\r\n/bin/sh\r\n\n",
      "/srv/audit/hello",
      "/usr/bin/hello-srvaudit\n",
    ]
  ) {
    await host.write("/etc/shells", text);
    const made: [Change, Json][] = [];
    for (const change of shellsChanges(host)) {
      if (await change.kind.isDone(target, change.args)) continue;
      made.push([change, await change.kind.before(target, change.args)]);
      await change.kind.apply(target, change.args);
    }
    const lines = (await Deno.readTextFile(file)).split("\n");
    for (const hello of ["/usr/bin/hello-srvaudit", "/srv/audit/hello"]) {
      assert.equal(lines.filter((line) => line === hello).length, 1, text);
    }
    for (const [{ kind, args }, before] of made.toReversed()) await kind.undo(target, args, before);
    assert.equal(await Deno.readTextFile(file), text);
  }
});

Deno.test("where there is no /etc/shells none is made", async () => {
  await using host = await DoctorHost.make();
  await host.remove("/etc/shells");
  assert.deepEqual(shellsChanges(host), []);
});

Deno.test("what rescue --hooks took from a package's host is placed again, and nothing else of its files", async () => {
  await using host = await DoctorHost.make();
  const profile = "/etc/profile.d/srvaudit.sh";
  const text = await Deno.readTextFile(host.root + profile);
  await host.write("/usr/lib/srvaudit/snippets/profile.sh", text);
  await host.write("/usr/lib/srvaudit/manifest", `file\t644\t${sumOf(host.root + profile)}\t${profile}\n`);
  const placed = () => plannedFor(host).filter(({ kind }) => kind.kind === "file");
  assert.deepEqual(placed(), []);
  await host.remove(profile);
  assert.deepEqual(placed().map(({ about }) => about), [profile]);
  for (const { kind, args } of placed()) await kind.apply(detectTarget(host.root), args);
  assert.equal(await Deno.readTextFile(host.root + profile), text);
});
