/** The way of a ticket through Jira's workflow. */

import type { HttpStatusError } from "../../net/http.ts";
import {
  type Asking,
  type StatusChange,
  StatusNotAllowedError,
  type Ticket,
  TicketRefusedError,
  TrackerUnavailableError,
} from "../tracker.ts";
import { refusalOf } from "./connection.ts";
import { choicesOf, type Field, valueOf } from "./fields.ts";
import { configured } from "./new_tickets.ts";
import { type TransitionReply, TRANSITIONS } from "./replies.ts";
import { isOpen, noTicket, type Tickets } from "./tickets.ts";

/** A transition that can be made. */
interface Way {
  id: string;
  to: TransitionReply["to"];
  /** What its screen demands, and the answers to that. */
  answers: (readonly [Field, string])[];
  /** What it demands that nobody has answered. */
  lacks: string[];
}

/**
 * The statuses that a ticket can be set to.
 *
 * A transition may demand fields on a screen of its own. Nobody is asked for these: they are taken from the config, or where it
 * says nothing, the only value there is; for the resolution, the first in Jira's own order. A transition that demands more than
 * that is left to Jira's own pages, and is not offered.
 */
export class Transitions {
  constructor(readonly tickets: Tickets) {}

  /** @returns each status once, in Jira's order, without the present one */
  async next(asking: Asking, key: string): Promise<string[]> {
    await this.tickets.people.of(asking);
    const [ticket, ways] = await this.#now(asking, key);
    return statusesOf(ticket, ways);
  }

  async set(asking: Asking, key: string, status: string): Promise<StatusChange> {
    await this.tickets.people.of(asking);
    // Somebody may change the ticket between our question and our answer: it is asked for once more then.
    for (let again = true;; again = false) {
      const [ticket, ways] = await this.#now(asking, key);
      if (ticket.status === status) return { before: status, after: ticket };
      const way = wayTo(ticket, ways, status);
      try {
        await this.#go(asking, ticket.key, way);
        return { before: ticket.status, after: await this.#after(asking, ticket, way) };
      } catch (error) {
        if (!(error instanceof TransitionRefusedError)) throw error;
        if (!again) throw new TicketRefusedError(error.message);
      }
    }
  }

  async #now(asking: Asking, key: string): Promise<[Ticket, Way[]]> {
    const { connection } = this.tickets;
    const path = this.tickets.pathOf(key);
    const [ticket, { transitions }] = await Promise.all([
      this.tickets.existing(asking, key),
      connection.json({
        method: "GET",
        path: `${path}/transitions`,
        query: { expand: "transitions.fields" },
        signal: asking.signal,
        meaning: noTicket(key),
      }, TRANSITIONS),
    ]);
    return [
      ticket,
      transitions.filter(({ isAvailable }) => isAvailable !== false).map((one) => this.#wayOf(one)),
    ];
  }

  #wayOf({ id, to, fields }: TransitionReply): Way {
    const way: Way = { id, to, answers: [], lacks: [] };
    for (const [fieldId, reply] of Object.entries(fields ?? {})) {
      if (!reply.required || reply.hasDefaultValue === true) continue;
      const field: Field = { ...reply, id: fieldId };
      const answer = configured(this.tickets.connection.settings, field) ?? onlyAnswer(field);
      if (answer === undefined) way.lacks.push(field.name);
      else way.answers.push([field, answer]);
    }
    return way;
  }

  /** "Transition issue": 400 too where the status is another one by now; 409 where somebody was faster. */
  async #go({ signal }: Asking, key: string, { id, answers }: Way): Promise<void> {
    const { people, connection } = this.tickets;
    const edition = await connection.edition(signal);
    const fields: Record<string, unknown> = {};
    for (const [field, answer] of answers) {
      fields[field.id] = await valueOf(field, answer, edition, (name) => people.named(name, signal));
    }
    const refused = (error: HttpStatusError) => new TransitionRefusedError(refusalOf(error));
    await connection.nothing({
      method: "POST",
      path: `${this.tickets.pathOf(key)}/transitions`,
      body: { transition: { id }, ...(answers.length > 0 && { fields }) },
      signal,
      meaning: { ...noTicket(key), 400: refused, 409: refused },
    });
  }

  /** The ticket, as the workflow has left it: it may have gone further by itself. */
  async #after(asking: Asking, before: Ticket, { to }: Way): Promise<Ticket> {
    try {
      return await this.tickets.existing(asking, before.key);
    } catch (error) {
      // The status is set, whatever happens now.
      if (error instanceof TrackerUnavailableError) return { ...before, status: to.name, open: isOpen(to) };
      throw error;
    }
  }
}

/** Jira did not make the transition. */
class TransitionRefusedError extends Error {}

function statusesOf(ticket: Ticket, ways: readonly Way[]): string[] {
  const names = ways.filter(({ lacks }) => lacks.length === 0).map(({ to }) => to.name);
  return [...new Set(names)].filter((name) => name !== ticket.status);
}

/** Where several lead to the same status, the one that demands least. */
function wayTo(ticket: Ticket, ways: readonly Way[], status: string): Way {
  const leading = ways.filter(({ to }) => to.name === status)
    .toSorted((one, other) =>
      one.lacks.length - other.lacks.length || one.answers.length - other.answers.length
    );
  const way = leading[0];
  if (way && way.lacks.length === 0) return way;
  const allowed = statusesOf(ticket, ways);
  const other = allowed.length === 0
    ? "there is no other that srvAudit's account may set now"
    : `choose one of ${allowed.join(", ")}`;
  throw new StatusNotAllowedError(
    way
      ? `${status} demands ${
        way.lacks.join(", ")
      } of ticket ${ticket.key}: set it in Jira itself, or give a default in jiraFields`
      : `ticket ${ticket.key} cannot go from ${ticket.status} to ${status}: ${other}`,
  );
}

function onlyAnswer(field: Field): string | undefined {
  const choices = choicesOf(field) ?? [];
  return choices.length === 1 || field.id === "resolution" ? choices[0]?.value : undefined;
}
