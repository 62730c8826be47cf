/** What every ticket system can do for srvAudit. */

import type { Markup } from "./markup/markup.ts";

/** A ticket, as people see it. */
export interface Ticket {
  /** What people type: `17`, or `OPS-17`. */
  key: string;
  subject: string;
  status: string;
  /** Whether work can still be done on it. */
  open: boolean;
}

/** One note on a ticket. */
export interface Note {
  atUs: number;
  user: string;
  text: string;
}

/** A ticket with all that is known of it. */
export interface TicketDetails extends Ticket {
  /** Where people see it in a browser, if anywhere. */
  url?: string;
  createdAtUs: number;
  createdBy: string;
  notes: Note[];
  /** Every status that it had: when it came, and by whom. */
  statuses: { atUs: number; user: string; status: string }[];
}

/** Who works on tickets: an account of this host. A tracker knows her by its own name for her, or not at all. */
export interface Person {
  uid: number;
  name: string;
}

/** Who asks, and how long she waits: a tracker gives up what it does when the signal says so. */
export interface Asking {
  person: Person;
  signal: AbortSignal;
}

/** Something that a new ticket demands. */
export interface Question {
  /** Names its answer in `Answers`: `project`, `tracker`, `subject`, or `field:` and the tracker's own id for it. */
  name: string;
  /** As people read it: `project`, `tracker`, `subject`, `Change reason`. */
  label: string;
  /** What can be answered; any text, where it does not say. */
  choices?: Choice[];
  /** What no answer means: a text, or the value of a choice. */
  default?: string;
}

/** One of what can be answered. */
export interface Choice {
  value: string;
  /** As people read it. */
  label: string;
}

/**
 * What is known of a new ticket so far: each question's name, and its answer. A field that nobody was asked for may be named by
 * `field:` and its label, too; one that there is not is refused.
 */
export type Answers = Readonly<Record<string, string>>;

/** A new ticket; or what is to be asked before there can be one. */
export type Created = { ticket: Ticket } | { questions: Question[] };

/** The question that every tracker asks. */
export const SUBJECT_QUESTION: Question = { name: "subject", label: "subject" };

/** What to look for. */
export interface Search {
  /** All of them must be there; no words: the person's own tickets, or all, where the tracker does not know whose is whose. */
  words: string;
  limit: number;
  /** Closed tickets as well. */
  closedToo: boolean;
}

/**
 * A ticket system.
 *
 * Every method rejects with a `TrackerUnavailableError` where it cannot be asked, and with a `TicketRefusedError` where it
 * says no.
 */
export interface Tracker extends Disposable {
  /** As people read it: `local`, `Redmine`, `Jira`. */
  readonly name: string;
  /** The key as the tracker writes it, of one as people type it: `17` may mean OPS-17. Asks nobody. */
  keyOf(typed: string): string;
  /** Where people see the ticket in a browser, if anywhere. */
  urlOf(key: string): string | undefined;
  /** @returns the ticket, or undefined if there is none by that key that the person may work on here */
  find(asking: Asking, key: string): Promise<Ticket | undefined>;
  /** @throws {TicketNotFoundError} */
  details(asking: Asking, key: string): Promise<TicketDetails>;
  /** Newest first. */
  search(asking: Asking, search: Search): Promise<Ticket[]>;
  /**
   * Makes a ticket, if all that it demands is answered.
   *
   * @returns the ticket; or the questions that are next, with what is to be taken where nobody answers
   */
  create(asking: Asking, answers: Answers): Promise<Created>;
  /** The statuses that the workflow allows the person to set now, the present one not included. @throws {TicketNotFoundError} */
  nextStatuses(asking: Asking, key: string): Promise<string[]>;
  /** @throws {TicketNotFoundError} @throws {StatusNotAllowedError} */
  setStatus(asking: Asking, key: string, status: string): Promise<StatusChange>;
  /** @throws {TicketNotFoundError} */
  addNote(asking: Asking, key: string, text: string): Promise<void>;
  /** Where the stories of sessions are told; undefined where there is nobody to read them. */
  readonly storybook?: Storybook;
  /**
   * Asks, by one small request that is never answered from memory, whether it answers and takes srvAudit's own key. A tracker
   * that is asked over a network has this; one without it never keeps anybody waiting.
   *
   * @throws {TrackerDeniedError}
   */
  check?(signal: AbortSignal): Promise<void>;
  /** What srvAudit's own account there is called. @throws {TrackerDeniedError} */
  accountName?(signal: AbortSignal): Promise<string>;
  /** Those of the config's projects that there are not, or that srvAudit's own account may not see. @throws {TrackerDeniedError} */
  missingProjects?(signal: AbortSignal): Promise<string[]>;
  /** What is not safe in how it is set up, as far as is known by now; undefined for nothing. */
  readonly concern?: Concern | undefined;
}

/** Something that an administrator should change. */
export interface Concern {
  /** A sentence, without its end. */
  what: string;
  /** What to do about it, likewise. */
  mend: string;
}

/** A status that was set. */
export interface StatusChange {
  /** The status before. */
  before: string;
  after: Ticket;
}

/**
 * The comments of a tracker, as srvAudit's own account there writes them: nobody whose session is told of can change them.
 * A body is what `markup` has made.
 */
export interface Storybook {
  readonly markup: Markup;
  /** Whether a comment can be changed later. Where it cannot, a story is told once, at its end. */
  canEdit(signal: AbortSignal): Promise<boolean>;
  /** @returns the comment's id @throws {TicketNotFoundError} */
  add(key: string, body: string, signal: AbortSignal): Promise<string>;
  /** @throws {CommentGoneError} if somebody has removed it @throws {TicketNotFoundError} */
  edit(key: string, id: string, body: string, signal: AbortSignal): Promise<void>;
  /**
   * Finds a comment of srvAudit's own by a text that is in no other one.
   *
   * @returns its id, or undefined
   */
  find(key: string, mark: string, signal: AbortSignal): Promise<string | undefined>;
  /** Logs time that was spent on a ticket, unless there is an entry with the same mark. */
  logTime(key: string, time: TimeSpent, signal: AbortSignal): Promise<void>;
}

/** Time that was spent on a ticket. */
export interface TimeSpent {
  person: Person;
  startUs: number;
  /** At least one. */
  seconds: number;
  /** A line that says what for. */
  comment: string;
  /** A part of the comment that is in no other one. */
  mark: string;
}

/** The ticket does not exist (or this user may not see it). */
export class TicketNotFoundError extends Error {
  override name = "TicketNotFoundError";
}

/** The workflow does not allow that status now. */
export class StatusNotAllowedError extends Error {
  override name = "StatusNotAllowedError";
}

/** The tracker says no to this one thing, and why: a value that it does not take, a ticket that may not be changed. */
export class TicketRefusedError extends Error {
  override name = "TicketRefusedError";
}

/** There is no such comment any more. */
export class CommentGoneError extends Error {
  override name = "CommentGoneError";
}

/** The tracker cannot answer: it is not reachable, or what it keeps its tickets in is locked, damaged or full. */
export class TrackerUnavailableError extends Error {
  override name = "TrackerUnavailableError";
  /** How long it wants to be left alone, in milliseconds, if it has said so. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The tracker does not take srvAudit's own key: nothing goes until somebody has mended that. */
export class TrackerDeniedError extends TrackerUnavailableError {
  override name = "TrackerDeniedError";
}
