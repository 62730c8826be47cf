/** The statuses that tickets can have. */

import { type Status, STATUSES } from "./replies.ts";
import type { RedmineServer } from "./server.ts";

/** All of Redmine's statuses, by id. */
export class Statuses {
  readonly #server: RedmineServer;
  readonly #all;

  constructor(server: RedmineServer) {
    this.#server = server;
    this.#all = server.memory<ReadonlyMap<number, Status>>();
  }

  all(signal: AbortSignal): Promise<ReadonlyMap<number, Status>> {
    return this.#all.of("", async () => {
      const reply = await this.#server.json(
        { method: "GET", path: "/issue_statuses.json", signal },
        STATUSES,
      );
      return new Map(reply.issue_statuses.map((status) => [status.id, status]));
    });
  }

  /** Whether a ticket of this status is done with: before 5.0 a ticket does not say. */
  async isClosed(status: Status, signal: AbortSignal): Promise<boolean> {
    return status.is_closed ?? (await this.all(signal)).get(status.id)?.is_closed ?? false;
  }
}
