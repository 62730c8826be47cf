/** Putting a command that nobody typed on record. */

import type { Paths } from "../config/paths.ts";
import { effectiveUid, ownName } from "../posix/libc.ts";
import { processOf } from "../posix/process.ts";
import type { ShellRecord, StartRecord } from "../record/event.ts";
import { appendRecords } from "../record/spool.ts";
import { nowUs } from "../record/clock.ts";
import type { OpenedSession } from "../desk/desk.ts";
import { plainVariable, variable } from "./environment.ts";
import type { RealShell } from "./real_shell.ts";

/**
 * Puts the one command of a shell that no hook can watch on record, as begun. The shell itself writes its end.
 *
 * @param places where the file is made, if the agent has made none
 * @param text `-c`'s command or a script's name; undefined where the shell reads commands from its input
 * @returns the spool file
 * @throws {Error} when the spool cannot be written
 */
export function recordCommand(
  places: Pick<Paths, "spool">,
  { id: session, spoolFile }: OpenedSession,
  shell: RealShell,
  text: string | undefined,
): string {
  const atUs = nowUs();
  const self = processOf("self");
  const uid = effectiveUid();
  const level = Number.parseInt(variable("SHLVL") ?? "") || 0;
  const introduction: ShellRecord = {
    type: "shell",
    shell: shell.path.slice(shell.path.lastIndexOf("/") + 1),
    pid: Deno.pid,
    parentPid: self?.parentPid ?? 0,
    startTicks: self?.startTicks ?? 0,
    atUs,
    tty: "",
    uid: Deno.uid() ?? uid,
    effectiveUid: uid,
    user: ownName(),
    host: Deno.hostname(),
    timeZone: timeZone(),
    shellLevel: level + 1,
    session,
    sshClient: plainVariable("SSH_CLIENT"),
    sshConnection: plainVariable("SSH_CONNECTION"),
    sudoUser: plainVariable("SUDO_USER"),
    sudoUid: plainVariable("SUDO_UID"),
  };
  const encoder = new TextEncoder();
  const start: StartRecord = {
    type: "start",
    number: 1,
    atUs,
    shellLevel: level + 1,
    tty: "",
    effectiveUid: uid,
    textState: text === undefined ? "missing" : "whole",
    directory: encoder.encode(workingDirectory()),
    text: encoder.encode(text ?? ""),
  };
  const file = spoolFile ?? `${places.spool}/${Deno.pid}-${atUs}.shell`;
  appendRecords(file, [introduction, start]);
  return file;
}

/** As the shells' hooks have it: `%z`, such as `+0200`, and `UTC` for none. */
function timeZone(): string {
  const minutes = -new Date().getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const digits = (value: number) => String(value).padStart(2, "0");
  return (minutes < 0 ? "-" : "+") + digits(Math.trunc(Math.abs(minutes) / 60)) +
    digits(Math.abs(minutes) % 60);
}

function workingDirectory(): string {
  try {
    return Deno.cwd();
  } catch {
    // It was removed.
    return "?";
  }
}
