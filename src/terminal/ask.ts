/**
 * Asks a person a question.
 *
 * The kernel's own line editing is used, not ours: it never leaves a terminal in a strange mode, whatever kills us;
 * Ctrl-C, Ctrl-Z and a hang-up do what they always do; and what is typed ahead, beyond this line, stays where the
 * shell will read it.
 */

import { waitReadable } from "../posix/libc.ts";

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
 * Prints a prompt and reads one line from standard input.
 *
 * @param prompt what is asked; already harmless on a terminal
 * @param timeoutMs how long silence is borne
 * @param untilSignal whether a signal that this process listens to ends the question
 * @returns the line without its end and without control characters or escape sequences (arrow keys), or undefined at
 * the end of the input (Ctrl-D)
 * @throws {SilenceError} when nobody answers in time
 * @throws {Deno.errors.Interrupted} at such a signal
 */
export function ask(prompt: string, timeoutMs: number, untilSignal = false): string | undefined {
  tell(prompt);
  const line: number[] = [];
  const byte = new Uint8Array(4096);
  while (true) {
    if (!waitReadable(0, timeoutMs, untilSignal)) {
      throw new SilenceError(`no answer in ${Math.round(timeoutMs / 1000)} seconds`);
    }
    const count = readLine(byte);
    if (count === 0) return line.length === 0 ? undefined : clean(line);
    for (const value of byte.subarray(0, count)) {
      if (value === 0x0a) return clean(line);
      line.push(value);
    }
  }
}

/** A terminal gives one line at most to a read. From anything else one byte is taken at a time: the rest is not ours. */
function readLine(buffer: Uint8Array): number {
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
