import type { LoginPolicy } from "../config/policy.ts";
import type { Desk } from "./desk.ts";
import type { HostDeskOptions } from "./host_desk.ts";
import { LocalDesk } from "./local_desk.ts";
import type { DeskPlaces } from "./spool_desk.ts";

/**
 * Opens the desk that this host has: the agent's, with one to fall back on, or, without an agent, the local one.
 *
 * @example
 * ```ts
 * using desk = await openDesk(paths(), loginPolicy(paths()), { onOutage: (error) => tell(error.message) });
 * ```
 */
export async function openDesk(
  places: DeskPlaces,
  { policy, hasAgent }: LoginPolicy,
  options: HostDeskOptions,
): Promise<Desk> {
  if (!hasAgent) return new LocalDesk(places, policy);
  const { HostDesk } = await import("./host_desk.ts");
  return new HostDesk(places, policy, options);
}
