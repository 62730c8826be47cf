/**
 * `hello` as sshd's ForceCommand: sshd runs it by the user's shell in place of what she asked for, which it puts into
 * SSH_ORIGINAL_COMMAND.
 *
 * That variable counts only where `--forced` says so: whoever finds it in her environment, in a shell that sshd has started
 * so, and types `hello`, is asked as always.
 */

import type { Called } from "../posix/program_name.ts";
import { tell } from "../terminal/ask.ts";
import { HELLO } from "./real_shell.ts";

/** How a process is started: its name, and its arguments. */
export interface Start {
  called: Called;
  args: readonly string[];
}

/** Where the systems keep the program that sshd has built in as `internal-sftp`. */
const SFTP_SERVERS = [
  "/usr/lib/openssh/sftp-server",
  "/usr/libexec/openssh/sftp-server",
  "/usr/lib/ssh/sftp-server",
  "/usr/libexec/sftp-server",
];

/**
 * @param args the arguments behind argv[0]
 * @returns whether sshd forces `hello` on a user
 */
export function isForced(args: readonly string[]): boolean {
  if (args.length === 1) return args[0] === "--forced";
  // On a user whose shell in passwd is `hello` already: that one is forced itself.
  const twice = args.length === 2 && args[0] === "-c"
    ? /^exec (\S+) --forced$/.exec(args[1] ?? "")?.[1]
    : undefined;
  return twice !== undefined && HELLO.test(twice);
}

/**
 * @param called how `hello` was started
 * @returns how sshd would have started it as the shell of passwd: with the command that was asked for, or as a login shell
 */
export function withoutForce(called: Called): Start {
  const command = originalCommand();
  return {
    called: { ...called, isLogin: command === undefined, byPath: false },
    args: command === undefined ? [] : ["-c", runnable(command)],
  };
}

/** What the client asked for; undefined where it asked for a shell. Ends this process where the command cannot be read. */
function originalCommand(): string | undefined {
  try {
    return Deno.env.get("SSH_ORIGINAL_COMMAND");
  } catch {
    tell("srvaudit: the command is not UTF-8, and cannot be run here: send it on standard input\n");
    Deno.exit(1);
  }
}

/** `Subsystem sftp internal-sftp` names what is within sshd itself, which ForceCommand has taken the place of. */
function runnable(command: string): string {
  const [, options] = /^internal-sftp(\s.*)?$/s.exec(command) ?? [];
  if (options === undefined && command !== "internal-sftp") return command;
  const server = SFTP_SERVERS.find(isFile);
  return server === undefined ? command : server + (options ?? "");
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
