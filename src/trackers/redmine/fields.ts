/** The fields of new tickets that administrators have made. */

import type { Choice, Question } from "../tracker.ts";
import type { Redmine } from "./redmine.ts";
import { CUSTOM_FIELDS, type CustomField, ISSUES, MEMBERSHIPS, type Project, VERSIONS } from "./replies.ts";
import type { Actor } from "./server.ts";

/** A field, as far as it is known. */
export interface Field {
  id: number;
  name: string;
  /** Whether the project has it for sure: before 5.1 Redmine does not say so of the fields of all projects. */
  ofProject: boolean;
  /** Undefined for whoever has no administrator's key: then Redmine says it when the ticket is made. */
  definition: CustomField | undefined;
}

/** Where a new ticket is made. */
export interface Place {
  project: Project;
  tracker: { id: number; name: string };
  actor: Actor;
  signal: AbortSignal;
}

/** All fields that a new ticket may have, those of the project first. */
export async function fieldsOf(redmine: Redmine, { project, tracker, signal }: Place): Promise<Field[]> {
  const definitions = await definitionsOf(redmine, signal);
  const listed = project.issue_custom_fields ?? [];
  const ofTracker = definitions.filter(({ customized_type, trackers }) =>
    (customized_type ?? "issue") === "issue" && (trackers?.some(({ id }) => id === tracker.id) ?? true)
  );
  const known = new Map(definitions.map((definition) => [definition.id, definition]));
  const isOfTracker = (id: number) => !known.has(id) || ofTracker.some((definition) => definition.id === id);
  return [
    ...listed.filter(({ id }) => isOfTracker(id)).map(({ id, name }) => ({
      id,
      name,
      ofProject: true,
      definition: known.get(id),
    })),
    ...ofTracker.filter(({ id }) => !listed.some((field) => field.id === id)).map((definition) => ({
      id: definition.id,
      name: definition.name,
      ofProject: false,
      definition,
    })),
  ];
}

/** Fields of a ticket that is there already, where Redmine tells of none in any other way. */
export async function fieldsOfLastTicket(
  { server }: Redmine,
  { project, tracker, actor, signal }: Place,
): Promise<Field[]> {
  const query = {
    project_id: project.id,
    subproject_id: "!*",
    tracker_id: tracker.id,
    status_id: "*",
    sort: "id:desc",
    limit: 1,
  };
  const reply = await server.jsonIfThere(
    { method: "GET", path: "/issues.json", query, signal },
    ISSUES,
    actor,
  );
  const fields = reply?.issues[0]?.custom_fields ?? [];
  return fields.map(({ id, name }) => ({ id, name, ofProject: true, definition: undefined }));
}

/** The name that a field's answer has. */
export function answerName(field: Field): string {
  return `field:${field.id}`;
}

/** @param preset what the config says where nobody does */
export async function questionOf(
  redmine: Redmine,
  field: Field,
  { place, preset }: { place: Place; preset: string | undefined },
): Promise<Question> {
  const choices = await choicesOf(redmine, field, place);
  const usual = preset ?? field.definition?.default_value ?? "";
  return {
    name: answerName(field),
    label: field.name,
    ...(choices.length === 0 ? {} : { choices }),
    ...(usual === "" ? {} : { default: valueIn(choices, usual) }),
  };
}

/** What Redmine takes for what people read. */
export async function valueOf(
  redmine: Redmine,
  field: Field,
  answer: string,
  place: Place,
): Promise<string | string[]> {
  const value = valueIn(await choicesOf(redmine, field, place), answer);
  return field.definition?.multiple ? [value] : value;
}

function valueIn(choices: readonly Choice[], answer: string): string {
  const same = (text: string) => text.toLowerCase() === answer.toLowerCase();
  const choice = choices.find(({ value }) => value === answer) ?? choices.find(({ label }) => same(label));
  return choice?.value ?? answer;
}

/** @returns none where any text is an answer */
async function choicesOf(redmine: Redmine, { definition }: Field, place: Place): Promise<Choice[]> {
  switch (definition?.field_format) {
    case "version":
      return await versionsOf(redmine, place);
    case "user":
      return await membersOf(redmine, place);
    default:
      // Labels: since 3.0.
      return (definition?.possible_values ?? []).map(({ value, label }) => ({
        value,
        label: label ?? value,
      }));
  }
}

async function versionsOf({ server }: Redmine, { project, actor, signal }: Place): Promise<Choice[]> {
  const path = `/projects/${project.id}/versions.json`;
  const reply = await server.jsonIfThere({ method: "GET", path, signal }, VERSIONS, actor);
  return (reply?.versions ?? []).filter(({ status }) => (status ?? "open") === "open")
    .map(({ id, name }) => ({ value: String(id), label: name }));
}

/** A hundred of them: nobody chooses from more. */
async function membersOf({ server }: Redmine, { project, actor, signal }: Place): Promise<Choice[]> {
  const path = `/projects/${project.id}/memberships.json`;
  const reply = await server.jsonIfThere(
    { method: "GET", path, query: { limit: 100 }, signal },
    MEMBERSHIPS,
    actor,
  );
  return (reply?.memberships ?? []).flatMap(({ user }) =>
    user ? [{ value: String(user.id), label: user.name }] : []
  );
}

/** Administrators alone may see them. */
async function definitionsOf({ server, definitions }: Redmine, signal: AbortSignal): Promise<CustomField[]> {
  return await definitions.of("", async () => {
    if (!(await server.account(signal)).admin) return [];
    const reply = await server.json({ method: "GET", path: "/custom_fields.json", signal }, CUSTOM_FIELDS);
    return reply.custom_fields;
  });
}
