/** `srvaudit install`. */

import { VERSION } from "../config/version.ts";
import { print, say } from "../terminal/speak.ts";
import { applyChanges, pendingChanges } from "./apply.ts";
import { detectTarget } from "./detect.ts";
import { readJournal, recordBegin, recordFinish } from "./journal.ts";
import { planHooks } from "./plan.ts";
import { lockInstaller, mustBeChangeable, mustBeRelease, mustBeRoot } from "./preflight.ts";
import { previewText } from "./preview.ts";
import type { InstallRequest } from "./request.ts";
import { confirm, pending } from "./safety.ts";
import type { Target } from "./target.ts";
import { wordsFor } from "./words.ts";

/** @returns the exit code */
export async function installCommand(request: InstallRequest): Promise<number> {
  mustBeRoot();
  const target = detectTarget();
  if (request.action === "install confirm") return confirmInstall(target);
  using _ = lockInstaller(target);
  if (request.action === "install hooks") return await installHooks(target, request.dryRun);
  return 1;
}

function confirmInstall(target: Target): number {
  if (confirm(target)) {
    say("confirmed: nothing is put back any more");
    return 0;
  }
  say("there is nothing to confirm: it was confirmed already, or put back");
  return 1;
}

async function installHooks(target: Target, isDryRun: boolean): Promise<number> {
  const release = mustBeRelease(target);
  const plan = planHooks(target, release, readJournal(target));
  if (isDryRun) {
    print(await previewText(target, await pendingChanges(target, plan.changes)));
    return 0;
  }
  mustBeChangeable(target, release, plan);
  const run = beginRun(target);
  const made = await applyChanges(target, run, plan.changes);
  recordFinish(target, run);
  for (const words of [...plan.notes, ...wordsFor(made)]) say(words);
  return 0;
}

/** @returns the run's number: that of the last one where it was killed, or nobody has confirmed it yet */
function beginRun(target: Target): number {
  const { lastRun, isFinished } = readJournal(target);
  const isSame = lastRun > 0 && (!isFinished || pending(target)?.runs.includes(lastRun) === true);
  const run = isSame ? lastRun : lastRun + 1;
  recordBegin(target, run, VERSION);
  return run;
}
