/** `srvaudit redeliver`: sends sinks once more what they have refused. */

import { hostPaths } from "../config/paths.ts";
import type { DeadLetters } from "../evidence/sink_state.ts";
import type { SinkName } from "../config/sink_settings.ts";
import { visible } from "../terminal/visible.ts";
import { askSinks } from "./ask_sinks.ts";
import { openEvidence } from "./evidence_file.ts";
import { print } from "./output.ts";

/** How long it waits to see what becomes of them, and how often it looks, in milliseconds. */
const WAIT = { longestMs: 30_000, stepMs: 200 };

/**
 * @param sink one of them, or all
 * @returns the exit code: 1 where some are refused again, or still wait
 * @throws {CannotError}
 */
export async function redeliverCommand(sink: SinkName | undefined): Promise<number> {
  const asked = (await askSinks("sink.redeliver", sink === undefined ? {} : { sink })).filter(({ count }) =>
    count > 0
  );
  if (asked.length === 0) {
    print(`${sink ?? "no sink"} has refused ${sink === undefined ? "anything" : "nothing"}\n`);
    return 0;
  }
  const names = new Set<string>(asked.map((one) => one.sink));
  const deadline = performance.now() + WAIT.longestMs;
  let letters = readLetters();
  while (letters.some((one) => names.has(one.sink) && one.again > 0) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, WAIT.stepMs));
    letters = readLetters();
  }
  const outcomes = asked.map(({ sink, count }) => outcomeOf(sink, count, letters));
  print(outcomes.map(({ words }) => visible(words) + "\n").join(""));
  return outcomes.every(({ isDone }) => isDone) ? 0 : 1;
}

function readLetters(): DeadLetters[] {
  using evidence = openEvidence(hostPaths().evidence);
  return evidence.deadLetters();
}

/** @param sent how many were to be sent */
function outcomeOf(
  sink: string,
  sent: number,
  letters: readonly DeadLetters[],
): { words: string; isDone: boolean } {
  const left = letters.find((one) => one.sink === sink);
  const { count = 0, again = 0, newest: [newest] = [] } = left ?? {};
  const told = `${sink}: ${Math.max(0, sent - count)} of ${sent} delivered`;
  if (again > 0) {
    return { words: `${told}; ${again} go as soon as it can be told: srvaudit status`, isDone: false };
  }
  if (count === 0) return { words: told, isDone: true };
  return { words: `${told}; ${count} refused again: ${newest?.reason ?? ""}`, isDone: false };
}
