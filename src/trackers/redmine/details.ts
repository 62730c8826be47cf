/** Tells all that is known of a ticket. */

import type { Note, TicketDetails } from "../tracker.ts";
import { ticketOf } from "./issues.ts";
import type { Redmine } from "./redmine.ts";
import type { Issue, Journal } from "./replies.ts";

/** @param issue with its journals: Redmine leaves out of them what the person may not see */
export async function detailsOf(redmine: Redmine, issue: Issue, signal: AbortSignal): Promise<TicketDetails> {
  const { journals = [] } = issue;
  // Some people see them in Redmine newest first.
  const history = [...journals].sort((a, b) => a.id - b.id);
  const names = await redmine.statuses.all(signal);
  const nameOf = (id: unknown) => names.get(Number(id))?.name ?? `status ${String(id)}`;
  const changes = history.flatMap((journal) =>
    (journal.details ?? []).filter(({ property, name }) => property === "attr" && name === "status_id")
      .map(({ old_value, new_value }) => ({ journal, before: old_value, after: new_value }))
  );
  const created = { atUs: usOf(issue.created_on), user: issue.author?.name ?? "" };
  const first = changes[0] ? nameOf(changes[0].before) : issue.status.name;
  return {
    ...await ticketOf(redmine, issue, signal),
    createdAtUs: created.atUs,
    createdBy: created.user,
    notes: history.flatMap(noteOf),
    statuses: [
      { ...created, status: first },
      ...changes.map(({ journal, after }) => ({ ...whenAndWho(journal), status: nameOf(after) })),
    ],
  };
}

function noteOf(journal: Journal): Note[] {
  const text = (journal.notes ?? "").replaceAll("\r\n", "\n");
  return text.trim() === "" ? [] : [{ ...whenAndWho(journal), text }];
}

function whenAndWho({ created_on, user }: Journal): { atUs: number; user: string } {
  return { atUs: usOf(created_on), user: user?.name ?? "" };
}

/** Redmine's moments are UTC's, in whole seconds. */
function usOf(moment: string): number {
  const ms = Date.parse(moment);
  return Number.isNaN(ms) ? 0 : ms * 1000;
}
