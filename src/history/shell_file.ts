/** Takes a shell's spool file in: its row in `sessions`, and its commands. */

import { hostAddresses } from "../posix/host_addresses.ts";
import { bootId, processOf } from "../posix/process.ts";
import type { EndRecord, ExitRecord, ShellRecord, StartRecord } from "../record/event.ts";
import { readRecords } from "../record/spool.ts";
import type { Progress } from "./progress.ts";
import type { Piece } from "./spool_folder.ts";
import { durationOf, seconds, type Store } from "./store.ts";

/** Bytes among which there is no record: so many are taken for noise, and not kept for a rest that may come. */
export const NOISE_BYTES = 64 * 1024 * 1024;

/** What was stored. */
export interface Stored {
  commands: number;
  shells: number;
  damaged: number;
}

/**
 * Stores what the piece holds and moves `progress` on. A command that still runs is left for later, unless its shell
 * is gone.
 *
 * @param piece the file from `progress.position` on
 * @param isGone whether the shell was gone before the piece was read
 * @param session the login session that the agent counts the shell to, or null if it knows of none; undefined where no agent
 * has made the file
 */
export function storeShell(
  store: Store,
  progress: Progress,
  piece: Piece,
  isGone: boolean,
  session?: string | null,
): Stored {
  const stored: Stored = { commands: 0, shells: 0, damaged: 0 };
  const reading = readRecords(piece.bytes);
  let running: { record: StartRecord; at: number } | undefined;

  const finish = (end: Ending) => {
    if (running && storeCommand(store, progress, running.record, end)) stored.commands++;
    running = undefined;
  };
  for (const { record, start } of reading.records) {
    switch (record.type) {
      case "shell":
        finish({ atUs: record.atUs });
        if (introduce(store, progress, record, session)) stored.shells++;
        break;
      case "start":
        finish({ atUs: record.atUs });
        if (
          progress.sessionId === null &&
          introduce(store, progress, standIn(progress.file, record, piece.uid), session)
        ) {
          stored.shells++;
        }
        running = { record, at: start };
        break;
      case "end":
        if (running?.record.number === record.number) finish({ atUs: record.atUs, end: record });
        else if (progress.sessionId !== null) store.endCommand(progress.sessionId, withPipeStates(record));
        break;
      case "exit":
        finish({ atUs: record.atUs, end: record });
        noteExit(store, progress, record);
        break;
      case "event":
        // A login session's events have a file of their own.
        stored.damaged++;
        break;
    }
  }

  const isOver = isGone && piece.isLast;
  if (isOver) finish({ atUs: piece.changedUs });
  const isNoise = reading.records.length === 0 && piece.bytes.length >= NOISE_BYTES;
  const stop = running ? running.at : isOver || isNoise ? piece.bytes.length : reading.consumed;
  // What lies behind a command that still runs is counted when that is stored.
  stored.damaged += running ? readRecords(piece.bytes.subarray(0, stop)).damaged : reading.damaged;
  if ((isOver || isNoise) && reading.consumed < piece.bytes.length) stored.damaged++;
  progress.seen = progress.position + piece.bytes.length;
  progress.position += stop;
  progress.damaged += stored.damaged;
  if (isOver) {
    endShell(store, progress, piece.changedUs);
    progress.gone = true;
    progress.done = true;
  }
  return stored;
}

/** How a command ended; without a record of that, only when it was over at the latest. */
interface Ending {
  atUs: number;
  end?: EndRecord | ExitRecord;
}

function storeCommand(store: Store, progress: Progress, start: StartRecord, { atUs, end }: Ending): boolean {
  if (progress.sessionId === null) return false;
  return store.addCommand({
    sessionId: progress.sessionId,
    shellLevel: start.shellLevel,
    number: start.number,
    tty: start.tty,
    effectiveUid: start.effectiveUid,
    directory: start.directory,
    // ASH's column takes no NULL: -1 is an exit code that no process has.
    exitCode: end ? end.exitCode : -1,
    startUs: start.atUs,
    endUs: atUs,
    endIsKnown: end !== undefined,
    pipeStates: end?.type === "end" ? withPipeStates(end).pipeStates : [],
    text: start.text,
    textState: start.textState,
    loginSession: progress.loginSession,
    ticket: store.ticketAt(progress.loginSession, start.atUs),
  });
}

/** A shell that gives no pipe states has run one process for all that is known. */
function withPipeStates(end: EndRecord): EndRecord {
  return end.pipeStates.length > 0 ? end : { ...end, pipeStates: [end.exitCode] };
}

/** Makes the shell's row, unless its introduction is read a second time. */
function introduce(
  store: Store,
  progress: Progress,
  shell: ShellRecord,
  session: string | null | undefined,
): boolean {
  const { database } = store;
  if (progress.sessionId !== null) {
    const known = database.prepare(
      "select 1 from srvaudit_shells where session_id = ? and pid = ? and start_ticks = ? and start_us = ?",
    ).get(progress.sessionId, shell.pid, shell.startTicks, shell.atUs);
    if (known) return false;
    // The shell has become another one (exec bash).
    endShell(store, progress, shell.atUs);
  }
  const isAlive = processOf(shell.pid)?.startTicks === shell.startTicks;
  const login = typeof session === "string"
    ? { id: session, bootId: undefined, knownBy: "agent" }
    : loginSessionOf(store, shell, isAlive);
  const inserted = database.prepare(`insert into sessions
    (hostname, host_ip, ppid, pid, time_zone, start_time, tty, uid, euid, logname, shell, sudo_user, sudo_uid,
     ssh_client, ssh_connection) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    shell.host || null,
    hostAddresses() || null,
    shell.parentPid,
    shell.pid,
    timeZone(shell.timeZone),
    seconds(shell.atUs),
    shell.tty,
    shell.uid,
    shell.effectiveUid,
    shell.user || null,
    shell.shell.split(" ")[0] || "unknown",
    shell.sudoUser || null,
    /^[0-9]{1,10}$/.test(shell.sudoUid) ? Number(shell.sudoUid) : null,
    shell.sshClient || null,
    shell.sshConnection || null,
  );
  database.prepare(`insert into srvaudit_shells
    (session_id, login_session, known_by, claimed_session, pid, start_ticks, boot_id, version, shell_level, start_us)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    inserted.lastInsertRowid,
    login?.id ?? null,
    login?.knownBy ?? null,
    shell.session || null,
    shell.pid,
    shell.startTicks,
    isAlive ? bootId() : null,
    shell.shell,
    shell.shellLevel,
    shell.atUs,
  );
  progress.sessionId = Number(inserted.lastInsertRowid);
  progress.loginSession = login?.id ?? null;
  progress.pid = shell.pid;
  progress.startTicks = shell.startTicks;
  // HOSTNAME is a variable, and may lie; this machine's own process, and its agent, do not.
  const isOfThisMachine = isAlive || session !== undefined || login?.bootId === bootId();
  progress.host = isOfThisMachine ? Deno.hostname() : shell.host || Deno.hostname();
  progress.leaving = false;
  return true;
}

/**
 * The login session that a shell belongs to: the one whose leader it is by pid and start time; else the one that its
 * environment claims, if that is the same user's.
 */
function loginSessionOf(store: Store, shell: ShellRecord, isAlive: boolean) {
  const led = store.database.prepare(`select id, boot_id as bootId from srvaudit_sessions
    where leader_pid = ? and leader_start_ticks = ? and uid = ? order by id = ? desc, opened_us desc`)
    .all(shell.pid, shell.startTicks, shell.uid, shell.session)
    .find((row) => !isAlive || row.bootId === bootId());
  if (led) return { id: String(led.id), bootId: String(led.bootId), knownBy: "leader" };
  const claimed = store.database.prepare(
    "select id, boot_id as bootId from srvaudit_sessions where id = ? and uid = ?",
  ).get(shell.session, shell.uid);
  return claimed && { id: String(claimed.id), bootId: String(claimed.bootId), knownBy: "claim" };
}

/** For commands whose shell's introduction is damaged: what can be known without it. */
function standIn(file: string, start: StartRecord, uid: number): ShellRecord {
  return {
    type: "shell",
    shell: "unknown",
    pid: Number(/^[0-9]{1,10}(?=-)/.exec(file)?.[0] ?? 0),
    parentPid: 0,
    startTicks: 0,
    atUs: start.atUs,
    tty: start.tty,
    uid,
    effectiveUid: start.effectiveUid,
    user: "",
    host: Deno.hostname(),
    timeZone: "",
    shellLevel: start.shellLevel,
    session: "",
    sshClient: "",
    sshConnection: "",
    sudoUser: "",
    sudoUid: "",
  };
}

function noteExit(store: Store, progress: Progress, exit: ExitRecord): void {
  if (progress.sessionId === null) return;
  store.database.prepare("update srvaudit_shells set exit_us = ?, exit_code = ? where session_id = ?")
    .run(exit.atUs, exit.exitCode, progress.sessionId);
  endShell(store, progress, exit.atUs);
  progress.leaving = true;
}

/** Sets when the shell ended, if it has not said so itself. */
function endShell(store: Store, progress: Progress, endUs: number): void {
  if (progress.sessionId === null) return;
  const shell = store.database.prepare(
    "select start_us as startUs, exit_us as exitUs from srvaudit_shells where session_id = ?",
  ).get(progress.sessionId);
  if (!shell) return;
  const startUs = Number(shell.startUs);
  const end = shell.exitUs === null ? endUs : Number(shell.exitUs);
  store.database.prepare("update srvaudit_shells set end_us = ? where session_id = ?")
    .run(end, progress.sessionId);
  store.database.prepare("update sessions set end_time = ?, duration = ? where id = ?")
    .run(seconds(end), durationOf(startUs, end), progress.sessionId);
}

/** ASH's column takes whatever looks like a number for one: `+0200` would come back as 200, `+02:00` does not. */
function timeZone(zone: string): string {
  return zone.replace(/^([+-][0-9]{2})([0-9]{2})?$/, (_, hours, minutes) => `${hours}:${minutes ?? "00"}`) ||
    "UTC";
}
