import { processOf, terminalInput } from "../posix/process.ts";
import { writeToTerminal } from "../posix/terminal_message.ts";
import { visible } from "../terminal/visible.ts";
import type { OpenSession } from "./sessions.ts";

/** Says something on a session's terminal, if it has one that takes it. */
export function tellSession({ opened }: OpenSession, words: string): void {
  const process = processOf(opened.leaderPid);
  if (opened.mode !== "interactive" || process?.startTicks !== opened.leaderStartTicks) return;
  const input = terminalInput(process.terminal);
  if (input) writeToTerminal(input.file, `\r\n${visible(`srvaudit: ${words}`)}\r\n`);
}
