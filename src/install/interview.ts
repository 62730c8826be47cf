/** Asks an admin, on her terminal. Whatever ends that, her terminal is as it was, and she is told that nothing was changed. */

import { askUntil, SilenceError, tell } from "../terminal/ask.ts";
import { visible } from "../terminal/visible.ts";
import { loadWidthOf } from "../terminal/width.ts";
import { wrapped } from "../terminal/wrapped.ts";

/** She has ended it, or is gone. */
export class NothingChangedError extends Error {
  override name = "NothingChangedError";
}

/** How long silence is borne: a key may have to be looked for. */
const SILENCE_MS = 3_600_000;
/** Narrower lines cannot be read. */
const LEAST_COLUMNS = 20;
/** Wider ones can neither. */
const MOST_COLUMNS = 100;
const ENDING: readonly Deno.Signal[] = ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP"];

/** One of what can be chosen. */
export interface Option<Value> {
  value: Value;
  /** As people read it. */
  label: string;
}

/**
 * Questions and answers. While it lives, no signal from the terminal ends this process by itself.
 *
 * @example
 * ```ts
 * using interview = await Interview.begin();
 * const name = await interview.ask("Name: ");
 * ```
 */
export class Interview implements Disposable {
  readonly #stop = new AbortController();
  readonly #listeners = ENDING.map((signal) => {
    const listener = () => this.#stop.abort(new NothingChangedError("ended: nothing was changed"));
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });

  private constructor(readonly widthOf: (text: string) => number) {}

  static async begin(): Promise<Interview> {
    return new Interview(await loadWidthOf());
  }

  /** Ends whatever is waited for between two questions, by what the questions end with. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Tells something, in lines that fit the terminal; words of others in it are harmless then. */
  say(text: string, indent = ""): void {
    const width = Math.min(MOST_COLUMNS, Math.max(LEAST_COLUMNS, columns())) - indent.length;
    const lines = text.split("\n").flatMap((line) => wrapped(visible(line), width, this.widthOf));
    tell(lines.map((line) => `${indent}${line}`.trimEnd() + "\n").join(""));
  }

  /**
   * @param prompt may have words of others in it
   * @param isSecret whether the answer is hidden
   * @returns a line, without blanks around it
   * @throws {NothingChangedError} at Ctrl-C, Ctrl-D, a hang-up, or after an hour
   */
  async ask(prompt: string, isSecret = false): Promise<string> {
    try {
      const line = await askUntil(this.signal, visible(prompt), SILENCE_MS, isSecret);
      if (line !== undefined) return line;
      throw new NothingChangedError("ended: nothing was changed");
    } catch (error) {
      // What comes next begins a line.
      if (Deno.stderr.isTerminal()) tell("\n");
      if (error instanceof SilenceError) {
        throw new NothingChangedError(`${error.message}: nothing was changed`);
      }
      throw error;
    }
  }

  /** Has one of several chosen by its number. @param preset what Enter means */
  async choose<Value>(name: string, options: readonly Option<Value>[], preset: Value): Promise<Value> {
    options.forEach(({ label }, i) => this.say(`${i + 1}  ${label}`, "  "));
    const number = Math.max(0, options.findIndex(({ value }) => value === preset)) + 1;
    while (true) {
      const answer = await this.ask(`${name} (default ${number}): `) || String(number);
      const chosen = /^[0-9]+$/.test(answer) ? options[Number(answer) - 1] : undefined;
      if (chosen) return chosen.value;
      this.say(`"${answer}" is not a number from 1 to ${options.length}`);
    }
  }

  /** Asks for yes or no. @param preset what Enter means */
  async confirm(question: string, preset: boolean): Promise<boolean> {
    while (true) {
      const answer = await this.ask(`${question} [${preset ? "Y/n" : "y/N"}]: `);
      if (answer === "") return preset;
      if (/^y(es)?$/i.test(answer)) return true;
      if (/^no?$/i.test(answer)) return false;
      this.say(`"${answer}" is neither yes nor no`);
    }
  }

  [Symbol.dispose](): void {
    for (const { signal, listener } of this.#listeners) Deno.removeSignalListener(signal, listener);
  }
}

function columns(): number {
  try {
    // A terminal that knows no size says 0.
    return Deno.consoleSize().columns || MOST_COLUMNS;
  } catch {
    return MOST_COLUMNS;
  }
}
