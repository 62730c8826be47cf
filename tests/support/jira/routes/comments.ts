/** Comments. */

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
import { commentShape } from "../shapes.ts";
import { checkRichText } from "../texts.ts";
import type { Comment, Issue } from "../world.ts";
import type { Route } from "./route.ts";

/**
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-comments/#api-rest-api-3-issue-issueidorkey-comment-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/issue-getComments
 */
function list(call: Call, idOrKey: string): Reply {
  const { issue } = issueOf(call, idOrKey);
  const orderBy = call.query.get("orderBy") ?? "created";
  // A plus that was not encoded comes as a space.
  if (!/^[-+ ]?created$/.test(orderBy)) throw new Refusal(400, [`Cannot order by '${orderBy}'.`]);
  const comments = orderBy.startsWith("-") ? issue.comments.toReversed() : issue.comments;
  const { items, startAt, maxResults, total } = pageOf(call, comments, 5000);
  return {
    status: 200,
    body: {
      startAt,
      maxResults,
      total,
      comments: items.map((comment) => commentShape(call, issue, comment)),
    },
  };
}

/**
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-comments/#api-rest-api-3-issue-issueidorkey-comment-id-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/issue-getComment
 */
function one(call: Call, idOrKey: string, id: string): Reply {
  const { issue } = issueOf(call, idOrKey);
  return { status: 200, body: commentShape(call, issue, commentOf(issue, id)) };
}

/**
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-comments/#api-rest-api-3-issue-issueidorkey-comment-post
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/issue-addComment
 */
function add(call: Call, idOrKey: string): Reply {
  const { issue, project } = changeableIssueOf(call, idOrKey);
  const { body } = partsOf(call, ["body", "visibility", "properties"]);
  if (!may(project, call.user, "ADD_COMMENTS")) {
    throw new Refusal(400, [
      `${call.user.displayName}, you do not have the permission to comment on this issue.`,
    ]);
  }
  checkRichText(call, "comment", body);
  const created = new Date();
  const author = call.user.name;
  const comment: Comment = {
    id: newId(call.world),
    author,
    updateAuthor: author,
    body,
    created,
    updated: created,
  };
  issue.comments.push(comment);
  issue.updated = created;
  return { status: 201, body: commentShape(call, issue, comment) };
}

/**
 * One's own, or everybody's, by permission.
 *
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-comments/#api-rest-api-3-issue-issueidorkey-comment-id-put
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/issue-updateComment
 */
function edit(call: Call, idOrKey: string, id: string): Reply {
  const { issue, project } = changeableIssueOf(call, idOrKey);
  const comment = commentOf(issue, id);
  const { body } = partsOf(call, ["body", "visibility", "properties"]);
  const own = comment.author === call.user.name && may(project, call.user, "EDIT_OWN_COMMENTS");
  if (!own && !may(project, call.user, "EDIT_ALL_COMMENTS")) {
    throw new Refusal(400, [`You do not have permission to edit comment with id: ${id}.`]);
  }
  checkRichText(call, "comment", body);
  comment.body = body;
  comment.updateAuthor = call.user.name;
  comment.updated = new Date();
  issue.updated = comment.updated;
  return { status: 200, body: commentShape(call, issue, comment) };
}

function commentOf(issue: Issue, id: string): Comment {
  const comment = issue.comments.find((other) => other.id === id);
  if (comment === undefined) throw new Refusal(404, [`Can not find a comment for the id: ${id}.`]);
  return comment;
}

const ALL = /^\/issue\/([^/]+)\/comment$/;
const ONE = /^\/issue\/([^/]+)\/comment\/([^/]+)$/;

export const COMMENT_ROUTES: readonly Route[] = [
  { method: "GET", path: ALL, query: ["startAt", "maxResults", "orderBy", "expand"], handle: list },
  { method: "GET", path: ONE, query: ["expand"], handle: one },
  { method: "POST", path: ALL, query: ["expand"], handle: add },
  {
    method: "PUT",
    path: ONE,
    edition: "cloud",
    query: ["notifyUsers", "overrideEditableFlag", "expand"],
    handle: edit,
  },
  { method: "PUT", path: ONE, edition: "server", query: ["expand"], handle: edit },
];
