/** The init script, for hosts without systemd. */

import assert from "node:assert/strict";
import { testThatNeeds } from "../support/needs.ts";
import { run } from "../support/run.ts";
import { TestHost, until } from "../support/sshd.ts";

testThatNeeds(
  ["root", "sshd"],
  "the init script says so where the agent cannot begin, has it begin as soon as it can, and ends it",
  async () => {
    await using host = await TestHost.start({ installed: true });
    const script = (verb: string) => run(host.asRoot(["/usr/lib/srvaudit/init/srvaudit", verb]));
    const config = `${host.root}/etc/srvaudit/config`;
    await Deno.writeTextFile(config, 'retentionDays="a year"\n');
    try {
      const refused = await script("start");
      assert.deepEqual([refused.code, refused.text], [1, ""]);
      assert.match(refused.errors, /^srvaudit does not start yet/);
      assert.equal((await script("status")).code, 3);
      await Deno.writeTextFile(config, "");
      await until("the agent", async () => (await script("status")).code === 0);
      const started = await script("restart");
      assert.deepEqual([started.code, started.errors], [0, ""]);
      assert.match(started.text, /^srvaudit stopped[^\n]*\nsrvaudit started\n$/);
      assert.equal((await script("start")).text, "srvaudit is running\n");
    } finally {
      await script("stop");
    }
    await until("its end", async () => (await script("status")).code === 3);
  },
);
