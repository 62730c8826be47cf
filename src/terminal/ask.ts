/**
 * Asks a person a question.
 *
 * The kernel's own line editing is used, not ours: no terminal is left in a strange mode, whatever kills us;
 * Ctrl-C, Ctrl-Z and a hang-up do what they always do; and what is typed ahead, beyond this line, stays where the
 * shell will read it.
 */

import { waitReadable } from "../posix/libc.ts";
import { editLines, hideTyping } from "../posix/terminal_modes.ts";

/** Nobody answered in time. */
export class SilenceError extends Error {
  override name = "SilenceError";
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Writes to the person, on stderr: stdout belongs to what the shell runs. */
export function tell(text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
}

/**
 * Prints a prompt and reads one line from standard input. Nothing else runs meanwhile.
 *
 * @param prompt what is asked; already harmless on a terminal
 * @param timeoutMs how long silence is borne
 * @returns the line without its end and without control characters or escape sequences (arrow keys), or undefined at
 * the end of the input (Ctrl-D)
 * @throws {SilenceError} when nobody answers in time
 */
export function ask(prompt: string, timeoutMs: number): string | undefined {
  using _ = editLines(0);
  tell(prompt);
  const line = new Line();
  do {
    if (!waitReadable(0, timeoutMs)) throw silence(timeoutMs);
  } while (!line.read());
  return line.text;
}

/** How long a signal may wait for its listener while a question waits for its answer. */
const SLICE_MS = 100;

/**
 * As `ask`, but for programs that listen to signals: a listener can put an end to the question.
 *
 * Nobody is told in time of a signal that comes just before a wait begins, so the wait is one of short ones, and
 * listeners run in between.
 *
 * @param stop what ends the question
 * @param isSecret whether what is typed is hidden
 * @throws {SilenceError} when nobody answers in time
 * @throws what `stop` was aborted with
 */
export async function askUntil(
  stop: AbortSignal,
  prompt: string,
  timeoutMs: number,
  isSecret = false,
): Promise<string | undefined> {
  stop.throwIfAborted();
  using _ = isSecret ? hideTyping(0) : editLines(0);
  tell(prompt);
  const line = new Line();
  let deadline = performance.now() + timeoutMs;
  while (true) {
    const ready = waitReadable(0, Math.min(SLICE_MS, timeoutMs));
    await new Promise((resolve) => setTimeout(resolve, 0));
    stop.throwIfAborted();
    if (ready) {
      if (line.read()) return line.text;
      deadline = performance.now() + timeoutMs;
    } else if (performance.now() >= deadline) throw silence(timeoutMs);
  }
}

function silence(timeoutMs: number): SilenceError {
  return new SilenceError(`no answer in ${Math.round(timeoutMs / 1000)} seconds`);
}

/** A line that comes in pieces. */
class Line {
  /** The line, once it is whole; undefined where the input ended before it began. */
  text: string | undefined;
  readonly #bytes: number[] = [];
  readonly #buffer = new Uint8Array(4096);

  /** Reads on. @returns whether the line is whole now, or will never be */
  read(): boolean {
    const count = readPiece(this.#buffer);
    if (count === 0) {
      if (this.#bytes.length > 0) this.text = clean(this.#bytes);
      return true;
    }
    for (const value of this.#buffer.subarray(0, count)) {
      if (value === 0x0a) {
        this.text = clean(this.#bytes);
        return true;
      }
      this.#bytes.push(value);
    }
    return false;
  }
}

/** A terminal gives one line at most to a read. From anything else one byte is taken at a time: the rest is not ours. */
function readPiece(buffer: Uint8Array): number {
  try {
    return Deno.stdin.readSync(Deno.stdin.isTerminal() ? buffer : buffer.subarray(0, 1)) ?? 0;
  } catch {
    // The terminal is gone (EIO): the same as its end.
    return 0;
  }
}

function clean(bytes: number[]): string {
  return decoder.decode(new Uint8Array(bytes))
    // deno-lint-ignore no-control-regex -- control characters are what this is about
    .replace(/\x1b(\[[0-?]*[ -/]*[@-~]|O.|.)?/g, "")
    // deno-lint-ignore no-control-regex -- control characters are what this is about
    .replace(/[\x00-\x1f\x7f-\x9f]/g, "")
    .trim();
}
