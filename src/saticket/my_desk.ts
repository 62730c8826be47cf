import { type Paths, paths } from "../config/paths.ts";
import { ConfigError } from "../config/key_values.ts";
import { DEFAULT_POLICY, hasAgent, type LoginPolicy, loginPolicy } from "../config/policy.ts";
import type { Desk } from "../desk/desk.ts";
import { openDesk } from "../desk/open_desk.ts";

/** How long an answer is waited for, in milliseconds. A person waits, and a tracker may be far away. */
const PATIENCE = { sessionMs: 2000, ticketMs: 10_000 };

/**
 * The desk of whoever works in this session.
 *
 * @param say is told once if the agent does not answer
 */
export function myDesk(say: (line: string) => void): Promise<Desk> {
  const places = paths();
  return openDesk(places, policyOrDefaults(places), {
    onOutage: ({ message }) => say(`${message}; going on without it: notes and switches reach it later`),
    trustsOwnSpool: true,
    patience: PATIENCE,
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
