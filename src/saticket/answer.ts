/** How `saticket` puts its answers: as text for people, harmless on a terminal, and as JSON for programs. */

import type { PresentSession } from "../desk/protocol.ts";
import { localTime } from "../terminal/moments.ts";
import { visible, visibleJson } from "../terminal/visible.ts";
import type { Ticket, TicketDetails } from "../trackers/tracker.ts";

/** What a subcommand has to say on stdout. */
export interface Answer {
  json: unknown;
  /** Lines, without the end of the last one; empty for none. */
  text: string;
  /** 0 if it is not given. */
  code?: number;
}

/** @returns what goes to stdout */
export function printed(answer: Answer, asJson: boolean): string {
  if (asJson) return visibleJson(answer.json) + "\n";
  return answer.text === "" ? "" : visible(answer.text, "\n") + "\n";
}

/**
 * What a login session is on.
 *
 * @param instead what stands for the subject of a ticket that there is nothing known of
 */
export function currentText(session: PresentSession, ticket: Ticket | undefined, instead: string): string {
  const subject = ticket ? oneLine(ticket.subject) : instead;
  return [
    session.ticket === null ? "ticket   none" : `ticket   ${session.ticket}  ${subject}`,
    ...(ticket ? [`status   ${oneLine(ticket.status)}`] : []),
    `since    ${localTime(session.ticketSinceUs)}`,
    `session  ${session.id}, since ${localTime(session.sinceUs)}`,
  ].join("\n");
}

/** Everything about a ticket. */
export function detailsText(ticket: TicketDetails): string {
  return [
    `ticket   ${oneLine(ticket.key)}  ${oneLine(ticket.subject)}`,
    `status   ${oneLine(ticket.status)}`,
    ...(ticket.url === undefined ? [] : [`url      ${oneLine(ticket.url)}`]),
    `made     ${localTime(ticket.createdAtUs)} by ${oneLine(ticket.createdBy)}`,
    ...ticket.statuses.map((status, i) =>
      `${i === 0 ? "history" : "       "}  ${localTime(status.atUs)} ${oneLine(status.user)}: ${
        oneLine(status.status)
      }`
    ),
    ...ticket.notes.flatMap((note) => [
      "",
      `${localTime(note.atUs)} ${oneLine(note.user)}:`,
      ...note.text.split("\n").map((line) => "  " + line),
    ]),
  ].join("\n");
}

/** Tickets, one a line: `*` for the present one, key, status, subject. */
export function listText(tickets: readonly Ticket[], present: string | null | undefined): string {
  const keyWidth = Math.max(...tickets.map(({ key }) => oneLine(key).length));
  const statusWidth = Math.max(...tickets.map(({ status }) => oneLine(status).length));
  return tickets.map(({ key, status, subject }) =>
    `${key === present ? "*" : " "} ${oneLine(key).padStart(keyWidth)}  ${
      oneLine(status).padEnd(statusWidth)
    }  ${oneLine(subject)}`
  ).join("\n");
}

/** A ticket's status, and the numbered ones that it may go to. */
export function nextText(ticket: Ticket, next: readonly string[]): string {
  return [
    `ticket ${oneLine(ticket.key)} is ${oneLine(ticket.status)}; it can go to`,
    ...next.map((status, i) => `${String(i + 1).padStart(3)}  ${oneLine(status)}`),
  ].join("\n");
}

function oneLine(text: string): string {
  return visible(text);
}
