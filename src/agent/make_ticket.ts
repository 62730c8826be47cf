/** New tickets that nobody is there to answer questions for. */

import { type Asking, type Ticket, TicketRefusedError, type Tracker } from "../trackers/tracker.ts";

/** More steps no tracker's form has. */
const MOST_STEPS = 10;
/** So much the tracker's clock may be behind ours, in microseconds. */
const SKEW_US = 300_000_000;

/**
 * Makes a ticket, with what the config has for all else that it demands.
 *
 * @throws {TicketRefusedError} where something is demanded that the config does not have
 */
export async function makeTicket(tracker: Tracker, asking: Asking, subject: string): Promise<Ticket> {
  let answers: Record<string, string> = { subject };
  for (let step = 0; step < MOST_STEPS; step++) {
    const created = await tracker.create(asking, answers);
    if ("ticket" in created) return created.ticket;
    const open = created.questions.filter(({ default: answer }) => answer === undefined);
    if (open.length > 0) {
      const labels = open.map(({ label }) => label).join(", ");
      throw new TicketRefusedError(`${tracker.name} wants to know: ${labels}`);
    }
    const defaults = created.questions.map(({ name, default: answer }) => [name, answer ?? ""] as const);
    answers = { ...answers, ...Object.fromEntries(defaults) };
  }
  throw new TicketRefusedError(`${tracker.name} has more questions than anybody can answer`);
}

/** The ticket, if it was made after all when it was last tried and no answer came. @param sinceUs it is not older */
export async function madeBefore(
  tracker: Tracker,
  asking: Asking,
  subject: string,
  sinceUs: number,
): Promise<Ticket | undefined> {
  const found = await tracker.search(asking, { words: subject, limit: 10, closedToo: false });
  for (const ticket of found.filter((one) => one.subject === subject)) {
    const { createdAtUs } = await tracker.details(asking, ticket.key);
    if (createdAtUs >= sinceUs - SKEW_US) return ticket;
  }
  return undefined;
}
