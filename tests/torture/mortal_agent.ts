/** An agent that is killed again and again, wherever it stands. */

import type { TestHost } from "../support/sshd.ts";
import { type Dice, pause } from "./dice.ts";

/** What became of its lives. */
export interface Lives {
  kills: number;
  /** How often it ended by itself before it was killed: where there was no room to begin. */
  ends: number;
}

/**
 * Starts the agent and kills it (SIGKILL) at a moment by chance, so many times. Some moments lie in its start.
 *
 * @param lives is counted up as it goes
 */
export async function killAgain(host: TestHost, dice: Dice, kills: number, lives: Lives): Promise<void> {
  for (const last = lives.kills + kills; lives.kills < last;) {
    const [program = "", ...args] = host.asRoot([host.program("srvaudit"), "agent"]);
    const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
    const isOver = child.status.then(() => true);
    const isStarting = dice.roll() < 0.25;
    const ended = await Promise.race([
      isOver,
      pause(isStarting ? dice.between(0, 150) : dice.between(150, 800)).then(() => false),
    ]);
    if (ended) lives.ends++;
    else {
      child.kill("SIGKILL");
      lives.kills++;
    }
    await child.status;
  }
}
