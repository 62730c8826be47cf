/** Projects, and what their new issues demand. */

import { type Call, may, pageOf, projectOf, Refusal, type Reply } from "../exchange.ts";
import { issueTypeShape, projectShape } from "../shapes.ts";
import type { Field, Project } from "../world.ts";
import type { Route } from "./route.ts";

/**
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-projects/#api-rest-api-3-project-projectidorkey-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/project-getProject
 */
function project(call: Call, idOrKey: string): Reply {
  const found = projectOf(call, idOrKey);
  return {
    status: 200,
    body: {
      ...projectShape(call, found),
      issueTypes: found.issueTypes.map((type) => issueTypeShape(call, type)),
    },
  };
}

/** https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-projects/#api-rest-api-3-project-search-get */
function search(call: Call): Reply {
  const keys = call.query.getAll("keys");
  const text = (call.query.get("query") ?? "").toLowerCase();
  const status = call.query.get("status") ?? "live";
  const found = call.world.projects.filter((one) =>
    may(one, call.user, "BROWSE_PROJECTS") && (keys.length === 0 || keys.includes(one.key)) &&
    (one.key.toLowerCase().includes(text) || one.name.toLowerCase().includes(text)) &&
    status.split(",").includes(one.archived ? "archived" : "live")
  );
  const { items, ...about } = pageOf(call, found, 50);
  return {
    status: 200,
    body: {
      self: `${call.api}/project/search`,
      ...about,
      values: items.map((one) => projectShape(call, one)),
    },
  };
}

/** https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/project-getAllProjects */
function all(call: Call): Reply {
  const archivedToo = call.query.get("includeArchived") === "true";
  const found = call.world.projects.filter((one) =>
    may(one, call.user, "BROWSE_PROJECTS") && (archivedToo || !one.archived)
  );
  return { status: 200, body: found.map((one) => projectShape(call, one)) };
}

/**
 * Cloud: `{ issueTypes }`, Server: `{ values }`.
 *
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-createmeta-projectidorkey-issuetypes-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/issue-getCreateIssueMetaProjectIssueTypes
 */
function issueTypes(call: Call, idOrKey: string): Reply {
  const found = creatableIn(call, idOrKey);
  return metaPage(call, "issueTypes", found.issueTypes.map((type) => issueTypeShape(call, type)));
}

/**
 * Cloud: `{ fields }`, Server: `{ values }`.
 *
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-createmeta-projectidorkey-issuetypes-issuetypeid-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/issue-getCreateIssueMetaFields
 */
function fields(call: Call, idOrKey: string, typeId: string): Reply {
  const found = creatableIn(call, idOrKey);
  const type = found.issueTypes.find((one) => one.id === typeId);
  if (type === undefined) {
    throw new Refusal(call.edition === "cloud" ? 400 : 404, ["Issue type is not found."]);
  }
  const set = { operations: ["set"], hasDefaultValue: false, required: true };
  const always = [
    {
      ...set,
      schema: { type: "issuetype", system: "issuetype" },
      name: "Issue Type",
      fieldId: "issuetype",
      allowedValues: [issueTypeShape(call, type)],
    },
    {
      ...set,
      schema: { type: "project", system: "project" },
      name: "Project",
      fieldId: "project",
      allowedValues: [projectShape(call, found)],
    },
    { ...set, schema: { type: "string", system: "summary" }, name: "Summary", fieldId: "summary" },
  ];
  const further = type.fields
    .filter((field) => field.id !== "assignee" || may(found, call.user, "ASSIGN_ISSUES"))
    .map((field) => fieldShape(call, field));
  const shown = [...always, ...further].map((one) =>
    call.edition === "cloud" ? { ...one, key: one.fieldId } : one
  );
  return metaPage(call, "fields", shown);
}

function metaPage(call: Call, name: "issueTypes" | "fields", shapes: object[]): Reply {
  const { items, startAt, maxResults, total, isLast } = pageOf(call, shapes, 50);
  return {
    status: 200,
    body: call.edition === "cloud"
      ? { startAt, maxResults, total, [name]: items }
      : { maxResults, startAt, total, isLast, values: items },
  };
}

/** Cloud's page has 400 for what is not there, Server's has 403 for what is not to be seen. */
function creatableIn(call: Call, idOrKey: string): Project {
  const found = call.world.projects.find((one) => one.key === idOrKey || one.id === idOrKey);
  if (found === undefined || found.archived || !may(found, call.user, "CREATE_ISSUES")) {
    throw new Refusal(call.edition === "cloud" ? 400 : 403, [
      `No project could be found with ${/^\d+$/.test(idOrKey) ? "id" : "key"} '${idOrKey}'.`,
    ]);
  }
  return found;
}

const SCHEMAS: Record<Field["kind"], string> = {
  rich: "string",
  text: "string",
  select: "option",
  user: "user",
  labels: "array",
  date: "date",
  number: "number",
};
const CUSTOM: Partial<Record<Field["kind"], string>> = {
  text: "textfield",
  select: "select",
  user: "userpicker",
  date: "datepicker",
  number: "float",
  rich: "textarea",
};

function fieldShape(call: Call, field: Field) {
  const type = SCHEMAS[field.kind];
  const items = field.kind === "labels" ? { items: "string" } : {};
  const schema = field.id.startsWith("customfield_")
    ? {
      type,
      custom: `com.atlassian.jira.plugin.system.customfieldtypes:${CUSTOM[field.kind]}`,
      customId: Number(field.id.slice(12)),
    }
    : { type, ...items, system: field.id };
  return {
    required: field.required,
    schema,
    name: field.name,
    fieldId: field.id,
    hasDefaultValue: field.hasDefaultValue,
    operations: field.kind === "labels" ? ["add", "set", "remove"] : ["set"],
    ...(field.kind === "select"
      ? {
        allowedValues: field.options.map(({ id, value }) => ({
          self: `${call.api}/customFieldOption/${id}`,
          value,
          id,
          ...(call.edition === "server" ? { disabled: false } : {}),
        })),
      }
      : {}),
  };
}

/** https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/: gone since 9.0, https://jira.atlassian.com/browse/JRASERVER-74965 */
function oldMeta(): Reply {
  throw new Refusal(404, ["Issue Does Not Exist"]);
}

const META = /^\/issue\/createmeta\/([^/]+)\/issuetypes$/;
const META_FIELDS = /^\/issue\/createmeta\/([^/]+)\/issuetypes\/([^/]+)$/;

export const PROJECT_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: /^\/project\/search$/,
    edition: "cloud",
    query: [
      "startAt",
      "maxResults",
      "orderBy",
      "id",
      "keys",
      "query",
      "typeKey",
      "action",
      "expand",
      "status",
    ],
    handle: search,
  },
  {
    method: "GET",
    path: /^\/project$/,
    edition: "server",
    query: ["expand", "recent", "includeArchived", "browseArchive"],
    handle: all,
  },
  { method: "GET", path: /^\/project\/([^/]+)$/, query: ["expand", "properties"], handle: project },
  { method: "GET", path: META, query: ["startAt", "maxResults"], handle: issueTypes },
  { method: "GET", path: META_FIELDS, query: ["startAt", "maxResults"], handle: fields },
  { method: "GET", path: /^\/issue\/createmeta$/, edition: "server", query: [], handle: oldMeta },
];
