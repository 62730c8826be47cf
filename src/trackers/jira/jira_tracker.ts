/** Jira as a tracker: Cloud, and Server or Data Center. */

import type { JiraSettings, NetworkSettings } from "../../config/tracker_settings.ts";
import type { Block, Markup } from "../markup/markup.ts";
import type {
  Answers,
  Asking,
  Created,
  Search,
  StatusChange,
  Ticket,
  TicketDetails,
  Tracker,
} from "../tracker.ts";
import { JiraConnection } from "./connection.ts";
import { NewTickets } from "./new_tickets.ts";
import { People } from "./people.ts";
import { JiraStorybook } from "./storybook.ts";
import { Tickets } from "./tickets.ts";
import { Transitions } from "./transitions.ts";

/**
 * The tickets of a Jira. Jira lets nobody work in another's name: srvAudit's own account does everything, a person is named as
 * assignee and reporter of her new tickets, and at the head of her notes.
 *
 * @example
 * ```ts
 * using tracker = new JiraTracker(settings, network);
 * const asking = { person: { uid: 1000, name: "ann" }, signal: AbortSignal.timeout(3000) };
 * const ticket = await tracker.find(asking, tracker.keyOf("17"));
 * ```
 */
export class JiraTracker implements Tracker {
  readonly name = "Jira";
  readonly storybook: JiraStorybook;
  readonly #connection: JiraConnection;
  readonly #people: People;
  readonly #tickets: Tickets;
  readonly #transitions: Transitions;
  readonly #newTickets: NewTickets;

  /** Asks nobody anything yet. */
  constructor(readonly settings: JiraSettings, network: NetworkSettings) {
    this.#connection = new JiraConnection(settings, network);
    this.#people = new People(this.#connection);
    this.#tickets = new Tickets(this.#connection, this.#people);
    this.#transitions = new Transitions(this.#tickets);
    this.#newTickets = new NewTickets(this.#tickets);
    this.storybook = new JiraStorybook(this.#connection, this.#tickets);
  }

  keyOf(typed: string): string {
    return this.#tickets.keyOf(typed);
  }

  urlOf(key: string): string {
    return `${this.settings.url}/browse/${encodeURIComponent(key)}`;
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#connection.check(signal);
  }

  async accountName(signal: AbortSignal): Promise<string> {
    const { displayName, name, emailAddress } = await this.#connection.self(signal);
    return name ?? emailAddress ?? displayName ?? "an account without a name";
  }

  async missingProjects(signal: AbortSignal): Promise<string[]> {
    const isThere = await Promise.all(
      this.settings.projects.map((key) => this.#tickets.hasProject(key, signal)),
    );
    return this.settings.projects.filter((_, i) => isThere[i] === false);
  }

  async find(asking: Asking, key: string): Promise<Ticket | undefined> {
    return await this.#tickets.find(asking, key);
  }

  async details(asking: Asking, key: string): Promise<TicketDetails> {
    return await this.#tickets.details(asking, key);
  }

  async search(asking: Asking, search: Search): Promise<Ticket[]> {
    return await this.#tickets.search(asking, search);
  }

  async create(asking: Asking, answers: Answers): Promise<Created> {
    return await this.#newTickets.create(asking, answers);
  }

  async nextStatuses(asking: Asking, key: string): Promise<string[]> {
    return await this.#transitions.next(asking, key);
  }

  async setStatus(asking: Asking, key: string, status: string): Promise<StatusChange> {
    return await this.#transitions.set(asking, key, status);
  }

  /** A note that is longer than Jira takes becomes several comments. */
  async addNote(asking: Asking, key: string, text: string): Promise<void> {
    await this.#people.of(asking);
    const { markup } = await this.#connection.edition(asking.signal);
    const ticket = await this.#tickets.existing(asking, key);
    for (const body of bodiesOf(markup, asking.person.name, text.toWellFormed())) {
      await this.storybook.add(ticket.key, body, asking.signal);
    }
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}

function bodiesOf(markup: Markup, by: string, text: string): string[] {
  const block: Block = { kind: "quote", by, text };
  const body = markup.render([block]);
  if (markup.sizeOf(body) <= markup.limit || text.length < 2) return [body];
  const middle = middleOf(text);
  return [...bodiesOf(markup, by, text.slice(0, middle)), ...bodiesOf(markup, by, text.slice(middle))];
}

/** Where a text is cut: behind a line, if one ends in its second quarter; never within a character. */
function middleOf(text: string): number {
  const half = Math.floor(text.length / 2);
  const line = text.lastIndexOf("\n", half - 1) + 1;
  if (line > half / 2) return line;
  const inPair = (text.codePointAt(half - 1) ?? 0) > 0xffff;
  return inPair ? half + 1 : half;
}
