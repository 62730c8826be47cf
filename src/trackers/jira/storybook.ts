/** Comments and worklogs, as srvAudit's own account writes them. */

import type { HttpStatusError } from "../../net/http.ts";
import type { Markup } from "../markup/markup.ts";
import { CommentGoneError, type Storybook, TicketRefusedError, type TimeSpent } from "../tracker.ts";
import { type JiraConnection, refusalOf } from "./connection.ts";
import { Remembered } from "../remembered.ts";
import { COMMENT, COMMENTS, PERMISSIONS, type UserReply, WORKLOGS } from "./replies.ts";
import { noTicket, type Tickets } from "./tickets.ts";
import { momentOf } from "./times.ts";

/** So many of a ticket's comments, the newest, are looked through for one of ours. */
const LOOKED_THROUGH = 1000;
/** Jira counts in minutes: less than one is refused. */
const SHORTEST_WORKLOG_S = 60;

/** The comments of a Jira. */
export class JiraStorybook implements Storybook {
  readonly #permissions = new Remembered<boolean>();

  constructor(readonly connection: JiraConnection, readonly tickets: Tickets) {
    connection.onRefusal.push(() => this.#permissions.forget());
  }

  /** Where the config does not name the edition, this is a guess by the kind of key, until Jira was asked anything (`canEdit`). */
  get markup(): Markup {
    return this.connection.likelyEdition.markup;
  }

  /** "Get my permissions": Cloud is to be told which, Server tells of all. */
  async canEdit(signal: AbortSignal): Promise<boolean> {
    await this.connection.edition(signal);
    const projectKey = this.connection.settings.projects[0];
    return await this.#permissions.of("edit", async () => {
      const { permissions } = await this.connection.json(
        {
          method: "GET",
          path: "/mypermissions",
          query: { permissions: "EDIT_OWN_COMMENTS,EDIT_ALL_COMMENTS", projectKey },
          signal,
        },
        PERMISSIONS,
      );
      return ["EDIT_OWN_COMMENTS", "EDIT_ALL_COMMENTS"].some((name) =>
        permissions[name]?.havePermission === true
      );
    });
  }

  /** "Add comment" */
  async add(key: string, body: string, signal: AbortSignal): Promise<string> {
    const edition = await this.connection.edition(signal);
    const { id } = await this.connection.json({
      method: "POST",
      path: `${this.tickets.pathOf(key)}/comment`,
      body: { body: edition.bodyOf(body) },
      signal,
      meaning: missing(key),
    }, COMMENT);
    return id;
  }

  /** "Update comment" */
  async edit(key: string, id: string, body: string, signal: AbortSignal): Promise<void> {
    const edition = await this.connection.edition(signal);
    const path = `${this.tickets.pathOf(key)}/comment/${encodeURIComponent(id)}`;
    const unclear = (error: HttpStatusError) => new UnclearRefusalError(refusalOf(error));
    try {
      await this.connection.nothing({
        method: "PUT",
        path,
        query: edition.quietly,
        body: { body: edition.bodyOf(body) },
        signal,
        meaning: { 400: unclear, 404: unclear },
      });
    } catch (error) {
      if (!(error instanceof UnclearRefusalError)) throw error;
      // Neither status says what is gone, the comment or the ticket, or whether anything is.
      await this.#exists(key, signal);
      const gone = () => new CommentGoneError(`comment ${id} of ticket ${key} is gone`);
      await this.connection.nothing({ method: "GET", path, signal, meaning: { 403: gone, 404: gone } });
      throw new TicketRefusedError(error.message);
    }
  }

  async find(key: string, mark: string, signal: AbortSignal): Promise<string | undefined> {
    const edition = await this.connection.edition(signal);
    const self = await this.connection.self(signal);
    const comments = await this.connection.list(
      { ...this.tickets.commentsOf(key, signal), meaning: missing(key) },
      COMMENTS,
      { size: 50, most: LOOKED_THROUGH },
    );
    return comments.find(({ author, body }) =>
      this.#isOurs(self, author) && edition.textOf(body).includes(mark)
    )?.id;
  }

  /** "Add worklog" */
  async logTime(key: string, time: TimeSpent, signal: AbortSignal): Promise<void> {
    const edition = await this.connection.edition(signal);
    const path = `${this.tickets.pathOf(key)}/worklog`;
    const unclear = (error: HttpStatusError) => new UnclearRefusalError(refusalOf(error));
    const self = await this.connection.self(signal);
    try {
      const { about, paged } = edition.worklogs;
      const query = about(Math.floor(time.startUs / 1000));
      const logged = await this.connection.list(
        { method: "GET", path, query, signal, meaning: { 404: unclear } },
        WORKLOGS,
        { size: 1000, most: 20_000, paged },
      );
      const isThere = logged.some(({ author, comment }) =>
        this.#isOurs(self, author) && edition.textOf(comment).includes(time.mark)
      );
      if (isThere) return;
      await this.connection.nothing({
        method: "POST",
        path,
        // The remaining estimate is people's own: a shell that was left open must not use it up.
        query: { ...edition.quietly, adjustEstimate: "leave" },
        body: {
          started: momentOf(time.startUs),
          timeSpentSeconds: Math.max(SHORTEST_WORKLOG_S, Math.ceil(time.seconds)),
          comment: edition.bodyOf(edition.markup.render([{ kind: "text", text: time.comment }])),
        },
        signal,
        meaning: { 404: unclear },
      });
    } catch (error) {
      if (!(error instanceof UnclearRefusalError)) throw error;
      // 404 also where Jira's time tracking is switched off.
      await this.#exists(key, signal);
      throw new TicketRefusedError(`${error.message}: switch time tracking on in Jira, or set logTime="no"`);
    }
  }

  /** @throws {TicketNotFoundError} */
  async #exists(key: string, signal: AbortSignal): Promise<void> {
    const query = { fields: "status" };
    await this.connection.nothing({
      method: "GET",
      path: this.tickets.pathOf(key),
      query,
      signal,
      meaning: missing(key),
    });
  }

  /** Anybody can write a comment with our mark in it. */
  #isOurs(self: UserReply, author: UserReply | null | undefined): boolean {
    const { userId } = this.connection.likelyEdition;
    return typeof self[userId] === "string" && author?.[userId] === self[userId];
  }
}

/** A refusal that does not say what was refused. */
class UnclearRefusalError extends Error {}

/** For srvAudit's own account a ticket that it may not change is not one that is not there: 403 is a refusal. */
function missing(key: string): ReturnType<typeof noTicket> {
  const { 404: none } = noTicket(key);
  return none ? { 404: none } : {};
}
