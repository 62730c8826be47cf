/** Tickets as Jira has them, and as srvAudit has. */

import type { Asking, Search, Ticket, TicketDetails } from "../tracker.ts";
import { TicketNotFoundError } from "../tracker.ts";
import type { JiraConnection, JiraRequest } from "./connection.ts";
import type { Edition } from "./editions.ts";
import { jqlOf, wordsOf } from "./jql.ts";
import type { People } from "./people.ts";
import {
  type ChangeReply,
  CHANGES,
  type CommentReply,
  COMMENTS,
  ISSUE,
  ISSUE_CHANGES,
  type IssueReply,
  ISSUES,
  type StatusReply,
  type UserReply,
} from "./replies.ts";
import { usOf } from "./times.ts";

/** All that a ticket is made of. */
const TICKET_FIELDS = "summary,status,project";
/** So many of a ticket's comments, the newest, and so many of its changes are in its details. */
const SHOWN_COMMENTS = 200;
const SHOWN_CHANGES = 1000;

const KEY = /^[A-Z][A-Z0-9_]*-[0-9]+$/i;

/** Reads tickets. */
export class Tickets {
  constructor(readonly connection: JiraConnection, readonly people: People) {}

  /** The key as Jira writes it: `17` and `#17` are of the default project. */
  keyOf(typed: string): string {
    const number = /^#?([0-9]+)$/.exec(typed)?.[1];
    const project = this.connection.settings.projects[0];
    return number === undefined
      ? typed.toUpperCase()
      : project === undefined
      ? number
      : `${project}-${number}`;
  }

  /** Where what is about a ticket is asked for. To Jira, a number alone is the id of some ticket or other: that is no key. */
  pathOf(key: string): string {
    if (!KEY.test(key)) throw notFound(key);
    return `/issue/${encodeURIComponent(key)}`;
  }

  /** The ticket, wherever it is now: one that was moved is found by its old key too. @throws {TicketNotFoundError} */
  async existing(asking: Asking, key: string): Promise<Ticket> {
    return ticketOf(await this.#issue(asking, key, TICKET_FIELDS));
  }

  /** @returns undefined, where there is no such ticket in a project of ours */
  async find(asking: Asking, key: string): Promise<Ticket | undefined> {
    // Once, before both of these ask for it.
    await this.connection.edition(asking.signal);
    try {
      const [ticket] = await Promise.all([this.existing(asking, key), this.people.of(asking)]);
      return ticket;
    } catch (error) {
      if (error instanceof TicketNotFoundError) return undefined;
      throw error;
    }
  }

  /** Whether there is such a project, and srvAudit's account may see it. */
  async hasProject(key: string, signal: AbortSignal): Promise<boolean> {
    const path = `/project/${encodeURIComponent(key)}`;
    const meaning = { 404: () => new TicketNotFoundError(`there is no project ${key}`) };
    try {
      await this.connection.nothing({ method: "GET", path, signal, meaning });
      return true;
    } catch (error) {
      if (error instanceof TicketNotFoundError) return false;
      throw error;
    }
  }

  async search(asking: Asking, { words, limit, closedToo }: Search): Promise<Ticket[]> {
    const { settings } = this.connection;
    const { search } = await this.connection.edition(asking.signal);
    const person = await this.people.of(asking);
    const wanted = wordsOf(words);
    if (wanted.length === 0 && words.trim() !== "") return [];
    const key = this.keyOf(words.trim());
    const named = KEY.test(key) ? await this.find(asking, key) : undefined;
    const issues = await this.connection.list(
      {
        method: "GET",
        path: search,
        query: {
          jql: jqlOf({ words: wanted, assignee: person?.id, projects: settings.projects, closedToo }),
          fields: TICKET_FIELDS,
        },
        signal: asking.signal,
      },
      ISSUES,
      { size: Math.min(limit, 100), most: limit },
    );
    const first = named && (closedToo || named.open) ? [named] : [];
    const others = issues.filter((issue) => this.#isOurs(issue)).map(ticketOf);
    return [...first, ...others.filter((ticket) => ticket.key !== first[0]?.key)].slice(0, limit);
  }

  async details(asking: Asking, key: string): Promise<TicketDetails> {
    const edition = await this.connection.edition(asking.signal);
    await this.people.of(asking);
    const issue = await this.#issue(asking, key, `${TICKET_FIELDS},created,creator`);
    const [comments, changes] = await Promise.all([
      this.connection.list(this.commentsOf(issue.key, asking.signal), COMMENTS, {
        size: 100,
        most: SHOWN_COMMENTS,
      }),
      this.#changes(edition, issue.key, asking.signal),
    ]);
    const created = { atUs: usOf(issue.fields.created), user: nameOf(issue.fields.creator) };
    const ticket = ticketOf(issue);
    return {
      ...ticket,
      createdAtUs: created.atUs,
      createdBy: created.user,
      notes: comments.toReversed().map((comment) => noteOf(comment, edition)),
      statuses: statusesOf(changes, ticket.status, created),
    };
  }

  /** The request for a ticket's comments, the newest first ("Get comments"). */
  commentsOf(key: string, signal: AbortSignal): JiraRequest {
    return {
      method: "GET",
      path: `${this.pathOf(key)}/comment`,
      query: { orderBy: "-created" },
      signal,
      meaning: noTicket(key),
    };
  }

  async #issue({ signal }: Asking, key: string, fields: string): Promise<IssueReply> {
    const issue = await this.connection.json(
      { method: "GET", path: this.pathOf(key), query: { fields }, signal, meaning: noTicket(key) },
      ISSUE,
    );
    if (!this.#isOurs(issue)) throw notFound(key);
    return issue;
  }

  /** The newest changes, the oldest of them first. */
  async #changes({ changes }: Edition, key: string, signal: AbortSignal): Promise<ChangeReply[]> {
    const request: JiraRequest = {
      method: "GET",
      path: this.pathOf(key) + changes.path,
      query: changes.query,
      signal,
      meaning: noTicket(key),
    };
    if (!changes.paged) {
      const { items } = await this.connection.json(request, ISSUE_CHANGES);
      return items.toSorted((one, other) => usOf(one.created) - usOf(other.created)).slice(-SHOWN_CHANGES);
    }
    // The oldest come first, and nothing but how many there are says where the newest are.
    const { total = 0 } = await this.connection.json({ ...request, query: { maxResults: 1 } }, CHANGES);
    const from = Math.max(0, total - SHOWN_CHANGES);
    return await this.connection.list(request, CHANGES, { from, size: 100, most: SHOWN_CHANGES });
  }

  #isOurs({ fields }: IssueReply): boolean {
    const { projects } = this.connection.settings;
    return projects.length === 0 || projects.includes(fields.project.key);
  }
}

/** What an answer about one ticket means that is none. Who may not see it is not told more than who asks for none. */
export function noTicket(key: string): NonNullable<JiraRequest["meaning"]> {
  return { 403: () => notFound(key), 404: () => notFound(key) };
}

/** Whether work can be done on a ticket of this status. */
export function isOpen(status: StatusReply): boolean {
  return status.statusCategory?.key !== "done";
}

function notFound(key: string): TicketNotFoundError {
  return new TicketNotFoundError(`there is no ticket ${key}`);
}

function ticketOf({ key, fields: { summary, status } }: IssueReply): Ticket {
  return { key, subject: summary ?? "", status: status.name, open: isOpen(status) };
}

function noteOf({ created, author, body }: CommentReply, edition: Edition): TicketDetails["notes"][number] {
  return { atUs: usOf(created), user: nameOf(author), text: edition.textOf(body) };
}

/** @param first when the ticket was made, and by whom */
function statusesOf(
  changes: readonly ChangeReply[],
  present: string,
  first: { atUs: number; user: string },
): TicketDetails["statuses"] {
  const moves = changes.flatMap(({ created, author, items }) =>
    (items ?? []).filter(({ field }) => field === "status").map((item) => ({
      atUs: usOf(created),
      user: nameOf(author),
      from: String(item["fromString"] ?? ""),
      status: String(item["toString"] ?? ""),
    }))
  );
  return [
    { ...first, status: moves[0]?.from ?? present },
    ...moves.map(({ atUs, user, status }) => ({ atUs, user, status })),
  ];
}

function nameOf(user: UserReply | null | undefined): string {
  return user?.displayName ?? user?.name ?? "";
}
