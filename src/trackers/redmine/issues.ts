/** Reads tickets. */

import { HttpReplyTooLongError } from "../../net/http.ts";
import { type Ticket, TicketNotFoundError, TicketRefusedError, TrackerUnavailableError } from "../tracker.ts";
import { type Redmine, urlOfTicket } from "./redmine.ts";
import { type Issue, ONE_ISSUE } from "./replies.ts";
import type { Actor } from "./server.ts";

/** A ticket's number, as Redmine can have it. */
const KEY = /^[1-9]\d{0,17}$/;

/** A ticket's notes are too many to be read: Redmine tells all of them or none. */
export class HistoryTooLongError extends TicketRefusedError {}

/**
 * @param include further things to tell, by comma: `journals`, `allowed_statuses`
 * @returns the ticket, with as much of its journals as the actor may see; undefined where there is none that she may
 * @throws {HistoryTooLongError}
 */
export async function readIssue(
  redmine: Redmine,
  key: string,
  { actor, signal, include }: { actor: Actor; signal: AbortSignal; include?: string },
): Promise<Issue | undefined> {
  if (!KEY.test(key)) return undefined;
  const request = { method: "GET" as const, path: `/issues/${key}.json`, query: { include }, signal };
  try {
    const [reply] = await Promise.all([
      redmine.server.jsonIfThere(request, ONE_ISSUE, actor),
      // Remembered, and asked for meanwhile where it is not.
      redmine.projects.allowed(signal),
    ]);
    if (!reply || !await isShownTo(redmine, reply.issue, { actor, signal })) return undefined;
    const { journals } = reply.issue;
    if (!actor.isGuest || !journals) return reply.issue;
    return { ...reply.issue, journals: journals.filter((one) => one.private_notes === false) };
  } catch (error) {
    if (!isTooLong(error)) throw error;
    throw new HistoryTooLongError(
      `ticket ${key} has more notes than srvAudit reads: look at ${
        urlOfTicket(redmine.settings, key)
      }, and begin a new ticket`,
      { cause: error },
    );
  }
}

/** Whether somebody may see a ticket that Redmine has shown. What does not say that it is public, is private to a guest. */
export async function isShownTo(
  { projects }: Redmine,
  issue: Issue,
  { actor, signal }: { actor: Actor; signal: AbortSignal },
): Promise<boolean> {
  if (actor.isGuest && issue.is_private !== false) return false;
  return await projects.isOpenTo(actor, issue.project.id, signal);
}

/** Reads a ticket that must be there. @throws {TicketNotFoundError} @throws {HistoryTooLongError} */
export async function existingIssue(
  redmine: Redmine,
  key: string,
  how: { actor: Actor; signal: AbortSignal; include?: string },
): Promise<Issue> {
  const issue = await readIssue(redmine, key, how);
  if (issue) return issue;
  throw new TicketNotFoundError(`there is no ticket ${key} in Redmine that ${how.actor.name} may see here`);
}

/** A ticket as people see it. In a closed project no work can be done on any: then its status says why. */
export async function ticketOf(
  { projects, statuses }: Redmine,
  issue: Issue,
  signal: AbortSignal,
): Promise<Ticket> {
  const isDone = await statuses.isClosed(issue.status, signal);
  const isStuck = !isDone && !await projects.isActive(issue.project.id, signal);
  return {
    key: String(issue.id),
    subject: issue.subject,
    status: isStuck ? `${issue.status.name}, in a closed project` : issue.status.name,
    open: !isDone && !isStuck,
  };
}

/** @throws {TicketRefusedError} for half of a character, which no JSON can carry */
export function demandText(text: string): void {
  if (!text.isWellFormed()) {
    throw new TicketRefusedError(`this is not text: ${JSON.stringify(text).slice(0, 100)}`);
  }
}

function isTooLong(error: unknown): boolean {
  return error instanceof TrackerUnavailableError && error.cause instanceof HttpReplyTooLongError;
}
