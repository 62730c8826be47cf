/** What concerns Jira as a whole: who it is, its statuses and fields, what one may do. */

import { type Call, issueOf, may, projectOf, Refusal, type Reply } from "../exchange.ts";
import { jiraDate, statusShape } from "../shapes.ts";
import type { Edition, Permission } from "../world.ts";
import type { Route } from "./route.ts";

/**
 * For everybody, signed in or not.
 *
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-server-info/#api-rest-api-3-serverinfo-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/serverInfo
 */
export function serverInfo(edition: Edition, baseUrl: string): Reply {
  const common = {
    baseUrl,
    buildDate: jiraDate(new Date(0)),
    serverTime: jiraDate(new Date()),
    serverTitle: "Fake Jira",
  };
  return {
    status: 200,
    body: edition === "cloud"
      ? {
        ...common,
        displayUrl: baseUrl,
        version: "1001.0.0-SNAPSHOT",
        versionNumbers: [1001, 0, 0],
        deploymentType: "Cloud",
        buildNumber: 100290,
        scmInfo: "0000000000000000000000000000000000000000",
        defaultLocale: { locale: "en_US" },
      }
      : {
        ...common,
        version: "9.12.5",
        versionNumbers: [9, 12, 5],
        deploymentType: "Server",
        buildNumber: 9120005,
        scmInfo: "0000000000000000000000000000000000000000",
      },
  };
}

/**
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-workflow-statuses/#api-rest-api-3-status-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/status-getStatuses
 */
function statuses(call: Call): Reply {
  return { status: 200, body: call.world.statuses.map((status) => statusShape(call, status)) };
}

/**
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-fields/#api-rest-api-3-field-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/field-getFields
 */
function fields(call: Call): Reply {
  const of = call.world.projects.flatMap((project) => project.issueTypes).flatMap((type) => type.fields);
  const known = new Map([["summary", "Summary"], ["status", "Status"], ["project", "Project"], [
    "issuetype",
    "Issue Type",
  ]]);
  for (const field of of) known.set(field.id, field.name);
  return {
    status: 200,
    body: [...known].map(([id, name]) => ({
      id,
      ...(call.edition === "cloud" ? { key: id } : {}),
      name,
      custom: id.startsWith("customfield_"),
      orderable: true,
      navigable: true,
      searchable: true,
      clauseNames: id.startsWith("customfield_") ? [`cf[${id.slice(12)}]`, name] : [id],
    })),
  };
}

const PERMISSIONS: Record<Permission, string> = {
  BROWSE_PROJECTS: "Browse Projects",
  CREATE_ISSUES: "Create Issues",
  ASSIGN_ISSUES: "Assign Issues",
  ASSIGNABLE_USER: "Assignable User",
  TRANSITION_ISSUES: "Transition Issues",
  ADD_COMMENTS: "Add Comments",
  EDIT_OWN_COMMENTS: "Edit Own Comments",
  EDIT_ALL_COMMENTS: "Edit All Comments",
  WORK_ON_ISSUES: "Work On Issues",
};

/**
 * Cloud wants to know which ones; without a project or an issue: whether there is one project where it holds.
 *
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-permissions/#api-rest-api-3-mypermissions-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/mypermissions-getPermissions
 */
function myPermissions(call: Call): Reply {
  const asked = call.query.get("permissions");
  if (call.edition === "cloud" && asked === null) {
    throw new Refusal(400, ["The 'permissions' query parameter is required."]);
  }
  const keys = asked === null ? Object.keys(PERMISSIONS) : asked.split(",");
  const issue = call.query.get("issueKey") ?? call.query.get("issueId");
  const project = call.query.get("projectKey") ?? call.query.get("projectId");
  const projects = issue !== null
    ? [issueOf(call, issue).project]
    : project !== null
    ? [projectOf(call, project)]
    : call.world.projects;
  const permissions = keys.map((key) => {
    if (!isPermission(key)) throw new Refusal(400, [`Unrecognized permission: ${key}`]);
    const havePermission = projects.some((one) => may(one, call.user, key));
    return [key, { id: key, key, name: PERMISSIONS[key], type: "PROJECT", description: "", havePermission }];
  });
  return { status: 200, body: { permissions: Object.fromEntries(permissions) } };
}

function isPermission(key: string): key is Permission {
  return Object.hasOwn(PERMISSIONS, key);
}

export const SITE_ROUTES: readonly Route[] = [
  { method: "GET", path: /^\/status$/, query: [], handle: statuses },
  { method: "GET", path: /^\/field$/, query: [], handle: fields },
  {
    method: "GET",
    path: /^\/mypermissions$/,
    query: ["permissions", "projectKey", "projectId", "issueKey", "issueId"],
    handle: myPermissions,
  },
];
