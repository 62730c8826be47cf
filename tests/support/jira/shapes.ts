/** How Jira writes down what it has: the shapes of the reference's examples. */

import { type Call, userNamed } from "./exchange.ts";
import type { Change, Comment, Issue, Project, Status, User, Worklog } from "./world.ts";

/** `2021-01-17T12:34:00.000+0000` */
export function jiraDate(date: Date): string {
  return date.toISOString().replace("Z", "+0000");
}

/** A user, as the caller may see her. */
export function userShape(call: Call, user: User): Record<string, unknown> {
  const id = call.edition === "cloud"
    ? {
      self: `${call.api}/user?accountId=${encodeURIComponent(user.accountId)}`,
      accountId: user.accountId,
      accountType: "atlassian",
    }
    : { self: `${call.api}/user?username=${encodeURIComponent(user.name)}`, name: user.name, key: user.key };
  const mail = call.edition === "cloud" && user.mailHidden && user !== call.user
    ? {}
    : { emailAddress: user.emailAddress };
  return { ...id, ...mail, displayName: user.displayName, active: user.active, timeZone: "Etc/UTC" };
}

const CATEGORIES = {
  new: { id: 2, key: "new", colorName: "blue-gray", name: "To Do" },
  indeterminate: { id: 4, key: "indeterminate", colorName: "yellow", name: "In Progress" },
  done: { id: 3, key: "done", colorName: "green", name: "Done" },
};

/** A status with its category. */
export function statusShape(call: Call, status: Status): Record<string, unknown> {
  const category = CATEGORIES[status.category];
  return {
    self: `${call.api}/status/${status.id}`,
    description: "",
    iconUrl: "",
    name: status.name,
    id: status.id,
    statusCategory: { self: `${call.api}/statuscategory/${category.id}`, ...category },
  };
}

/** A project, as lists have it. */
export function projectShape(call: Call, project: Project): Record<string, unknown> {
  return {
    self: `${call.api}/project/${project.id}`,
    id: project.id,
    key: project.key,
    name: project.name,
    projectTypeKey: "software",
    archived: project.archived,
    ...(call.edition === "cloud" ? { simplified: false, style: "classic", isPrivate: false } : {}),
  };
}

/** An issue type, as projects and createmeta have it. */
export function issueTypeShape(
  call: Call,
  type: { id: string; name: string; description: string },
): Record<string, unknown> {
  return {
    self: `${call.api}/issuetype/${type.id}`,
    id: type.id,
    description: type.description,
    iconUrl: "",
    name: type.name,
    subtask: false,
    ...(call.edition === "cloud" ? { untranslatedName: type.name, hierarchyLevel: 0 } : {}),
  };
}

/** A comment. */
export function commentShape(call: Call, issue: Issue, comment: Comment): Record<string, unknown> {
  return {
    self: `${call.api}/issue/${issue.id}/comment/${comment.id}`,
    id: comment.id,
    author: userShape(call, userNamed(call.world, comment.author)),
    body: comment.body,
    updateAuthor: userShape(call, userNamed(call.world, comment.updateAuthor)),
    created: jiraDate(comment.created),
    updated: jiraDate(comment.updated),
    ...(call.edition === "cloud" ? { jsdPublic: true } : {}),
  };
}

/** Time that was logged. */
export function worklogShape(call: Call, issue: Issue, worklog: Worklog): Record<string, unknown> {
  const author = userShape(call, userNamed(call.world, worklog.author));
  return {
    self: `${call.api}/issue/${issue.id}/worklog/${worklog.id}`,
    author,
    updateAuthor: author,
    ...(worklog.comment === undefined ? {} : { comment: worklog.comment }),
    created: jiraDate(worklog.created),
    updated: jiraDate(worklog.updated),
    started: jiraDate(worklog.started),
    timeSpent: `${Math.floor(worklog.timeSpentSeconds / 60)}m`,
    timeSpentSeconds: worklog.timeSpentSeconds,
    id: worklog.id,
    issueId: issue.id,
  };
}

/** A change of status, as the history has it. */
export function changeShape(call: Call, change: Change): Record<string, unknown> {
  const statusId = (name: string) => call.world.statuses.find((status) => status.name === name)?.id ?? null;
  return {
    id: change.id,
    author: userShape(call, userNamed(call.world, change.author)),
    created: jiraDate(change.created),
    items: [{
      field: "status",
      fieldtype: "jira",
      ...(call.edition === "cloud" ? { fieldId: "status" } : {}),
      from: statusId(change.from),
      fromString: change.from,
      to: statusId(change.to),
      toString: change.to,
    }],
  };
}

/** All fields of an issue, by their ids. */
export function fieldsShape(call: Call, issue: Issue): Record<string, unknown> {
  const { world } = call;
  const project = world.projects.find((one) => one.key === issue.project);
  const status = world.statuses.find((one) => one.name === issue.status);
  const type = project?.issueTypes.find((one) => one.name === issue.type);
  if (project === undefined || status === undefined || type === undefined) {
    throw new Error(
      `${issue.key} is of a project, a status or a type that the fake Jira's world does not have`,
    );
  }
  const comments = issue.comments.map((comment) => commentShape(call, issue, comment));
  return {
    issuetype: issueTypeShape(call, type),
    project: projectShape(call, project),
    status: statusShape(call, status),
    summary: issue.summary,
    description: null,
    resolution: world.resolutions.find((one) => one.name === issue.resolution) ?? null,
    assignee: issue.assignee === null ? null : userShape(call, userNamed(world, issue.assignee)),
    reporter: userShape(call, userNamed(world, issue.reporter)),
    creator: userShape(call, userNamed(world, issue.reporter)),
    created: jiraDate(issue.created),
    updated: jiraDate(issue.updated),
    ...issue.fields,
    comment: { comments, maxResults: comments.length, total: comments.length, startAt: 0 },
  };
}

/** The fields that `fields` asks for: names, `*all`, `*navigable`, `-name`. */
export function chosenFields(
  all: Record<string, unknown>,
  asked: readonly string[],
): Record<string, unknown> {
  const wanted = asked.filter((name) => name !== "" && !name.startsWith("-"));
  const unwanted = asked.filter((name) => name.startsWith("-")).map((name) => name.slice(1));
  const every = wanted.includes("*all") || wanted.length === 0;
  const navigable = wanted.includes("*navigable");
  return Object.fromEntries(
    Object.entries(all).filter(([name]) =>
      !unwanted.includes(name) && (every || wanted.includes(name) || (navigable && name !== "comment"))
    ),
  );
}
