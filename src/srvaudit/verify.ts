/** `srvaudit verify` and `srvaudit head`: is the evidence what was written? */

import { hostPaths } from "../config/paths.ts";
import { type EarlierHead, formatHead } from "../evidence/head.ts";
import { type SinceResult, verifyEvidence, type VerifyResult } from "../evidence/verify.ts";
import { localTime } from "../terminal/moments.ts";
import { visible, visibleJson } from "../terminal/visible.ts";
import { openEvidence, reasonOf } from "./evidence_file.ts";
import { CannotError, print } from "./output.ts";

/**
 * Walks the chain, and says how it stands.
 *
 * @param file another database than this host's
 * @param since a head that was taken off the host earlier
 * @returns the exit code: 1 where anything is not as it was written
 * @throws {CannotError} if the evidence cannot be read
 */
export function verifyCommand(
  file = hostPaths().evidence,
  since: EarlierHead | undefined,
  asJson: boolean,
): number {
  let result: VerifyResult;
  try {
    result = verifyEvidence(file, since ? { since } : {});
  } catch (error) {
    throw new CannotError(reasonOf(error, file));
  }
  print(asJson ? visibleJson(forPrograms(result)) + "\n" : visible(forPeople(result, since), "\n"));
  return result.isIntact ? 0 : 1;
}

/** Heads as they are kept, `SEQ:HASH`. */
function forPrograms(result: VerifyResult) {
  const { anchor, head, ...rest } = result;
  return { ...rest, anchor: formatHead(anchor), head: formatHead(head) };
}

const SINCE: Readonly<Record<SinceResult, string>> = {
  "found": "is in the chain: all up to it is what it was then",
  "rewritten": "is NOT in the chain: the evidence was REWRITTEN",
  "end missing": "is NOT in the chain, which ends before it: its end was REMOVED",
  "removed by retention":
    "is no longer there: retention, or whoever says so, has removed it; take a younger head",
  "not reached": "was not reached: the chain breaks before it",
};

/** The result in lines. */
function forPeople(result: VerifyResult, since: EarlierHead | undefined): string {
  const { broken, altered, anchor, head, events, file } = result;
  const isUnproven = !broken && altered.length === 0 && result.since === "removed by retention";
  const state = result.isIntact ? "intact" : isUnproven ? "UNPROVEN" : "BROKEN";
  const lines = [`${state.padEnd(8)}  ${file}`];
  if (broken) {
    lines.push(`break     at event ${broken.seq}: ${broken.what}`);
    const where = [
      ...(broken.user === null ? [] : [`of ${broken.user}`]),
      ...(broken.session === null ? [] : [`in session ${broken.session}`]),
      ...(broken.atUs === null ? [] : [`at ${localTime(broken.atUs)}`]),
    ];
    if (where.length > 0) lines.push(`          ${where.join(", ")}`);
  }
  if (altered.length > 0) lines.push(`altered   ${altered.join(", ")}: not as srvAudit makes them`);
  if (since && result.since !== null) lines.push(`since     event ${since.seq} ${SINCE[result.since]}`);
  const removed = anchor.seq === 0 ? "" : `; those up to ${anchor.seq} were removed by retention`;
  lines.push(`in order  ${events} events${removed}`);
  if (head.seq > 0) lines.push(`head      ${formatHead(head)}`);
  return lines.join("\n") + "\n";
}

/**
 * Prints where the chain stands, to be kept off the host.
 *
 * @param file another database than this host's
 * @throws {CannotError} if the evidence cannot be read, or has nothing in it
 */
export function headCommand(file = hostPaths().evidence): void {
  using evidence = openEvidence(file);
  const head = evidence.head();
  if (!head) throw new CannotError(`${file} has no events yet`);
  print(`${formatHead(head)}\n`);
}
