/** What everything that is done in Redmine works with. */

import type { NetworkSettings, RedmineSettings } from "../../config/tracker_settings.ts";
import type { Markup } from "../markup/markup.ts";
import { markupOf } from "../markup/redmine.ts";
import type { Remembered } from "../remembered.ts";
import { People } from "./people.ts";
import { Projects } from "./projects.ts";
import type { CustomField } from "./replies.ts";
import { RedmineServer } from "./server.ts";
import { Statuses } from "./statuses.ts";

/** One Redmine, and what is known of it. */
export interface Redmine {
  readonly settings: RedmineSettings;
  readonly server: RedmineServer;
  readonly people: People;
  readonly projects: Projects;
  readonly statuses: Statuses;
  /** What an administrator's key shows of the fields of tickets. */
  readonly definitions: Remembered<CustomField[]>;
  readonly markup: Markup;
}

/** Nobody is asked yet. Its `server` is to be disposed of. */
export function openRedmine(settings: RedmineSettings, network: NetworkSettings): Redmine {
  const server = new RedmineServer(settings, network);
  return {
    settings,
    server,
    people: new People(server, settings),
    projects: new Projects(server, settings),
    statuses: new Statuses(server),
    definitions: server.memory(),
    markup: markupOf(settings.format),
  };
}

/** Where people see a ticket. */
export function urlOfTicket(settings: RedmineSettings, key: string): string {
  return `${settings.url}/issues/${encodeURIComponent(key)}`;
}
