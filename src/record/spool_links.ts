/**
 * How a user's own spool speaks of the files that the agent has made for her in root's folder: by symlinks, so that her
 * history finds all in one place, whether there is an agent or not.
 */

import { makePrivateFolder } from "../config/paths.ts";
import { shellOfName } from "./host_spool.ts";

/** What the agent has made for a shell: as `ShellSpool` of the desk's protocol. */
export interface HostFiles {
  /** The shell's spool file: `HOST-SPOOL/SESSION.PID-TICKS-US.shell`, or null where there is none. */
  spool: string | null;
  /** The login session's file, or null where there is none. */
  sessionFile: string | null;
  /** The login session's id, or null for a shell in none. */
  session: string | null;
}

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
    const shell = spool === null ? undefined : shellOfName(spool.slice(spool.lastIndexOf("/") + 1));
    if (spool !== null && shell) link(spool, `${userSpool}/${shell.pid}-${shell.atUs}.shell`);
    if (sessionFile !== null && session !== null && isReadable(sessionFile)) {
      link(sessionFile, `${userSpool}/${session}.session`);
    }
    // For who watches the folder (`srvaudit ingest --linger`): a new link alone is nothing that Deno would tell.
    const now = new Date();
    Deno.utimeSync(userSpool, now, now);
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
