/** How this process was started. */
export interface Called {
  /** The last part of argv[0], without a login shell's leading dash. */
  name: string;
  /** Whether that dash was there, as login(1) and sshd(8) put it for a login shell. */
  isLogin: boolean;
  /** Whether argv[0] was a path. */
  byPath: boolean;
}

/**
 * The name that this process was started by.
 *
 * Deno.args has no argv[0] and Deno.execPath() resolves the symlink, so the kernel is asked: proc(5), cmdline.
 */
export function programName(): Called {
  const commandLine = Deno.readFileSync("/proc/self/cmdline");
  const end = commandLine.indexOf(0);
  const first = new TextDecoder().decode(end < 0 ? commandLine : commandLine.subarray(0, end));
  const isLogin = first.startsWith("-");
  const path = isLogin ? first.slice(1) : first;
  return { name: path.slice(path.lastIndexOf("/") + 1), isLogin, byPath: path.includes("/") };
}
