/** What the names in root's spool folder say: the agent has made them from the kernel's facts. */

import { isSessionId } from "./session_id.ts";

/** The first part of the name of the file of a shell that is in no login session. */
export const STRAY = "stray";

/** The shell that a file is of. */
export interface HostShell {
  /** The login session that it is in, or null for none. */
  session: string | null;
  pid: number;
  startTicks: number;
  /** When the file was made. */
  atUs: number;
}

/**
 * @param name `SESSION.PID-TICKS-US.shell`, `stray` standing for no session
 * @returns the shell, or undefined for a name that is no shell's file's
 *
 * @example
 * ```ts
 * shellOfName("stray.4711-1234567-1795343616778680.shell")?.session; // null
 * ```
 */
export function shellOfName(name: string): HostShell | undefined {
  const parts = /^([^.]+)\.([1-9][0-9]{0,9})-([0-9]{1,15})-([0-9]{1,16})\.shell$/.exec(name);
  const [, session = "", pid, startTicks, atUs] = parts ?? [];
  if (!parts || !(session === STRAY || isSessionId(session))) return undefined;
  return {
    session: session === STRAY ? null : session,
    pid: Number(pid),
    startTicks: Number(startTicks),
    atUs: Number(atUs),
  };
}
