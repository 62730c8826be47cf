/**
 * The form of a new ticket: what the tracker demands, asked for until there is a ticket. Its prompts are an interface: people
 * drive logins with expect(1).
 */

import { ask, tell } from "../terminal/ask.ts";
import { visible } from "../terminal/visible.ts";
import {
  type Answers,
  type Choice,
  type Created,
  type Question,
  type Ticket,
  TicketRefusedError,
} from "../trackers/tracker.ts";

/** How often an answer may be wrong. */
const TRIES = 3;
/** How often a tracker may ask for more. */
const ROUNDS = 20;
/** So many choices are listed wholly; of more, so many as a beginning. */
const LISTED = { wholly: 30, atFirst: 20 };

/**
 * Asks for what a new ticket demands, until it is made.
 *
 * @param create `create` of a desk
 * @param answer gives the answer to a question, or throws where there is none
 * @param answers what is known already; every answer is put into it, so that who asks again has them
 * @throws {TicketRefusedError} for answers that the tracker does not take; and what `create` and `answer` throw
 *
 * @example
 * ```ts
 * const ticket = await fillIn((answers) => desk.create(answers), (question) => askQuestion(question, 120_000) ?? "");
 * ```
 */
export async function fillIn(
  create: (answers: Answers) => Promise<Created>,
  answer: (question: Question) => string | Promise<string>,
  answers: Record<string, string> = {},
): Promise<Ticket> {
  for (let round = 0; round < ROUNDS; round++) {
    const created = await create({ ...answers });
    if ("ticket" in created) return created.ticket;
    for (const question of created.questions) answers[question.name] = await answer(question);
  }
  throw new TicketRefusedError(`the tracker asks for more and more: no ticket after ${ROUNDS} forms`);
}

/**
 * Asks a person one of those questions: a choice by its number, its value or how people read it; Enter takes the default.
 *
 * @param silenceMs how long silence is borne
 * @returns the answer; undefined at the end of the input, or after three wrong ones
 * @throws {SilenceError} when nobody answers in time
 */
export function askQuestion(question: Question, silenceMs: number): string | undefined {
  return question.choices?.length
    ? askForChoice(question, question.choices, silenceMs)
    : askForText(question, silenceMs);
}

/** The choice that the question's default means, if it is one of them. */
export function defaultOf({ choices, default: value }: Question): string | undefined {
  if (value === undefined || value === "" || !choices?.length) return value || undefined;
  return choiceOf(choices, value)?.value;
}

/**
 * Finds out which choice is meant.
 *
 * @param typed its value, or how people read it; in upper or lower case, with blanks, `-` or `_` between its words, where
 * that leaves no doubt
 */
export function choiceOf(choices: readonly Choice[], typed: string): Choice | undefined {
  const wanted = folded(typed);
  const readings: ((choice: Choice) => boolean)[] = [
    ({ value }) => value === typed,
    ({ label }) => label === typed,
    ({ label }) => folded(label) === wanted,
    ({ value }) => folded(value) === wanted,
  ];
  for (const isMeant of readings) {
    const [only, another] = choices.filter(isMeant);
    if (only && !another) return only;
  }
  return undefined;
}

function askForText(question: Question, silenceMs: number): string | undefined {
  const label = visible(question.label);
  const given = defaultOf(question);
  for (let tries = 0; tries < TRIES; tries++) {
    if (given !== undefined) tell(`Default: ${visible(given)}\n`);
    const answer = ask(`Enter ${label} for new ticket: `, silenceMs);
    if (answer === undefined) break;
    if (answer !== "") return answer;
    if (given !== undefined) return given;
    tell(`A ticket needs ${withArticle(label)}.\n`);
  }
  return undefined;
}

function askForChoice(question: Question, choices: Choice[], silenceMs: number): string | undefined {
  const label = visible(question.label);
  const given = defaultOf(question);
  const list = choices.map((choice, index) => ({ index, choice }));
  const isLong = list.length > LISTED.wholly;
  const first = isLong
    ? list.filter(({ index, choice }) => index < LISTED.atFirst || choice.value === given)
    : list;
  const more = list.length - first.length;
  tell(
    listText(first, given) +
      (more > 0 ? `   and ${more} more: ? lists them all, words those that have them\n` : ""),
  );
  for (let wrong = 0; wrong < TRIES;) {
    const answer = ask(`Choose ${label} for new ticket: `, silenceMs);
    if (answer === undefined) break;
    if (answer === "" && given !== undefined) return given;
    const chosen = numbered(choices, answer) ?? choiceOf(choices, answer);
    if (chosen) return chosen.value;
    const found = answer === "" ? [] : list.filter(({ choice }) => answer === "?" || has(choice, answer));
    if (found.length > 0) {
      tell(listText(found, given));
      continue;
    }
    wrong++;
    tell(
      answer === ""
        ? `A ticket needs ${withArticle(label)}: answer with a number from the list.\n`
        : `There is no ${label} ${visible(answer)}: answer with a number from the list.\n`,
    );
  }
  return undefined;
}

/** One write for all of it: a slow line gets it in one go. */
function listText(list: readonly { index: number; choice: Choice }[], given: string | undefined): string {
  return list.map(({ index, choice: { value, label } }) =>
    `${String(index + 1).padStart(3)}  ${visible(label)}${value === given ? "  (default)" : ""}\n`
  ).join("");
}

function numbered(choices: readonly Choice[], typed: string): Choice | undefined {
  return /^[0-9]{1,6}$/.test(typed) ? choices[Number(typed) - 1] : undefined;
}

function withArticle(label: string): string {
  return `${/^[aeiou]/i.test(label) ? "an" : "a"} ${label}`;
}

/** Whether every word of it is somewhere in the choice. */
function has({ label, value }: Choice, words: string): boolean {
  const text = folded(`${label} ${value}`);
  return folded(words).split(" ").every((word) => text.includes(word));
}

/** What two texts have in common that differ in upper and lower case, or in what is between their words, alone. */
function folded(text: string): string {
  return text.replace(/[\s_-]+/g, " ").trim().toLowerCase();
}
