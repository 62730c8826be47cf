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
  /** What stands behind the command (its $0 and arguments) or the script. */
  operands: readonly string[];
  /** `-v`, `-x` or `-n`: the shell would show, or leave undone, what is read before the command, too. */
  showsCommands: boolean;
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
  const invocation: Invocation = {
    args,
    isLogin,
    forcesInteractive: false,
    operands: [],
    showsCommands: false,
  };
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
    if (/[vxn]/.test(argument)) invocation.showsCommands = true;
    // -o pipefail, -O extglob
    if (/[oO]$/.test(argument)) next++;
  }
  const operand = args[next];
  if (readsCommand) invocation.command = operand ?? "";
  else if (invocation.command === undefined && !readsInput && operand !== undefined) {
    invocation.script = operand;
  }
  if (readsCommand || invocation.script !== undefined) invocation.operands = args.slice(next + 1);
  return invocation;
}

/**
 * What goes on record of a command or a script that nobody types.
 *
 * @returns the command, and its arguments where it has any, quoted for a shell; undefined where the shell reads its input
 *
 * @example
 * ```ts
 * recordedText(parseInvocation(false, ["s.sh", "a b"])); // s.sh 'a b'
 * ```
 */
export function recordedText({ command, script, operands }: Invocation): string | undefined {
  const quoted = operands.map(quote).join(" ");
  if (command !== undefined) {
    return quoted === "" ? command : `${command}\n# with $0 and arguments: ${quoted}`;
  }
  return script === undefined ? undefined : `${quote(script)} ${quoted}`.trimEnd();
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
