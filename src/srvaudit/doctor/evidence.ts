/** Is the evidence whole, is there room for more, and does all that is recorded come into it? */

import { hasAgent } from "../../config/policy.ts";
import { statfsSync } from "node:fs";
import type { EvidenceReader } from "../../evidence/reading.ts";
import { protect } from "../../posix/file_flags.ts";
import { messageOf } from "../../terminal/message_of.ts";
import { lengthOfTime } from "../../terminal/moments.ts";
import { openEvidence } from "../evidence_file.ts";
import { byteCount } from "../output.ts";
import { type Finding, type Host, look, ok, unseen, warning, wrong } from "./finding.ts";

/** Below this a day's work may fill the disk; below a tenth of it SQLite may not even be able to tidy up. */
const LITTLE_ROOM = 1e9;
/** So much may wait while much is being written. */
const MUCH_WAITING = 64e6;
/** What has not come into evidence for so long is stuck. */
const STUCK_MS = 10 * 60_000;

/** How much evidence there is, and whether it can be read at all. */
export function size(host: Host): Finding[] {
  if (!hasAgent(host.places)) return [];
  const file = host.places.evidence;
  if (look(file) === "closed") return [unseen(`the evidence ${file}`)];
  try {
    using evidence = openEvidence(file);
    const { first, last } = evidence.extent();
    const bytes = fileSize(file) + fileSize(`${file}-wal`);
    return [ok(`the evidence opens: events ${first} to ${last}, ${byteCount(bytes)}`)];
  } catch (error) {
    return [wrong(messageOf(error), "restore it from a copy, or move it away: the agent begins a new one")];
  }
}

/** A look into the evidence. That it cannot be read is `size`'s to say. */
function withEvidence(host: Host, use: (evidence: EvidenceReader) => Finding[]): Finding[] {
  if (!size(host).every(({ state }) => state === "ok") || !hasAgent(host.places)) return [];
  using evidence = openEvidence(host.places.evidence);
  return use(evidence);
}

/** So many of the newest events are looked at: the whole chain may take minutes. */
const TAIL = 10_000;

/** Whether the newest events are what was written. */
export function chain(host: Host): Finding[] {
  return withEvidence(host, (evidence) => {
    const seq = evidence.tailBreak(TAIL);
    if (seq === undefined) {
      return [ok("the newest part of the chain is intact: srvaudit verify looks at all of it")];
    }
    return [wrong(
      `the chain breaks at event ${seq}: the evidence was changed`,
      "keep a copy as it is, and see: srvaudit verify",
    )];
  });
}

function fileSize(path: string): number {
  const found = look(path);
  return typeof found === "string" ? 0 : found.size;
}

/** Room where evidence and spool are written. */
export function room(host: Host): Finding[] {
  const folders = [["the evidence", host.places.state], ["the spool", host.places.hostSpool]] as const;
  return folders.flatMap(([what, folder]) => {
    const found = look(folder);
    if (found === "missing") return [];
    if (found === "closed") return [unseen(`the room for ${what}`)];
    const { bavail, bsize, ffree, files } = statfsSync(folder);
    return [roomFinding(`${what} (${folder})`, bavail * bsize, files === 0 ? Infinity : ffree)];
  });
}

/**
 * @param bytes that are free
 * @param files that can be made
 */
export function roomFinding(what: string, bytes: number, files: number): Finding {
  const mend = "make room, or set retentionDays and evidenceMaxMegabytes";
  if (bytes < LITTLE_ROOM / 10) return wrong(`only ${byteCount(bytes)} of room for ${what}`, mend);
  if (files < 100) {
    return wrong(`no more than ${files} files can be made for ${what}`, "df -i; remove small files");
  }
  if (bytes < LITTLE_ROOM) return warning(`only ${byteCount(bytes)} of room for ${what}`, mend);
  return ok(`${byteCount(bytes)} of room for ${what}`);
}

/** Whether a spool file can be kept from being cut: tried on a file of our own. */
export function appendOnly(host: Host): Finding[] {
  const folder = host.places.hostSpool;
  if (!host.isRoot) return [unseen(`whether the spool's file system knows append-only files`)];
  if (look(folder) === "missing") return [];
  const scratch = `${folder}/.doctor.${Deno.pid}`;
  try {
    Deno.writeTextFileSync(scratch, "", { mode: 0o600 });
    const isProtected = protect(scratch, "appendOnly");
    protect(scratch, "none");
    if (isProtected) return [ok(`spool files in ${folder} can be kept from being cut`)];
    return [warning(
      `the file system of ${folder} has no append-only files: a user can cut her spool, which is noticed and told`,
      "put it on ext4, XFS or Btrfs",
    )];
  } catch (error) {
    return [
      wrong(`no file can be made in ${folder}: ${messageOf(error)}`, "mount it for writing, and make room"),
    ];
  } finally {
    try {
      Deno.removeSync(scratch);
    } catch {
      // It could not be made.
    }
  }
}

/** What is in the spool and not in evidence. */
export function backlog(host: Host): Finding[] {
  const folder = host.places.hostSpool;
  if (look(folder) === "missing") return [];
  if (!host.isRoot) return [unseen(`what waits in ${folder}`)];
  return withEvidence(host, (evidence) => {
    const positions = evidence.positions("");
    let [files, waiting, oldestMs] = [0, 0, host.nowMs];
    for (const { name, isFile } of Deno.readDirSync(folder)) {
      if (!isFile || !/\.(shell|session)$/.test(name)) continue;
      const found = look(`${folder}/${name}`);
      if (typeof found === "string") continue;
      files++;
      const behind = found.size - (positions.get(name) ?? 0);
      if (behind <= 0) continue;
      waiting += behind;
      oldestMs = Math.min(oldestMs, found.mtime?.getTime() ?? oldestMs);
    }
    return [backlogFinding(files, waiting, host.nowMs - oldestMs)];
  });
}

/**
 * @param files in the spool
 * @param waiting how many of their bytes are not in evidence
 * @param ageMs how long ago the oldest of those files was last written to
 */
export function backlogFinding(files: number, waiting: number, ageMs: number): Finding {
  const what = `${byteCount(waiting)} in ${files} spool files are not in evidence, since ${
    lengthOfTime(ageMs * 1000)
  }`;
  const mend = "see whether the agent runs (srvaudit status), and its log";
  if (waiting > 0 && ageMs > STUCK_MS) return wrong(what, mend);
  if (waiting > MUCH_WAITING) return warning(what, mend);
  return ok(`${files} spool files, ${byteCount(waiting)} of them not in evidence yet`);
}

/** Who is told of events, and whether that works. */
export function consumers(host: Host): Finding[] {
  return withEvidence(host, (evidence) =>
    // Of sinks the agent knows more.
    evidence.consumers().filter(({ name }) => !name.startsWith("sink:")).map(
      ({ name, waiting, error, successUs }) => {
        const age = successUs === null ? "never" : `${lengthOfTime(host.nowMs * 1000 - successUs)} ago`;
        if (error === null) return ok(`${name} was last told of events ${age}; ${waiting} wait`);
        return warning(
          `${name} cannot be told of ${waiting} events, last ${age}: ${error}`,
          `see its settings, and ${host.places.log}`,
        );
      },
    ));
}

/** Whether the machine's time is what it was when the newest event happened, or later. */
export function clock(host: Host): Finding[] {
  const built = look(`${host.places.program}/srvaudit`);
  const builtMs = typeof built === "string" ? 0 : built.mtime?.getTime() ?? 0;
  const mend = "set the clock, and have it kept: systemctl enable --now systemd-timesyncd (or chrony)";
  // What is new comes from whoever has set a clock since.
  if (host.nowMs < builtMs) return [wrong("the clock is at a time before srvAudit was installed", mend)];
  return withEvidence(host, (evidence) => {
    const aheadUs = evidence.extent().newestUs - host.nowMs * 1000;
    // A shell's clock may be a little ahead of what was read a moment ago.
    if (aheadUs > 60e6) {
      return [wrong(`the clock is ${lengthOfTime(aheadUs)} before the newest evidence`, mend)];
    }
    return [ok("the clock is not before the newest evidence")];
  });
}
