/** What every ticket system can do for srvAudit. */

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
  createdAtUs: number;
  createdBy: string;
  notes: Note[];
  /** Every status that it had: when it came, and by whom. */
  statuses: { atUs: number; user: string; status: string }[];
}

/** The ticket does not exist (or this user may not see it). */
export class TicketNotFoundError extends Error {
  override name = "TicketNotFoundError";
}

/** The workflow does not allow that status now. */
export class StatusNotAllowedError extends Error {
  override name = "StatusNotAllowedError";
}

/** The tracker cannot answer: it is not reachable, or what it keeps its tickets in is locked, damaged or full. */
export class TrackerUnavailableError extends Error {
  override name = "TrackerUnavailableError";
}
