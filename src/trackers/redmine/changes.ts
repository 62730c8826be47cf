/** Changes tickets: their status, and notes on them. */

import { HttpStatusError } from "../../net/http.ts";
import { type StatusChange, StatusNotAllowedError, TicketRefusedError } from "../tracker.ts";
import { demandText, existingIssue, HistoryTooLongError, ticketOf } from "./issues.ts";
import type { Redmine } from "./redmine.ts";
import type { Issue, Journal, Status } from "./replies.ts";
import type { Actor } from "./server.ts";

/** What a change is made for. */
interface Change {
  redmine: Redmine;
  actor: Actor;
  key: string;
  signal: AbortSignal;
}

/**
 * The statuses that the workflow allows, the present one not included. Before 5.0 Redmine does not say which these are: then
 * all are offered, and trying one tells.
 */
export async function nextStatuses(change: Change): Promise<Status[]> {
  const issue = await existingIssue(change.redmine, change.key, { ...change, include: "allowed_statuses" });
  return await statusesAfter(change, issue);
}

/** @throws {StatusNotAllowedError} @throws {TicketNotFoundError} @throws {TicketRefusedError} */
export async function setStatus(change: Change, status: string): Promise<StatusChange> {
  const { redmine, key, signal } = change;
  const issue = await existingIssue(redmine, key, { ...change, include: "allowed_statuses" });
  const before = issue.status.name;
  const allowed = await statusesAfter(change, issue);
  const wanted = allowed.find(({ name }) => name.toLowerCase() === status.toLowerCase());
  if (!wanted) {
    const possible = allowed.length === 0 ? "none is" : `${allowed.map(({ name }) => name).join(", ")} are`;
    throw new StatusNotAllowedError(
      `ticket ${key} is ${before}: ${change.actor.name} may not set it to ${status} (${possible} allowed)`,
    );
  }
  await put(change, { status_id: wanted.id });
  const after = await existingIssue(redmine, key, change);
  // What the workflow forbids, Redmine passes over in silence.
  if (after.status.id !== wanted.id) {
    throw new StatusNotAllowedError(
      `ticket ${key} is still ${after.status.name}: the workflow does not let ${change.actor.name} set it to ${wanted.name}`,
    );
  }
  return { before, after: await ticketOf(redmine, after, signal) };
}

/**
 * Adds a note; who is not known in Redmine is named in it.
 *
 * @param name the person's, on this host
 * @throws {TicketNotFoundError} @throws {TicketRefusedError} if the person may not, or Redmine has dropped it
 */
export async function addNote(change: Change, name: string, text: string): Promise<void> {
  const { redmine, key } = change;
  demandText(text);
  const notes = redmine.markup.render([
    change.actor.id === undefined ? { kind: "quote", by: name, text } : { kind: "text", text },
  ]);
  await existingIssue(redmine, key, change);
  await put(change, { notes });
  // Who may change a ticket, but may add no notes, is told of a success all the same.
  const journals = await journalsOf(change);
  if (journals && !journals.some((journal) => sameText(journal.notes, notes))) {
    throw new TicketRefusedError(`Redmine takes no notes of ${change.actor.name}'s on ticket ${key}`);
  }
}

/** @returns undefined where there are too many to be read */
async function journalsOf(change: Change): Promise<Journal[] | undefined> {
  try {
    const issue = await existingIssue(change.redmine, change.key, { ...change, include: "journals" });
    return issue.journals ?? [];
  } catch (error) {
    if (error instanceof HistoryTooLongError) return undefined;
    throw error;
  }
}

/** Whether Redmine has kept a text as it was sent. */
export function sameText(kept: string | null | undefined, sent: string): boolean {
  const plain = (text: string) => text.replaceAll("\r\n", "\n").trim();
  return kept !== undefined && kept !== null && plain(kept) === plain(sent);
}

/** Changes a ticket that was seen a moment ago. */
async function put({ redmine, actor, key, signal }: Change, issue: Record<string, unknown>): Promise<void> {
  try {
    await redmine.server.nothing(
      { method: "PUT", path: `/issues/${key}.json`, body: { issue }, signal },
      actor,
    );
  } catch (error) {
    if (!(error instanceof HttpStatusError)) throw error;
    throw new TicketRefusedError(
      `Redmine does not let ${actor.name} change ticket ${key}: its project is closed, or a permission is missing`,
      { cause: error },
    );
  }
}

async function statusesAfter({ redmine, signal }: Change, issue: Issue): Promise<Status[]> {
  // Redmine tells them of closed projects, too.
  if (!await redmine.projects.isActive(issue.project.id, signal)) return [];
  const statuses = issue.allowed_statuses ?? [...(await redmine.statuses.all(signal)).values()];
  return statuses.filter(({ id }) => id !== issue.status.id);
}
