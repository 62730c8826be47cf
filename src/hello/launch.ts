/** Becoming the real shell. */

import type { Paths } from "../config/paths.ts";
import { exec } from "../posix/libc.ts";
import type { Called } from "../posix/program_name.ts";
import { type Changes, environmentWith, variable } from "./environment.ts";
import type { Invocation } from "./invocation.ts";
import type { RealShell } from "./real_shell.ts";

/** What bash runs at each prompt: the same text as in src/shell/srvaudit.bash, where nothing is loaded yet. */
const BASH_LOADER =
  '\\builtin eval "${_srvaudit_loader-. \\"\\$SRVAUDIT_BIN/shell/srvaudit.bash\\"; _srvaudit_arm}"';

/** What puts the shell, and what it runs, on record. */
export interface Recording {
  paths: Paths;
  /** The login session that a person opened, for the hooks of this shell and of those within it. */
  session?: string;
  /** That shell's own spool file, where the agent has made it. */
  spoolFile?: string;
  /** Where the end of the one command goes: it has its `shell` and `start` records already. */
  commandFile?: string;
}

/**
 * Becomes the real shell. No process of ours stays, and its streams and arguments are what they were.
 *
 * What a person types is recorded by the shell's hooks. A command that nobody types (`-c`, a script) has its exit code
 * written by the shell itself, at its end.
 *
 * @param recording undefined for a shell that cannot be recorded
 * @throws {Error} if the kernel will not run it
 */
export function becomeShell(
  shell: RealShell,
  invocation: Invocation,
  called: Called,
  recording: Recording | undefined,
): never {
  const changes: Record<string, string | undefined> = { SHELL: shell.path };
  const args = [...invocation.args];
  if (recording) {
    const hooks = hooksFolder(recording.paths);
    if (recording.session !== undefined) {
      changes.SRVAUDIT_SESSION = recording.session;
      changes.SRVAUDIT_SPOOL = recording.paths.spool;
      // Another shell's, if it came from around this one, is nothing to this one.
      changes.SRVAUDIT_SPOOL_FILE = recording.spoolFile;
      changes.SRVAUDIT_BIN = recording.paths.program;
      changes.SRVAUDIT_LEADER_PID = String(Deno.pid);
      if (shell.kind === "bash") changes.PROMPT_COMMAND = loaderBefore(variable("PROMPT_COMMAND"));
      if (shell.kind === "fish") args.unshift("-C", `source '${hooks}/srvaudit.fish'`);
    }
    if (recording.commandFile !== undefined && shell.kind !== "other") {
      changes.SRVAUDIT_COMMAND_SPOOL = recording.commandFile;
      changes.SRVAUDIT_COMMAND_PID = String(Deno.pid);
      if (shell.kind === "bash" && !invocation.showsCommands) {
        Object.assign(changes, bashStartup(hooks, invocation));
      }
      if (shell.kind === "fish") args.unshift("-C", `source '${hooks}/command.fish'`);
    }
    if (shell.kind === "zsh") {
      changes.ZDOTDIR = `${hooks}/zdotdir`;
      changes.SRVAUDIT_ZDOTDIR = variable("ZDOTDIR");
    }
  }
  become(shell, args, called, changes);
}

/** @throws {Error} if the hooks are not there: a shell that was sent to look for them would complain at each prompt */
function hooksFolder(paths: Paths): string {
  const folder = `${paths.program}/shell`;
  try {
    Deno.statSync(`${folder}/srvaudit.bash`);
  } catch {
    throw new Error(`${folder} lacks the shells' hooks: install srvAudit anew`);
  }
  return folder;
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
