/** How `srvaudit` speaks: answers on stdout, messages on stderr. */

import { tell } from "./ask.ts";
import { visible } from "./visible.ts";

/** Nobody reads any more: `srvaudit follow | head -1`. */
export class NobodyReadsError extends Error {
  override name = "NobodyReadsError";
}

/**
 * Writes an answer.
 *
 * @param text harmless on a terminal already
 * @throws {NobodyReadsError} if the pipe is closed
 */
export function print(text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw new NobodyReadsError();
    throw error;
  }
}

/** Writes a message, each of its lines as one of ours. */
export function say(message: string): void {
  tell(visible(message, "\n").split("\n").map((line) => `srvaudit: ${line}\n`).join(""));
}
