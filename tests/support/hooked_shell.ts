/** A real interactive shell with its recording hook, on a real terminal, and what it puts on record. */

import assert from "node:assert/strict";
import type { SpoolRecord } from "../../src/record/event.ts";
import { readRecords } from "../../src/record/spool.ts";
import { start, type Terminal } from "./pty.ts";
import { removeFolder } from "./remove_folder.ts";

/** The folder of the hooks. */
export const HOOKS = new URL("../../src/shell", import.meta.url).pathname;

/** What tests print at each prompt. */
export const READY = /\[READY\]/;

/** A command, as far as its records say. */
export interface Recorded {
  text: string;
  state: string;
  directory: string;
  exitCode: number | undefined;
  pipeStates: number[] | undefined;
}

/** How a shell is started. */
export interface ShellOptions {
  /** Its own startup files: path below the home, and text. */
  files?: Readonly<Record<string, string>>;
  args?: readonly string[];
  argv0?: string;
  env?: Readonly<Record<string, string>>;
}

/** A shell in a home of its own, at its first prompt. */
export class HookedShell implements AsyncDisposable {
  private constructor(readonly home: string, readonly terminal: Terminal) {}

  /** Starts a shell that prints `[READY]` at each prompt, and waits for the first one. */
  static async start(
    program: string,
    options: ShellOptions | ((home: string) => ShellOptions),
  ): Promise<HookedShell> {
    const home = await Deno.makeTempDir({ prefix: "srvaudit-shell." });
    const { files = {}, args = [], argv0, env = {} } = typeof options === "function"
      ? options(home)
      : options;
    for (const [path, text] of Object.entries(files)) {
      const file = `${home}/${path}`;
      await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(file, text);
    }
    const terminal = start(program, args, {
      HOME: home,
      PATH: "/usr/local/bin:/usr/bin:/bin",
      LANG: "C.UTF-8",
      TERM: "dumb",
      ...env,
    }, { directory: home, ...(argv0 === undefined ? {} : { argv0 }) });
    const shell = new HookedShell(home, terminal);
    try {
      await terminal.expect(READY);
    } catch (error) {
      await shell[Symbol.asyncDispose]();
      throw error;
    }
    return shell;
  }

  /** Types a line, waits for the next prompt, and gives what was printed. */
  async type(line: string): Promise<string> {
    await this.terminal.send(`${line}\r`);
    return await this.terminal.expect(READY);
  }

  /**
   * Types a line up to Ctrl-C, and waits for the shell's answer (fish says `^C`). What was typed must be seen first, since Ctrl-C takes away
   * what the shell has not read yet. zsh loses a SIGINT now and then (with no hook, too): then another one follows.
   */
  async interrupt(typed: string): Promise<void> {
    await this.terminal.send(typed);
    await this.terminal.expect(new RegExp(typed));
    for (let tries = 0; tries < 20; tries++) {
      await this.terminal.send("\x03");
      try {
        await this.terminal.expect(/\[READY\]|\^C/, 500);
        return;
      } catch (error) {
        if (tries === 19) throw error;
      }
    }
  }

  /** Types a last line and waits for the shell's end. @returns its exit code */
  async end(line = "exit"): Promise<number> {
    await this.terminal.send(`${line}\r`);
    return await this.terminal.close();
  }

  /** The records of each shell process that wrote into a spool folder, the oldest first. */
  records(spool = `${this.home}/.ash/spool`): SpoolRecord[][] {
    const startOf = (name: string) => Number(/-(\d+)\.shell$/.exec(name)?.[1]);
    return [...Deno.readDirSync(spool)].map((entry) => entry.name)
      .filter((name) => name.endsWith(".shell")).sort((a, b) => startOf(a) - startOf(b))
      .map((name) => {
        const bytes = Deno.readFileSync(`${spool}/${name}`);
        const reading = readRecords(bytes);
        assert.equal(reading.damaged, 0, "damaged records");
        assert.equal(reading.consumed, bytes.length, "a torn record");
        return reading.records.map(({ record }) => record);
      });
  }

  /** The commands of the first shell in the home's own spool. */
  commands(): Recorded[] {
    return commandsOf(this.records()[0] ?? []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminal[Symbol.asyncDispose]();
    await removeFolder(this.home);
  }
}

/** Brings each command's start and end together. */
export function commandsOf(records: readonly SpoolRecord[]): Recorded[] {
  const decoder = new TextDecoder();
  return records.flatMap((record) => {
    if (record.type !== "start") return [];
    const ends = records.filter((other) => other.type === "end" && other.number === record.number);
    assert.ok(ends.length <= 1, `command ${record.number} has ${ends.length} ends`);
    const end = ends[0]?.type === "end" ? ends[0] : undefined;
    assert.ok(!end || end.atUs >= record.atUs, `command ${record.number} ends before it begins`);
    return [{
      text: decoder.decode(record.text),
      state: record.textState,
      directory: decoder.decode(record.directory),
      exitCode: end?.exitCode,
      pipeStates: end?.pipeStates,
    }];
  });
}

/** Text, exit code and, if there is more than one, pipe states: what most tests ask. */
export function summaryOf(commands: readonly Recorded[]): [string, number | undefined, number[]?][] {
  return commands.map(({ text, exitCode, pipeStates }) =>
    pipeStates && pipeStates.length > 1 ? [text, exitCode, pipeStates] : [text, exitCode]
  );
}
