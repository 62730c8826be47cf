/**
 * Root's hands as another user's: setfsuid(2), setfsgid(2).
 *
 * What a user owns is never opened as root. A home may lie on NFS, whose server lets root do nothing (root_squash) and
 * whoever owns it everything; and it may hold links to what that user may not read. So each of the few calls that go
 * there is made with the user's own file system identity, which the kernel keeps for each thread: Deno's synchronous
 * file calls, and ours through FFI, run on the thread that makes them. Together with the uid the kernel takes away, and
 * gives back, what lets root pass by the files' modes.
 *
 * The supplementary groups are the process's: `dropGroups` empties them at its start, so that no group of root's opens
 * a door to whom we act for. The user's own supplementary groups are not taken on: a spool lies in its owner's home,
 * and asking NSS for groups could hold everybody up. FUSE file systems without `allow_other` refuse us, which is right: one that
 * does not answer could do the same.
 */

import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  setfsuid: { parameters: ["u32"], result: "i32" },
  setfsgid: { parameters: ["u32"], result: "i32" },
  setgroups: { parameters: ["usize", "pointer"], result: "i32" },
  geteuid: { parameters: [], result: "u32" },
});

/** An id that no one has: it changes nothing, and so tells what is. */
const NOBODY_AT_ALL = 0xffff_ffff;

/** Whom files are opened for. */
export interface FileUser {
  uid: number;
  gid: number;
}

/**
 * Does file work as a user. Only what is synchronous: nothing else may run before the identity is root's again.
 *
 * @param user for root's own uid, and in a process that is not root's, nothing is changed
 * @param work what to do; a promise is no work
 * @returns what the work returned
 * @throws {Error} if the identity cannot be had, and what the work threw
 *
 * @example
 * ```ts
 * const bytes = asUser({ uid: 1000, gid: 1000 }, () => Deno.readFileSync("/home/alice/.ash/spool/4711-1.shell"));
 * ```
 */
export function asUser<Result>(user: FileUser, work: () => Result): Result {
  const { setfsuid, setfsgid, geteuid } = libc();
  if (user.uid === 0 || geteuid() !== 0) return work();
  // The group first: without root's uid it could not be changed any more.
  setfsgid(user.gid);
  setfsuid(user.uid);
  try {
    // Neither call says whether it worked: the next one does.
    if (setfsgid(NOBODY_AT_ALL) !== user.gid || setfsuid(NOBODY_AT_ALL) !== user.uid) {
      throw new Error(
        `cannot act on files as ${user.uid}:${user.gid}: the agent lacks CAP_SETUID or CAP_SETGID`,
      );
    }
    return work();
  } finally {
    // To what the process's effective ids are, the kernel always lets it go back.
    setfsuid(0);
    setfsgid(0);
  }
}

/**
 * Leaves all supplementary groups, in all threads: to be done once, at the start of a process that uses `asUser`. Does
 * nothing where it may not.
 */
export function dropGroups(): void {
  libc().setgroups(0n, null);
}
