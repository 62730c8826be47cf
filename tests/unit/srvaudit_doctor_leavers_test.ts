import assert from "node:assert/strict";
import { detectTarget } from "../../src/install/detect.ts";
import { recordBegin, recordChange, recordFinish, stateFolder } from "../../src/install/journal.ts";
import { protect } from "../../src/posix/file_flags.ts";
import { effectiveUid } from "../../src/posix/libc.ts";
import { nowUs } from "../../src/record/clock.ts";
import { addGivenShells } from "../../src/record/given_shells.ts";
import type { Finding } from "../../src/srvaudit/doctor/finding.ts";
import * as logins from "../../src/srvaudit/doctor/logins.ts";
import { DoctorHost } from "../support/doctor_host.ts";

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
effectiveUid();
protect("/nowhere/at/all", "none");

/** @returns what is not ok with a host's users, where something was changed */
async function usersAfter(change: (host: DoctorHost) => Promise<void>): Promise<Finding[]> {
  await using host = await DoctorHost.make();
  await change(host);
  return (await logins.users(host)).filter(({ state }) => state !== "ok");
}

Deno.test("doctor: who was given hello by the installer, and logs in without it, is named", async () => {
  const passwd = (bob: string) =>
    `root:x:0:0::/root:/bin/bash\nalice:x:1000:1000::/home/alice:/usr/bin/hello-srvaudit\nbob:x:1001:1001::/h:${bob}\n`;
  const given = async (host: DoctorHost) => {
    const users = ["alice", "bob", "carol"].map((name) => ({ name, from: "/bin/bash" }));
    const args = { users, to: "/usr/bin/hello-srvaudit" };
    const target = detectTarget(host.root);
    recordBegin(target, 1, "1.0.0");
    recordChange(target, { run: 1, kind: "login shells", about: "all", args, before: null });
    await host.write("/etc/passwd", passwd("/bin/zsh"));
    return target;
  };
  const left = await usersAfter(async (host) => recordFinish(await given(host), 1));
  assert.deepEqual(left, [{
    state: "warning",
    what: "bob's login shell is /bin/zsh: srvaudit install gave her hello",
    mend: "srvaudit install -y --users bob; or, if she is to be so, srvaudit rescue bob",
  }]);
  for (const [by, count] of [["rescue bob", 0], ["rescue", 1], ["put-back", 1]] as const) {
    const found = await usersAfter(async (host) => {
      const target = await given(host);
      recordFinish(target, 1);
      await host.write("/var/lib/srvaudit/evidence.db", "");
      addGivenShells(stateFolder(target), { atUs: nowUs(), by, shells: { bob: "/bin/zsh" } });
    });
    assert.equal(found.length, count, by);
  }
  // Given hello again since.
  const again = await usersAfter(async (host) => {
    const target = await given(host);
    await host.write("/var/lib/srvaudit/evidence.db", "");
    addGivenShells(stateFolder(target), {
      atUs: nowUs() - 10_000_000,
      by: "rescue bob",
      shells: { bob: "/bin/zsh" },
    });
    recordFinish(target, 1);
  });
  assert.equal(again.length, 1);
  // What is told by `installer`.
  assert.deepEqual(await usersAfter(async (host) => void await given(host)), []);
  for (const shell of ["/usr/sbin/nologin", "/srv/audit/hello"]) {
    const found = await usersAfter(async (host) => {
      recordFinish(await given(host), 1);
      await host.write("/etc/passwd", passwd(shell));
    });
    assert.deepEqual(found.filter(({ what }) => what.includes("gave her")), [], shell);
  }
  const many = await usersAfter(async (host) => {
    const names = Array.from({ length: 40 }, (_, i) => `u${i}`);
    const args = { users: names.map((name) => ({ name, from: "" })), to: "/usr/bin/hello-srvaudit" };
    const target = detectTarget(host.root);
    recordChange(target, { run: 1, kind: "login shells", about: "all", args, before: null });
    await host.write("/etc/passwd", names.map((name, i) => `${name}:x:${i}:1::/h:\n`).join(""));
  });
  assert.match(many.map(({ what }) => what).join("\n"), /^u4's login shell is \/bin\/sh:/m);
  assert.match(many.at(-1)?.what ?? "", /^so it is with 35 more/);
  assert.equal(many.length, 7);
});
