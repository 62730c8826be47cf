/** What the kernel says of processes: proc(5). */

/** One process, by facts that its owner cannot change. */
export interface Process {
  pid: number;
  parentPid: number;
  /** When it started, in clock ticks since boot: with the pid, and the boot, it names one process for ever. */
  startTicks: number;
  /** Its process group, and the one in the foreground of its terminal (-1 without a terminal). */
  group: number;
  foregroundGroup: number;
  /** The device number of its terminal, as proc(5) has it; 0 without one. */
  terminal: number;
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
  const number = (index: number) => Number(fields[index]);
  return {
    pid: parseInt(stat),
    parentPid: number(1),
    startTicks: number(19),
    group: number(2),
    foregroundGroup: number(5),
    terminal: number(4),
  };
}

/**
 * Whether a process is gone: a zombie is, and so is one whose number another has now.
 *
 * @param startTicks when it started; null or 0 where that is not known: then any process of that number is taken for it
 */
export function isGone(pid: number, startTicks: number | null): boolean {
  const process = processOf(pid);
  return !process || (startTicks !== null && startTicks !== 0 && process.startTicks !== startTicks);
}

/**
 * Yields a process, its parent, and so on up to pid 1.
 *
 * @param pid where to begin
 */
export function* ancestors(pid: number | "self" = "self"): Generator<Process> {
  let process = processOf(pid);
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

/** What a process may do, as its kernel entry says: proc(5), status. */
export interface Credentials {
  /** Real, effective, saved and file system's. */
  uids: number[];
  effectiveUid: number;
  effectiveGid: number;
  /** The supplementary groups. */
  groups: number[];
}

/** @returns the credentials of a process, or undefined if there is none (any more) */
export function credentialsOf(pid: number): Credentials | undefined {
  let status: string;
  try {
    status = Deno.readTextFileSync(`/proc/${pid}/status`);
  } catch {
    return undefined;
  }
  const numbers = (key: string) =>
    (new RegExp(`^${key}:[ \\t]*(.*)$`, "m").exec(status)?.[1] ?? "").split(/\s+/).filter(Boolean).map(
      Number,
    );
  const uids = numbers("Uid");
  return {
    uids,
    effectiveUid: uids[1] ?? -1,
    effectiveGid: numbers("Gid")[1] ?? -1,
    groups: numbers("Groups"),
  };
}

/** Whether a process is that user's and nobody else's: no daemon of root's that acts for her for a moment. */
export function isProcessOf(pid: number, uid: number): boolean {
  const uids = credentialsOf(pid)?.uids ?? [];
  return uids.length > 0 && uids.every((one) => one === uid);
}

/** @returns the children of a process, as far as the kernel tells; those that end meanwhile may be missing */
export function childrenOf(pid: number): number[] {
  return firstLine(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

/**
 * What the kernel counts a process to, whatever became of its parents.
 *
 * @returns the audit session (pam_loginuid(8)) and the systemd session's scope, each as far as there is one
 */
export function kernelSessionsOf(pid: number | "self"): { audit?: string; scope?: string } {
  const audit = firstLine(`/proc/${pid}/sessionid`);
  const scope = /\/session-[^/]+\.scope/.exec(firstLine(`/proc/${pid}/cgroup`))?.[0];
  return {
    ...(audit === "" || audit === "4294967295" ? {} : { audit }),
    ...(scope === undefined ? {} : { scope }),
  };
}

/**
 * Whether the kernel counts two processes to the same login, though neither need be above the other: the panes of a tmux
 * server, and the shell that started it.
 *
 * Of a connection that is shared (ssh's ControlMaster) the kernel counts all logins to one session: who is beside the
 * other, under the same sshd, or below such a one, is a login of its own.
 *
 * @param line a process and those above it: see `ancestors`
 * @param other the pid of the other one
 */
export function isOfSameLogin(line: readonly Process[], other: number): boolean {
  const [process] = line;
  const parent = processOf(other)?.parentPid;
  if (!process || parent === undefined) return false;
  if (parent > 1 && line.some((one) => one.parentPid === parent)) return false;
  const mine = kernelSessionsOf(process.pid);
  const theirs = kernelSessionsOf(other);
  return (mine.audit !== undefined && mine.audit === theirs.audit) ||
    (mine.scope !== undefined && mine.scope === theirs.scope);
}

function firstLine(file: string): string {
  try {
    return Deno.readTextFileSync(file).trim();
  } catch {
    // No such file in this kernel, or the process is gone.
    return "";
  }
}

/** How long the machine has been up, in clock ticks (of 10 ms, on every Linux that Deno runs on). */
export function ticksNow(): number {
  return Math.floor(Number(firstLine("/proc/uptime").split(" ")[0]) * TICKS_A_SECOND);
}

/** USER_HZ. */
export const TICKS_A_SECOND = 100;

/** The kernel writes a terminal's time down anew only when it is so much later (tty_update_time). */
const INPUT_STEP_US = 8_000_000;

/**
 * Since when nobody has typed anything on a terminal.
 *
 * @param terminal its device number, as `Process` has it
 * @returns its file, and microseconds since 1970: not later than that; undefined if it is no terminal that has a file
 */
export function terminalInput(terminal: number): { file: string; lastUs: number } | undefined {
  // proc(5), tty_nr; the majors are those of the kernel's devices.txt.
  const major = (terminal >> 8) & 0xfff;
  const minor = (terminal & 0xff) | ((terminal >> 12) & 0xfff00);
  const file = major >= 136 && major <= 143
    ? `/dev/pts/${(major - 136) * 256 + minor}`
    : major === 4
    ? minor < 64 ? `/dev/tty${minor}` : `/dev/ttyS${minor - 64}`
    : undefined;
  if (file === undefined) return undefined;
  try {
    const lastUs = Deno.statSync(file).atime?.getTime();
    return lastUs === undefined ? undefined : { file, lastUs: lastUs * 1000 + INPUT_STEP_US };
  } catch {
    // The terminal is gone.
    return undefined;
  }
}
