/** New tickets: what Jira demands of them, question after question. */

import type { JiraSettings } from "../../config/tracker_settings.ts";
import { HttpStatusError } from "../../net/http.ts";
import { plainLine } from "../markup/plain.ts";
import {
  type Answers,
  type Asking,
  type Choice,
  type Created,
  type Question,
  SUBJECT_QUESTION,
  type Ticket,
  TicketRefusedError,
  TrackerUnavailableError,
} from "../tracker.ts";
import { notMadeError } from "../http_errors.ts";
import { refusalOf } from "./connection.ts";
import { choiceOf, choicesOf, type Field, valueOf } from "./fields.ts";
import { Remembered } from "../remembered.ts";
import { CREATE_FIELDS, CREATED, ISSUE_TYPES, PROJECTS, REFUSAL } from "./replies.ts";
import type { Tickets } from "./tickets.ts";

/** Fields that nobody is asked for: they follow from other answers, or from who asks. */
const OWN_FIELDS = ["project", "issuetype", "summary", "assignee", "reporter"];
/** Those of them that say who asks, where Jira lets us say so. */
const PEOPLE_FIELDS = ["assignee", "reporter"] as const;
/** So many projects, issue types and fields are looked at. */
const MOST = { size: 50, most: 1000 };

/** Makes tickets. */
export class NewTickets {
  readonly #projects = new Remembered<Choice[]>();
  readonly #types = new Remembered<Choice[]>();
  readonly #fields = new Remembered<Field[]>();

  constructor(readonly tickets: Tickets) {
    tickets.connection.onRefusal.push(() => {
      for (const remembered of [this.#projects, this.#types, this.#fields]) remembered.forget();
    });
  }

  /** One step of `Tracker.create`. */
  async create(asking: Asking, answers: Answers): Promise<Created> {
    const person = await this.tickets.people.of(asking);
    const { settings } = this.tickets.connection;

    const projects = await this.#projectsOf(asking.signal);
    const project = chosen(
      answers,
      { name: "project", label: "project", choices: projects },
      settings.projects[0],
    );
    if (typeof project !== "string") return { questions: [project] };

    const types = await this.#typesOf(project, asking.signal);
    const tracker = chosen(
      answers,
      { name: "tracker", label: "tracker", choices: types },
      settings.newTicketType,
    );
    if (typeof tracker !== "string") return { questions: [tracker] };

    const fields = await this.#fieldsOf(project, tracker, asking.signal);
    const form = answersById(fields, answers);
    const { values, questions } = await this.#further(asking, fields, form, person !== undefined);
    // A subject is one line.
    const summary = plainLine((answers["subject"] ?? "").replace(/[\r\n]+/g, " ")).trim();
    if (summary === "") questions.unshift(SUBJECT_QUESTION);
    if (questions.length > 0) return { questions };

    const { userId } = await this.tickets.connection.edition(asking.signal);
    const people = PEOPLE_FIELDS.filter((name) => fields.some(({ id }) => id === name) && !(name in values));
    return await this.#make(asking, fields, form, {
      project: { key: project },
      issuetype: { id: tracker },
      summary,
      ...values,
      ...(person && Object.fromEntries(people.map((name) => [name, { [userId]: person.id }]))),
    });
  }

  /** The projects in which tickets can be made: those of the config that there are, or all. */
  async #projectsOf(signal: AbortSignal): Promise<Choice[]> {
    const { connection } = this.tickets;
    const allowed = connection.settings.projects;
    if (allowed[0] !== undefined && allowed.length === 1) return [{ value: allowed[0], label: allowed[0] }];
    const { projects } = await connection.edition(signal);
    const all = await this.#projects.of("", async () => {
      const { path, query, paged } = projects;
      const found = await connection.list({ method: "GET", path, query, signal }, PROJECTS, {
        ...MOST,
        paged,
      });
      return found.map(({ key, name }) => ({ value: key, label: name ? `${key} ${name}` : key }));
    });
    const ours = allowed.length === 0
      ? all
      : allowed.flatMap((key) => all.find(({ value }) => value === key) ?? []);
    if (ours.length === 0) {
      throw new TicketRefusedError(
        "srvAudit's account in Jira may make tickets in no project: give it the permissions Browse projects and Create issues",
      );
    }
    return ours;
  }

  /** "Get create metadata issue types for a project"; those of subtasks have no use without a parent. */
  async #typesOf(project: string, signal: AbortSignal): Promise<Choice[]> {
    return await this.#types.of(project, async () => {
      const types = await this.tickets.connection.list(
        { method: "GET", path: `/issue/createmeta/${encodeURIComponent(project)}/issuetypes`, signal },
        ISSUE_TYPES,
        MOST,
      );
      const found = types.filter(({ subtask }) => subtask !== true).map(({ id, name }) => ({
        value: id,
        label: name,
      }));
      if (found.length > 0) return found;
      throw new TicketRefusedError(
        `srvAudit's account in Jira may make no tickets in ${project}: give it the permission Create issues there`,
      );
    });
  }

  /** "Get create field metadata for a project and issue type id" */
  async #fieldsOf(project: string, type: string, signal: AbortSignal): Promise<Field[]> {
    const path = `/issue/createmeta/${encodeURIComponent(project)}/issuetypes/${encodeURIComponent(type)}`;
    return await this.#fields.of(path, async () => {
      const fields = await this.tickets.connection.list({ method: "GET", path, signal }, CREATE_FIELDS, MOST);
      return fields.map(({ fieldId, ...field }) => ({ ...field, id: fieldId }));
    });
  }

  /** What is known of the further fields, and what is to be asked. */
  async #further(
    { signal }: Asking,
    fields: readonly Field[],
    answers: Answers,
    knowsPerson: boolean,
  ): Promise<{ values: Record<string, unknown>; questions: Question[] }> {
    const { connection, people } = this.tickets;
    const edition = await connection.edition(signal);
    const values: Record<string, unknown> = {};
    const questions: Question[] = [];
    for (const field of fields) {
      const demanded = field.required && field.hasDefaultValue !== true && !isOwn(field, knowsPerson);
      const answer = answerTo(connection.settings, field, answers, demanded);
      if (answer !== undefined) {
        values[field.id] = await valueOf(field, answer, edition, (name) => people.named(name, signal));
      } else if (demanded) questions.push(questionOf(connection.settings, field));
    }
    return { values, questions };
  }

  async #make(
    asking: Asking,
    fields: readonly Field[],
    answers: Answers,
    values: Record<string, unknown>,
  ): Promise<Created> {
    const refusal = await this.#post(asking, values);
    if (typeof refusal === "string") return { ticket: await this.#made(asking, refusal, values) };
    const { errors, errorMessages } = REFUSAL.safeParse(refusal.body).data ?? {};
    const names = Object.keys(errors ?? {});

    // What we have put in of our own may be more than Jira lets us say. Without that it cannot say this again.
    const own = PEOPLE_FIELDS.filter((name) => names.includes(name) && name in values);
    if (own.length > 0) {
      return await this.#make(asking, fields, answers, without(values, own));
    }
    const asked = fields.filter(({ id }) =>
      names.includes(id) && !answers[`field:${id}`] && !OWN_FIELDS.includes(id)
    );
    if (asked.length > 0 && asked.length === names.length && !errorMessages?.length) {
      return { questions: asked.map((field) => questionOf(this.tickets.connection.settings, field)) };
    }
    throw new TicketRefusedError(refusalOf(refusal));
  }

  /** "Create issue" @returns the new key; or what Jira has to say against it */
  async #post({ signal }: Asking, fields: Record<string, unknown>): Promise<string | HttpStatusError> {
    try {
      const { key } = await this.tickets.connection.json(
        { method: "POST", path: "/issue", body: { fields }, signal, meaning: { 400: (error) => error } },
        CREATED,
      );
      return key;
    } catch (error) {
      if (error instanceof HttpStatusError) return error;
      throw notMadeError(error);
    }
  }

  async #made(asking: Asking, key: string, values: Record<string, unknown>): Promise<Ticket> {
    try {
      return await this.tickets.existing(asking, key);
    } catch (error) {
      // It is made, whatever happens now; only its status is not known.
      if (!(error instanceof TrackerUnavailableError)) throw error;
      return { key, subject: String(values["summary"]), status: "unknown", open: true };
    }
  }
}

/** @throws {TicketRefusedError} for a field that there is neither by its id nor by its name */
function answersById(fields: readonly Field[], answers: Answers): Answers {
  const further = fields.filter(({ id }) => !OWN_FIELDS.includes(id) || id === "assignee");
  const entries = Object.entries(answers).map(([name, answer]) => {
    const [, label] = /^field:(.*)$/s.exec(name) ?? [];
    const isKnown = label === undefined || [...OWN_FIELDS, ...fields.map(({ id }) => id)].includes(label);
    if (isKnown) return [name, answer];
    const field = further.find((one) => one.name.toLowerCase() === label.toLowerCase());
    if (field) return [`field:${field.id}`, answer];
    throw new TicketRefusedError(
      `there is no field ${JSON.stringify(label)} for new tickets: it is one of ${
        further.map(({ name }) => name).join(", ")
      }`,
    );
  });
  return Object.fromEntries(entries);
}

/** What the config says of a field, by its name or its id. */
export function configured({ fields }: JiraSettings, field: Field): string | undefined {
  const names = [field.name.toLowerCase(), field.id.toLowerCase()];
  return Object.entries(fields).find(([name, value]) => value !== "" && names.includes(name.toLowerCase()))
    ?.[1];
}

/** Jira fills in who asks as the reporter; nobody need be asked for an assignee whom we know. */
function isOwn({ id }: Field, knowsPerson: boolean): boolean {
  return OWN_FIELDS.includes(id) && (id !== "assignee" || knowsPerson);
}

/** The answer to a further field: given, or the only one there is; where it is not demanded, the config's. */
function answerTo(
  settings: JiraSettings,
  field: Field,
  answers: Answers,
  demanded: boolean,
): string | undefined {
  // In which project it is, and who says so, is not for an answer to change: that is checked, and shown, elsewhere.
  if (OWN_FIELDS.includes(field.id) && field.id !== "assignee") return undefined;
  const given = answers[`field:${field.id}`];
  if (given) return given;
  const choices = choicesOf(field);
  if (demanded) return choices?.length === 1 ? choices[0]?.value : undefined;
  return OWN_FIELDS.includes(field.id) ? undefined : configured(settings, field);
}

function questionOf(settings: JiraSettings, field: Field): Question {
  const choices = choicesOf(field);
  const said = configured(settings, field);
  const meant = said === undefined ? undefined : choices ? choiceOf(choices, said)?.value : said;
  return {
    name: `field:${field.id}`,
    label: field.name,
    ...(choices && { choices }),
    ...(meant !== undefined && { default: meant }),
  };
}

/**
 * @param said the config's answer
 * @returns the value that was chosen, or that there is alone; else the question
 * @throws {TicketRefusedError} if it is none of the choices
 */
function chosen(
  answers: Answers,
  question: Question & { choices: Choice[] },
  said: string | undefined,
): string | Question {
  const answer = answers[question.name];
  if (answer) {
    const choice = choiceOf(question.choices, answer);
    if (choice) return choice.value;
    throw new TicketRefusedError(
      `there is no ${question.label} ${JSON.stringify(answer)} for new tickets: choose one of ${
        question.choices.map(({ label }) => label).join(", ")
      }`,
    );
  }
  const [only, another] = question.choices;
  if (only && !another) return only.value;
  const meant = said ? choiceOf(question.choices, said) : undefined;
  return { ...question, ...(meant && { default: meant.value }) };
}

function without(values: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}
