/** What stands between an opened session and its shell. */

import type { Paths } from "../config/paths.ts";
import type { LoginPolicy } from "../config/policy.ts";
import type { Desk, OpenedSession } from "../desk/desk.ts";
import { openDesk } from "../desk/open_desk.ts";
import type { Opening } from "../desk/protocol.ts";
import type { Called } from "../posix/program_name.ts";
import { TrackerUnavailableError } from "../trackers/tracker.ts";
import { plainVariable } from "./environment.ts";
import type { Invocation } from "./invocation.ts";
import { becomeShell, type Recording } from "./launch.ts";
import type { Outage } from "./outage.ts";
import type { RealShell } from "./real_shell.ts";
import { RefusalError } from "./refusal.ts";

/** What is known before anything can fail. */
export interface Login {
  called: Called;
  invocation: Invocation;
  /** Whether there is somebody to ask. */
  hasPerson: boolean;
  umask: number;
}

/** A login that has a shell waiting. */
export interface Arrival {
  login: Login;
  places: Paths;
  policy: LoginPolicy;
  shell: RealShell;
}

/** Opens the desk; what it cannot answer is borne, or refused, by the policy. */
export function openDeskFor({ places, policy }: Arrival, outage: Outage): Promise<Desk> {
  return openDesk(places, policy, { onOutage: (error) => outage.bear(error), trustsOwnSpool: false });
}

/**
 * Opens the session that this process, and the shell that it becomes, leads.
 *
 * @throws {RefusalError} where the tracker is needed for that, does not answer, and the policy denies
 * @throws {RefusedError} and what else the desk throws
 */
export async function openSession(
  { shell }: Arrival,
  desk: Desk,
  outage: Outage,
  opening: Omit<Opening, "shell" | "from">,
): Promise<OpenedSession> {
  const from = plainVariable("SSH_CONNECTION").split(" ")[0] ?? "";
  try {
    return await desk.open({ shell: shell.path, from, ...opening });
  } catch (error) {
    if (!(error instanceof TrackerUnavailableError)) throw error;
    outage.bear(error);
    // The agent goes by a newer policy than what we were told.
    throw new RefusalError(`${error.message}: log in again`, { cause: error });
  }
}

/** The session that this process is in already, and the spool file of the shell that it becomes. */
export async function enter(desk: Desk, id: string): Promise<OpenedSession> {
  try {
    return { id, spoolFile: await desk.attach() };
  } catch (error) {
    if (error instanceof RefusalError) throw error;
    // The agent makes no more files for this user, or has just gone: then the shell makes its own.
    return { id, spoolFile: null };
  }
}

/** Becomes the shell; `recording` is undefined for one that cannot be recorded. */
export function become(login: Login, shell: RealShell, recording: Recording | undefined): never {
  Deno.umask(login.umask);
  becomeShell(shell, login.invocation, login.called, recording);
}
