/**
 * Asks for the ticket that a login session is for. Its prompts are an interface: people drive logins with expect(1).
 */

import { type Desk, RefusedError } from "../desk/desk.ts";
import type { Opening } from "../desk/protocol.ts";
import { askQuestion, defaultOf, fillIn } from "../desk/ticket_form.ts";
import { ask, tell } from "../terminal/ask.ts";
import { visible } from "../terminal/visible.ts";
import { ticketKeyOf } from "../trackers/ticket_key.ts";
import {
  type Answers,
  type Question,
  SUBJECT_QUESTION,
  type Ticket,
  TicketRefusedError,
} from "../trackers/tracker.ts";
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
 * Asks until there is an open ticket: by its key, or a new one for a blank answer; `?` lists the user's own, words search.
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
    const looked = await unlessRefused(async () => ({ ticket: await outage.ask(() => desk.find(key)) }));
    if (outage.isBorne) {
      tell(`Ticket ${visible(key)}  (not looked up)\n`);
      return { ticket: key, unverified: true };
    }
    wrong++;
    if (!looked) continue;
    const { ticket } = looked;
    if (ticket?.open) return chosen(ticket);
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
  // What was answered in a form that was refused.
  let before: Answers = {};
  const answer = (question: Question) => {
    const given = askQuestion(withDefault(question, before[question.name]), SILENCE_MS);
    if (given === undefined) throw new NoTicketError(`no ${visible(question.label)}, no ticket`);
    return given;
  };
  for (let tries = 0; tries < TRIES; tries++) {
    const answers: Record<string, string> = {};
    const made = outage.isBorne
      ? undefined
      : await unlessRefused(() => outage.ask(() => fillIn((form) => desk.create(form), answer, answers)));
    if (made) return chosen(made);
    if (outage.isBorne) {
      // The agent makes it, when it can, with the defaults for all else.
      const wanted = answers[SUBJECT_QUESTION.name] ?? answer(SUBJECT_QUESTION);
      tell(`New ticket: ${visible(wanted)}  (not made yet)\n`);
      return { ticket: null, wanted };
    }
    before = { ...before, ...answers };
  }
  throw new NoTicketError(`no new ticket in ${TRIES} tries`);
}

/** A choice that is no longer one is no default. */
function withDefault(question: Question, answer: string | undefined): Question {
  const isOffered = answer !== undefined && defaultOf({ ...question, default: answer }) !== undefined;
  return isOffered ? { ...question, default: answer } : question;
}

async function listTickets(desk: Desk, outage: Outage, words: string): Promise<void> {
  const looked = await unlessRefused(async () => ({
    found: outage.isBorne ? undefined : await outage.ask(() => desk.search(words, LISTED + 1)),
  }));
  if (!looked) return;
  const { found } = looked;
  if (!found) {
    tell("Tickets cannot be searched now: give a ticket's number.\n");
    return;
  }
  if (found.length === 0) {
    tell(words === "" ? "You have no open ticket.\n" : `No open ticket has: ${visible(words)}\n`);
  }
  for (const ticket of found.slice(0, LISTED)) tell(`  ${ticketLine(ticket)}\n`);
  if (found.length > LISTED) tell(`  and more: search with words\n`);
}

/** What is not done for this answer is said, and asked again. */
async function unlessRefused<T>(question: () => Promise<T>): Promise<T | undefined> {
  try {
    return await question();
  } catch (error) {
    if (!(error instanceof RefusedError || error instanceof TicketRefusedError)) throw error;
    tell(`${visible(error.message)}\n`);
    return undefined;
  }
}
