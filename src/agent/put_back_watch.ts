/** The second guardian over what nobody has confirmed: where the first was killed, or the machine was started again. */

import { messageOf } from "../terminal/message_of.ts";
import { log } from "./log.ts";

/** How long the first one is given, once it is time, in milliseconds. */
const PATIENCE_MS = 30_000;

/** How long until it is tried again, in milliseconds. */
const AGAIN_MS = 30_000;

/** Looks at each call whether something waits to be put back that should not wait any more. */
export class PutBackWatch {
  #triedMs = -Infinity;

  /** @param state `/var/lib/srvaudit` */
  constructor(readonly state: string) {}

  /** @throws {Error} if what waits cannot be read */
  async check(): Promise<void> {
    const files = ["unconfirmed", "putting-back"].map((name) => `${this.state}/${name}`);
    if (!files.some(isThere) || performance.now() - this.#triedMs < AGAIN_MS) return;
    // All of this is the installer's, which an agent hardly ever needs.
    const { isLate } = await import("../install/safety.ts");
    const { detectTarget } = await import("../install/detect.ts");
    const { startGuardian } = await import("../install/guardian.ts");
    const target = detectTarget();
    try {
      if (!isLate(target, PATIENCE_MS)) return;
    } catch (error) {
      // Not at each look: that would fill the log.
      this.#triedMs = performance.now();
      throw error;
    }
    this.#triedMs = performance.now();
    log.warn("nobody confirmed in time what was installed, and it was not put back yet: that is done now");
    try {
      await startGuardian(target);
    } catch (error) {
      log.error("what nobody confirmed cannot be put back: {reason}", { reason: messageOf(error) });
    }
  }
}

function isThere(file: string): boolean {
  try {
    Deno.lstatSync(file);
    return true;
  } catch {
    return false;
  }
}
