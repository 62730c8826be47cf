/** `srvaudit install`. */

import { VERSION } from "../config/version.ts";
import { messageOf } from "../terminal/message_of.ts";
import { print, say } from "../terminal/speak.ts";
import type { Answers } from "./answers.ts";
import { askAnswers } from "./ask_answers.ts";
import { applyChanges, pendingChanges } from "./apply.ts";
import type { Change } from "./change.ts";
import { checkAnswers } from "./check_answers.ts";
import { chooseAll, type Chosen } from "./choose.ts";
import { confirmInstall } from "./confirm.ts";
import { detectTarget } from "./detect.ts";
import { isAgreed } from "./is_agreed.ts";
import { type Journal, readJournal, recordBegin, recordFinish } from "./journal.ts";
import { sayIfCutOff } from "./cut_off.ts";
import { configText } from "./kinds/config.ts";
import { reloadAgent, service } from "./kinds/service.ts";
import { planHooks, planService } from "./plan.ts";
import { lockInstaller, mustBeChangeable, mustBeRelease, mustBeRoot } from "./preflight.ts";
import { previewText } from "./preview.ts";
import { AnswersError, readAnswers, withoutAsking } from "./read_answers.ts";
import type { InstallRequest } from "./request.ts";
import { arm, pending, SAFETY_SECONDS } from "./safety.ts";
import type { Target } from "./target.ts";
import { tryOut } from "./try_out.ts";
import { tryOutAll } from "./try_out_all.ts";
import { agentAnswers } from "./try_out_record.ts";
import { wordsFor, wordsForPlan } from "./words.ts";

const CUT_OFF = "cut off amid the changes: run this again, and it goes on where it was";

/** @returns the exit code: 1 where it could not be done, 2 for answers that cannot be meant */
export async function installCommand(request: InstallRequest): Promise<number> {
  mustBeRoot();
  const target = detectTarget();
  if (request.action === "install confirm") return await confirmInstall(target);
  using _ = lockInstaller(target);
  if (request.action === "install hooks") return await installHooks(target, request.dryRun);
  try {
    return await installAll(target, request);
  } catch (error) {
    if (!(error instanceof AnswersError)) throw error;
    say(messageOf(error));
    return 2;
  }
}

async function installHooks(target: Target, isDryRun: boolean): Promise<number> {
  const release = mustBeRelease(target);
  const journal = readJournal(target);
  const plan = planHooks(target, release, journal);
  plan.notes.forEach(say);
  const changes = await pendingChanges(target, journal, plan.changes);
  if (isDryRun) print(await previewText(target, changes));
  else if (changes.length === 0) sayNothing(target, journal);
  else {
    mustBeChangeable(target, release, changes);
    const run = beginRun(target);
    using _ = sayIfCutOff(CUT_OFF);
    wordsFor(await applyChanges(target, run, plan.changes)).forEach(say);
    recordFinish(target, run);
  }
  return 0;
}

async function installAll(target: Target, request: InstallRequest & { action: "install" }): Promise<number> {
  const release = mustBeRelease(target);
  const isAsked = !request.yes && !request.dryRun;
  if (isAsked && !Deno.stdin.isTerminal()) {
    throw new Error("nobody is here to be asked: srvaudit install -y ...");
  }
  const given = readAnswers(request);
  const answers = isAsked ? await askAnswers(given, target) : withoutAsking(given);
  // Who was asked knows already what her servers said.
  if (request.yes && !request.dryRun && !await areWorking(target, answers)) return 1;

  const journal = readJournal(target);
  const plan = planHooks(target, release, journal, answers.config);
  const changes = [...plan.changes, ...planService(target, release, journal)];
  const chosen = await chooseAll(target, answers);
  plan.notes.forEach(say);
  for (const { name, why } of chosen.left) say(`${name} is left as she is: ${why}`);
  if (request.yes && answers.who.who === "users" && chosen.left.length > 0) {
    throw new Error("nothing was changed: name those alone who can have hello");
  }
  const all = await pendingChanges(target, journal, [...changes, ...(chosen.change ? [chosen.change] : [])]);
  if (request.dryRun) {
    print(await previewText(target, all));
    return 0;
  }
  if (all.length === 0) {
    sayNothing(target, journal);
    return 0;
  }
  if (!journal.isFinished) say("the last run did not come to its end: this one goes on with it");
  mustBeChangeable(target, release, all);
  if (request.yes && answers.who.who === "users" && answers.who.names.includes("root")) {
    say("root gets hello too: keep a shell of root's open until you have logged in as root anew");
  }
  if (isAsked) {
    say("this will be changed:");
    wordsForPlan(all).forEach((line) => say(`  ${line}`));
    if (!await isAgreed("Install?", true)) return 1;
  }
  const run = beginRun(target);
  using _ = sayIfCutOff(CUT_OFF);
  const made = await applyChanges(target, run, changes);
  wordsFor(made).forEach(say);
  if (has(made, service.kind)) await mustAnswer(target);
  // An agent that was started anew has read it already.
  if (has(made, configText.kind) && !has(made, service.kind)) reloadAgent();
  if (target.init === "none") {
    say(`nothing here starts services: start the agent by ${target.library}/srvaudit agent`);
  }
  const received = await giveHello(target, run, answers, chosen);
  if (!received) return 1;
  recordFinish(target, run);
  sayNext(target, answers, received, journal);
  return 0;
}

/** systemd says that a service is started before that one says anything. @throws {Error} if the agent does not come */
async function mustAnswer(target: Target): Promise<void> {
  try {
    await agentAnswers(target);
  } catch (error) {
    throw new Error(
      `the agent was started, and does not answer: ${
        messageOf(error)
      }\nsrvaudit doctor says why; mend that, and run this ` +
        "again. Who has hello already gets in by onAgentDown meanwhile",
      { cause: error },
    );
  }
}

/** Asks the servers that the answers are about. @returns whether all of them take what they were given */
async function areWorking(target: Target, answers: Answers): Promise<boolean> {
  const { ok, failed, notes } = await checkAnswers(answers, target);
  for (const line of [...ok, ...notes]) say(line);
  for (const line of failed) say(line);
  if (failed.length > 0) say("nothing was changed: mend that first");
  return failed.length === 0;
}

/**
 * Tries `hello` out, sees to it that all is put back unless it is confirmed, and gives it to who was chosen.
 *
 * @returns who has it now; undefined where the try-out says that nobody is to get it
 */
async function giveHello(
  target: Target,
  run: number,
  answers: Answers,
  chosen: Chosen,
): Promise<Chosen | undefined> {
  if (!chosen.change || await chosen.change.kind.isDone(target, chosen.change.args)) return chosen;
  const options = { testTicket: answers.testTicket, hasAgent: target.init !== "none" };
  let sick: Chosen["left"];
  try {
    sick = await tryOutAll(
      chosen.users,
      (user) => tryOut(target, user, options),
      answers.who.who === "users",
    );
  } catch (error) {
    say(messageOf(error));
    say("nobody's shell was changed; all else stays: mend that and run this again, or srvaudit uninstall");
    return undefined;
  }
  for (const { name, why } of sick) say(`${name} is left as she is: ${why}`);
  const well = sick.length === 0 ? chosen : await chooseAll(target, answers, sick);
  const { change } = well;
  if (!change || await change.kind.isDone(target, change.args)) return well;
  if (answers.hasSafety) await arm(target, run, SAFETY_SECONDS);
  try {
    wordsFor(await applyChanges(target, run, [change])).forEach(say);
  } catch (error) {
    if (!pending(target)) throw error;
    throw new Error(
      `${messageOf(error)}\nrun this again, and confirm: else all of it is put back in ${
        SAFETY_SECONDS / 60
      } minutes`,
      { cause: error },
    );
  }
  return well;
}

/** A run that was cut off, or whose try-out failed, is over then. */
function sayNothing(target: Target, { isFinished, lastRun }: Journal): void {
  say("nothing is to be changed: all of it is so already");
  if (!isFinished) recordFinish(target, lastRun);
}

function sayNext(target: Target, answers: Answers, { change }: Chosen, before: Journal): void {
  if (!change) {
    if (answers.who.who === "nobody" && before.lastRun === 0) {
      say("nobody has hello yet: srvaudit install --users NAME");
    }
  } else if (pending(target)) {
    say(`log in now, in another terminal; if that works: srvaudit install --confirm`);
    say(`without that, everything is put back in ${SAFETY_SECONDS / 60} minutes`);
  }
  say("is all well? srvaudit doctor; away again: srvaudit uninstall");
}

function has(changes: readonly Change[], kind: string): boolean {
  return changes.some((change) => change.kind.kind === kind);
}

/** @returns the run's number: that of the last one where it was killed, or nobody has confirmed it yet */
function beginRun(target: Target): number {
  const { lastRun, isFinished } = readJournal(target);
  const isSame = lastRun > 0 && (!isFinished || pending(target)?.runs.includes(lastRun) === true);
  const run = isSame ? lastRun : lastRun + 1;
  recordBegin(target, run, VERSION);
  return run;
}
