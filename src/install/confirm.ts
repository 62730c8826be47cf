/** `srvaudit install --confirm`. */

import { lengthOfTime, localTime } from "../terminal/moments.ts";
import { say } from "../terminal/speak.ts";
import { readJournal } from "./journal.ts";
import { kindOf, WHO_GETS_IN } from "./kinds/kinds.ts";
import { noteInEvidence } from "./note.ts";
import { clocksNow, confirm, pending, remainingMs } from "./safety.ts";
import type { Target } from "./target.ts";
import { wordsFor } from "./words.ts";

/**
 * Keeps what was installed, and says until when that could be said, and who has hello by it.
 *
 * @returns the exit code: 1 where there is nothing to confirm
 */
export async function confirmInstall(target: Target): Promise<number> {
  const waiting = pending(target);
  const leftMs = waiting ? remainingMs(waiting, clocksNow()) : 0;
  if (!waiting || !confirm(target)) {
    say("there is nothing to confirm: it was confirmed already, or put back");
    return 1;
  }
  const until = localTime((Date.now() + leftMs) * 1000);
  say(`confirmed, ${lengthOfTime(leftMs * 1000)} before it would have been put back (${until}): it stays`);
  // What was confirmed before may not hold any more: chsh(1), rescue.
  const whoGetsIn = readJournal(target).entries.filter(({ kind, run }) =>
    WHO_GETS_IN.includes(kind) && waiting.runs.includes(run)
  );
  // Of two runs that did the same one line is enough.
  new Set(wordsFor(whoGetsIn.map((entry) => ({ ...entry, kind: kindOf(entry.kind) })))).forEach((line) =>
    say(line)
  );
  await noteInEvidence(target, "what was installed was confirmed");
  return 0;
}
