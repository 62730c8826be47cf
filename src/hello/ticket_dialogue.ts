/**
 * Asks for the ticket that a login session is for. Its prompts are an interface: people drive logins with expect(1).
 */

import type { Desk } from "../desk/desk.ts";
import { ask, tell } from "../terminal/ask.ts";
import { visible } from "../terminal/visible.ts";
import type { Ticket } from "../trackers/tracker.ts";

/** How long silence is borne at a prompt. */
const SILENCE_MS = 120_000;
/** How many answers may be wrong. */
const TRIES = 3;
/** How many tickets a search lists. */
const LISTED = 20;

/** The user ended the dialogue, or used up her tries: there is no shell without a ticket. */
export class NoTicketError extends Error {
  override name = "NoTicketError";
}

/**
 * Asks until there is an open ticket: by its number, or a new one for a blank answer; `?` or words search.
 *
 * @param desk whom to ask about tickets
 * @returns an open ticket
 * @throws {NoTicketError} at the end of the input, or after three wrong answers
 * @throws {SilenceError} when nobody answers for two minutes
 */
export async function askForTicket(desk: Desk): Promise<Ticket> {
  for (let wrong = 0; wrong < TRIES;) {
    const answer = ask("Ticket number (? or words to search, blank for new): ", SILENCE_MS);
    if (answer === undefined) throw new NoTicketError("no ticket, no shell");
    if (answer === "") return await askForNewTicket(desk);
    const key = ticketKey(answer);
    if (key === undefined) {
      await listTickets(desk, answer === "?" ? "" : answer);
      continue;
    }
    const ticket = await desk.find(key);
    if (ticket?.open) return ticket;
    wrong++;
    tell(
      ticket
        ? `Ticket ${visible(ticket.key)} is ${visible(ticket.status)}: choose an open one.\n`
        : `Ticket ${visible(key)} does not exist.\n`,
    );
  }
  throw new NoTicketError(`no open ticket in ${TRIES} tries`);
}

/** One line about a ticket, harmless on a terminal. */
export function ticketLine(ticket: Ticket): string {
  return `${visible(ticket.key)}  ${visible(ticket.subject)}  (${visible(ticket.status)})`;
}

/** `17`, `#17` and `OPS-17` are tickets; all else is words. */
function ticketKey(answer: string): string | undefined {
  return /^#?([0-9]+)$/.exec(answer)?.[1] ?? /^[A-Za-z][A-Za-z0-9_]*-[0-9]+$/.exec(answer)?.[0];
}

async function askForNewTicket(desk: Desk): Promise<Ticket> {
  const trackers = await desk.trackers();
  const tracker = trackers.length > 1 ? chooseTracker(trackers) : trackers[0];
  for (let tries = 0; tries < TRIES; tries++) {
    const subject = ask("Enter subject for new ticket: ", SILENCE_MS);
    if (subject === undefined) break;
    if (subject !== "") return await desk.create(subject, tracker);
    tell("A ticket needs a subject.\n");
  }
  throw new NoTicketError("no subject, no ticket");
}

function chooseTracker(trackers: string[]): string {
  trackers.forEach((name, i) => tell(`${i + 1}  ${visible(name)}\n`));
  for (let tries = 0; tries < TRIES; tries++) {
    const answer = ask("Choose tracker for new ticket: ", SILENCE_MS);
    if (answer === undefined) break;
    const chosen = trackers[Number(answer) - 1] ??
      trackers.find((name) => name.toLowerCase() === answer.toLowerCase());
    if (chosen !== undefined) return chosen;
    tell(`There is no tracker ${visible(answer)}: answer with a number from the list.\n`);
  }
  throw new NoTicketError("no tracker, no ticket");
}

async function listTickets(desk: Desk, words: string): Promise<void> {
  const found = await desk.search(words, LISTED + 1);
  if (found.length === 0) {
    tell(words === "" ? "There is no open ticket.\n" : `No open ticket has: ${visible(words)}\n`);
  }
  for (const ticket of found.slice(0, LISTED)) tell(`  ${ticketLine(ticket)}\n`);
  if (found.length > LISTED) tell(`  and more: search with words\n`);
}
