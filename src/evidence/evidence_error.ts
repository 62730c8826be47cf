/** What can be wrong with the evidence's database. */

import { type Refusal, refusalOf } from "../sqlite/database.ts";
import { messageOf } from "../terminal/message_of.ts";

/** The evidence cannot be read or written. Nothing is lost by it: what is not in it is still in the spool. */
export class EvidenceError extends Error {
  override name = "EvidenceError";

  /**
   * @param file the database
   * @param reason why; `newer`: a newer srvAudit has changed its schema
   */
  constructor(readonly file: string, readonly reason: Refusal | "newer", cause?: unknown) {
    super(`${file}: ${explain(reason, cause)}`, { cause });
  }
}

function explain(reason: Refusal | "newer", cause: unknown): string {
  switch (reason) {
    case "locked":
      return "another process is writing to the evidence: is there a second agent?";
    case "damaged":
      return "the evidence is damaged: stop the agent, keep the file, and restore it from a copy";
    case "full":
      return "the disk is full, or fails: see df; what is new stays in the spool until there is room";
    case "read-only":
      return "the evidence cannot be opened or written: look at the folder's owner and mode, and how it is mounted";
    case "newer":
      return "a newer srvaudit has made this evidence: use that one";
    case "other":
      return `the evidence cannot be used: ${messageOf(cause)}`;
  }
}

/**
 * Runs something and gives what the database or the file system refuse as an EvidenceError; whatever else is thrown is
 * thrown as it is.
 *
 * @throws {EvidenceError}
 */
export function withEvidenceErrors<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof EvidenceError) throw error;
    const reason = error instanceof Deno.errors.PermissionDenied ? "read-only" : refusalOf(error);
    if (reason === "other") throw error;
    throw new EvidenceError(file, reason, error);
  }
}
