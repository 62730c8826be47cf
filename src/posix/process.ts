/** What the kernel says of processes: proc(5). */

/** One process, by facts that its owner cannot change. */
export interface Process {
  pid: number;
  parentPid: number;
  /** When it started, in clock ticks since boot: with the pid, and the boot, it names one process for ever. */
  startTicks: number;
}

/**
 * @param pid a process number, or "self"
 * @returns the process, or undefined if there is none (any more), or only a zombie of it
 */
export function processOf(pid: number | "self"): Process | undefined {
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return undefined;
  }
  // The second field, the name, may hold blanks and parentheses: the last ")" ends it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return { pid: parseInt(stat), parentPid: Number(fields[1]), startTicks: Number(fields[19]) };
}

/** Yields this process, its parent, and so on up to pid 1. */
export function* ancestors(): Generator<Process> {
  let process = processOf("self");
  while (process) {
    yield process;
    if (process.parentPid <= 0) return;
    process = processOf(process.parentPid);
  }
}

/** The kernel's name for this boot: a new one each time the machine starts. */
export function bootId(): string {
  return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
}

/**
 * The terminal behind a file descriptor: `/dev/pts/0`.
 *
 * @returns its path, or undefined where there is no terminal
 */
export function terminalOf(fd: 0 | 1 | 2): string | undefined {
  const stream = [Deno.stdin, Deno.stdout, Deno.stderr][fd];
  if (!stream?.isTerminal()) return undefined;
  return Deno.readLinkSync(`/proc/self/fd/${fd}`);
}
