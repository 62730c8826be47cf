/** What the fake Jira keeps, by plain data: tests look at it and change it as they like. */

/** Cloud: REST v3, accountId, ADF. Server (and Data Center): REST v2, user names, wiki markup. */
export type Edition = "cloud" | "server";

/** An account. Both editions' names for it are here; each shows its own only. */
export interface User {
  accountId: string;
  /** Server's. */
  name: string;
  key: string;
  displayName: string;
  emailAddress: string;
  active: boolean;
  /** Whether its mail is its own business: Cloud then leaves it out of what others see. */
  mailHidden: boolean;
  /** What it signs in with: an API token (Cloud, behind its mail) or a personal access token (Server). */
  token: string;
}

/** What one may do in a project, by Jira's own keys for it. */
export type Permission =
  | "BROWSE_PROJECTS"
  | "CREATE_ISSUES"
  | "ASSIGN_ISSUES"
  | "ASSIGNABLE_USER"
  | "TRANSITION_ISSUES"
  | "ADD_COMMENTS"
  | "EDIT_OWN_COMMENTS"
  | "EDIT_ALL_COMMENTS"
  | "WORK_ON_ISSUES";

/** A project. */
export interface Project {
  id: string;
  key: string;
  name: string;
  archived: boolean;
  issueTypes: IssueType[];
  /** Who may do what, by `User.name`. */
  permissions: Record<string, Permission[]>;
}

/** An issue type of a project, with what its create screen has beyond project, issuetype and summary. */
export interface IssueType {
  id: string;
  name: string;
  description: string;
  fields: Field[];
}

/** A field of a create screen. */
export interface Field {
  /** `description`, `assignee`, `customfield_10042` … */
  id: string;
  name: string;
  kind: "rich" | "text" | "select" | "user" | "labels" | "date" | "number";
  required: boolean;
  hasDefaultValue: boolean;
  /** A select's options. */
  options: { id: string; value: string }[];
}

/** A status of the workflow. */
export interface Status {
  id: string;
  name: string;
  category: "new" | "indeterminate" | "done";
}

/** A way from one status to another. */
export interface Transition {
  id: string;
  name: string;
  /** By `Status.name`; from any, where there are none. */
  from: string[];
  to: string;
  /** Whether its screen demands a resolution. */
  needsResolution: boolean;
  /** Who alone may take it, by `User.name`; all, where nobody is named. */
  only: string[];
}

/** An issue. */
export interface Issue {
  id: string;
  key: string;
  /** By key. */
  project: string;
  /** By name. */
  type: string;
  summary: string;
  /** By name. */
  status: string;
  resolution: string | null;
  /** By `User.name`. */
  assignee: string | null;
  reporter: string;
  created: Date;
  updated: Date;
  archived: boolean;
  /** What else was set when it was made: description and custom fields, as they came. */
  fields: Record<string, unknown>;
  comments: Comment[];
  worklogs: Worklog[];
  changes: Change[];
}

/** A comment; its body is a document (Cloud) or wiki markup (Server). */
export interface Comment {
  id: string;
  author: string;
  updateAuthor: string;
  body: unknown;
  created: Date;
  updated: Date;
}

/** Time that was logged. */
export interface Worklog {
  id: string;
  author: string;
  comment: unknown;
  started: Date;
  timeSpentSeconds: number;
  created: Date;
  updated: Date;
}

/** A change of status. */
export interface Change {
  id: string;
  author: string;
  created: Date;
  from: string;
  to: string;
}

/** All of it. */
export interface World {
  users: User[];
  /** The account that srvAudit would use, by `User.name`. */
  service: string;
  projects: Project[];
  statuses: Status[];
  transitions: Transition[];
  resolutions: { id: string; name: string }[];
  issues: Issue[];
  /** The number that the next thing is made with. */
  nextId: number;
  /** The longest page that any list gives, whatever is asked for. */
  pageLimit: number;
  /** How many more requests it takes before it says 429; without it: any number. */
  rateLimit?: { limit: number; remaining: number; retryAfterS: number };
  /** How often each mail has signed in wrongly, one time after the other; from 3 on it has to solve a CAPTCHA. */
  failedLogins: Record<string, number>;
}
