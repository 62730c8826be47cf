/** The world that every fake Jira starts with. */

import type { Field, Issue, IssueType, Permission, Project, User, World } from "./world.ts";

const EVERYDAY: Permission[] = [
  "BROWSE_PROJECTS",
  "CREATE_ISSUES",
  "ASSIGN_ISSUES",
  "ASSIGNABLE_USER",
  "TRANSITION_ISSUES",
  "ADD_COMMENTS",
  "EDIT_OWN_COMMENTS",
  "WORK_ON_ISSUES",
];

/**
 * OPS (a Task there demands an environment and a change reason), WEB (demands nothing), OLD (archived), and SECRET, which only
 * alice sees. Bob's mail is hidden, carol's account is closed.
 */
export function firstWorld(): World {
  return {
    users: [
      user("srvaudit", "srvAudit", 1),
      user("alice", "Alice Archer", 2),
      { ...user("bob", "Bob Baker", 3), mailHidden: true },
      { ...user("carol", "Carol Cole", 4), active: false },
    ],
    service: "srvaudit",
    projects: [
      project("10000", "OPS", "Operations", [task([ENVIRONMENT, CHANGE_REASON]), bug()]),
      project("10001", "WEB", "Website", [task([])]),
      { ...project("10002", "SECRET", "Mergers", [task([])]), permissions: { alice: EVERYDAY } },
      { ...project("10003", "OLD", "Old things", [task([])]), archived: true },
    ],
    statuses: [
      { id: "10000", name: "To Do", category: "new" },
      { id: "3", name: "In Progress", category: "indeterminate" },
      { id: "10001", name: "Waiting", category: "indeterminate" },
      { id: "10002", name: "Done", category: "done" },
      { id: "10003", name: "Cancelled", category: "done" },
    ],
    transitions: [
      transition("11", "Start work", ["To Do"], "In Progress"),
      transition("21", "Wait", ["In Progress"], "Waiting"),
      { ...transition("31", "Resolve", ["In Progress", "Waiting"], "Done"), needsResolution: true },
      transition("41", "Put back", ["In Progress", "Waiting"], "To Do"),
      transition("51", "Reopen", ["Done"], "To Do"),
      { ...transition("61", "Cancel", [], "Cancelled"), only: ["alice"] },
    ],
    resolutions: [{ id: "10000", name: "Done" }, { id: "10001", name: "Won't Do" }],
    issues: [
      issue("10101", "OPS-1", "Replace the disk of db1", "To Do"),
      { ...issue("10102", "OPS-2", "Patch the kernel", "In Progress"), assignee: "alice" },
      { ...issue("10103", "OPS-3", "Move the backups", "Done"), resolution: "Done" },
      {
        ...issue("10117", "OPS-17", "Renew the certificates of mail.corp.example", "To Do"),
        assignee: "alice",
      },
      issue("10201", "WEB-1", "The login page is slow", "To Do"),
      { ...issue("10202", "WEB-2", "Remove the old banner", "Waiting"), assignee: "bob" },
      issue("10301", "SECRET-1", "Buy the competitor", "To Do"),
      { ...issue("10401", "OLD-1", "Write punch cards", "To Do"), archived: true },
    ],
    nextId: 20000,
    pageLimit: 5000,
    failedLogins: {},
  };
}

const ENVIRONMENT: Field = {
  ...field("customfield_10040", "Environment", "select"),
  required: true,
  options: [{ id: "10100", value: "production" }, { id: "10101", value: "staging" }],
};
const CHANGE_REASON: Field = { ...field("customfield_10041", "Change reason", "text"), required: true };

function user(name: string, displayName: string, number: number): User {
  return {
    // Ids of accounts from before 2018 have a colon in them, and the others do not.
    accountId: number % 2 === 0
      ? `557058:0f3a6b1c-0000-4000-8000-00000000000${number}`
      : `5b10a2844c20165700ede2${number}g`,
    name,
    key: `JIRAUSER1010${number}`,
    displayName,
    emailAddress: `${name}@corp.example`,
    active: true,
    mailHidden: false,
    token: `token-of-${name}`,
  };
}

function field(id: string, name: string, kind: Field["kind"]): Field {
  return { id, name, kind, required: false, hasDefaultValue: false, options: [] };
}

/** Jira demands a reporter too, and takes who asks. */
function task(further: Field[]): IssueType {
  return {
    id: "10002",
    name: "Task",
    description: "A small, distinct piece of work.",
    fields: [...usual(), ...structuredClone(further)],
  };
}

function bug(): IssueType {
  return { id: "10004", name: "Bug", description: "A problem or error.", fields: usual() };
}

function usual(): Field[] {
  return [
    field("description", "Description", "rich"),
    field("assignee", "Assignee", "user"),
    { ...field("reporter", "Reporter", "user"), required: true, hasDefaultValue: true },
    field("labels", "Labels", "labels"),
    field("duedate", "Due date", "date"),
  ];
}

function project(id: string, key: string, name: string, issueTypes: IssueType[]): Project {
  return {
    id,
    key,
    name,
    archived: false,
    issueTypes,
    permissions: {
      srvaudit: [...EVERYDAY],
      alice: [...EVERYDAY],
      bob: [...EVERYDAY],
      carol: [...EVERYDAY],
    },
  };
}

function transition(id: string, name: string, from: string[], to: string) {
  return { id, name, from, to, needsResolution: false, only: [] };
}

function issue(id: string, key: string, summary: string, status: string): Issue {
  const created = new Date(Date.UTC(2025, 0, 1) + Number(id) * 60_000);
  return {
    id,
    key,
    project: key.replace(/-\d+$/, ""),
    type: "Task",
    summary,
    status,
    resolution: null,
    assignee: null,
    reporter: "alice",
    created,
    updated: created,
    archived: false,
    fields: {},
    comments: [],
    worklogs: [],
    changes: [],
  };
}
