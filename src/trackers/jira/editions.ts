/** What differs between Jira Cloud and Jira Server (or Data Center): data, in this one place. */

import type { JiraSettings } from "../../config/tracker_settings.ts";
import { adf } from "../markup/adf.ts";
import type { Markup } from "../markup/markup.ts";
import { wiki } from "../markup/wiki.ts";
import { textOfAdf, textOfWiki } from "./texts.ts";

/** Parameters of a request. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** A kind of Jira. */
export interface Edition {
  /** What /serverInfo calls `deploymentType`, in small letters; Data Center says `Server`. */
  readonly name: "cloud" | "server";
  /** What every path begins with. */
  readonly api: string;
  readonly markup: Markup;
  /** What is sent as a comment, or as a text field that knows markup, of what `markup` has made. */
  bodyOf(rendered: string): unknown;
  /** What people read, of a body that came. */
  textOf(body: unknown): string;
  /** The property that names a user, in replies, in fields and in JQL. */
  readonly userId: "accountId" | "name";
  /** The parameters of GET /user, each of which names one user exactly. */
  readonly userKeys: readonly string[];
  /** How GET /user/search is told what to look for. */
  readonly userSearch: { readonly parameter: string; readonly query: Query };
  /** Whether host accounts can have the same name there, so that it need not be searched for. */
  readonly hasLogins: boolean;
  /** Where JQL is asked. */
  readonly search: string;
  /** Where all projects are listed in which tickets can be made, as far as it can tell: in pages, or all at once. */
  readonly projects: { readonly path: string; readonly query: Query; readonly paged: boolean };
  /** Where the changes of a ticket are: a path of their own, in pages, or in the ticket itself, on demand. */
  readonly changes: { readonly path: string; readonly paged: boolean; readonly query: Query };
  /** Changes a comment, or logs time, without a mail to everybody who watches the ticket. */
  readonly quietly: Query;
  /** A ticket's worklogs, in pages, or all at once; `about` narrows them down to those that began at about a time, in milliseconds. */
  readonly worklogs: { readonly paged: boolean; about(startMs: number): Query };
  /** What to do where Jira does not take the key. */
  readonly mend: string;
}

/**
 * The reference is developer.atlassian.com/cloud/jira/platform/rest/v3: "Users", "User search", "Issue search" (enhanced
 * search: /search itself is gone), "Projects" (/project/search), "Issues" (Get changelogs), "Issue comments", "Issue worklogs".
 */
export const CLOUD: Edition = {
  name: "cloud",
  api: "/rest/api/3",
  markup: adf,
  bodyOf: (rendered) => JSON.parse(rendered),
  textOf: textOfAdf,
  userId: "accountId",
  userKeys: ["accountId"],
  userSearch: { parameter: "query", query: {} },
  hasLogins: false,
  search: "/search/jql",
  projects: { path: "/project/search", query: { action: "create", orderBy: "key" }, paged: true },
  changes: { path: "/changelog", paged: true, query: {} },
  quietly: { notifyUsers: "false" },
  worklogs: {
    paged: true,
    about: (startMs) => ({ startedAfter: startMs - 1000, startedBefore: startMs + 1000 }),
  },
  mend:
    "make a new API token at id.atlassian.com (Security, API tokens) for the account of jiraMail, and put it into jiraToken",
};

/**
 * The reference is docs.atlassian.com/software/jira/docs/api/REST/9.17.0: "api/2/user" (getUser, findUsers), "api/2/search",
 * "api/2/project" (getAllProjects), "api/2/issue" (getIssue with expand=changelog, comments, worklogs).
 */
export const SERVER: Edition = {
  name: "server",
  api: "/rest/api/2",
  markup: wiki,
  bodyOf: (rendered) => rendered,
  textOf: textOfWiki,
  userId: "name",
  userKeys: ["username", "key"],
  userSearch: { parameter: "username", query: { includeInactive: "true" } },
  hasLogins: true,
  search: "/search",
  projects: { path: "/project", query: {}, paged: false },
  changes: { path: "", paged: false, query: { fields: "status", expand: "changelog" } },
  quietly: {},
  worklogs: { paged: false, about: () => ({}) },
  mend:
    "make a new personal access token in the profile of srvAudit's account there, and put it into jiraToken",
};

/** The edition by what the config says; where it does not, by the key: only Cloud's belongs to a mail. Asks nobody. */
export function likelyEdition(settings: JiraSettings): Edition {
  if (settings.edition !== "ask") return settings.edition === "cloud" ? CLOUD : SERVER;
  return settings.mail === "" ? SERVER : CLOUD;
}
