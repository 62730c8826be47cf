import assert from "node:assert/strict";
import { Allowance } from "../../src/sinks/allowance.ts";

Deno.test("Allowance has so much for each user, and gives it back by and by, and no more", () => {
  let nowMs = 0;
  const allowance = new Allowance({ mostMs: 5000, backMs: 100 }, () => nowMs);
  allowance.spend(1, 4999);
  assert.equal(allowance.isSpent(1), false);
  allowance.spend(1, 2001);
  assert.deepEqual([1, 2, null].map((uid) => allowance.isSpent(uid)), [true, false, false]);
  nowMs += 19_999;
  assert.equal(allowance.isSpent(1), true);
  nowMs += 2;
  assert.equal(allowance.isSpent(1), false);
  nowMs += 1_000_000_000;
  allowance.spend(1, 5000);
  assert.equal(allowance.isSpent(1), true);
});

Deno.test("Allowance keeps few users in mind, and those that have spent something last", () => {
  const allowance = new Allowance({ mostMs: 10, backMs: 0 }, () => 0);
  for (let uid = 0; uid < 5000; uid++) allowance.spend(uid, 11);
  assert.deepEqual([allowance.isSpent(0), allowance.isSpent(4999)], [false, true]);
});
