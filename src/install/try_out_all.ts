/** The try-out of all who are to get `hello`, as some of them: what somebody's own startup files do keeps nobody else from it. */

import { messageOf } from "../terminal/message_of.ts";
import { say } from "../terminal/speak.ts";
import { sampleOf } from "./choose.ts";
import { type TriedUser, TryOutError } from "./try_out.ts";

/** So many may fail: more of them are no longer their own doing, and each may take half a minute. */
const FAILED_AT_MOST = 10;
/** So many, where nobody has passed. */
const FAILED_AT_FIRST = 3;
/** Whoever is tried out, there is an end. */
const QUEUED_AT_MOST = 200;

/**
 * Tries `hello` out as some of the users: one of each shell that passes, at least.
 *
 * @param users whom it is for
 * @param tryOut throws where it does not do for one
 * @param areNamed whether the admin has named each of them: then none is left out
 * @returns who is not to get it, and why: whom it was tried as in vain, and, where nobody with a shell has passed, all with that one
 * @throws {Error} if it fails as one who was named, as nobody else passes, or as too many
 *
 * @example
 * ```ts
 * const left = await tryOutAll(users, (user) => tryOut(target, user, { hasAgent: true }), false);
 * ```
 */
export async function tryOutAll(
  users: readonly TriedUser[],
  tryOut: (user: TriedUser) => Promise<void>,
  areNamed: boolean,
): Promise<{ name: string; why: string }[]> {
  const queue = sampleOf(users);
  if (queue.length < users.length) {
    say(`hello is tried out as ${queue.length} of ${users.length} users: each shell of theirs`);
  }
  const failed = new Set<TriedUser>();
  const passed = new Set<TriedUser>();
  let faults = 0;
  for (const user of queue) {
    try {
      await tryOut(user);
      passed.add(user);
      say(`tried out as ${user.name}: hello works`);
    } catch (error) {
      if (areNamed) throw error;
      say(messageOf(error));
      failed.add(user);
      // Who cannot log in at all says nothing about hello.
      if (!(error instanceof TryOutError && error.step === "user")) faults++;
      if (faults === (passed.size > 0 ? FAILED_AT_MOST : FAILED_AT_FIRST)) break;
      const another = users.find((one) => one.shell === user.shell && !queue.includes(one));
      if (another && queue.length < QUEUED_AT_MOST) queue.push(another);
    }
  }
  if (faults === FAILED_AT_MOST || (failed.size > 0 && passed.size === 0)) {
    throw new Error(
      `hello does not do for ${failed.size} of the ${
        failed.size + passed.size
      } whom it was tried out as: see above. For some alone: --users`,
    );
  }
  const shells = new Set(Array.from(passed, ({ shell }) => shell));
  return users.flatMap((user) => {
    if (failed.has(user)) return [{ name: user.name, why: "hello does not do for her yet, see above" }];
    const why = `hello does for nobody yet whose shell is ${user.shell || "/bin/sh"}`;
    return shells.has(user.shell) ? [] : [{ name: user.name, why }];
  });
}
