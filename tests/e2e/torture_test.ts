/** The short form of `make torture`: real shells, an agent that is killed, a disk that fills. */

import assert from "node:assert/strict";
import { testThatNeeds } from "../support/needs.ts";
import { run } from "../support/run.ts";

const TORTURE = new URL("../torture/torture.ts", import.meta.url).pathname;

testThatNeeds(
  ["root", "sshd", "script", "unshare"],
  "nothing is lost or doubled while the agent is killed and evidence's disk is full",
  async () => {
    const alone = ["unshare", "--mount", "--propagation", "private"];
    const { code, text, errors } = await run([
      ...alone,
      ...[Deno.execPath(), "run", "--allow-all", "--no-check", TORTURE, "--short"],
    ]);
    assert.equal(code, 0, `${text}${errors}`);
    assert.match(text, /lost 0, doubled 0,/);
  },
);
