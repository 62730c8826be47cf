/** Looks for tickets. */

import { type Asking, type Search, type Ticket, TicketRefusedError } from "../tracker.ts";
import { isShownTo, ticketOf } from "./issues.ts";
import { isActive } from "./projects.ts";
import type { Redmine } from "./redmine.ts";
import { FOUND, type Issue, ISSUES } from "./replies.ts";
import { type Actor, isMissing } from "./server.ts";

/** Redmine gives no more at once. */
const PAGE = 100;
/** Redmine's search passes over whatever comes behind. */
const MOST_WORDS = 5;
/** Redmine's search passes over shorter words, but for Chinese characters. */
const SEARCHED = /^(?:.{2,}|\p{Script=Han})$/su;
/** Newest first. */
const SORT = "id:desc";

/** A list's filters, by name. */
type Filters = Readonly<Record<string, string | number>>;

/**
 * Without words: the person's own open tickets, those assigned to her and those that she made. With words: those that have all
 * of them in subject and description, or in one of their notes.
 */
export async function searchTickets(
  redmine: Redmine,
  { person, signal }: Asking,
  search: Search,
): Promise<Ticket[]> {
  const limit = Math.min(search.limit, PAGE);
  return await redmine.people.as({ person, signal }, async (actor) => {
    const scope = { redmine, actor, signal, limit, closedToo: search.closedToo };
    const words = search.words.split(/\s+/u).filter((word) => word !== "");
    const issues = words.length === 0 ? await ownIssues(scope) : await issuesWith(scope, words);
    const newest = [...new Map(issues.map((issue) => [issue.id, issue])).values()].sort((a, b) =>
      b.id - a.id
    );
    return await Promise.all(newest.slice(0, limit).map((issue) => ticketOf(redmine, issue, signal)));
  });
}

/** Where to look, and for whom. */
interface Scope {
  redmine: Redmine;
  actor: Actor;
  signal: AbortSignal;
  limit: number;
  closedToo: boolean;
}

async function ownIssues(scope: Scope): Promise<Issue[]> {
  const { id } = scope.actor;
  const filters: Filters[] = id === undefined ? [{}] : [{ assigned_to_id: id }, { author_id: id }];
  const places = await placesOf(scope);
  const lists = filters.flatMap((filter) => places.map((place) => listed(scope, { ...place, ...filter })));
  return (await Promise.all(lists)).flat();
}

async function issuesWith(scope: Scope, words: string[]): Promise<Issue[]> {
  // A quotation mark would make one word of several.
  const asked = words.map((word) => word.replaceAll('"', "")).filter((word) => SEARCHED.test(word));
  if (asked.length === 0) throw new TicketRefusedError("Redmine looks for words of two characters or more");
  if (asked.length > MOST_WORDS) {
    throw new TicketRefusedError(`Redmine looks for ${MOST_WORDS} words at most`);
  }
  const ids = (await Promise.all((await pathsOf(scope)).map((path) => found(scope, path, asked)))).flat();
  const wanted = [...new Set(ids)].sort((a, b) => b - a).slice(0, PAGE);
  if (wanted.length === 0) return [];
  return await listed(scope, { issue_id: wanted.join(",") });
}

async function found({ redmine, actor, signal, closedToo }: Scope, path: string, words: string[]) {
  const query = {
    q: words.join(" "),
    issues: 1,
    all_words: 1,
    limit: PAGE,
    ...(closedToo ? {} : { open_issues: 1 }),
  };
  const reply = await redmine.server.jsonIfThere({ method: "GET", path, query, signal }, FOUND, actor);
  return reply?.results.map(({ id }) => id) ?? [];
}

async function listed(scope: Scope, filters: Filters): Promise<Issue[]> {
  const { redmine, actor, signal, limit, closedToo } = scope;
  const query = {
    status_id: closedToo ? "*" : "open",
    // Without it the open tickets of closed projects are in the list. Before 5.0 it does nothing.
    ...(closedToo ? {} : { "project.status": 1 }),
    ...(actor.isGuest ? { is_private: 0 } : {}),
    sort: SORT,
    // Of those some may not be for her.
    limit: "issue_id" in filters || actor.isGuest ? PAGE : limit,
    ...filters,
  };
  try {
    const request = { method: "GET" as const, path: "/issues.json", query, signal };
    const { issues } = await redmine.server.json(request, ISSUES, actor);
    const shown: Issue[] = [];
    // One by one: what is asked of a project is remembered for the next ticket of it.
    for (const issue of issues) if (await isShownTo(redmine, issue, scope)) shown.push(issue);
    return shown;
  } catch (error) {
    // Of a project that she may not see.
    if (isMissing(error)) return [];
    throw error;
  }
}

/** A list has one project, or all; without `subproject_id` it has those below, too. One project's list has no `project.status`. */
async function placesOf({ redmine, signal, closedToo }: Scope): Promise<Filters[]> {
  const allowed = await redmine.projects.allowed(signal);
  const wanted = allowed?.filter((project) => closedToo || isActive(project));
  return wanted?.map(({ id }) => ({ project_id: id, subproject_id: "!*" })) ?? [{}];
}

async function pathsOf({ redmine, signal }: Scope): Promise<string[]> {
  const allowed = await redmine.projects.allowed(signal);
  return allowed?.map(({ id }) => `/projects/${id}/search.json`) ?? ["/search.json"];
}
