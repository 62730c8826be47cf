/** What a program prints on a pseudo-terminal, waited for and answered as a person does it. */

import type { PseudoTerminal } from "../posix/pseudo_terminal.ts";
import { visible } from "../terminal/visible.ts";

/** So much of what nobody has waited for is kept, and so much of the screen, in characters. */
const KEPT = { unheard: 65_536, screen: 4096 };
/** How long what is left in the terminal may take once its program has ended, in milliseconds. */
const REST_MS = 300;
/** How often it is looked whether the program has ended, in milliseconds. */
const LOOK_MS = 100;

/** It did not come in time. */
export class SilentError extends Error {
  override name = "SilentError";
}

/** What came: the name of its pattern, and what matched. Or the program's end. */
export type Heard<Name extends string> = { heard: Name; match: RegExpExecArray } | { heard: "end" };

/**
 * A conversation with a program on a terminal.
 *
 * @example
 * ```ts
 * const { heard } = await conversation.hear({ prompt: /blank for new/ });
 * if (heard === "prompt") conversation.type("17\r");
 * ```
 */
export class Conversation {
  #isOver = false;
  #unheard = "";
  #screen = "";
  /** An escape sequence that has not come wholly yet. */
  #torn = "";
  readonly #decoder = new TextDecoder();

  /**
   * @param ended settles when the program has ended
   * @param deadline until when all of it may take, by `performance.now()`
   */
  constructor(readonly terminal: PseudoTerminal, ended: Promise<unknown>, readonly deadline: number) {
    ended.then(() => this.#isOver = true);
  }

  /** Types; `\r` is Enter. */
  type(keys: string): void {
    this.terminal.write(keys);
  }

  /**
   * Waits for the first of some patterns in what was printed since the last one, without escape sequences.
   *
   * @throws {SilentError} if none comes in time
   */
  async hear<Name extends string>(patterns: Readonly<Record<Name, RegExp>>): Promise<Heard<Name>> {
    while (true) {
      const found = first(patterns, this.#unheard);
      if (found) {
        this.#unheard = this.#unheard.slice(found.match.index + found.match[0].length);
        return found;
      }
      if (await this.#listen() === "end") return { heard: "end" };
    }
  }

  /**
   * Waits until something is so, or nothing more is printed.
   *
   * @param isSo asked again and again, once there was something
   * @param silenceMs how long nothing is to be printed, in milliseconds
   * @throws {SilentError} if neither comes in time
   */
  async settle(isSo: () => boolean, silenceMs: number): Promise<void> {
    let sinceMs = performance.now();
    // Before that nobody may have the terminal yet: who opens it, and closes it again, would hang up.
    const isReady = () => this.#screen !== "" && isSo();
    while (!isReady() && performance.now() - sinceMs < silenceMs) {
      const came = await this.#listen();
      if (came === "end") return;
      if (came === "news") sinceMs = performance.now();
    }
  }

  /** The last lines of the screen, harmless on another. */
  lastLines(count: number): string[] {
    // What stands before a return to a line's beginning was written over.
    const lines = this.#screen.split(/\r*\n/).map((line) => line.slice(line.trimEnd().lastIndexOf("\r") + 1));
    return lines.map((line) => visible(line.trimEnd())).filter(Boolean).slice(-count);
  }

  async #listen(): Promise<"news" | "silence" | "end"> {
    const leftMs = this.deadline - performance.now();
    if (leftMs <= 0) throw new SilentError("nothing more came");
    const wasOver = this.#isOver;
    const piece = await this.terminal.read(wasOver ? REST_MS : Math.min(leftMs, LOOK_MS));
    // What it has started may still have the terminal.
    if (piece === "end" || (piece === "silence" && wasOver)) return "end";
    if (piece === "silence") return piece;
    this.#take(this.#decoder.decode(piece, { stream: true }));
    return "news";
  }

  #take(text: string): void {
    const plain = (this.#torn + text).replace(ESCAPES, "");
    const torn = plain.lastIndexOf("\x1b");
    const isTorn = torn >= 0 && plain.length - torn < LONGEST_ESCAPE;
    this.#torn = isTorn ? plain.slice(torn) : "";
    const whole = isTorn ? plain.slice(0, torn) : plain;
    this.#unheard = (this.#unheard + whole).slice(-KEPT.unheard);
    this.#screen = (this.#screen + whole).slice(-KEPT.screen);
  }
}

const LONGEST_ESCAPE = 1024;
// Commands (CSI), titles and marks (OSC, DCS and the like), and all others.
// deno-lint-ignore no-control-regex -- control characters are what this is about
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-OQ-WYZ\\`-~])/g;

/** The pattern that matches earliest. */
function first<Name extends string>(
  patterns: Readonly<Record<Name, RegExp>>,
  text: string,
): { heard: Name; match: RegExpExecArray } | undefined {
  const found = (Object.keys(patterns) as Name[]).flatMap((heard) => {
    const match = patterns[heard].exec(text);
    return match ? [{ heard, match }] : [];
  });
  return found.sort((one, other) => one.match.index - other.match.index)[0];
}
