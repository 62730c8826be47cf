/** New issues. */

import { type Call, isRecord, may, newId, partsOf, Refusal, type Reply } from "../exchange.ts";
import { checkRichText, faultOfText } from "../texts.ts";
import type { Field, Issue, IssueType, Project, User } from "../world.ts";
import type { Route } from "./route.ts";

const SUMMARY_LIMIT = 255;

/**
 * All that is wrong with the fields is said at once.
 *
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-post
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/issue-createIssue
 */
function create(call: Call): Reply {
  const parts = partsOf(call, ["fields", "update", "historyMetadata", "properties", "transition"]);
  const fields = isRecord(parts.fields) ? parts.fields : {};
  const { project, type } = placeOf(call, fields);
  const errors: Record<string, string> = {};
  const known = new Map(type.fields.map((field) => [field.id, field]));
  if (!may(project, call.user, "ASSIGN_ISSUES")) known.delete("assignee");
  for (const [id, value] of Object.entries(fields)) {
    if (["project", "issuetype", "summary"].includes(id)) continue;
    const field = known.get(id);
    const fault = field === undefined ? notOnScreen(id) : faultOfValue(call, project, field, value);
    if (fault !== undefined) errors[id] = fault;
  }
  for (const field of known.values()) {
    if (field.required && !field.hasDefaultValue && isMissing(fields[field.id])) {
      errors[field.id] ??= `${field.name} is required.`;
    }
  }
  const summaryFault = faultOfSummary(call, fields.summary);
  if (summaryFault !== undefined) errors.summary = summaryFault;
  if (Object.keys(errors).length > 0) throw new Refusal(400, [], errors);
  const issue = made(call, project, type, fields);
  call.world.issues.push(issue);
  return { status: 201, body: { id: issue.id, key: issue.key, self: `${call.api}/issue/${issue.id}` } };
}

/** What Jira says of a field that a screen does not have. */
export function notOnScreen(id: string): string {
  return `Field '${id}' cannot be set. It is not on the appropriate screen, or unknown.`;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}

function placeOf(call: Call, fields: Record<string, unknown>): { project: Project; type: IssueType } {
  const cloud = call.edition === "cloud";
  const asked = isRecord(fields.project) ? fields.project : {};
  const project = call.world.projects.find((one) => one.key === asked.key || one.id === asked.id);
  if (project === undefined || project.archived || !may(project, call.user, "BROWSE_PROJECTS")) {
    const missing = fields.project === undefined ? "project is required" : "valid project is required";
    throw new Refusal(400, [], { project: cloud ? "Specify a valid project ID or key" : missing });
  }
  if (!may(project, call.user, "CREATE_ISSUES")) {
    throw new Refusal(400, [], { project: "You cannot create issues in this project." });
  }
  const wanted = isRecord(fields.issuetype) ? fields.issuetype : {};
  const type = project.issueTypes.find((one) => one.id === wanted.id || one.name === wanted.name);
  if (type === undefined) {
    const missing = fields.issuetype === undefined;
    const said = cloud
      ? missing ? "Specify an issue type" : "Specify a valid issue type"
      : missing
      ? "issue type is required"
      : "valid issue type is required";
    throw new Refusal(400, [], { issuetype: said });
  }
  return { project, type };
}

function faultOfSummary(call: Call, summary: unknown): string | undefined {
  if (isMissing(summary)) return "You must specify a summary of the issue.";
  if (typeof summary !== "string") return "Operation value must be a string";
  if (/[\r\n]/.test(summary)) return "The summary is invalid because it contains newline characters.";
  if (summary.length > SUMMARY_LIMIT) {
    return call.edition === "cloud"
      ? "Summary can't exceed 255 characters."
      : "Summary must be less than 255 characters.";
  }
  return faultOfText(summary, SUMMARY_LIMIT);
}

function faultOfValue(call: Call, project: Project, field: Field, value: unknown): string | undefined {
  if (value === null) return undefined;
  switch (field.kind) {
    case "text":
      return typeof value === "string"
        ? faultOfText(value, SUMMARY_LIMIT)
        : "Operation value must be a string";
    case "number":
      return typeof value === "number" ? undefined : "Operation value must be a number";
    case "date":
      return typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value)
        ? undefined
        : "Error parsing date string: the format is yyyy-MM-dd.";
    case "rich":
      return faultOfRich(call, value);
    case "select":
      return faultOfOption(field, value);
    case "labels":
      return faultOfLabels(value);
    case "user":
      return faultOfUser(call, project, field, value);
  }
}

function faultOfRich(call: Call, value: unknown): string | undefined {
  try {
    checkRichText(call, "description", value);
  } catch (error) {
    const { errors } = (error as Refusal).reply.body as { errors: Record<string, string> };
    if (errors.description === undefined) throw error;
    return errors.description;
  }
}

function faultOfOption(field: Field, value: unknown): string | undefined {
  if (!isRecord(value) || (value.id === undefined && value.value === undefined)) {
    return `Specify a valid 'id' or 'name' for ${field.name}`;
  }
  const found = field.options.some((option) =>
    value.id === undefined ? option.value === value.value : option.id === value.id
  );
  return found
    ? undefined
    : `Option ${value.id === undefined ? "value" : "id"} '${value.id ?? value.value}' is not valid`;
}

function faultOfLabels(value: unknown): string | undefined {
  if (!Array.isArray(value)) return "data was not an array";
  const bad = value.find((label) => typeof label !== "string" || /\s/.test(label));
  return bad === undefined ? undefined : `The label '${bad}' contains spaces which is invalid.`;
}

function faultOfUser(call: Call, project: Project, field: Field, value: unknown): string | undefined {
  if (!isRecord(value)) return "data was not an object";
  const user = userIn(call, value);
  if (user === undefined) {
    return call.edition === "cloud" ? "Account ID is not valid." : `User '${value.name}' does not exist.`;
  }
  if (user === "nobody" || field.id !== "assignee") return undefined;
  return user.active && may(project, user, "ASSIGNABLE_USER")
    ? undefined
    : `User '${call.edition === "cloud" ? user.accountId : user.name}' cannot be assigned issues.`;
}

/** Cloud: `{ accountId }` or `{ id }`; Server: `{ name }`. */
function userIn(call: Call, value: Record<string, unknown>): User | "nobody" | undefined {
  const asked = call.edition === "cloud" ? value.accountId ?? value.id : value.name;
  if (asked === null) return "nobody";
  return call.world.users.find((user) => asked === (call.edition === "cloud" ? user.accountId : user.name));
}

function made(call: Call, project: Project, type: IssueType, fields: Record<string, unknown>): Issue {
  const { assignee, reporter, summary, project: _project, issuetype: _type, ...further } = fields;
  const numbers = call.world.issues.filter((one) => one.project === project.key).map((one) =>
    Number(one.key.split("-")[1])
  );
  const created = new Date();
  const nameOf = (value: unknown) => {
    const user = isRecord(value) ? userIn(call, value) : undefined;
    return user === undefined || user === "nobody" ? null : user.name;
  };
  return {
    id: newId(call.world),
    key: `${project.key}-${Math.max(0, ...numbers) + 1}`,
    project: project.key,
    type: type.name,
    summary: (summary as string).trim(),
    status: call.world.statuses[0]?.name ?? "",
    resolution: null,
    assignee: nameOf(assignee),
    reporter: nameOf(reporter) ?? call.user.name,
    created,
    updated: created,
    archived: false,
    fields: Object.fromEntries(Object.entries(further).map(([id, value]) => [id, kept(type, id, value)])),
    comments: [],
    worklogs: [],
    changes: [],
  };
}

/** An option is kept whole, by whatever it was named. */
function kept(type: IssueType, id: string, value: unknown): unknown {
  const options = type.fields.find((field) => field.id === id)?.options ?? [];
  if (options.length === 0 || !isRecord(value)) return value;
  return options.find((option) => option.id === value.id || option.value === value.value) ?? value;
}

export const CREATE_ROUTES: readonly Route[] = [
  { method: "POST", path: /^\/issue$/, query: ["updateHistory"], handle: create },
];
