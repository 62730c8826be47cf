/** Tells logins what they may know of the config. */

import type { HostPaths } from "../config/paths.ts";
import type { Policy } from "../config/policy.ts";

/**
 * Publishes the policy: for every login in `/run/srvaudit/policy.json`, and once more beside the evidence, from where the
 * system puts it back when the machine starts: a login before the agent is there must know that there is one.
 *
 * @throws {Error} if it cannot be written
 */
export function publishPolicy(places: Pick<HostPaths, "policy" | "state">, policy: Policy): void {
  const text = JSON.stringify(policy, null, 2) + "\n";
  for (const file of [`${places.state}/policy.json`, places.policy]) {
    // Nobody reads half of it.
    const draft = `${file}.new`;
    Deno.writeTextFileSync(draft, text);
    Deno.chmodSync(draft, 0o644);
    Deno.renameSync(draft, file);
  }
}
