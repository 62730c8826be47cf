/** Asks an admin what an installation shall be, and has each answer checked before it counts. */

import { type AgentSettings, checkConfig } from "../config/agent_settings.ts";
import { parseKeyValues } from "../config/key_values.ts";
import { VERSION } from "../config/version.ts";
import { messageOf } from "../terminal/message_of.ts";
import type { Answers, GivenAnswers } from "./answers.ts";
import { askWho } from "./ask_who.ts";
import type { Checked } from "./check_answers.ts";
import { withValues } from "./config_text.ts";
import { Interview } from "./interview.ts";
import { type ConfigValues, plannedConfig, reportOn } from "./kinds/config.ts";
import type { Target } from "./target.ts";
import { Form, JIRA, REDMINE, SINK_TOPICS, type Topic } from "./topics.ts";

const INTRODUCTION =
  `srvAudit ${VERSION}: a few questions, and nothing is changed before you have seen what will be. ` +
  "Enter takes what stands in brackets, - takes it away. Ctrl-C ends this.";

/**
 * Asks for all that is not given, on the terminal of standard input and error.
 *
 * @throws {NothingChangedError} if she ends it
 * @throws {Error} if the present config has errors that no answer mends
 */
export async function askAnswers(given: GivenAnswers, target: Target): Promise<Answers> {
  using interview = await Interview.begin();
  const draft = new Draft(target, given.config);
  draft.mustBeMendable();
  interview.say(INTRODUCTION);
  await askTracker(interview, draft);
  interview.say("\nWho else is to hear of sessions? Enter leaves one out.");
  for (const topic of SINK_TOPICS) await settle(interview, draft, topic);
  const who = await askWho(interview, target, given.who, given.forceCommand ?? false);
  draft.mustBeGood();
  return {
    config: draft.config,
    who,
    forceCommand: given.forceCommand ?? false,
    testTicket: given.testTicket,
    hasSafety: given.hasSafety ?? true,
  };
}

async function askTracker(interview: Interview, draft: Draft): Promise<void> {
  const now = [REDMINE, JIRA].find(({ isOn }) => isOn(draft.values()));
  let chosen = now;
  if (!draft.isGiven(["pms"])) {
    interview.say("\nWhere are the tickets?");
    chosen = await interview.choose<Topic | undefined>("Tracker", [
      { value: undefined, label: "on this host alone: no other system" },
      { value: REDMINE, label: "in Redmine" },
      { value: JIRA, label: "in Jira" },
    ], now);
  }
  if (chosen) await settle(interview, draft, chosen);
  else if (now) draft.set(now.off);
}

/** Asks about one topic until it works, or is wanted all the same, or is left out. */
async function settle(interview: Interview, draft: Draft, topic: Topic): Promise<void> {
  let isGiven = draft.isGiven(topic.mainKeys);
  while (true) {
    const wasOn = topic.isOn(draft.values());
    const form = new Form(interview, draft.presentFor(topic), isGiven);
    await topic.ask(form);
    if (topic.mainKeys.every((key) => form.value(key) === "")) {
      return draft.set(wasOn ? form.answers : {});
    }
    const answers = {
      ...form.answers,
      ...(topic.isOn({ ...draft.values(), ...form.answers }) ? {} : topic.on),
    };
    const { settings, errors } = draft.settingsOf(topic, answers);
    const checked = settings ? await check(interview, topic, settings) : refusal(topic, errors);
    tellOf(interview, checked);
    if (checked.ok) return draft.set(answers);
    // What the agent would not take cannot be kept.
    const wish = await askWish(interview, settings !== undefined);
    if (wish === "keep") return draft.set(answers);
    if (wish === "leave out") return draft.leaveOut(topic);
    draft.set(answers);
    isGiven = false;
  }
}

function check(interview: Interview, topic: Topic, settings: AgentSettings): Promise<Checked> {
  interview.say(`Asking ${topic.title} ...`);
  return topic.check(settings, interview.signal);
}

function refusal(topic: Topic, errors: readonly string[]): Checked {
  return { ok: false, says: errors.join("\n") || `${topic.title}: this cannot be used`, notes: [] };
}

function tellOf(interview: Interview, { ok, says, notes }: Checked): void {
  interview.say(`${ok ? "Good" : "FAILED"}: ${says}`);
  for (const note of notes) interview.say(`Note: ${note}`);
}

async function askWish(interview: Interview, canKeep: boolean): Promise<"again" | "keep" | "leave out"> {
  const words = { a: "again", k: "keep", l: "leave out" } as const;
  const question = `(a)gain,${canKeep ? " (k)eep it all the same," : ""} or (l)eave it out? [a]: `;
  while (true) {
    const letter = (await interview.ask(question)).toLowerCase().slice(0, 1) || "a";
    if (letter === "a" || letter === "l" || (letter === "k" && canKeep)) return words[letter];
  }
}

/** The config as it would be, while its answers come in. */
class Draft {
  /** What was answered so far, by key. */
  config: Record<string, string>;
  readonly #present: ConfigValues;

  constructor(readonly target: Target, readonly given: ConfigValues) {
    this.config = { ...given };
    this.#present = valuesOf(plannedConfig(target, {}));
  }

  values(): ConfigValues {
    return { ...this.#present, ...this.config };
  }

  isGiven(keys: readonly string[]): boolean {
    return keys.some((key) => (this.given[key] ?? "") !== "");
  }

  /** What is offered as the answer: of what somebody has switched off nothing. */
  presentFor(topic: Topic): ConfigValues {
    const values = this.values();
    const isOff = !topic.isOn(values) && !("pms" in topic.off) && !this.isGiven(topic.mainKeys);
    return isOff ? { ...values, ...Object.fromEntries(topic.mainKeys.map((key) => [key, ""])) } : values;
  }

  set(answers: ConfigValues): void {
    this.config = { ...this.config, ...answers };
  }

  /** Forgets what was answered about it; what was there before is switched off, and stays. */
  leaveOut(topic: Topic): void {
    const rest = Object.entries(this.config).filter(([key]) => !topic.keys.includes(key));
    this.config = Object.fromEntries(rest);
    if (topic.isOn(this.values())) this.set(topic.off);
  }

  /** What the agent would make of one topic's keys, whatever stands in the others. */
  settingsOf(topic: Topic, answers: ConfigValues) {
    const keys = [...topic.keys, ...topic.alsoReads];
    const values = Object.entries({ ...this.values(), ...answers }).filter(([key]) => keys.includes(key));
    try {
      const { settings, errors } = checkConfig(withValues("", Object.fromEntries(values)), "config");
      return { settings, errors: errors.map((error) => error.replace(/^config: line \d+: /, "")) };
    } catch (error) {
      return { settings: undefined, errors: [messageOf(error)] };
    }
  }

  /** @throws {Error} for errors of what nobody will be asked about */
  mustBeMendable(): void {
    const off = Object.assign({}, REDMINE.off, ...SINK_TOPICS.map((topic) => topic.off));
    this.#mustBeGood({ ...this.config, ...off });
  }

  /** @throws {Error} */
  mustBeGood(): void {
    this.#mustBeGood(this.config);
  }

  #mustBeGood(values: ConfigValues): void {
    const { errors } = reportOn(this.target, plannedConfig(this.target, values));
    if (errors.length > 0) {
      throw new Error(`nothing was changed: first mend the config:\n${errors.join("\n")}`);
    }
  }
}

function valuesOf(text: string): ConfigValues {
  return Object.fromEntries([...parseKeyValues(text, "config")].map(([key, { value }]) => [key, value]));
}
