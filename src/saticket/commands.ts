/** What each subcommand of `saticket` does. The desk does it, and puts what it did on the session's record. */

import { type Desk, NotOnRecordError } from "../desk/desk.ts";
import type { PresentSession } from "../desk/protocol.ts";
import { messageOf } from "../terminal/message_of.ts";
import {
  type Question,
  type Ticket,
  TicketNotFoundError,
  TrackerUnavailableError,
} from "../trackers/tracker.ts";
import type { Request } from "./arguments.ts";
import { CannotError } from "./cannot.ts";
import { type Answer, currentLines, detailsLines, listLines, nextLines } from "./answer.ts";
import { type Given, newTicket } from "./new_ticket.ts";
import { chooseStatus } from "./status_choice.ts";

/** What a subcommand works with. */
export interface Surroundings {
  desk: Desk;
  session: PresentSession | undefined;
  /** Says something to the person, on stderr. */
  say(line: string): void;
  /** Asks the person at the terminal; undefined where there is none. */
  ask: ((question: Question) => string) | undefined;
  /** Reads a note from standard input, to its end. */
  readNote(): Promise<string>;
}

/**
 * Does what was asked.
 *
 * @returns what to print, and the exit code
 * @throws {CannotError} and what the desk throws, if it cannot be done
 */
export function perform(request: Request, around: Surroundings): Promise<Answer> {
  switch (request.action) {
    case "current":
      return current(around);
    case "show":
      return show(around, request.key);
    case "list":
      return list(around, "", request.all);
    case "search":
      return list(around, request.words, request.all);
    case "new":
      return create(around, request, request.stay);
    case "switch":
      return switchTo(around, keyOf(request.key));
    case "status":
      return status(around, request.ticket, request.status);
    case "note":
      return note(around, request.ticket, request.text, request.json);
  }
}

async function current({ desk, session, say }: Surroundings): Promise<Answer> {
  if (!session) {
    say(NO_SESSION);
    return { json: { session: null, ticket: null }, lines: [], code: 1 };
  }
  const { id, sinceUs, ticketSinceUs } = session;
  const { ticket: key } = session;
  const looked = key === null ? { ticket: undefined } : await ifAnswered(
    async () => ({ ticket: await desk.find(key) }),
    say,
  );
  const ticket = looked?.ticket;
  return {
    json: { session: { id, ticket: key, sinceUs, ticketSinceUs }, ticket: ticket ?? null },
    lines: currentLines(session, ticket, looked ? "(there is no such ticket any more)" : "(not looked up)"),
  };
}

async function show(around: Surroundings, key: string | undefined): Promise<Answer> {
  const details = await around.desk.details(ticketKey(around, key, "saticket show KEY"));
  return { json: details, lines: detailsLines(details) };
}

async function list({ desk, session, say }: Surroundings, words: string, all: boolean): Promise<Answer> {
  const tickets = await desk.search(words, undefined, all ? "all" : "open");
  if (tickets.length === 0) {
    say(words === "" ? "no tickets: saticket new SUBJECT makes one" : "no ticket has all these words");
  }
  return { json: tickets, lines: listLines(tickets, session?.ticket) };
}

async function create(around: Surroundings, given: Given, stay: boolean): Promise<Answer> {
  const { desk, session, ask, say } = around;
  const subject = given.subject.replace(/\s+/g, " ").trim();
  const ticket = await newTicket({ create: (answers) => desk.create(answers), ask }, {
    ...given,
    subject,
  });
  const made = `made ticket ${ticket.key}: ${ticket.subject}`;
  if (session && !stay) {
    const from = await afterAll(made, () => desk.switchTo(ticket.key));
    return { json: { ticket, from, switched: true }, lines: [made, "this session is on it now"] };
  }
  if (!session && !stay) say(`${NO_SESSION}: nothing to switch`);
  return { json: { ticket, from: session?.ticket ?? null, switched: false }, lines: [made] };
}

async function switchTo({ desk, session }: Surroundings, typed: string): Promise<Answer> {
  if (!session) throw new CannotError(`${NO_SESSION}: nothing to switch`);
  const ticket = await existing(desk, typed);
  // `17` may mean OPS-17.
  const { key } = ticket;
  if (!ticket.open) {
    const [next = ""] = await desk.nextStatuses(key);
    throw new CannotError(
      `ticket ${key} is ${ticket.status}` +
        (next && `: to work on it again, first: saticket status --ticket ${key} ${next}`),
    );
  }
  if (session.ticket === key) {
    return { json: { ticket, from: key }, lines: [`this session is on ticket ${key} already`] };
  }
  const from = await desk.switchTo(key);
  return { json: { ticket, from }, lines: [`this session is on ticket ${key} now: ${ticket.subject}`] };
}

async function status(around: Surroundings, ticket: string | undefined, typed: string): Promise<Answer> {
  const { desk } = around;
  const before = await existing(desk, ticketKey(around, ticket, "saticket status --ticket KEY"));
  const { key } = before;
  const next = await desk.nextStatuses(key);
  if (typed === "") return { json: { ticket: before, next }, lines: nextLines(before, next) };
  const wanted = chooseStatus(typed, before.status, next);
  const json = { ticket: before, from: before.status };
  if (wanted === before.status) return { json, lines: [`ticket ${key} is ${wanted} already`] };
  const done = (is: string) => `ticket ${key} was ${before.status} and is ${is} now`;
  const after = await onRecord(done(wanted), () => desk.setStatus(key, wanted));
  return { json: { ...json, ticket: after }, lines: [done(after.status)] };
}

async function note(
  around: Surroundings,
  ticket: string | undefined,
  typed: string,
  asJson: boolean,
): Promise<Answer> {
  const { desk, session, say } = around;
  const named = ticketKey(around, ticket, "saticket note --ticket KEY");
  // The session's own ticket needs no looking up: its note goes on record, and from there to a tracker that is slow or out.
  const looked = named === session?.ticket ? undefined : await existing(desk, named);
  const key = looked?.key ?? named;
  const text = (typed === "" || typed === "-" ? await around.readNote() : typed).trimEnd();
  if (text === "") throw new CannotError("the note is empty: nothing was added");
  const done = `added a note to ticket ${key}`;
  await onRecord(done, () => desk.addNote(key, text));
  const on = asJson ? looked ?? await ifAnswered(() => desk.find(key), say) : undefined;
  return { json: { ticket: on ?? null, text }, lines: [done] };
}

/** What is only shown is left out where the tracker does not answer. */
async function ifAnswered<T>(
  question: () => Promise<T>,
  say: (line: string) => void,
): Promise<T | undefined> {
  try {
    return await question();
  } catch (error) {
    if (!(error instanceof TrackerUnavailableError)) throw error;
    say(error.message);
    return undefined;
  }
}

const NO_SESSION = "this is not in a login session of srvAudit";

/** The ticket that was named, or else the session's. */
function ticketKey({ session }: Surroundings, named: string | undefined, usage: string): string {
  if (named !== undefined) return keyOf(named);
  if (session?.ticket) return session.ticket;
  throw new CannotError(`${session ? "this session has no ticket" : NO_SESSION}: name one: ${usage}`);
}

function keyOf(typed: string): string {
  return typed.replace(/^#/, "");
}

async function existing(desk: Desk, key: string): Promise<Ticket> {
  const ticket = await desk.find(key);
  if (!ticket) throw new TicketNotFoundError(`there is no ticket ${key}`);
  return ticket;
}

/** Does what the desk does and puts on record; if the record alone fails, says what was done all the same. */
function onRecord<T>(done: string, work: () => Promise<T>): Promise<T> {
  return afterAll(done, work, NotOnRecordError);
}

/** Does something after what is done already; if it fails, says so with what was done. */
async function afterAll<T>(
  done: string,
  work: () => Promise<T>,
  kind: abstract new (...values: never[]) => Error = Error,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof kind)) throw error;
    throw new CannotError(`${done}, but: ${messageOf(error)}`, { cause: error });
  }
}
