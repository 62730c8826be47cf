/** What remembers accounts, and is to ask passwd anew: nscd(8), SSSD. */

import type { Target } from "./target.ts";

const COMMANDS: readonly (readonly string[])[] = [
  ["/usr/sbin/nscd", "--invalidate=passwd"],
  ["/usr/sbin/sss_cache", "--users"],
];

/** Tells those that are there; whoever does not run has nothing to forget. */
export function tellCaches({ root }: Pick<Target, "root">): void {
  if (root !== "") return;
  for (const [program = "", ...args] of COMMANDS) {
    try {
      new Deno.Command(program, { args, clearEnv: true, stdin: "null", stdout: "null", stderr: "null" })
        .outputSync();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
