/** Who is at the other end of a connection, by the kernel's word. */

import { waitReadable } from "../posix/libc.ts";
import { credentialsOf, processOf } from "../posix/process.ts";
import { close, type Credentials, processBehind } from "../posix/unix_socket.ts";

/** The process that connected. It may end, and its number be given to another, while the connection lives on. */
export interface Peer {
  /** Its effective user and group at that moment. */
  uid: number;
  gid: number;
  pid: number;
  /** With the pid it names that process for ever: ask for both before you take a process's word for the peer's. */
  startTicks: number;
}

/**
 * Finds the process behind a connection that was just accepted.
 *
 * @param fd the connection
 * @param credentials what the kernel kept of the connecting
 * @returns the peer, or undefined if that process is gone, is another user's by now, or cannot be seen from here
 * @throws {Error} if this process cannot look at it, for want of file descriptors
 */
export function identify(fd: number, credentials: Credentials): Peer | undefined {
  const { pid, uid } = credentials;
  if (pid <= 0) return undefined;
  const held = processBehind(fd);
  if (held === "gone") return undefined;
  try {
    const process = processOf(pid);
    const effectiveUid = credentialsOf(pid)?.effectiveUid;
    // All that was read is of the process that connected if that one has not ended up to here. Where the kernel cannot
    // tell (before Linux 6.5), at least one and the same process was read of: another of this number would have to be this
    // user's as well, and to have started between the connecting and the accepting.
    const isSame = held === "unknown"
      ? processOf(pid)?.startTicks === process?.startTicks
      : !waitReadable(held, 0);
    if (!process && !processOf("self")) throw new Error(`there is no way to look at process ${pid}`);
    if (!isSame || !process || effectiveUid !== uid) return undefined;
    return { ...credentials, startTicks: process.startTicks };
  } finally {
    if (held !== "unknown") close(held);
  }
}
