import assert from "node:assert/strict";
import fc from "fast-check";
import { costOf, TokenBucket, usualLimits } from "../../src/agent/limits.ts";

Deno.test("TokenBucket gives a burst, and then no more than its rate", () => {
  const bucket = new TokenBucket(100, 3, 0);
  assert.deepEqual([1, 2, 3, 4].map(() => bucket.take(0)), [true, true, true, false]);
  assert.equal(bucket.waitMs(0), 10);
  assert.equal(bucket.take(9.9), false);
  assert.equal(bucket.take(10), true);
  assert.equal(bucket.take(10), false);
});

Deno.test("TokenBucket fills up to its burst and no further", () => {
  const bucket = new TokenBucket(100, 2, 0);
  assert.equal(bucket.isFull(0), true);
  bucket.take(0);
  assert.equal(bucket.isFull(9), false);
  assert.equal(bucket.isFull(10), true);
  assert.deepEqual([1, 2, 3].map(() => bucket.take(1_000_000)), [true, true, false]);
});

Deno.test("TokenBucket lets who has overdrawn it wait until that is paid", () => {
  const bucket = new TokenBucket(100, 10, 0);
  bucket.charge(60);
  assert.equal(bucket.waitMs(0), 510);
  assert.equal(bucket.take(509), false);
  assert.equal(bucket.take(510), true);
});

Deno.test("TokenBucket gives a token when the wait that it named is over, at any rate", () => {
  const rate = fc.double({ min: 0.1, max: 10_000, noNaN: true });
  const step = fc.double({ min: 0, max: 50, noNaN: true });
  fc.assert(fc.property(rate, fc.array(step, { maxLength: 50 }), (rate, steps) => {
    const bucket = new TokenBucket(rate, 5, 0);
    let nowMs = 0;
    let taken = 0;
    for (const step of steps) {
      nowMs += step;
      const waitMs = bucket.waitMs(nowMs);
      assert.equal(bucket.take(nowMs), waitMs === 0);
      if (waitMs > 0) assert.equal(bucket.take(nowMs += waitMs), true);
      taken++;
    }
    assert.ok(taken <= 5 + nowMs / 1000 * rate + 1e-6);
  }));
});

Deno.test("usualLimits() leaves half of the file descriptors to the rest of the agent", () => {
  const limits = usualLimits();
  assert.ok(limits.connections >= 256 && Number.isInteger(limits.connections));
});

Deno.test("costOf() knows what is dear, and takes any other word for one request", () => {
  const limits = usualLimits();
  assert.ok(costOf(limits, "ticket.search") > 1);
  for (const method of ["ticket.find", "", "__proto__", "constructor", "toString"]) {
    assert.equal(costOf(limits, method), 1, method);
  }
});
