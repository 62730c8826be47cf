/** Users. */

import { type Call, issueOf, may, numberOf, projectOf, Refusal, type Reply } from "../exchange.ts";
import { userShape } from "../shapes.ts";
import type { User } from "../world.ts";
import type { Route } from "./route.ts";

/**
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-myself/#api-rest-api-3-myself-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/myself-getUser
 */
function myself(call: Call): Reply {
  return { status: 200, body: userShape(call, call.user) };
}

/**
 * Cloud: by `query` (display name or mail, from its start on) or `accountId`, inactive ones too. Server: by `username` (name,
 * display name or mail), inactive ones only where they are asked for.
 *
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-user-search/#api-rest-api-3-user-search-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/user-findUsers
 */
function search(call: Call): Reply {
  const inactive = call.edition === "cloud" || call.query.get("includeInactive") === "true";
  const active = call.edition === "cloud" || call.query.get("includeActive") !== "false";
  const found = meant(call, "required").filter((user) => user.active ? active : inactive);
  return page(call, found);
}

/**
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-user-search/#api-rest-api-3-user-assignable-search-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/user-findAssignableUsers
 */
function assignable(call: Call): Reply {
  const issueKey = call.query.get("issueKey");
  const projectKey = call.query.get("project");
  if (issueKey === null && projectKey === null) {
    throw new Refusal(400, ["Either 'project' or 'issueKey' query parameter needs to be provided"]);
  }
  const project = issueKey === null ? projectOf(call, projectKey as string) : issueOf(call, issueKey).project;
  return page(
    call,
    meant(call, "optional").filter((user) => user.active && may(project, user, "ASSIGNABLE_USER")),
  );
}

function page(call: Call, users: User[]): Reply {
  const startAt = numberOf(call, "startAt", 0);
  const maxResults = Math.min(numberOf(call, "maxResults", 50), call.world.pageLimit, 1000);
  return {
    status: 200,
    body: users.slice(startAt, startAt + maxResults).map((user) => userShape(call, user)),
  };
}

function meant(call: Call, need: "required" | "optional"): User[] {
  const { users } = call.world;
  if (call.edition === "server") {
    const text = call.query.get("username");
    if (text !== null && text !== "") {
      return users.filter((user) =>
        startsWith(user.name, text) || startsWith(user.displayName, text) ||
        startsWith(user.emailAddress, text)
      );
    }
    if (need === "optional") return users;
    throw new Refusal(400, ["The username query parameter was not provided"]);
  }
  const text = call.query.get("query");
  const accountId = call.query.get("accountId");
  if (text !== null && accountId !== null) {
    throw new Refusal(400, ["Only one of the 'query' and 'accountId' query parameters can be provided"]);
  }
  if (accountId !== null) return users.filter((user) => user.accountId === accountId);
  if (text === null) {
    if (need === "optional") return users;
    throw new Refusal(400, ["The 'query' or 'accountId' query parameter was not provided"]);
  }
  return users.filter((user) =>
    user.displayName.split(" ").some((part) => startsWith(part, text)) ||
    startsWith(user.displayName, text) ||
    // A hidden mail is found by who knows all of it.
    (user.mailHidden ? user.emailAddress === text.toLowerCase() : startsWith(user.emailAddress, text))
  );
}

function startsWith(text: string, start: string): boolean {
  return text.toLowerCase().startsWith(start.toLowerCase());
}

/**
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-users/#api-rest-api-3-user-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/user-getUser
 */
function one(call: Call): Reply {
  const { users } = call.world;
  const asked = (name: string) => call.query.get(name);
  const user = call.edition === "cloud"
    ? users.find(({ accountId }) => accountId === asked("accountId"))
    : users.find(({ name, key }) => name === asked("username") || key === asked("key"));
  if (user !== undefined) return { status: 200, body: userShape(call, user) };
  throw new Refusal(404, [
    call.edition === "cloud"
      ? "Specified user does not exist or you do not have required permissions"
      : `The user named '${asked("username") ?? asked("key")}' does not exist`,
  ]);
}

export const PEOPLE_ROUTES: readonly Route[] = [
  { method: "GET", path: /^\/user$/, edition: "cloud", query: ["accountId", "expand"], handle: one },
  {
    method: "GET",
    path: /^\/user$/,
    edition: "server",
    query: ["username", "key", "includeDeleted", "expand"],
    handle: one,
  },
  { method: "GET", path: /^\/myself$/, query: ["expand"], handle: myself },
  {
    method: "GET",
    path: /^\/user\/search$/,
    edition: "cloud",
    query: ["query", "accountId", "startAt", "maxResults", "property"],
    handle: search,
  },
  {
    method: "GET",
    path: /^\/user\/search$/,
    edition: "server",
    query: ["username", "startAt", "maxResults", "includeActive", "includeInactive"],
    handle: search,
  },
  {
    method: "GET",
    path: /^\/user\/assignable\/search$/,
    edition: "cloud",
    query: [
      "query",
      "accountId",
      "project",
      "issueKey",
      "startAt",
      "maxResults",
      "actionDescriptorId",
      "recommend",
    ],
    handle: assignable,
  },
  {
    method: "GET",
    path: /^\/user\/assignable\/search$/,
    edition: "server",
    query: ["username", "project", "issueKey", "startAt", "maxResults", "actionDescriptorId"],
    handle: assignable,
  },
];
