import assert from "node:assert/strict";
import fc from "fast-check";
import {
  arm,
  type Clocks,
  clocksNow,
  confirm,
  isLate,
  type Pending,
  pending,
  puttingBackFile,
  remainingMs,
  unconfirmedFile,
} from "../../src/install/safety.ts";
import type { Target } from "../../src/install/target.ts";
import { testThatNeeds } from "../support/needs.ts";

const SINCE: Clocks = { wallMs: 1_800_000_000_000, uptimeMs: 5_000_000, bootId: "one" };
const WAITING: Pending = { runs: [3], seconds: 600, since: SINCE, terminal: null };

/** A host of its own, whose guardian says that it waits, and ends; or ends with nothing said. */
async function withHost(work: (target: Target) => Promise<void>, says = "echo waiting"): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    const library = `${root}/lib`;
    Deno.mkdirSync(library);
    Deno.mkdirSync(`${root}/var/lib/srvaudit`, { recursive: true });
    Deno.writeTextFileSync(`${library}/srvaudit`, `#!/bin/sh\n${says}\n`);
    Deno.chmodSync(`${library}/srvaudit`, 0o755);
    const hello = "/usr/bin/hello-srvaudit";
    await work({ root, family: "other", init: "none", hasSelinux: false, library, hello });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
if (Deno.uid() === 0) {
  await withHost(async (target) => {
    await arm(target, 1, 60);
    await arm(target, 2, 60);
  });
}

Deno.test("while the machine runs, no clock that is set changes how long there is to confirm", () => {
  fc.assert(fc.property(fc.maxSafeInteger(), fc.nat(1_000_000), (wallMs, laterMs) => {
    const now = { ...SINCE, wallMs, uptimeMs: SINCE.uptimeMs + laterMs };
    assert.equal(remainingMs(WAITING, now), 600_000 - laterMs);
  }));
});

Deno.test("after a restart the clock counts, and never makes it longer than what is left of the time since then", () => {
  const after = (wallMs: number, uptimeMs: number) =>
    remainingMs(WAITING, { wallMs: SINCE.wallMs + wallMs, uptimeMs, bootId: "two" });
  assert.equal(after(100_000, 20_000), 500_000);
  assert.equal(after(700_000, 20_000), -100_000);
  // A clock that was set back, or that a machine without a battery has lost.
  assert.equal(after(-1_000_000_000, 20_000), 580_000);
  assert.equal(after(-1_000_000_000, 601_000), -1000);
  fc.assert(fc.property(fc.maxSafeInteger(), fc.nat(), (wallMs, uptimeMs) => {
    assert.ok(after(wallMs, uptimeMs) <= 600_000 - uptimeMs);
  }));
});

testThatNeeds(["root"], "what is armed waits until it is confirmed, once, in root's own file", async () => {
  await withHost(async (target) => {
    assert.equal(pending(target), undefined);
    assert.equal(confirm(target), false);
    const before = clocksNow();
    await arm(target, 3, 60);
    const waiting = pending(target);
    assert.ok(waiting);
    assert.deepEqual(waiting.runs, [3]);
    assert.equal((Deno.statSync(unconfirmedFile(target)).mode ?? 0) & 0o777, 0o600);
    assert.ok(remainingMs(waiting, before) >= 60_000);
    assert.ok(remainingMs(waiting, { ...before, uptimeMs: before.uptimeMs + 200_000 }) < 0);
    assert.equal(isLate(target, 0), false);
    assert.equal(isLate(target, -61_000), true);
    assert.equal(confirm(target), true);
    assert.equal(confirm(target), false);
    assert.equal(pending(target), undefined);
  });
});

testThatNeeds(["root"], "what an earlier run left unconfirmed waits with the next one", async () => {
  await withHost(async (target) => {
    await arm(target, 3, 60);
    await arm(target, 4, 90);
    await arm(target, 3, 90);
    assert.deepEqual(pending(target)?.runs, [4, 3]);
    assert.equal(pending(target)?.seconds, 90);
  });
});

testThatNeeds(
  ["root"],
  "where no guardian can be started nothing is armed, but what was before stays so",
  async () => {
    await withHost(async (target) => {
      await assert.rejects(arm(target, 3, 60), /nobody could be started .*--no-safety/);
      assert.equal(pending(target), undefined);
      const text = JSON.stringify(WAITING);
      Deno.writeTextFileSync(unconfirmedFile(target), text);
      await assert.rejects(arm(target, 4, 60), /nobody could be started/);
      assert.deepEqual(pending(target), WAITING);
    }, "exit 3");
  },
);

testThatNeeds(["root"], "a file that is not as it was written is no reason to forget it", async () => {
  await withHost((target) => {
    for (const text of ["", "{", "[]", "null", '{"runs":["a"],"seconds":1,"since":{}}', '{"runs":[1]}']) {
      Deno.writeTextFileSync(unconfirmedFile(target), text);
      assert.throws(() => pending(target), /unconfirmed is not as srvAudit has written it/, text);
    }
    Deno.removeSync(unconfirmedFile(target));
    // One that a guardian has begun with is late, too, where it does not come to its end.
    Deno.writeTextFileSync(puttingBackFile(target), JSON.stringify(WAITING));
    assert.equal(pending(target), undefined);
    assert.equal(isLate(target, 30_000), true);
    return Promise.resolve();
  });
});
