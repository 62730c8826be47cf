/**
 * How a user's own spool speaks of the files that the agent has made for her in root's folder: by symlinks, so that her
 * history finds all in one place, whether there is an agent or not.
 */

import { makePrivateFolder } from "../config/paths.ts";

/** What the agent has made for a shell: as `ShellSpool` of the desk's protocol. */
export interface HostFiles {
  /** The shell's spool file: `HOST-SPOOL/SESSION.PID-TICKS-US.shell`, or null where there is none. */
  spool: string | null;
  /** The login session's file, or null where there is none. */
  sessionFile: string | null;
  /** The login session's id, or null for a shell in none. */
  session: string | null;
}

/** The name in a user's own spool for a shell's file in root's: without what that folder's name adds. */
const SHELL_FILE = /\.([1-9][0-9]*)-[0-9]+-([0-9]+)\.shell$/;

/**
 * Makes the links `PID-US.shell` and, where this user may read that file, `SESSION.session`. What is there already stays.
 *
 * @param userSpool `~/.ash/spool`, this user's own; made where it is not there
 * @returns whether they are there now. A home that cannot be written holds no history either: no reason to have no shell
 *
 * @example
 * ```ts
 * linkSpool(paths().spool, await askAgent(socket, "shell.attach", { pid }, 2000));
 * ```
 */
export function linkSpool(userSpool: string, { spool, sessionFile, session }: HostFiles): boolean {
  try {
    makePrivateFolder(userSpool.slice(0, userSpool.lastIndexOf("/")));
    makePrivateFolder(userSpool);
    const [, pid, us] = SHELL_FILE.exec(spool ?? "") ?? [];
    if (spool !== null && pid !== undefined) link(spool, `${userSpool}/${pid}-${us}.shell`);
    if (sessionFile !== null && session !== null && isReadable(sessionFile)) {
      link(sessionFile, `${userSpool}/${session}.session`);
    }
    return true;
  } catch {
    return false;
  }
}

function link(target: string, name: string): void {
  try {
    Deno.symlinkSync(target, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

function isReadable(file: string): boolean {
  try {
    Deno.openSync(file).close();
    return true;
  } catch {
    // Another user's session: su has brought us here.
    return false;
  }
}
