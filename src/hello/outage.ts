import type { Policy } from "../config/policy.ts";
import { AgentUnavailableError } from "../desk/desk.ts";
import { tell } from "../terminal/ask.ts";
import { visible } from "../terminal/visible.ts";
import { TrackerUnavailableError } from "../trackers/tracker.ts";
import { RefusalError } from "./refusal.ts";

/** What the agent or the tracker cannot answer, and what the policy says to that. */
export class Outage {
  /** Whether there was one, and it was borne: tickets cannot be looked up now. */
  isBorne = false;
  /** Set for who is to get a shell whatever is missing. */
  isWaived = false;

  constructor(readonly policy: Pick<Policy, "onAgentDown" | "onTrackerOutage">) {}

  /**
   * Goes on without, and says so once.
   *
   * @throws {RefusalError} where the policy denies that
   */
  bear(error: AgentUnavailableError | TrackerUnavailableError): void {
    const isAgent = error instanceof AgentUnavailableError;
    if (!this.isWaived) {
      const { onAgentDown, onTrackerOutage } = this.policy;
      if (isAgent && onAgentDown === "deny") {
        throw new RefusalError(
          `${error.message}; onAgentDown="deny": no shell until root has it started: srvaudit doctor`,
        );
      }
      if (!isAgent && onTrackerOutage === "deny") {
        throw new RefusalError(
          `${error.message}; onTrackerOutage="deny": no shell until it answers: try again later`,
        );
      }
    }
    if (!this.isBorne) tell(`srvaudit: ${visible(error.message)}; going on without it\n`);
    this.isBorne = true;
  }

  /**
   * Asks, and bears it where there is no answer.
   *
   * @returns the answer, or undefined where there is none
   * @throws {RefusalError} and what else the question throws
   */
  async ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof AgentUnavailableError || error instanceof TrackerUnavailableError)) throw error;
      this.bear(error);
      return undefined;
    }
  }
}
