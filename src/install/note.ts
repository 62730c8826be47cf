/** What became of srvAudit itself on this host, in evidence, where an agent runs. */

import { askAgent } from "../desk/agent_client.ts";
import type { Target } from "./target.ts";

/**
 * Tells the agent. Nothing is held up, or fails, where there is none: that keeps nobody from being let in.
 *
 * @param what it is, in a few words
 */
export async function noteInEvidence({ root }: Target, what: string): Promise<void> {
  try {
    await askAgent(`${root}/run/srvaudit/agent.sock`, "agent.note", { what });
  } catch {
    // None runs, or one of another version, or it is in trouble: it says so itself.
  }
}
