import type { SessionClosed } from "./event.ts";

/**
 * How a login session ended that nobody closed, its leader being gone: the shell's own last word says it.
 *
 * @param exitCode what the leading shell said that it exits with, or null if it said nothing
 * @param mode how `hello` was called
 * @param shell the real shell
 */
export function howClosed(
  exitCode: number | null,
  { mode, shell }: { mode: string; shell: string },
): SessionClosed["how"] {
  if (exitCode !== null) return exitCode === 129 ? "hangup" : "logout";
  // A command may have exec'ed another program, and a shell that we have no hook for says nothing at its end.
  return mode === "interactive" && /\/(bash|zsh|fish)$/.test(shell) ? "killed" : "unknown";
}
