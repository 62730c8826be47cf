import type { AgentSettings } from "../config/agent_settings.ts";
import type { HostPaths } from "../config/paths.ts";
import { JiraTracker } from "./jira/jira_tracker.ts";
import { LocalTickets } from "./local_tickets.ts";
import type { Tracker } from "./tracker.ts";

/** What a tracker is chosen and reached by. */
export type TrackerChoice = Pick<AgentSettings, "tracker" | "network">;
/** Where the host's own tickets are. */
export type TrackerPlaces = Pick<HostPaths, "hostTickets">;

/**
 * The tracker that the config names. Nobody is asked yet: whether it answers shows later.
 *
 * @returns what is to be disposed of when nobody uses it any more
 */
export function openTracker({ tracker, network }: TrackerChoice, places: TrackerPlaces): Tracker {
  switch (tracker.kind) {
    case "local":
      return new LocalTickets(places.hostTickets);
    case "Jira":
      return new JiraTracker(tracker, network);
    default:
      throw new Error(`there is no tracker ${tracker.kind} yet`);
  }
}
