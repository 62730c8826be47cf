/** How `hello` was called, as bash(1) reads its arguments; zsh and fish have these alike. */

/** What the arguments ask of a shell. */
export interface Invocation {
  /** The arguments, as they were: the real shell gets them all. */
  args: readonly string[];
  /** A login shell: argv[0] began with a dash, or `-l` says so. */
  isLogin: boolean;
  /** `-c`'s command. */
  command?: string;
  /** A script to run, and not `-c`. */
  script?: string;
  /** `-i`: interactive, whatever the terminal. */
  forcesInteractive: boolean;
}

/** Long options that take the next argument. */
const WITH_ARGUMENT = ["--rcfile", "--init-file", "--init-command", "--command"];

/**
 * @param isLogin whether argv[0] began with a dash
 * @param args the arguments behind argv[0]
 *
 * @example
 * ```ts
 * parseInvocation(false, ["-lc", "uptime"]); // { isLogin: true, command: "uptime", ... }
 * ```
 */
export function parseInvocation(isLogin: boolean, args: readonly string[]): Invocation {
  const invocation: Invocation = { args, isLogin, forcesInteractive: false };
  let readsCommand = false;
  let readsInput = false;
  let next = 0;
  for (; next < args.length; next++) {
    const argument = args[next] ?? "";
    if (argument === "--" || argument === "-") {
      next++;
      break;
    }
    if (!/^[-+]./.test(argument)) break;
    if (argument.startsWith("--")) {
      if (argument === "--login") invocation.isLogin = true;
      if (argument === "--interactive") invocation.forcesInteractive = true;
      if (argument === "--command") invocation.command = args[next + 1] ?? "";
      if (argument.startsWith("--command=")) invocation.command = argument.slice("--command=".length);
      if (WITH_ARGUMENT.includes(argument)) next++;
      continue;
    }
    if (argument.startsWith("+")) {
      if (/[oO]$/.test(argument)) next++;
      continue;
    }
    if (argument.includes("c")) readsCommand = true;
    if (argument.includes("l")) invocation.isLogin = true;
    if (argument.includes("i")) invocation.forcesInteractive = true;
    if (argument.includes("s")) readsInput = true;
    // -o pipefail, -O extglob
    if (/[oO]$/.test(argument)) next++;
  }
  const operand = args[next];
  if (readsCommand) invocation.command = operand ?? "";
  else if (invocation.command === undefined && !readsInput && operand !== undefined) {
    invocation.script = operand;
  }
  return invocation;
}
