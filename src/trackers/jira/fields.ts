/** A ticket's further fields: what can be answered, and what an answer is to Jira. */

import { plainLine, plainText } from "../markup/plain.ts";
import { type Choice, TicketRefusedError } from "../tracker.ts";
import type { Edition } from "./editions.ts";
import type { AllowedValue, FieldReply } from "./replies.ts";
import { momentOf } from "./times.ts";

/** A field of a screen. */
export interface Field extends FieldReply {
  /** Jira's own name for it: `customfield_10010`. */
  id: string;
}

/** What can be answered; undefined, where any text can. */
export function choicesOf(field: Field): Choice[] | undefined {
  const choices = field.allowedValues?.filter((value) => value.disabled !== true).flatMap(choicesOfValue);
  return choices && choices.length > 0 ? choices : undefined;
}

/** A value; and those below it, where a field has two lists, of which the second depends on the first. */
function choicesOfValue(value: AllowedValue): Choice[] {
  const id = String(value.id ?? value.value ?? value.name ?? "");
  const label = value.name ?? value.value ?? id;
  const below = (value.children ?? []).map((child) => ({
    value: `${id}/${child.id}`,
    label: `${label} / ${child.value ?? child.id}`,
  }));
  return [{ value: id, label }, ...below];
}

/** The choice that is meant, by its value or its label. */
export function choiceOf(choices: readonly Choice[], answer: string): Choice | undefined {
  const wanted = answer.trim().toLowerCase();
  return choices.find(({ value }) => value === answer.trim()) ??
    choices.find(({ label }) => label.toLowerCase() === wanted);
}

/** Whether the field takes a text with markup: its form differs between the editions ("Create issue"). */
function isRich({ schema }: Field): boolean {
  return schema?.system === "description" || schema?.system === "environment";
}

function isTextArea({ schema }: Field): boolean {
  return schema?.custom?.endsWith(":textarea") === true;
}

/**
 * What Jira is sent for an answer, by the field's type
 * (developer.atlassian.com/server/jira/platform/jira-rest-api-examples, "Setting custom field data").
 *
 * @param user finds a user by her name
 * @throws {TicketRefusedError} if the answer is none of the field's values, or of another type
 */
export async function valueOf(
  field: Field,
  answer: string,
  edition: Edition,
  user: (name: string) => Promise<{ id: string } | undefined>,
): Promise<unknown> {
  const type = field.schema?.type;
  if (type === "array") {
    return await Promise.all(
      partsOf(field, answer).map((part) => singleValueOf(field, field.schema?.items, part, edition, user)),
    );
  }
  if (type === "timetracking") return { originalEstimate: answer };
  return await singleValueOf(field, type, answer, edition, user);
}

/** Several answers are parted by commas; a value that has a comma in its name is one all the same. */
function partsOf(field: Field, answer: string): string[] {
  if (choiceOf(choicesOf(field) ?? [], answer)) return [answer];
  const labels = field.schema?.items === "string" && field.schema.system === "labels";
  return answer.split(labels ? /[,\s]+/ : ",").map((part) => part.trim()).filter((part) => part !== "");
}

async function singleValueOf(
  field: Field,
  type: string | null | undefined,
  answer: string,
  edition: Edition,
  user: (name: string) => Promise<{ id: string } | undefined>,
): Promise<unknown> {
  const choices = choicesOf(field);
  if (choices) {
    const choice = choiceOf(choices, answer);
    if (!choice) throw wrong(field, answer, `choose one of ${choices.map(({ label }) => label).join(", ")}`);
    const [id, child] = type === "option-with-child" ? choice.value.split("/") : [choice.value];
    return child === undefined ? { id } : { id, child: { id: child } };
  }
  switch (type) {
    case "number": {
      const number = Number(answer);
      if (answer.trim() === "" || !Number.isFinite(number)) {
        throw wrong(field, answer, "it is to be a number");
      }
      return number;
    }
    case "date":
      if (!/^\d{4}-\d\d-\d\d$/.test(answer)) throw wrong(field, answer, "it is to be a day, as 2026-01-31");
      return answer;
    case "datetime": {
      const ms = Date.parse(answer);
      if (Number.isNaN(ms)) throw wrong(field, answer, "it is to be a moment, as 2026-01-31 17:00");
      return momentOf(ms * 1000);
    }
    case "user": {
      const found = await user(answer);
      if (!found) throw wrong(field, answer, "Jira knows no such user");
      return { [edition.userId]: found.id };
    }
    case "group":
      return { name: answer };
    default: {
      const asBody = isRich(field) || (isTextArea(field) && edition.name === "cloud");
      if (asBody) return edition.bodyOf(edition.markup.render([{ kind: "text", text: answer }]));
      return isTextArea(field) ? plainText(answer) : plainLine(answer);
    }
  }
}

function wrong(field: Field, answer: string, mend: string): TicketRefusedError {
  return new TicketRefusedError(`${field.name} cannot be ${JSON.stringify(answer)}: ${mend}`);
}
