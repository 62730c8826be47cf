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
    const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
    const isOver = child.status.then(() => true);
    const serves = isServing(child.stderr);
    const isStarting = dice.roll() < 0.25;
    const restMs = dice.between(0, isStarting ? 200 : 600);
    const moment = isStarting ? pause(restMs) : serves.then(() => pause(restMs));
    const ended = await Promise.race([isOver, moment.then(() => false)]);
    if (ended) lives.ends++;
    else {
      child.kill("SIGKILL");
      lives.kills++;
    }
    await Promise.all([child.status, serves]);
  }
}

/** Reads what the agent says, to its end. @returns when it has said that it serves, or its last word */
function isServing(stderr: ReadableStream<Uint8Array>): Promise<void> {
  return new Promise((resolve) => {
    let said = "";
    const read = async () => {
      for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
        said += text;
        if (said.includes("is serving")) resolve();
      }
      resolve();
    };
    read();
  });
}
