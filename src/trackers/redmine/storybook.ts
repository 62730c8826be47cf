/** The stories of sessions, as notes on tickets. They are written by the key's own account. */

import { HttpStatusError } from "../../net/http.ts";
import type { Markup } from "../markup/markup.ts";
import {
  CommentGoneError,
  type Storybook,
  TicketNotFoundError,
  TicketRefusedError,
  type TimeSpent,
} from "../tracker.ts";
import { sameText } from "./changes.ts";
import { existingIssue } from "./issues.ts";
import type { Redmine } from "./redmine.ts";
import { type Journal, ONE_ROLE, ONE_USER, TRACKERS } from "./replies.ts";
import { OWN_ACCOUNT } from "./server.ts";
import { logTime } from "./time_entries.ts";

/** What lets an account change its own notes; the second one those of others as well. */
const EDIT_PERMISSIONS = ["edit_own_issue_notes", "edit_issue_notes"];

/** Redmine's notes, for those who tell stories. */
export class RedmineStorybook implements Storybook {
  readonly #redmine: Redmine;
  readonly #canEdit;
  /** One history is read at a time: it can be long. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(redmine: Redmine) {
    this.#redmine = redmine;
    this.#canEdit = redmine.server.memory<boolean>();
  }

  get markup(): Markup {
    return this.#redmine.markup;
  }

  /** Notes can be changed since 5.0, by whoever may change her own in every project that she is a member of. */
  canEdit(signal: AbortSignal): Promise<boolean> {
    return this.#canEdit.of("", async () => await this.#isNewEnough(signal) && await this.#mayEdit(signal));
  }

  async add(key: string, body: string, signal: AbortSignal): Promise<string> {
    await this.#put(`/issues/${key}.json`, { issue: { notes: body } }, {
      signal,
      missing: (status) =>
        status === 404
          ? new TicketNotFoundError(`there is no ticket ${key} in Redmine`)
          : this.#refused(`add a note to ticket ${key}: its project is closed, or it lacks the permission`),
    });
    // Redmine does not say which one it is.
    const added = (await this.#ownJournals(key, signal)).findLast(({ notes }) => sameText(notes, body));
    if (added) return String(added.id);
    throw this.#refused(
      `add a note to ticket ${key}: what it has sent is not there, see the permission "Add notes"`,
    );
  }

  async edit(key: string, id: string, body: string, signal: AbortSignal): Promise<void> {
    await this.#put(`/journals/${encodeURIComponent(id)}.json`, { journal: { notes: body } }, {
      signal,
      missing: (status) =>
        status === 404
          ? new CommentGoneError(`ticket ${key} has no note ${id} in Redmine any more`)
          : this.#refused(
            `change its note on ticket ${key}: its project is closed, or it lacks the permission "Edit own notes"`,
          ),
    });
  }

  async find(key: string, mark: string, signal: AbortSignal): Promise<string | undefined> {
    const found = (await this.#ownJournals(key, signal)).find(({ notes }) => notes?.includes(mark));
    return found && String(found.id);
  }

  async logTime(key: string, time: TimeSpent, signal: AbortSignal): Promise<void> {
    await logTime(this.#redmine, key, time, signal);
  }

  /** Oldest first. */
  async #ownJournals(key: string, signal: AbortSignal): Promise<Journal[]> {
    const { server } = this.#redmine;
    const { id } = await server.account(signal);
    const reading = this.#reading.then(() =>
      existingIssue(this.#redmine, key, { actor: OWN_ACCOUNT, signal, include: "journals" })
    );
    this.#reading = reading.catch(() => {});
    const { journals = [] } = await reading;
    return journals.filter(({ user }) => user?.id === id).sort((a, b) => a.id - b.id);
  }

  async #put(
    path: string,
    body: unknown,
    { signal, missing }: { signal: AbortSignal; missing: (status: number) => Error },
  ): Promise<void> {
    try {
      await this.#redmine.server.nothing({ method: "PUT", path, body, signal });
    } catch (error) {
      throw error instanceof HttpStatusError ? missing(error.status) : error;
    }
  }

  #refused(what: string): TicketRefusedError {
    return new TicketRefusedError(`Redmine does not let srvAudit's account ${what}`);
  }

  /** No call tells the version. What trackers say of their fields came with the same one as the changing of notes. */
  async #isNewEnough(signal: AbortSignal): Promise<boolean> {
    const { trackers } = await this.#redmine.server.json(
      { method: "GET", path: "/trackers.json", signal },
      TRACKERS,
    );
    return trackers.some((tracker) => tracker.enabled_standard_fields !== undefined);
  }

  async #mayEdit(signal: AbortSignal): Promise<boolean> {
    const { server, projects } = this.#redmine;
    const query = { include: "memberships" };
    const { user } = await server.json(
      { method: "GET", path: "/users/current.json", query, signal },
      ONE_USER,
    );
    if (user.admin) return true;
    const allowed = await projects.allowed(signal);
    const memberships = (user.memberships ?? []).filter(({ project }) =>
      allowed === undefined || allowed.some(({ id }) => id === project.id)
    );
    const roles = new Set(memberships.flatMap((membership) => membership.roles.map(({ id }) => id)));
    const editors = new Set<number>();
    for (const id of roles) {
      const reply = await server.jsonIfThere({ method: "GET", path: `/roles/${id}.json`, signal }, ONE_ROLE);
      const permissions = reply?.role.permissions ?? [];
      if (EDIT_PERMISSIONS.some((permission) => permissions.includes(permission))) editors.add(id);
    }
    return memberships.length > 0 && memberships.every((one) => one.roles.some(({ id }) => editors.has(id)));
  }
}
