/** How `saticket` puts its answers: as text for people, harmless on a terminal, and as JSON for programs. */

import type { PresentSession } from "../desk/protocol.ts";
import { localTime } from "../terminal/moments.ts";
import { visible, visibleJson } from "../terminal/visible.ts";
import type { Ticket, TicketDetails } from "../trackers/tracker.ts";

/** What a subcommand has to say on stdout. */
export interface Answer {
  json: unknown;
  /** Each is one line on the terminal, whatever stands in it. */
  lines: readonly string[];
  /** 0 if it is not given. */
  code?: number;
}

/** @returns what goes to stdout */
export function printed(answer: Answer, asJson: boolean): string {
  if (asJson) return visibleJson(answer.json) + "\n";
  return answer.lines.map((line) => visible(line) + "\n").join("");
}

/**
 * What a login session is on.
 *
 * @param instead what stands for the subject of a ticket that there is nothing known of
 */
export function currentLines(session: PresentSession, ticket: Ticket | undefined, instead: string): string[] {
  const subject = ticket?.subject ?? instead;
  return [
    session.ticket === null ? "ticket   none" : `ticket   ${session.ticket}  ${subject}`,
    ...(ticket ? [`status   ${ticket.status}`] : []),
    `since    ${localTime(session.ticketSinceUs)}`,
    `session  ${session.id}, since ${localTime(session.sinceUs)}`,
  ];
}

/** Everything about a ticket. */
export function detailsLines(ticket: TicketDetails): string[] {
  return [
    `ticket   ${ticket.key}  ${ticket.subject}`,
    `status   ${ticket.status}`,
    ...(ticket.url === undefined ? [] : [`url      ${ticket.url}`]),
    `made     ${localTime(ticket.createdAtUs)} by ${ticket.createdBy}`,
    ...ticket.statuses.map((status, i) =>
      `${i === 0 ? "history" : "       "}  ${localTime(status.atUs)} ${status.user}: ${status.status}`
    ),
    ...ticket.notes.flatMap((note) => [
      "",
      `${localTime(note.atUs)} ${note.user}:`,
      ...note.text.split("\n").map((line) => "  " + line),
    ]),
  ];
}

/** Tickets, one a line: `*` for the present one, key, status, subject. */
export function listLines(tickets: readonly Ticket[], present: string | null | undefined): string[] {
  const keyWidth = Math.max(...tickets.map(({ key }) => visible(key).length));
  const statusWidth = Math.max(...tickets.map(({ status }) => visible(status).length));
  return tickets.map(({ key, status, subject }) =>
    `${key === present ? "*" : " "} ${visible(key).padStart(keyWidth)}  ${
      visible(status).padEnd(statusWidth)
    }  ${subject}`
  );
}

/** A ticket's status, and the numbered ones that it may go to. */
export function nextLines(ticket: Ticket, next: readonly string[]): string[] {
  return [
    `ticket ${ticket.key} is ${ticket.status}; it can go to`,
    ...next.map((status, i) => `${String(i + 1).padStart(3)}  ${status}`),
  ];
}
