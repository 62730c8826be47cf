import { type Paths, paths } from "../config/paths.ts";
import { ConfigError } from "../config/key_values.ts";
import { DEFAULT_POLICY, hasAgent, type LoginPolicy, loginPolicy } from "../config/policy.ts";
import type { Desk } from "../desk/desk.ts";
import { openDesk } from "../desk/open_desk.ts";
import { patienceOf } from "../desk/remote_desk.ts";

/** How long an answer about tickets is waited for at least, in milliseconds: nobody waits for a shell here. */
const TICKET_MS = 10_000;

/**
 * The desk of whoever works in this session.
 *
 * @param say is told once if the agent does not answer
 */
export function myDesk(say: (line: string) => void): Promise<Desk> {
  const places = paths();
  const policy = policyOrDefaults(places);
  const patience = patienceOf(policy.policy);
  return openDesk(places, policy, {
    onOutage: ({ message }) => say(`${message}; going on without it: notes and switches reach it later`),
    trustsOwnSpool: true,
    patience: { ...patience, ticketMs: Math.max(TICKET_MS, patience.ticketMs) },
  });
}

/** A broken config is for hello and doctor to speak of: a ticket's status does not hang on it. */
function policyOrDefaults(places: Paths): LoginPolicy {
  try {
    return loginPolicy(places);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { policy: DEFAULT_POLICY, hasAgent: hasAgent(places) };
  }
}
