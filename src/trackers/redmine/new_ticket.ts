/** Makes tickets, and finds out what a new one demands. */

import { HttpStatusError } from "../../net/http.ts";
import { notMadeError, reasonsOf } from "../http_errors.ts";
import {
  type Answers,
  type Asking,
  type Created,
  type Question,
  SUBJECT_QUESTION,
  type Ticket,
  TicketRefusedError,
} from "../tracker.ts";
import {
  answerName,
  type Field,
  fieldsOf,
  fieldsOfLastTicket,
  type Place,
  questionOf,
  valueOf,
} from "./fields.ts";
import { demandText } from "./issues.ts";
import type { Redmine } from "./redmine.ts";
import { type Issue, ONE_ISSUE, type Project } from "./replies.ts";
import type { Actor } from "./server.ts";

/** The name of an answer to a field. */
const BY_ID = /^field:(\d+)$/;

/** A field's value, as Redmine takes it. */
interface FieldValue {
  field: Field;
  value: string | string[];
}

/** @returns the ticket; or the questions that are next: first which project, then which tracker, then all others */
export async function createTicket(
  redmine: Redmine,
  { person, signal }: Asking,
  answers: Answers,
): Promise<Created> {
  for (const answer of Object.values(answers)) demandText(answer);
  return await redmine.people.as({ person, signal }, async (actor) => {
    const project = await chosenProject(redmine, actor, { answers, signal });
    if ("questions" in project) return project;
    const tracker = chosenTracker(redmine, project, answers);
    if ("questions" in tracker) return tracker;
    const place = { project, tracker, actor, signal };
    const fields = await fieldsOf(redmine, place);
    const form = { answers: await answersById(redmine, fields, { answers, place }), place };
    const questions = await openQuestions(redmine, fields, form);
    if (questions.length > 0) return { questions };
    const values = await valuesOf(redmine, fields, form);
    const subject = answers[SUBJECT_QUESTION.name] ?? "";
    const made = await make(redmine, place, { subject, values, assignee: actor.id });
    if ("id" in made) return { ticket: newTicket(made) };
    return { questions: await askedBack(redmine, made, { fields, values, place }) };
  });
}

async function chosenProject(
  { projects, settings }: Redmine,
  actor: Actor,
  { answers, signal }: { answers: Answers; signal: AbortSignal },
): Promise<Project | { questions: Question[] }> {
  const possible = await projects.forNewTickets(actor, signal);
  if (possible.length === 0) {
    throw new TicketRefusedError(
      `there is no project in which ${actor.name} may make tickets: see redmineProject, and her roles in Redmine`,
    );
  }
  const question = {
    name: "project",
    label: "project",
    choices: possible.map(({ identifier, name }) => ({ value: identifier, label: name })),
  };
  const usual = possible.find(({ identifier }) => identifier === settings.projects[0]);
  return chosen(possible, question, { answer: answers["project"], usual: usual?.identifier });
}

function chosenTracker({ settings }: Redmine, project: Project, answers: Answers) {
  const trackers = project.trackers ?? [];
  if (trackers.length === 0) throw new TicketRefusedError(`project ${project.name} has no trackers`);
  const question = {
    name: "tracker",
    label: "tracker",
    choices: trackers.map(({ name }) => ({ value: name, label: name })),
  };
  const usual = trackers.find(({ name }) => isSame(name, settings.newTicketType));
  return chosen(trackers, question, { answer: answers["tracker"], usual: usual?.name });
}

/** @param question its choices are those of `possible`, one by one */
function chosen<T extends object>(
  possible: readonly T[],
  question: Question & Required<Pick<Question, "choices">>,
  { answer, usual }: { answer: string | undefined; usual: string | undefined },
): T | { questions: Question[] } {
  const [only] = possible;
  if (answer === undefined) {
    if (possible.length === 1 && only) return only;
    return { questions: [usual === undefined ? question : { ...question, default: usual }] };
  }
  const found = possible[
    question.choices.findIndex(({ value, label }) => isSame(value, answer) || isSame(label, answer))
  ];
  if (found) return found;
  const names = question.choices.map(({ value }) => value).join(", ");
  throw new TicketRefusedError(`there is no ${question.label} ${answer} to make tickets in: ${names}`);
}

/** @throws {TicketRefusedError} for a field's name that there is not */
async function answersById(
  redmine: Redmine,
  fields: readonly Field[],
  { answers, place }: { answers: Answers; place: Place },
): Promise<Answers> {
  const labels = Object.keys(answers).filter((name) => name.startsWith("field:") && !BY_ID.test(name));
  if (labels.length === 0) return answers;
  const named = (known: readonly Field[], label: string) =>
    known.find(({ name }) => isSame(`field:${name}`, label));
  const isKnown = labels.every((label) => named(fields, label));
  const known = isKnown ? fields : [...fields, ...await fieldsOfLastTicket(redmine, place)];
  const found = labels.map((label) => {
    const field = named(known, label);
    if (field) return [answerName(field), answers[label] ?? ""] as const;
    const { project, tracker } = place;
    throw new TicketRefusedError(
      `a ${tracker.name} of ${project.name} has no ${label.slice("field:".length)}: ${
        known.length === 0
          ? "it has no fields of its own"
          : `its fields are ${known.map(({ name }) => name).join(", ")}`
      }`,
    );
  });
  return {
    ...Object.fromEntries(Object.entries(answers).filter(([name]) => !labels.includes(name))),
    ...Object.fromEntries(found),
  };
}

/** The subject, and what is known to be required. */
async function openQuestions(
  redmine: Redmine,
  fields: readonly Field[],
  { answers, place }: { answers: Answers; place: Place },
): Promise<Question[]> {
  const required = fields.filter((field) => field.ofProject && field.definition?.is_required);
  const unanswered = required.filter((field) => answers[answerName(field)] === undefined);
  return [
    ...(answers[SUBJECT_QUESTION.name] === undefined ? [SUBJECT_QUESTION] : []),
    ...await Promise.all(
      unanswered.map((field) => questionOf(redmine, field, { place, preset: presetOf(redmine, field) })),
    ),
  ];
}

/** What was answered; and what the config says, where nobody was asked. */
async function valuesOf(
  redmine: Redmine,
  fields: readonly Field[],
  { answers, place }: { answers: Answers; place: Place },
): Promise<FieldValue[]> {
  const known = [...fields, ...unknownFields(fields, answers)];
  const values = await Promise.all(known.map(async (field) => {
    const answer = answers[answerName(field)] ?? presetOf(redmine, field);
    return answer === undefined ? [] : [{ field, value: await valueOf(redmine, field, answer, place) }];
  }));
  return values.flat();
}

/** Fields that were asked for only because Redmine has demanded them. */
function unknownFields(fields: readonly Field[], answers: Answers): Field[] {
  return Object.keys(answers).flatMap((name) => {
    const id = Number(BY_ID.exec(name)?.[1] ?? NaN);
    if (Number.isNaN(id) || fields.some((field) => field.id === id)) return [];
    return [{ id, name: `field ${id}`, ofProject: true, definition: undefined }];
  });
}

/** It is made, and nothing more is asked that could fail. Before 5.0 it does not say whether it is open: it is new. */
function newTicket({ id, subject, status }: Issue): Ticket {
  return { key: String(id), subject, status: status.name, open: !status.is_closed };
}

/** @returns the ticket, or what Redmine has against it */
async function make(
  redmine: Redmine,
  place: Place,
  { subject, values, assignee }: { subject: string; values: FieldValue[]; assignee: number | undefined },
): Promise<Issue | TicketRefusedError> {
  const issue = {
    project_id: place.project.id,
    tracker_id: place.tracker.id,
    subject,
    ...(assignee === undefined ? {} : { assigned_to_id: assignee }),
    ...(values.length === 0
      ? {}
      : { custom_fields: values.map(({ field, value }) => ({ id: field.id, value })) }),
  };
  const request = { method: "POST" as const, path: "/issues.json", body: { issue }, signal: place.signal };
  try {
    return (await redmine.server.json(request, ONE_ISSUE, place.actor)).issue;
  } catch (error) {
    if (error instanceof HttpStatusError) {
      throw new TicketRefusedError(
        `Redmine does not let ${place.actor.name} make tickets in ${place.project.name}`,
        {
          cause: error,
        },
      );
    }
    if (!(error instanceof TicketRefusedError)) throw notMadeError(error);
    // Not everybody may have tickets: then it is nobody's.
    if (assignee !== undefined) return await make(redmine, place, { subject, values, assignee: undefined });
    return error;
  }
}

/**
 * The questions to what Redmine demands. It says so in the user's own language, but with the field's name in front.
 *
 * @throws {TicketRefusedError} what it has said, where an answer to a field that was not asked for cannot mend all of it
 */
async function askedBack(
  redmine: Redmine,
  refused: TicketRefusedError,
  { fields, values, place }: { fields: readonly Field[]; values: readonly FieldValue[]; place: Place },
): Promise<Question[]> {
  const reasons = refused.cause instanceof HttpStatusError ? reasonsOf(refused.cause.body) : [];
  const isOpen = (field: Field) => !values.some((one) => one.field.id === field.id);
  const match = (known: readonly Field[]) =>
    reasons.map((reason) => fieldNamedBy(reason, known.filter(isOpen)));
  let demanded = match(fields);
  if (demanded.includes(undefined)) {
    const further = await fieldsOfLastTicket(redmine, place);
    demanded = match([...fields, ...further.filter(({ id }) => !fields.some((field) => field.id === id))]);
  }
  if (demanded.length === 0 || demanded.includes(undefined)) throw refused;
  const distinct = [...new Set(demanded.filter((field) => field !== undefined))];
  return await Promise.all(distinct.map((field) => questionOf(redmine, field, { place, preset: undefined })));
}

/** The field of the longest name that a sentence begins with. No letter or digit goes on behind it, but in languages without spaces. */
function fieldNamedBy(reason: string, fields: readonly Field[]): Field | undefined {
  return fields.filter(({ name }) =>
    reason.startsWith(name) && !/^[\p{Lu}\p{Ll}\p{N}]/u.test(reason.slice(name.length))
  )
    .toSorted((a, b) => b.name.length - a.name.length)[0];
}

function presetOf({ settings }: Redmine, field: Field): string | undefined {
  return Object.entries(settings.fields).find(([name]) => isSame(name, field.name))?.[1];
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
