/** Time that was spent. */

import {
  type Call,
  changeableIssueOf,
  issueOf,
  may,
  newId,
  pageOf,
  partsOf,
  Refusal,
  type Reply,
} from "../exchange.ts";
import { worklogShape } from "../shapes.ts";
import { checkRichText } from "../texts.ts";
import type { Worklog } from "../world.ts";
import type { Route } from "./route.ts";

/**
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-worklogs/#api-rest-api-3-issue-issueidorkey-worklog-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/issue-getIssueWorklog
 */
function list(call: Call, idOrKey: string): Reply {
  const { issue } = issueOf(call, idOrKey);
  const after = limitOf(call, "startedAfter", -Infinity);
  const before = limitOf(call, "startedBefore", Infinity);
  const found = issue.worklogs.filter(({ started }) =>
    started.getTime() >= after && started.getTime() < before
  );
  const { items, startAt, maxResults, total } = pageOf(call, found, 5000);
  return {
    status: 200,
    body: {
      startAt,
      maxResults,
      total,
      worklogs: items.map((worklog) => worklogShape(call, issue, worklog)),
    },
  };
}

/** A time in milliseconds since 1970. */
function limitOf(call: Call, name: string, otherwise: number): number {
  const text = call.query.get(name);
  if (text === null) return otherwise;
  if (!/^\d+$/.test(text)) throw new Refusal(400, [`'${text}' is not a valid value for '${name}'.`]);
  return Number(text);
}

/**
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-worklogs/#api-rest-api-3-issue-issueidorkey-worklog-post
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/issue-addWorklog
 */
function add(call: Call, idOrKey: string): Reply {
  const { issue, project } = changeableIssueOf(call, idOrKey);
  const parts = partsOf(call, [
    "comment",
    "started",
    "timeSpent",
    "timeSpentSeconds",
    "visibility",
    "properties",
  ]);
  if (!may(project, call.user, "WORK_ON_ISSUES")) {
    throw new Refusal(400, ["You do not have the permission to associate a worklog to this issue."]);
  }
  const started = startOf(call, parts.started);
  const timeSpentSeconds = secondsOf(parts);
  const { comment } = parts;
  // Unlike that of a comment, it may be empty.
  if (comment !== undefined && comment !== "") checkRichText(call, "comment", comment);
  const created = new Date();
  const worklog: Worklog = {
    id: newId(call.world),
    author: call.user.name,
    comment,
    started,
    timeSpentSeconds,
    created,
    updated: created,
  };
  issue.worklogs.push(worklog);
  issue.updated = created;
  return { status: 201, body: worklogShape(call, issue, worklog) };
}

/** Jira counts in minutes. */
function secondsOf({ timeSpent, timeSpentSeconds }: Record<string, unknown>): number {
  if (timeSpent === undefined && timeSpentSeconds === undefined) {
    throw new Refusal(400, [], { timeLogged: "You must indicate the time spent working on this issue." });
  }
  const seconds = timeSpentSeconds ?? secondsIn(timeSpent);
  if (typeof seconds !== "number" || !Number.isInteger(seconds) || seconds < 60) {
    throw new Refusal(400, [], { timeLogged: "Invalid time duration entered." });
  }
  return seconds;
}

/** `1d 2h 30m`, a week being of five days and a day of eight hours. */
function secondsIn(text: unknown): number | undefined {
  if (typeof text !== "string" || !/^(?:\d+[wdhm](?: |$))+$/.test(text)) return undefined;
  const units: Record<string, number> = { w: 5 * 8 * 3600, d: 8 * 3600, h: 3600, m: 60 };
  return text.split(" ").reduce((sum, part) => sum + parseInt(part) * (units[part.slice(-1)] ?? 0), 0);
}

/** `2021-01-17T12:34:00.000+0000` alone: with `Z` or `+00:00` Jira does not read it, and Server does not even say so well. */
function startOf(call: Call, started: unknown): Date {
  if (started === undefined) return new Date();
  if (typeof started === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}$/.test(started)) {
    const date = new Date(started.replace(/(\d\d)(\d\d)$/, "$1:$2"));
    if (!Number.isNaN(date.getTime())) return date;
  }
  if (call.edition === "server") throw new Refusal(500, ["Internal server error"]);
  throw new Refusal(400, ["Invalid request payload. Refer to the REST API documentation and try again."]);
}

const PATH = /^\/issue\/([^/]+)\/worklog$/;

export const WORKLOG_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: PATH,
    edition: "cloud",
    query: ["startAt", "maxResults", "startedAfter", "startedBefore", "expand"],
    handle: list,
  },
  // All at once: its page names no parameter.
  { method: "GET", path: PATH, edition: "server", query: [], handle: list },
  {
    method: "POST",
    path: PATH,
    query: ["notifyUsers", "adjustEstimate", "newEstimate", "reduceBy", "expand", "overrideEditableFlag"],
    handle: add,
  },
];
