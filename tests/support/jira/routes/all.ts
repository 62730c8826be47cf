/** All that Jira can be asked, and who answers. */

import { COMMENT_ROUTES } from "./comments.ts";
import { CREATE_ROUTES } from "./create.ts";
import { ISSUE_ROUTES } from "./issues.ts";
import { PEOPLE_ROUTES } from "./people.ts";
import { PROJECT_ROUTES } from "./projects.ts";
import type { Route } from "./route.ts";
import { SEARCH_ROUTES } from "./search.ts";
import { SITE_ROUTES } from "./site.ts";
import { TRANSITION_ROUTES } from "./transitions.ts";
import { WORKLOG_ROUTES } from "./worklogs.ts";

/** The first that fits answers: `createmeta` is no issue's key. */
export const ROUTES: readonly Route[] = [
  ...SITE_ROUTES,
  ...PEOPLE_ROUTES,
  ...PROJECT_ROUTES,
  ...CREATE_ROUTES,
  ...ISSUE_ROUTES,
  ...TRANSITION_ROUTES,
  ...COMMENT_ROUTES,
  ...WORKLOG_ROUTES,
  ...SEARCH_ROUTES,
];
