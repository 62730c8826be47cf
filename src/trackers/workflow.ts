/** The way of a local ticket: which statuses there are, and which may follow which. */

/** The status that a ticket begins with. */
export const FIRST_STATUS = "New";

/**
 * Every status, and those that it may go to, the likeliest first.
 *
 * Nothing goes back to New: somebody has looked at it. A ticket can be Resolved or Closed at once, since much work is
 * done in the session that it was made for. Closed and Rejected end the work; a wrong end is mended by In Progress
 * alone, so that what is done on it afterwards has a status of its own.
 */
export const WORKFLOW: Readonly<Record<string, readonly string[]>> = {
  "New": ["In Progress", "Resolved", "Feedback", "Closed", "Rejected"],
  "In Progress": ["Resolved", "Feedback", "Closed", "Rejected"],
  "Resolved": ["In Progress", "Feedback", "Closed"],
  "Feedback": ["In Progress", "Resolved", "Closed", "Rejected"],
  "Closed": ["In Progress"],
  "Rejected": ["In Progress"],
};

/** The statuses in which no work can be done on a ticket. */
export const FINAL_STATUSES: readonly string[] = ["Closed", "Rejected"];

/** Whether work can be done on a ticket of this status. */
export function isOpenStatus(status: string): boolean {
  return !FINAL_STATUSES.includes(status);
}

/** The statuses that may follow this one. */
export function statusesAfter(status: string): readonly string[] {
  return WORKFLOW[status] ?? [];
}
