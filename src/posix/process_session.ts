/** Sessions as the kernel has them: all processes below one that called setsid(2), but for those that called it again. */

/** How often it is looked again: a process may fork while the list is being read. */
const ROUNDS = 100;

/**
 * Kills every process of a session.
 *
 * @param leader the number of the process that leads it, or led it: one that was started just now
 */
export function endSession(leader: number): void {
  for (let round = 0; round < ROUNDS; round++) {
    const alive = processesOf(leader);
    if (alive.length === 0) return;
    for (const pid of alive) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It was faster.
      }
    }
  }
}

function processesOf(session: number): number[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => /^[0-9]+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
      // proc(5): the state, the parent, the group, the session.
      const [state, , , own] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(own) === session && state !== "Z" && state !== "X";
    } catch {
      // It is gone.
      return false;
    }
  });
}
