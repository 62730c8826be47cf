/**
 * Notices shells whose hooks fell silent: a program runs in the foreground of the shell's terminal, and no command on
 * record says so; or a command on record has no end, and the shell sits at its prompt. Somebody took the hook away, or a
 * startup file runs the program.
 */

import {
  childrenOf,
  type Process,
  processOf,
  terminalInput,
  TICKS_A_SECOND,
  ticksNow,
} from "../posix/process.ts";
import { editsLinesItself } from "../posix/terminal_modes.ts";

/** For so long a program must have run: a prompt's own helpers are quicker. */
const GRACE_S = 5;
/** So many looks in a row must find a shell at its prompt: a builtin may read keys for a moment. */
const LOOKS_AT_PROMPT = 3;
/** The longest name of a program that is put on record. */
const LONGEST_NAME = 200;

/** An interactive shell that lives, and what its records say. */
export interface LiveShell {
  pid: number;
  startTicks: number;
  /** Names the shell for the one who asks. */
  key: string;
  /** Names the command of it that is on record and has not ended; null if there is none. */
  running: number | null;
  /** Whether it has said that it ends: then our own logout dialogue may still run in it. */
  isLeaving: boolean;
  /** Whether it has recorded more than was taken in: that may speak of what runs. Asked only where something is found. */
  hasUnread: () => boolean;
}

/** What was found of a shell. */
export interface Silence {
  key: string;
  /** The program that runs unrecorded; null for a shell that sits at its prompt, and should not. */
  program: { pid: number; commandLine: string; seconds: number } | null;
}

/** What is remembered of a shell. */
interface Watched {
  /** What was told of it last: a program's process. */
  told: string;
  /** The command that it was seen at its prompt with, and how often in a row. */
  command: number | null;
  looks: number;
}

/** Looks at shells now and then; tells of each thing once. */
export class SilenceWatch {
  readonly #watched = new Map<string, Watched>();

  /**
   * @param graceS for how long a program must have run
   * @param own our own executable
   */
  constructor(readonly graceS: number = GRACE_S, readonly own: string = Deno.execPath()) {}

  /**
   * @param shells all of those that are to be looked at
   * @returns what their hooks do not say of them, each once
   */
  check(shells: Iterable<LiveShell>): Silence[] {
    const found: Silence[] = [];
    const seen = new Set<string>();
    for (const shell of shells) {
      const process = processOf(shell.pid);
      if (process?.startTicks !== shell.startTicks || process.terminal === 0) continue;
      seen.add(shell.key);
      const silence = this.#look(shell, process);
      if (silence) found.push(silence);
    }
    for (const key of this.#watched.keys()) if (!seen.has(key)) this.#watched.delete(key);
    return found;
  }

  #look(shell: LiveShell, process: Process): Silence | undefined {
    const watched = this.#watched.get(shell.key) ?? { told: "", command: null, looks: 0 };
    this.#watched.set(shell.key, watched);
    if (shell.running !== null && !this.#wasFooled(shell, watched)) {
      const isAgain = watched.command === shell.running;
      watched.looks = isAtPrompt(process) && !shell.hasUnread() ? (isAgain ? watched.looks : 0) + 1 : 0;
      watched.command = shell.running;
      return watched.looks === LOOKS_AT_PROMPT ? { key: shell.key, program: null } : undefined;
    }
    const program = foregroundOf(process, this.graceS);
    if (!program || (shell.isLeaving && executableOf(program.pid) === this.own)) return undefined;
    const name = `${program.pid} ${program.startTicks}`;
    if (watched.told === name || shell.hasUnread()) return undefined;
    watched.told = name;
    const { pid, seconds } = program;
    return { key: shell.key, program: { pid, seconds, commandLine: commandLineOf(pid) } };
  }

  /** Whether that command was found not to run before: then what runs in its stead is looked for. */
  #wasFooled(shell: LiveShell, { command, looks }: Watched): boolean {
    return command === shell.running && looks >= LOOKS_AT_PROMPT;
  }
}

/**
 * Whether an interactive shell waits for a line: its line editor has the terminal, and nothing that it has started shares
 * its process group, as what a script or a shell without job control runs would. fish reads by its editor for whoever asks it
 * (`read`), so of fish it cannot be told.
 */
function isAtPrompt({ pid, group, foregroundGroup, terminal }: Process): boolean {
  if (foregroundGroup !== group || !/\/(bash|zsh)[^/]*$/.test(executableOf(pid) ?? "")) return false;
  const file = terminalInput(terminal)?.file;
  return file !== undefined && editsLinesItself(file) &&
    !childrenOf(pid).some((child) => processOf(child)?.group === group);
}

/** The program that a shell waits for, as its terminal knows it: job control gives each a process group of its own. */
function foregroundOf(
  { pid, group, foregroundGroup }: Process,
  graceS: number,
): { pid: number; startTicks: number; seconds: number } | undefined {
  if (foregroundGroup <= 0 || foregroundGroup === group) return undefined;
  const program = processOf(foregroundGroup);
  // A shell within, which has hooks of its own, is that shell's to speak of; so the group must be this one's child.
  if (!program || program.parentPid !== pid) return undefined;
  const seconds = Math.floor((ticksNow() - program.startTicks) / TICKS_A_SECOND);
  return seconds < graceS ? undefined : { pid: program.pid, startTicks: program.startTicks, seconds };
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
