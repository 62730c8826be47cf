/**
 * Brings the user's history up to date and, on a host with an agent, lets go of the spool files that both have taken in.
 *
 * Whether all of a file is in the evidence only the agent knows. Where it does not answer, files stay for another time.
 */

import type { Paths } from "../config/paths.ts";
import { hasAgent } from "../config/policy.ts";
import { ingest, remove } from "../history/ingest.ts";
import type { Finished, IngestReport } from "../history/report.ts";

/** How many files one question names: well within the longest line. */
const FILES_A_QUESTION = 512;

/** How the agent is asked. */
export interface Asking {
  /**
   * `new`: only when this ingest has finished with a file; then after those that wait from before, too. `all`: whenever one
   * waits.
   */
  about: "new" | "all";
  /** How long an answer is waited for, in milliseconds. */
  timeoutMs: number;
}

/**
 * @returns what the ingest did, with what was removed
 * @throws {HistoryError} if the history cannot be written: nothing is lost, the spool keeps it
 *
 * @example
 * ```ts
 * const report = await ingestAndRelease(paths(), { about: "new", timeoutMs: 300 });
 * ```
 */
export async function ingestAndRelease(
  places: Pick<Paths, "spool" | "history" | "hostSpool" | "policy" | "socket">,
  { about, timeoutMs }: Asking,
): Promise<IngestReport> {
  const host = { hostSpool: places.hostSpool, hasAgent: hasAgent(places) };
  const report = ingest(places.spool, places.history, host);
  const files = [...report.finished, ...report.waiting];
  if (files.length === 0 || (about === "new" && report.finished.length === 0)) return report;
  const { askAgent } = await import("./agent_client.ts");
  for (let at = 0; at < files.length; at += FILES_A_QUESTION) {
    const asked = new Map(
      files.slice(at, at + FILES_A_QUESTION).map((one): [string, Finished] => [one.file, one]),
    );
    let answer: { remove: string[] };
    try {
      answer = await askAgent(places.socket, "spool.taken", { files: [...asked.keys()] }, timeoutMs);
    } catch {
      // No agent now, or one that will not: the files wait.
      break;
    }
    remove(places.spool, answer.remove.flatMap((name) => asked.get(name) ?? []), report);
  }
  return report;
}
