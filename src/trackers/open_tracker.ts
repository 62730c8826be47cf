import type { AgentSettings } from "../config/agent_settings.ts";
import type { HostPaths } from "../config/paths.ts";
import { JiraTracker } from "./jira/jira_tracker.ts";
import { LocalTickets } from "./local_tickets.ts";
import { RedmineTracker } from "./redmine/redmine_tracker.ts";
import type { Tracker } from "./tracker.ts";

/** What a tracker is chosen and reached by. */
export type TrackerChoice = Pick<AgentSettings, "tracker" | "network">;
/** Where the host's own tickets are. */
export type TrackerPlaces = Pick<HostPaths, "hostTickets">;

/**
 * The tracker that the config names. Nobody is asked yet: whether it answers shows later.
 *
 * All of them are imported, whichever is used: together they are some 100 KB of the agent's program, and choosing stays a plain
 * function.
 *
 * @returns what is to be disposed of when nobody uses it any more
 * @throws {HttpError} for a CA file that cannot be used
 */
export function openTracker({ tracker, network }: TrackerChoice, places: TrackerPlaces): Tracker {
  switch (tracker.kind) {
    case "local":
      return new LocalTickets(places.hostTickets);
    case "Jira":
      return new JiraTracker(tracker, network);
    case "Redmine":
      return new RedmineTracker(tracker, network);
  }
}
