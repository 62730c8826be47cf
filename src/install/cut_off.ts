/** An installer that is ended amid its changes: by Ctrl-C, or because its terminal is gone. */

import { tell } from "../terminal/ask.ts";
import { say } from "../terminal/speak.ts";

/** What ends a program from its terminal, and the number that its exit code has. */
const ENDING = [["SIGINT", 2], ["SIGQUIT", 3], ["SIGTERM", 15], ["SIGHUP", 1]] as const;

/**
 * Says, where a signal ends this process, that it was amid something. It ends between two changes, never in one.
 *
 * @param words what is to be known then
 * @returns ends that
 *
 * @example
 * ```ts
 * using _ = sayIfCutOff("run this again, and it goes on");
 * ```
 */
export function sayIfCutOff(words: string): Disposable {
  const listeners = ENDING.map(([signal, number]) => {
    const listener = () => {
      try {
        // Behind the ^C.
        if (Deno.stderr.isTerminal()) tell("\n");
        say(words);
      } catch {
        // The terminal is gone: nobody reads it.
      }
      Deno.exit(128 + number);
    };
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });
  return {
    [Symbol.dispose]() {
      for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
