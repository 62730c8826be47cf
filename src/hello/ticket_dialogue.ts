/**
 * Asks for the ticket that a login session is for. Its prompts are an interface: people drive logins with expect(1).
 */

import { type Desk, RefusedError } from "../desk/desk.ts";
import type { Opening } from "../desk/protocol.ts";
import { ask, tell } from "../terminal/ask.ts";
import { visible } from "../terminal/visible.ts";
import { ticketKeyOf } from "../trackers/ticket_key.ts";
import type { Ticket } from "../trackers/tracker.ts";
import type { Outage } from "./outage.ts";

/** How long silence is borne at a prompt. */
const SILENCE_MS = 120_000;
/** How many answers may be wrong. */
const TRIES = 3;
/** How many tickets a search lists. */
const LISTED = 20;
/** What a member of the break-glass group types in place of a ticket. */
const EMERGENCY = "emergency";

/** The user ended the dialogue, or used up her tries: there is no shell without a ticket. */
export class NoTicketError extends Error {
  override name = "NoTicketError";
}

/** What a session is opened with. */
export type Choice = Pick<Opening, "ticket" | "unverified" | "wanted" | "emergency">;

/** What the dialogue goes by. */
export interface Rules {
  /** The policy's. */
  ticketPattern: string;
  /** Whether this user may type `emergency`; asked only when she does. */
  mayBreakGlass: () => boolean;
  /** What tickets are taken unverified in. */
  outage: Outage;
}

/**
 * Asks until there is an open ticket: by its key, or a new one for a blank answer; `?` or words search.
 *
 * @param desk whom to ask about tickets
 * @returns an open ticket; in an outage that may be borne, one that nobody has looked up, or the subject of one to be made
 * @throws {NoTicketError} at the end of the input, or after three wrong answers
 * @throws {SilenceError} when nobody answers for two minutes
 * @throws {RefusalError} in an outage that may not be borne
 */
export async function askForTicket(desk: Desk, rules: Rules): Promise<Choice> {
  const { outage, ticketPattern } = rules;
  for (let wrong = 0; wrong < TRIES;) {
    const answer = ask("Ticket number (? or words to search, blank for new): ", SILENCE_MS);
    if (answer === undefined) throw new NoTicketError("no ticket, no shell");
    if (answer === EMERGENCY && rules.mayBreakGlass()) return askForReason();
    if (answer === "") return await askForNewTicket(desk, outage);
    const key = ticketKeyOf(answer, ticketPattern);
    if (key === undefined) {
      await listTickets(desk, outage, answer === "?" ? "" : answer);
      continue;
    }
    const ticket = await unlessRefused(() => outage.ask(() => desk.find(key)));
    if (outage.isBorne) {
      tell(`Ticket ${visible(key)}  (not looked up)\n`);
      return { ticket: key, unverified: true };
    }
    if (ticket?.open) return chosen(ticket);
    wrong++;
    tell(
      ticket
        ? `Ticket ${visible(ticket.key)} is ${visible(ticket.status)}: choose an open one.\n`
        : `Ticket ${visible(key)} does not exist.\n`,
    );
  }
  throw new NoTicketError(`no open ticket in ${TRIES} tries`);
}

/**
 * Asks a member of the break-glass group, where there is no other way in.
 *
 * @throws {NoTicketError} for anything but `emergency` and a reason
 * @throws {SilenceError} when nobody answers for two minutes
 */
export function askForEmergency(): Choice {
  const answer = ask(`Type ${EMERGENCY} for a shell without a ticket: `, SILENCE_MS);
  if (answer !== EMERGENCY) throw new NoTicketError("no emergency, no shell");
  return askForReason();
}

function askForReason(): Choice {
  for (let tries = 0; tries < TRIES; tries++) {
    const emergency = ask("Reason for the emergency: ", SILENCE_MS);
    if (emergency === undefined) break;
    if (emergency !== "") return { ticket: null, emergency };
    tell("An emergency needs a reason: others are told.\n");
  }
  throw new NoTicketError("no reason, no emergency");
}

function chosen(ticket: Ticket): Choice {
  tell(`Ticket ${ticketLine(ticket)}\n`);
  return { ticket: ticket.key };
}

/** One line about a ticket, harmless on a terminal. */
function ticketLine(ticket: Ticket): string {
  return `${visible(ticket.key)}  ${visible(ticket.subject)}  (${visible(ticket.status)})`;
}

async function askForNewTicket(desk: Desk, outage: Outage): Promise<Choice> {
  const trackers = outage.isBorne ? [] : await outage.ask(() => desk.trackers()) ?? [];
  const tracker = trackers.length > 1 ? chooseTracker(trackers) : trackers[0];
  for (let tries = 0; tries < TRIES; tries++) {
    const subject = ask("Enter subject for new ticket: ", SILENCE_MS);
    if (subject === undefined) break;
    if (subject === "") {
      tell("A ticket needs a subject.\n");
      continue;
    }
    const ticket = outage.isBorne
      ? undefined
      : await unlessRefused(() => outage.ask(() => desk.create(subject, tracker)));
    if (ticket) return chosen(ticket);
    if (outage.isBorne) {
      tell(`New ticket: ${visible(subject)}  (not made yet)\n`);
      return { ticket: null, wanted: subject };
    }
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

async function listTickets(desk: Desk, outage: Outage, words: string): Promise<void> {
  const found = outage.isBorne
    ? undefined
    : await unlessRefused(() => outage.ask(() => desk.search(words, LISTED + 1)));
  if (!found) {
    tell("Tickets cannot be searched now: give a ticket's number.\n");
    return;
  }
  if (found.length === 0) {
    tell(words === "" ? "There is no open ticket.\n" : `No open ticket has: ${visible(words)}\n`);
  }
  for (const ticket of found.slice(0, LISTED)) tell(`  ${ticketLine(ticket)}\n`);
  if (found.length > LISTED) tell(`  and more: search with words\n`);
}

/** What the agent will not do for this answer is said, and asked again. */
async function unlessRefused<T>(question: () => Promise<T>): Promise<T | undefined> {
  try {
    return await question();
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    tell(`${visible(error.message)}\n`);
    return undefined;
  }
}
