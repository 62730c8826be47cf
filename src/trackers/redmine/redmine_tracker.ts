/** Redmine, as srvAudit's tracker: 5.x, and with what is missing there 4.x; 6.x adds nothing that is needed. */

import type { NetworkSettings, RedmineSettings } from "../../config/tracker_settings.ts";
import type {
  Answers,
  Asking,
  Concern,
  Created,
  Search,
  StatusChange,
  Storybook,
  Ticket,
  TicketDetails,
  Tracker,
} from "../tracker.ts";
import { addNote, nextStatuses, setStatus } from "./changes.ts";
import { detailsOf } from "./details.ts";
import { existingIssue, readIssue, ticketOf } from "./issues.ts";
import { createTicket } from "./new_ticket.ts";
import { openRedmine, type Redmine, urlOfTicket } from "./redmine.ts";
import { searchTickets } from "./search.ts";
import type { Actor } from "./server.ts";
import { RedmineStorybook } from "./storybook.ts";

/**
 * A Redmine.
 *
 * With an administrator's key everybody who has an account there works in her own name, so that Redmine's own permissions and
 * workflows hold for her; with any other key all is done by that key's account.
 *
 * @example
 * ```ts
 * using tracker = new RedmineTracker(settings, network);
 * const ticket = await tracker.find({ person: { uid: 1000, name: "bob" }, signal }, "17");
 * ```
 */
export class RedmineTracker implements Tracker {
  readonly name = "Redmine";
  readonly storybook: Storybook;
  readonly #redmine: Redmine;

  /** Nobody is asked yet. @throws {HttpError} for a CA file that cannot be used */
  constructor(settings: RedmineSettings, network: NetworkSettings) {
    this.#redmine = openRedmine(settings, network);
    this.storybook = new RedmineStorybook(this.#redmine);
  }

  [Symbol.dispose](): void {
    this.#redmine.server[Symbol.dispose]();
  }

  keyOf(typed: string): string {
    return typed.replace(/^#/, "");
  }

  urlOf(key: string): string {
    return urlOfTicket(this.#redmine.settings, key);
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#redmine.server.check(signal);
  }

  async accountName(signal: AbortSignal): Promise<string> {
    const { login, id } = await this.#redmine.server.account(signal);
    return login ?? `user ${id}`;
  }

  missingProjects(signal: AbortSignal): Promise<string[]> {
    return this.#redmine.projects.missing(signal);
  }

  get concern(): Concern | undefined {
    const { settings, server } = this.#redmine;
    if (settings.unknownUsers === "deny" || !server.isAdministrator) return undefined;
    return {
      what: "whoever Redmine does not know works there as srvAudit's account, which is an administrator's: " +
        "no workflow and no permission binds her, and only what is private is kept from her",
      mend: 'say trackerUnknownUsers="deny"',
    };
  }

  find(asking: Asking, key: string): Promise<Ticket | undefined> {
    return this.#as(asking, async (actor) => {
      const issue = await readIssue(this.#redmine, key, { actor, signal: asking.signal });
      return issue && await ticketOf(this.#redmine, issue, asking.signal);
    });
  }

  details(asking: Asking, key: string): Promise<TicketDetails> {
    return this.#as(asking, async (actor) => {
      const how = { actor, signal: asking.signal, include: "journals" };
      return await detailsOf(this.#redmine, await existingIssue(this.#redmine, key, how), asking.signal);
    });
  }

  search(asking: Asking, search: Search): Promise<Ticket[]> {
    return searchTickets(this.#redmine, asking, search);
  }

  create(asking: Asking, answers: Answers): Promise<Created> {
    return createTicket(this.#redmine, asking, answers);
  }

  async nextStatuses(asking: Asking, key: string): Promise<string[]> {
    const statuses = await this.#as(asking, (actor) => nextStatuses({ ...this.#change(asking, key), actor }));
    return statuses.map(({ name }) => name);
  }

  setStatus(asking: Asking, key: string, status: string): Promise<StatusChange> {
    return this.#as(asking, (actor) => setStatus({ ...this.#change(asking, key), actor }, status));
  }

  addNote(asking: Asking, key: string, text: string): Promise<void> {
    return this.#as(
      asking,
      (actor) => addNote({ ...this.#change(asking, key), actor }, asking.person.name, text),
    );
  }

  #as<T>(asking: Asking, work: (actor: Actor) => Promise<T>): Promise<T> {
    return this.#redmine.people.as(asking, work);
  }

  #change({ signal }: Asking, key: string) {
    return { redmine: this.#redmine, key, signal };
  }
}
