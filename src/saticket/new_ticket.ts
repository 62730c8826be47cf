/** What a new ticket demands: from the command line, from the defaults, or, at a terminal, from the person. */

import { choiceOf, defaultOf, fillIn } from "../desk/ticket_form.ts";
import {
  type Answers,
  type Created,
  type Question,
  SUBJECT_QUESTION,
  type Ticket,
} from "../trackers/tracker.ts";
import { CannotError } from "./cannot.ts";

/** What the command line says of it. */
export interface Given {
  /** Empty where it says nothing. */
  subject: string;
  project: string | undefined;
  tracker: string | undefined;
  /** Further fields, `NAME=VALUE` each. */
  fields: readonly string[];
}

/** Who makes it. */
export interface Maker {
  create(answers: Answers): Promise<Created>;
  /** Asks the person at the terminal; undefined where there is none. */
  ask: ((question: Question) => string) | undefined;
}

/** Of so many choices a message names each. */
const NAMED = 20;

/**
 * Makes a ticket.
 *
 * @throws {CannotError} if something that is given is no choice, or something is missing and nobody is there to ask
 * @throws {TicketRefusedError} and what else the desk throws
 */
export async function newTicket(maker: Maker, given: Given): Promise<Ticket> {
  const fields = fieldsOf(given.fields);
  const answers: Record<string, string> = {};
  const known = (question: Question): string | undefined => {
    // What was answered already and is asked again was not taken.
    if (answers[question.name] !== undefined) return undefined;
    return givenFor(question, given, fields) ?? defaultOf(question);
  };
  const create = async (form: Answers): Promise<Created> => {
    const created = await maker.create(form);
    if ("ticket" in created) return created;
    const missing = created.questions.filter((question) => known(question) === undefined);
    if (missing.length > 0 && !maker.ask) throw new CannotError(missingText(missing, answers, given));
    if (created.questions.some(({ name }) => name === SUBJECT_QUESTION.name)) {
      for (const [name, value] of unaskedAnswers(given, fields)) {
        if (!created.questions.some((question) => question.name === name)) answers[name] ??= value;
      }
    }
    return created;
  };
  const answer = (question: Question): string => known(question) ?? maker.ask?.(question) ?? "";
  return await fillIn(create, answer, answers);
}

/**
 * What may never be asked for: where there is one project alone, or a field that a ticket can do without. Whether there is such a
 * thing is for the tracker to say.
 */
function unaskedAnswers(
  { project, tracker }: Given,
  fields: readonly Field[],
): [name: string, value: string][] {
  return [
    ...(project === undefined ? [] : [["project", project] as [string, string]]),
    ...(tracker === undefined ? [] : [["tracker", tracker] as [string, string]]),
    ...fields.filter(({ isUsed }) => !isUsed).map(({ name, value }): [string, string] => [
      fieldAnswer(name),
      value,
    ]),
  ];
}

/** A further field, as it was given. */
interface Field {
  name: string;
  value: string;
  isUsed: boolean;
}

function fieldsOf(given: readonly string[]): Field[] {
  const fields = given.map((text) => {
    const [, name = "", value = ""] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    return { name: name.trim(), value: value.trim(), isUsed: false };
  });
  const twice = fields.find(({ name }, i) => fields.findIndex((field) => isSame(field.name, name)) !== i);
  if (twice) throw new CannotError(`the field ${twice.name} was given twice`);
  return fields;
}

/** @throws {CannotError} for what is no choice */
function givenFor(question: Question, given: Given, fields: Field[]): string | undefined {
  const value = valueFor(question, given, fields);
  if (value === undefined || value === "" || !question.choices?.length) return value || undefined;
  const choice = choiceOf(question.choices, value);
  if (!choice) {
    throw new CannotError(`there is no ${question.label} "${value}": it is ${choicesText(question)}`);
  }
  return choice.value;
}

function valueFor({ name, label }: Question, given: Given, fields: Field[]): string | undefined {
  if (name === "subject" || name === "project" || name === "tracker") return given[name];
  const field = fields.find((field) => isSame(fieldAnswer(field.name), name)) ??
    fields.find((field) => isSame(field.name, label));
  if (field) field.isUsed = true;
  return field?.value;
}

function missingText(missing: readonly Question[], answers: Answers, given: Given): string {
  const again = missing.find(({ name }) => answers[name] !== undefined);
  if (again) return `the tracker does not take "${answers[again.name]}" for ${again.label}`;
  const isSubjectNext = answers[SUBJECT_QUESTION.name] === undefined && given.subject === "";
  const all = isSubjectNext && !missing.some(({ name }) => name === SUBJECT_QUESTION.name)
    ? [...missing, SUBJECT_QUESTION]
    : missing;
  return `a new ticket needs ${all.map(optionText).join(", and ")}`;
}

/** What gives the answer on the command line. */
function optionText(question: Question): string {
  const { name, label } = question;
  if (name === SUBJECT_QUESTION.name) return "a subject: saticket new SUBJECT";
  const option = name === "project" || name === "tracker"
    ? `--${name} ${name.toUpperCase()}`
    : `--field '${label.replaceAll("'", `'\\''`)}=VALUE'`;
  return question.choices?.length ? `${option} (${choicesText(question)})` : option;
}

function choicesText({ choices = [] }: Question): string {
  const labels = choices.slice(0, NAMED).map(({ label }) => label);
  const more = choices.length - labels.length;
  return `one of ${labels.join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}

/** What the answer to a field is called that was given by its name or its id. */
function fieldAnswer(given: string): string {
  return given.startsWith("field:") ? given : `field:${given}`;
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
