/** What a host's folders hold, to be compared with what they held before. */

import assert from "node:assert/strict";
import type { DebianRoot } from "./debian_root.ts";

/** Below `/etc`, `/usr`, `/srv` and `/var`: path, type, mode, owner, and a link's target; then each file's sum. */
const LIST =
  `cd / && find etc usr srv var -printf '/%p %y %m %U:%G %l\\n' && find etc usr srv var -type f -exec sha256sum {} +`;

/**
 * @param unless what of it is not looked at: what dpkg and rpm write about themselves
 * @returns a line for each path and each file's sum, sorted
 */
export async function listing(host: Pick<DebianRoot, "succeed">, unless: RegExp): Promise<string[]> {
  return (await host.succeed(["sh", "-c", LIST])).split("\n").filter((line) =>
    line !== "" && !unless.test(line)
  ).sort();
}

/** @throws {Error} that names what is there and was not, and what is not there and was */
export function assertSame(now: readonly string[], before: readonly string[]): void {
  const [is, was] = [new Set(now), new Set(before)];
  assert.deepEqual({
    more: now.filter((line) => !was.has(line)),
    less: before.filter((line) => !is.has(line)),
  }, {
    more: [],
    less: [],
  });
}
