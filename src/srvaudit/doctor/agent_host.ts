/** Some hosts have an agent, and some have none. */

import { type Host, look } from "./finding.ts";

/** Whether this host has an agent, running or not: it has left something. */
export function hasAgent(host: Host): boolean {
  const { policy, state } = host.places;
  return [policy, state].some((path) => look(path) !== "missing");
}
