/** The projects whose tickets may be worked on. */

import type { RedmineSettings } from "../../config/tracker_settings.ts";
import { TicketRefusedError } from "../tracker.ts";
import { ONE_PROJECT, type Project, PROJECTS } from "./replies.ts";
import { type Actor, OWN_ACCOUNT, type RedmineServer } from "./server.ts";

/** A project in which work can be done; a closed one (5) can only be looked at. */
const ACTIVE = 1;
const PAGE = 100;
/** Nobody chooses from more. */
const MOST_PAGES = 5;
/** What a new ticket needs to know of its project. */
const FOR_NEW_TICKETS = "trackers,issue_custom_fields";
/** Who has just been made a member need not wait for long. */
const CHOICE_MS = 30_000;

/** The projects of Redmine, as far as the config allows them. */
export class Projects {
  readonly #server: RedmineServer;
  readonly #named: readonly string[];
  readonly #projects;
  readonly #choices;

  constructor(server: RedmineServer, settings: RedmineSettings) {
    this.#server = server;
    this.#named = settings.projects;
    this.#projects = server.memory<Project | undefined>();
    this.#choices = server.memory<Project[]>(CHOICE_MS);
  }

  /**
   * The projects that the config names.
   *
   * @returns undefined where it names none: all are allowed
   * @throws {TicketRefusedError} if none of them is there
   */
  async allowed(signal: AbortSignal): Promise<Project[] | undefined> {
    if (this.#named.length === 0) return undefined;
    const projects = (await Promise.all(this.#named.map((name) => this.#project(name, signal)))).filter((
      one,
    ) => one !== undefined);
    if (projects.length > 0) return projects;
    throw new TicketRefusedError(
      `Redmine has no project ${
        this.#named.join(", ")
      }, or srvAudit's account may not see it: see redmineProject`,
    );
  }

  /** Those that the config names and that are not there, or that srvAudit's account may not see. */
  async missing(signal: AbortSignal): Promise<string[]> {
    const found = await Promise.all(this.#named.map((name) => this.#project(name, signal)));
    return this.#named.filter((_, i) => found[i] === undefined);
  }

  /** Whether somebody may see a project that Redmine has shown: all that is allowed; of what nobody names, a guest what is public. */
  async isOpenTo(actor: Actor, id: number, signal: AbortSignal): Promise<boolean> {
    const allowed = await this.allowed(signal);
    if (allowed) return allowed.some((project) => project.id === id);
    return !actor.isGuest || (await this.#project(String(id), signal))?.is_public === true;
  }

  /** Whether anything can be changed in a project now. */
  async isActive(id: number, signal: AbortSignal): Promise<boolean> {
    const project = (await this.allowed(signal))?.find((one) => one.id === id) ??
      await this.#project(String(id), signal);
    return project !== undefined && isActive(project);
  }

  /** The projects that somebody may make tickets in, as far as Redmine tells: the default one first. */
  async forNewTickets(actor: Actor, signal: AbortSignal): Promise<Project[]> {
    const projects = await this.#choices.of(actor.switchTo ?? "", async () => {
      const allowed = await this.allowed(signal);
      if (!allowed) return await this.#all(actor, signal);
      const query = { include: FOR_NEW_TICKETS };
      const replies = await Promise.all(
        allowed.filter(isActive).map(({ id }) =>
          this.#server.jsonIfThere(
            { method: "GET", path: `/projects/${id}.json`, query, signal },
            ONE_PROJECT,
            actor,
          )
        ),
      );
      return replies.flatMap((reply) => reply ? [reply.project] : []);
    });
    const isAnyNamed = this.#named.length > 0;
    return actor.isGuest && !isAnyNamed ? projects.filter((one) => one.is_public === true) : projects;
  }

  /** A list has active projects only. */
  async #all(actor: Actor, signal: AbortSignal): Promise<Project[]> {
    const projects: Project[] = [];
    for (let page = 0, total = 1; page * PAGE < total && page < MOST_PAGES; page++) {
      const query = { include: FOR_NEW_TICKETS, limit: PAGE, offset: page * PAGE };
      const reply = await this.#server.json(
        { method: "GET", path: "/projects.json", query, signal },
        PROJECTS,
        actor,
      );
      projects.push(...reply.projects);
      total = reply.total_count ?? 0;
    }
    return projects;
  }

  /** @param name its identifier or its id */
  #project(name: string, signal: AbortSignal): Promise<Project | undefined> {
    return this.#projects.of(name, async () => {
      const path = `/projects/${encodeURIComponent(name)}.json`;
      return (await this.#server.jsonIfThere({ method: "GET", path, signal }, ONE_PROJECT, OWN_ACCOUNT))
        ?.project;
    });
  }
}

/** Whether anything can be changed in a project; one that does not say is active, as all are in lists. */
export function isActive(project: Project): boolean {
  return (project.status ?? ACTIVE) === ACTIVE;
}
