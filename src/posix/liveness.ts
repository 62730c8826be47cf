/** Whether processes are still there, cheaply: kill(2) with no signal. */

import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  kill: { parameters: ["i32", "i32"], result: "i32" },
  geteuid: { parameters: [], result: "u32" },
});

/**
 * Asks the kernel for a process number: a hundred times cheaper than reading /proc, and so fit to be asked for thousands
 * of shells each second. A zombie, and a new process by an old number, still count: `processOf` tells these apart.
 *
 * @param pid a process number, not 0
 * @returns false where there is certainly no such process
 */
export function mayLive(pid: number): boolean {
  const { kill, geteuid } = libc();
  // Who is not root is refused other users' processes, which tells nothing.
  return kill(pid, 0) === 0 || geteuid() !== 0;
}
