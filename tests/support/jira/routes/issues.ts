/** Issues as they are, and their history. */

import { type Call, issueOf, pageOf, Refusal, type Reply } from "../exchange.ts";
import { changeShape, chosenFields, fieldsShape } from "../shapes.ts";
import type { Issue } from "../world.ts";
import type { Route } from "./route.ts";

const EXPANDS = [
  "renderedFields",
  "names",
  "schema",
  "transitions",
  "operations",
  "editmeta",
  "changelog",
  "versionedRepresentations",
];

/**
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-issueidorkey-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/issue-getIssue
 */
function issue(call: Call, idOrKey: string): Reply {
  const found = issueOf(call, idOrKey).issue;
  const fields = call.query.getAll("fields").flatMap((names) => names.split(","));
  return { status: 200, body: issueShape(call, found, fields, call.query.get("expand") ?? "") };
}

/** An issue with the fields that are asked for, and its history, where that is. */
export function issueShape(
  call: Call,
  found: Issue,
  fields: readonly string[],
  expand: string,
): Record<string, unknown> {
  const expands = expand.split(",").map((name) => name.trim()).filter((name) => name !== "");
  const odd = expands.find((name) => !EXPANDS.includes(name));
  if (odd !== undefined) throw new Refusal(400, [`'${odd}' is not a valid value for 'expand'.`]);
  return {
    expand: EXPANDS.join(","),
    id: found.id,
    self: `${call.api}/issue/${found.id}`,
    key: found.key,
    fields: chosenFields(fieldsShape(call, found), fields),
    ...(expands.includes("changelog") ? { changelog: historyOf(call, found) } : {}),
  };
}

/** Cloud has the newest first, Server the oldest. */
function historyOf(call: Call, found: Issue) {
  const histories = found.changes.map((change) => changeShape(call, change));
  if (call.edition === "cloud") histories.reverse();
  return { startAt: 0, maxResults: histories.length, total: histories.length, histories };
}

/**
 * The oldest first.
 *
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-issueidorkey-changelog-get
 */
function changelog(call: Call, idOrKey: string): Reply {
  const found = issueOf(call, idOrKey).issue;
  const { items, ...about } = pageOf(call, found.changes, 100);
  return {
    status: 200,
    body: {
      self:
        `${call.api}/issue/${found.key}/changelog?startAt=${about.startAt}&maxResults=${about.maxResults}`,
      ...about,
      values: items.map((change) => changeShape(call, change)),
    },
  };
}

export const ISSUE_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: /^\/issue\/([^/]+)$/,
    query: ["fields", "fieldsByKeys", "expand", "properties", "updateHistory", "failFast"],
    handle: issue,
  },
  {
    method: "GET",
    path: /^\/issue\/([^/]+)\/changelog$/,
    edition: "cloud",
    query: ["startAt", "maxResults"],
    handle: changelog,
  },
];
