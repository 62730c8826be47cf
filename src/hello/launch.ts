/** Becoming the real shell. */

import type { Paths } from "../config/paths.ts";
import { exec } from "../posix/libc.ts";
import type { Called } from "../posix/program_name.ts";
import { type Changes, environmentWith, variable } from "./environment.ts";
import type { Invocation } from "./invocation.ts";
import type { RealShell } from "./real_shell.ts";

/** What bash runs at each prompt: the same text as in src/shell/srvaudit.bash, where nothing is loaded yet. */
const BASH_LOADER = '\\builtin eval "${_srvaudit_loader-. \\"\\$SRVAUDIT_BIN/shell/srvaudit.bash\\"; _srvaudit_arm}"';

/** What a recorded shell is to know. */
export interface Recording {
  /** The login session's id. */
  session: string;
  paths: Paths;
}

/**
 * Becomes the shell, to be used by a person: its hooks record.
 *
 * @throws {Error} if the kernel will not run it
 */
export function becomeInteractiveShell(
  shell: RealShell,
  invocation: Invocation,
  called: Called,
  recording: Recording | undefined,
): never {
  const changes: Record<string, string | undefined> = { SHELL: shell.path };
  let args = invocation.args;
  if (recording) {
    Object.assign(changes, {
      SRVAUDIT_SESSION: recording.session,
      SRVAUDIT_SPOOL: recording.paths.spool,
      SRVAUDIT_BIN: recording.paths.program,
      SRVAUDIT_LEADER_PID: String(Deno.pid),
    });
    const hooks = `${recording.paths.program}/shell`;
    if (shell.kind === "bash") changes.PROMPT_COMMAND = loaderBefore(variable("PROMPT_COMMAND"));
    if (shell.kind === "zsh") Object.assign(changes, zshFolder(hooks));
    if (shell.kind === "fish") args = ["-C", `source '${hooks}/srvaudit.fish'`, ...args];
  }
  become(shell, args, called, changes);
}

/**
 * Becomes the shell, for a command or a script that nobody is asked a ticket for. Its exit code goes on record by what
 * the shell itself does at its end: no process of ours stays, and nothing of its streams or arguments is touched.
 *
 * @param spoolFile where the shell's own end is to be written; it has the `shell` and `start` records already
 * @throws {Error} if the kernel will not run it
 */
export function becomeCommandShell(
  shell: RealShell,
  invocation: Invocation,
  called: Called,
  hooks: string,
  spoolFile: string | undefined,
): never {
  const changes: Record<string, string | undefined> = { SHELL: shell.path };
  let args = invocation.args;
  if (spoolFile !== undefined && shell.kind !== "other") {
    changes.SRVAUDIT_COMMAND_SPOOL = spoolFile;
    changes.SRVAUDIT_COMMAND_PID = String(Deno.pid);
    if (shell.kind === "bash") Object.assign(changes, bashStartup(hooks, invocation));
    if (shell.kind === "zsh") Object.assign(changes, zshFolder(hooks));
    if (shell.kind === "fish") args = ["-C", `source '${hooks}/command.fish'`, ...args];
  }
  become(shell, args, called, changes);
}

function become(
  shell: RealShell,
  args: readonly string[],
  called: Called,
  changes: Changes,
): never {
  const name = shell.path.slice(shell.path.lastIndexOf("/") + 1);
  // login(1) and sshd(8) put a dash before the name: the only sign of a login that every shell knows.
  const first = called.isLogin ? `-${name}` : called.byPath ? shell.path : name;
  exec(shell.path, [first, ...args], environmentWith(changes));
}

function loaderBefore(theirs: string | undefined): string {
  if (theirs === undefined || theirs === "" || theirs.includes(BASH_LOADER)) return theirs || BASH_LOADER;
  return `${BASH_LOADER}\n${theirs}`;
}

function zshFolder(hooks: string): Changes {
  return { ZDOTDIR: `${hooks}/zdotdir`, SRVAUDIT_ZDOTDIR: variable("ZDOTDIR") };
}

/**
 * `bash -c` reads the file that BASH_ENV names before the command: src/shell/command.bash. But one that sshd started,
 * at shell level 1, reads ~/.bashrc instead (SSH_SOURCE_BASHRC), and not BASH_ENV: so it is told that it is at level 2,
 * and command.bash does what it would have done.
 */
function bashStartup(hooks: string, invocation: Invocation): Changes {
  const level = variable("SHLVL");
  const isFirst = !invocation.isLogin && !/^[1-9]/.test(level ?? "");
  return {
    BASH_ENV: `${hooks}/command.bash`,
    SRVAUDIT_BASH_ENV: variable("BASH_ENV"),
    ...(isFirst ? { SHLVL: "1", SRVAUDIT_SHLVL: "1" } : {}),
  };
}
