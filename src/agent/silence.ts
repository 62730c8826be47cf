/**
 * Notices shells whose hooks fell silent: a program runs in the foreground of the shell's terminal, and no command on
 * record says so. Somebody took the hook away, or a startup file runs it.
 */

import { processOf, TICKS_A_SECOND, ticksNow } from "../posix/process.ts";

/** For so long a program must have run: a prompt's own helpers are quicker. */
const GRACE_S = 5;
/** The longest name of a program that is put on record. */
const LONGEST_NAME = 200;

/** An interactive shell that lives, and what its records say. */
export interface LiveShell {
  pid: number;
  startTicks: number;
  /** Names the shell for the one who asks. */
  key: string;
  /** Whether a command of it is on record that has not ended. */
  isRunning: boolean;
  /** Whether it has said that it ends: then our own logout dialogue may still run in it. */
  isLeaving: boolean;
  /** Whether it has recorded more than was taken in: that may speak of what runs. Asked only where something is found. */
  hasUnread: () => boolean;
}

/** A program that runs unrecorded. */
export interface Unrecorded {
  key: string;
  pid: number;
  program: string;
  /** For how long it has run. */
  seconds: number;
}

/** Looks at shells now and then; tells of each program once. */
export class SilenceWatch {
  /** What was told, by the shell's key: the program's process. */
  readonly #told = new Map<string, string>();

  /**
   * @param graceS for how long a program must have run
   * @param own our own executable
   */
  constructor(readonly graceS: number = GRACE_S, readonly own: string = Deno.execPath()) {}

  /**
   * @param shells all of those that are to be looked at
   * @returns what runs in them and is not on record, each once
   */
  check(shells: Iterable<LiveShell>): Unrecorded[] {
    const found: Unrecorded[] = [];
    const seen = new Set<string>();
    for (const shell of shells) {
      seen.add(shell.key);
      if (shell.isRunning) continue;
      const unrecorded = foregroundOf(shell, this.graceS);
      if (unrecorded && shell.isLeaving && executableOf(unrecorded.program.pid) === this.own) continue;
      if (!unrecorded || this.#told.get(shell.key) === unrecorded.name || shell.hasUnread()) continue;
      this.#told.set(shell.key, unrecorded.name);
      found.push(unrecorded.program);
    }
    for (const key of this.#told.keys()) if (!seen.has(key)) this.#told.delete(key);
    return found;
  }
}

/** The program that a shell waits for, as its terminal knows it: job control gives each a process group of its own. */
function foregroundOf(shell: LiveShell, graceS: number): { name: string; program: Unrecorded } | undefined {
  const process = processOf(shell.pid);
  if (process?.startTicks !== shell.startTicks || process.terminal === 0) return undefined;
  const group = process.foregroundGroup;
  if (group <= 0 || group === process.group) return undefined;
  const program = processOf(group);
  // A shell within, which has hooks of its own, is that shell's to speak of; so the group must be this one's child.
  if (!program || program.parentPid !== shell.pid) return undefined;
  const seconds = Math.floor((ticksNow() - program.startTicks) / TICKS_A_SECOND);
  if (seconds < graceS) return undefined;
  return {
    name: `${group} ${program.startTicks}`,
    program: { key: shell.key, pid: group, program: commandLineOf(group), seconds },
  };
}

/** By the kernel's word: what a process calls itself is its user's. */
function executableOf(pid: number): string | undefined {
  try {
    // An upgrade replaces the file of a program that runs.
    return Deno.readLinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "");
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}

function commandLineOf(pid: number): string {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
    return text.slice(0, LONGEST_NAME);
  } catch {
    // It has ended meanwhile.
    return "";
  }
}
