/** The host that tests have systemd boot: it is kept apart from the machine, and goes with whoever has booted it. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { testThatNeeds } from "../support/needs.ts";
import { type Finished, run, succeed } from "../support/run.ts";
import { until } from "../support/sshd.ts";

const SUPPORT = new URL("../support/systemd_host.ts", import.meta.url).href;
/** A test, as far as it comes: it says how to enter its host, and never ends by itself. */
const TEST = `
  import { SystemdHost } from ${JSON.stringify(SUPPORT)};
  await using host = await SystemdHost.boot();
  console.log(JSON.stringify(host.inside));
  await Deno.stdin.read(new Uint8Array(1));
`;

/** Where the machine has the group that a process is in, and all groups of its host. */
async function groupOf(pid: string): Promise<string> {
  const [mountpoint] = (await succeed(["findmnt", "--noheadings", "--output=TARGET", "--types=cgroup2"]))
    .split("\n");
  const [, group] = /^0::(\/.*satest[0-9]+\.systemd)/m.exec(await Deno.readTextFile(`/proc/${pid}/cgroup`)) ??
    [];
  return `${mountpoint}${group}`;
}

testThatNeeds(
  ["root", "debootstrap", "systemd", "findmnt"],
  "a host of systemd's cannot reach what is the machine's, and goes when its test is killed",
  async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", TEST],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    try {
      const inside: string[] = JSON.parse((await reader.read()).value ?? "[]");
      const inHost = (...words: string[]): Promise<Finished> => run([...inside, ...words], { cwd: "/" });
      const pid = inside.at(-1) ?? "";
      const group = await groupOf(pid);
      assert.ok(existsSync(group), group);
      const here = new URL(import.meta.url).pathname;
      // Not by the way that leads out of a chroot either.
      for (const way of [[], ["nsenter", "--mount=/proc/1/ns/mnt"]]) {
        assert.equal((await inHost(...way, "test", "-e", here)).code, 1);
        assert.equal((await inHost(...way, "test", "-e", "/etc/machine-id")).code, 0);
      }
      // Nothing would be another than it is, if it could be done.
      const same = "cat /proc/sys/vm/swappiness > /proc/sys/vm/swappiness";
      assert.match((await inHost("sh", "-c", same)).errors, /Read-only file system/);
      assert.match((await inHost("sh", "-c", 'date --set="$(date)"')).errors, /not permitted/);
      child.kill("SIGKILL");
      await until("the end of its first process", () => Promise.resolve(!existsSync(`/proc/${pid}`)));
      await until("the end of its group", () => Promise.resolve(!existsSync(group)));
    } finally {
      await child.stdin.close();
      await reader.cancel();
      await child.status;
    }
  },
);
