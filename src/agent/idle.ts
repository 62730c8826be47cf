/** Ends sessions whose terminal is silent for too long: `idleTimeout`. */

import { processOf, terminalInput } from "../posix/process.ts";
import { writeToTerminal } from "../posix/terminal_message.ts";
import { nowUs } from "../record/clock.ts";
import { log } from "./log.ts";
import type { OpenSession, Sessions } from "./sessions.ts";

/** How long before the end it is said: so long, or a quarter of what is allowed. */
const WARNED_BEFORE_S = 60;
/** How long a shell has to end by itself once its line is hung up, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Looks at the terminals of open sessions now and then. */
export class IdleWatch {
  /** The sessions that were told, by id: the input that there had been until then, and when it was said. */
  readonly #warned = new Map<string, { lastUs: number; saidUs: number }>();

  constructor(readonly sessions: Sessions) {}

  /**
   * Warns the sessions that are silent for too long, and ends those that are silent still some time after that: so long
   * a silence may come upon the agent at once, as when it starts, or when the config allows less than before.
   *
   * @param timeoutS how long one may be silent; 0 for ever
   */
  check(timeoutS: number): void {
    if (timeoutS === 0) return;
    const noticeS = Math.min(WARNED_BEFORE_S, timeoutS / 4);
    for (const session of [...this.sessions.values()]) {
      const process = processOf(session.opened.leaderPid);
      if (session.opened.mode !== "interactive" || !process) continue;
      const input = terminalInput(process.terminal);
      if (!input) continue;
      const lastUs = Math.max(input.lastUs, session.opened.atUs);
      const silentS = (nowUs() - lastUs) / 1_000_000;
      if (silentS < timeoutS - noticeS) continue;
      const warned = this.#warned.get(session.opened.session);
      if (warned?.lastUs !== lastUs) this.#warn(session, input.file, lastUs, noticeS);
      else if (nowUs() - warned.saidUs >= noticeS * 1_000_000) this.#end(session, silentS);
    }
    for (const id of this.#warned.keys()) if (!this.sessions.get(id)) this.#warned.delete(id);
  }

  #warn({ opened }: OpenSession, terminal: string, lastUs: number, leftS: number): void {
    this.#warned.set(opened.session, { lastUs, saidUs: nowUs() });
    const words = `srvaudit: nothing was typed for long: this session ends in ${Math.ceil(leftS)} seconds`;
    writeToTerminal(terminal, `\r\n${words}\r\n`);
  }

  #end({ opened }: OpenSession, silentS: number): void {
    this.sessions.close(opened.session, "idle");
    log.info("session {session} of {user} was silent for {silentS} s: ended", {
      session: opened.session,
      user: opened.user,
      silentS: Math.round(silentS),
    });
    this.#signal(opened, "SIGHUP");
    setTimeout(() => this.#signal(opened, "SIGKILL"), PATIENCE_MS);
  }

  #signal({ leaderPid, leaderStartTicks }: OpenSession["opened"], signal: Deno.Signal): void {
    if (processOf(leaderPid)?.startTicks !== leaderStartTicks) return;
    try {
      Deno.kill(leaderPid, signal);
    } catch {
      // It was faster.
    }
  }
}
