/** What a handler is given and gives back. */

import type { Edition, Issue, Permission, Project, User, World } from "./world.ts";

/** A request of somebody who is known. */
export interface Call {
  edition: Edition;
  world: World;
  user: User;
  /** What `self` links begin with: `http://127.0.0.1:1/rest/api/3`. */
  api: string;
  query: URLSearchParams;
  /** What came as JSON; undefined where nothing came. */
  body: unknown;
}

/** What is sent back: `body` as JSON, or `text` as it is, or nothing. */
export interface Reply {
  status: number;
  body?: unknown;
  text?: string;
  headers?: Record<string, string>;
}

/** Jira says no, in its own shape: `{ errorMessages, errors }`. */
export class Refusal extends Error {
  override name = "Refusal";
  readonly reply: Reply;

  constructor(status: number, messages: string[], errors: Record<string, string> = {}) {
    super(`${status} ${messages.join(" ")} ${JSON.stringify(errors)}`);
    this.reply = { status, body: { errorMessages: messages, errors } };
  }
}

/** @returns the parts of a request's body @throws {Refusal} where there is one that the reference does not know */
export function partsOf(call: Call, known: readonly string[]): Record<string, unknown> {
  if (!isRecord(call.body)) {
    throw new Refusal(400, [
      call.edition === "cloud"
        ? "Invalid request payload. Refer to the REST API documentation and try again."
        : "No content to map to Object due to end of input",
    ]);
  }
  const unknown = Object.keys(call.body).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new Refusal(400, [
      call.edition === "cloud"
        ? "Invalid request payload. Refer to the REST API documentation and try again."
        : `Unrecognized field "${unknown}", not marked as ignorable`,
    ]);
  }
  return call.body;
}

/** Whether a value is an object, not a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A number of the query. @throws {Refusal} where it is none */
export function numberOf(call: Call, name: string, otherwise: number): number {
  const text = call.query.get(name);
  if (text === null) return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new Refusal(400, [`'${text}' is not a valid value for '${name}'.`]);
  return Number(text);
}

/** A part of a list, and what Jira says about every part. */
export function pageOf<T>(call: Call, all: readonly T[], otherwise: number) {
  const startAt = numberOf(call, "startAt", 0);
  const maxResults = Math.min(numberOf(call, "maxResults", otherwise), call.world.pageLimit);
  const items = all.slice(startAt, startAt + maxResults);
  return { items, startAt, maxResults, total: all.length, isLast: startAt + items.length >= all.length };
}

/** Whether somebody may do something in a project. */
export function may(project: Project, user: User, permission: Permission): boolean {
  return project.permissions[user.name]?.includes(permission) ?? false;
}

/** @throws {Refusal} 404, where there is none, or it is not this caller's to see */
export function projectOf(call: Call, idOrKey: string): Project {
  const found = call.world.projects.find((project) => project.key === idOrKey || project.id === idOrKey);
  if (found === undefined || !may(found, call.user, "BROWSE_PROJECTS")) {
    throw new Refusal(404, [
      `No project could be found with ${/^\d+$/.test(idOrKey) ? "id" : "key"} '${idOrKey}'.`,
    ]);
  }
  return found;
}

/** An issue by key (in any case, as Jira has it) or id. @throws {Refusal} 404, where there is none, or it is not this caller's to see */
export function issueOf(call: Call, idOrKey: string): { issue: Issue; project: Project } {
  const issue = call.world.issues.find((one) => one.key === idOrKey.toUpperCase() || one.id === idOrKey);
  const project = call.world.projects.find((one) => one.key === issue?.project);
  if (issue === undefined || project === undefined || !may(project, call.user, "BROWSE_PROJECTS")) {
    throw new Refusal(404, [
      call.edition === "cloud"
        ? "Issue does not exist or you do not have permission to see it."
        : "Issue Does Not Exist",
    ]);
  }
  return { issue, project };
}

/** An issue that can be changed. @throws {Refusal} 404 as `issueOf`, 400 where it or its project is archived */
export function changeableIssueOf(call: Call, idOrKey: string): { issue: Issue; project: Project } {
  const found = issueOf(call, idOrKey);
  if (found.issue.archived || found.project.archived) {
    throw new Refusal(400, [`Issue ${found.issue.key} is archived. You can't modify it.`]);
  }
  return found;
}

/** @returns the next id, for whatever is made */
export function newId(world: World): string {
  return String(world.nextId++);
}

/** @returns the user by `User.name` */
export function userNamed(world: World, name: string): User {
  const user = world.users.find((one) => one.name === name);
  if (user === undefined) {
    throw new Error(`the fake Jira's world has no user ${name}: a test has put that name into it`);
  }
  return user;
}
