/** Searches by JQL. */

import { type Call, pageOf, partsOf, Refusal, type Reply } from "../exchange.ts";
import { issuesMeantBy } from "../jql_match.ts";
import type { Issue } from "../world.ts";
import { issueShape } from "./issues.ts";
import type { Route } from "./route.ts";

interface Asked {
  jql: string;
  fields: string[];
  expand: string;
  maxResults: number;
  nextPageToken: string | undefined;
}

const CLOUD_PARTS = [
  "jql",
  "nextPageToken",
  "maxResults",
  "fields",
  "expand",
  "properties",
  "fieldsByKeys",
  "reconcileIssues",
];
const SERVER_PARTS = [
  "jql",
  "startAt",
  "maxResults",
  "validateQuery",
  "fields",
  "expand",
  "properties",
  "fieldsByKeys",
];

/** https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/#api-rest-api-3-search-jql-post */
function cloudPost(call: Call): Reply {
  return cloudPage(call, askedIn(partsOf(call, CLOUD_PARTS)));
}

/** https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/#api-rest-api-3-search-jql-get */
function cloudGet(call: Call): Reply {
  return cloudPage(call, askedByQuery(call));
}

/** By default an issue's id is all that comes of it; there is no total; the token says where it goes on. */
function cloudPage(call: Call, asked: Asked): Reply {
  if (asked.maxResults < 1 || asked.maxResults > 5000) {
    throw new Refusal(400, ["The value for 'maxResults' must be between 1 and 5000."]);
  }
  const found = issuesMeantBy(call, asked.jql);
  const startAt = startOf(asked);
  const page = found.slice(startAt, startAt + Math.min(asked.maxResults, call.world.pageLimit));
  const end = startAt + page.length;
  const isLast = end >= found.length;
  return {
    status: 200,
    body: {
      issues: page.map((issue) => cloudIssue(call, issue, asked)),
      ...(isLast ? {} : { nextPageToken: btoa(JSON.stringify([end, encodeURIComponent(asked.jql)])) }),
      isLast,
    },
  };
}

function cloudIssue(call: Call, issue: Issue, { fields, expand }: Asked): Record<string, unknown> {
  if (fields.length === 0 || fields.join() === "id") return { id: issue.id };
  return issueShape(call, issue, fields, expand);
}

/** A token is good for the query that it came from. */
function startOf({ nextPageToken, jql }: Asked): number {
  if (nextPageToken === undefined) return 0;
  try {
    const [start, of] = JSON.parse(atob(nextPageToken));
    if (typeof start === "number" && of === encodeURIComponent(jql)) return start;
  } catch {
    // what is no token of ours is refused like one of another query
  }
  throw new Refusal(400, ["The provided next page token is invalid or expired."]);
}

/** https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/search-searchUsingSearchRequest */
function serverPost(call: Call): Reply {
  const parts = partsOf(call, SERVER_PARTS);
  for (const name of ["startAt", "maxResults"]) {
    const value = parts[name];
    if (typeof value === "number") call.query.set(name, String(value));
    else if (value !== undefined) {
      throw new Refusal(400, [`Can not deserialize instance of int out of ${name}`]);
    }
  }
  return serverPage(call, askedIn(parts));
}

/** https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/search-search */
function serverGet(call: Call): Reply {
  return serverPage(call, askedByQuery(call));
}

function serverPage(call: Call, asked: Asked): Reply {
  const found = issuesMeantBy(call, asked.jql);
  // 1000 is what Server gives at most: jira.search.views.default.max
  const { items, startAt, maxResults, total } = pageOf(call, found, 50);
  const fields = asked.fields.length === 0 ? ["*navigable"] : asked.fields;
  return {
    status: 200,
    body: {
      expand: "schema,names",
      startAt,
      maxResults: Math.min(maxResults, 1000),
      total,
      issues: items.slice(0, 1000).map((issue) => issueShape(call, issue, fields, asked.expand)),
    },
  };
}

function askedByQuery(call: Call): Asked {
  const maxResults = call.query.get("maxResults") ?? "50";
  if (!/^\d{1,9}$/.test(maxResults)) {
    throw new Refusal(400, [`'${maxResults}' is not a valid value for 'maxResults'.`]);
  }
  return {
    jql: call.query.get("jql") ?? "",
    fields: call.query.getAll("fields").flatMap((names) => names.split(",")).filter((name) => name !== ""),
    expand: call.query.get("expand") ?? "",
    maxResults: Number(maxResults),
    nextPageToken: call.query.get("nextPageToken") ?? undefined,
  };
}

/** Cloud has `expand` as a text, Server as a list. */
function askedIn(
  { jql = "", fields = [], expand = "", maxResults = 50, nextPageToken }: Record<string, unknown>,
): Asked {
  const listed = Array.isArray(expand) ? expand.join(",") : expand;
  const isTexts = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((one) => typeof one === "string");
  const isGood = typeof jql === "string" && isTexts(fields) && typeof listed === "string" &&
    typeof maxResults === "number" && (nextPageToken === undefined || typeof nextPageToken === "string");
  if (!isGood) {
    throw new Refusal(400, ["Invalid request payload. Refer to the REST API documentation and try again."]);
  }
  return { jql, fields, expand: listed, maxResults, nextPageToken };
}

/** https://developer.atlassian.com/changelog/#CHANGE-2046 */
function gone(): Reply {
  throw new Refusal(410, [
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046",
  ]);
}

const GONE_QUERY = [
  "jql",
  "startAt",
  "maxResults",
  "validateQuery",
  "fields",
  "expand",
  "properties",
  "fieldsByKeys",
];

export const SEARCH_ROUTES: readonly Route[] = [
  { method: "POST", path: /^\/search\/jql$/, edition: "cloud", query: [], handle: cloudPost },
  {
    method: "GET",
    path: /^\/search\/jql$/,
    edition: "cloud",
    query: [...CLOUD_PARTS, "failFast"],
    handle: cloudGet,
  },
  { method: "POST", path: /^\/search$/, edition: "cloud", query: GONE_QUERY, handle: gone },
  { method: "GET", path: /^\/search$/, edition: "cloud", query: GONE_QUERY, handle: gone },
  { method: "POST", path: /^\/search$/, edition: "server", query: [], handle: serverPost },
  { method: "GET", path: /^\/search$/, edition: "server", query: SERVER_PARTS, handle: serverGet },
];
