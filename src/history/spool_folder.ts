/**
 * The spool's folder: which files are there, how long they are, and pieces of their bytes.
 *
 * A file that the host's agent has made lies in the agent's own folder, and in this one is a link to it.
 */

import { processOf } from "../posix/process.ts";
import { shellOfName } from "../record/host_spool.ts";

/** A spool file as the file system shows it. */
export interface SpoolFile {
  /** Its name within the folder. */
  name: string;
  /** Where its bytes are. */
  path: string;
  inode: string;
  size: number;
  /** When it was last written to, in microseconds. */
  changedUs: number;
  /** Of a shell's file that the agent has made: the login session that the shell is in, or null for none. */
  session?: string | null;
}

/** What is in the folder. */
export interface Listing {
  files: Map<string, SpoolFile>;
  /**
   * Links to files that are not in the agent's folder of this machine, and when they were made, in microseconds: the agent
   * has removed the file, or, where several machines share the home, it is another one's.
   */
  away: Map<string, number>;
  /** Whether this machine has such a folder. */
  hasHostSpool: boolean;
}

/** What kind of spool file a name speaks of: one shell's, or a login session's events. */
export type SpoolKind = "shell" | "session";

/** @returns the kind, or undefined for a name that is none of a spool file */
export function kindOf(name: string): SpoolKind | undefined {
  if (name.startsWith(".")) return undefined;
  return name.endsWith(".shell") ? "shell" : name.endsWith(".session") ? "session" : undefined;
}

/** The login session that the name of a session's file speaks of: what stands before its first point. */
export function sessionIdOf(name: string): string {
  return name.slice(0, name.indexOf("."));
}

/**
 * @param spool the folder
 * @param hostSpool the agent's: links to plain files that lie right in it are followed, and no others
 * @returns what is in it; nothing if there is no such folder
 * @throws {Error} if the folder cannot be read
 */
export function listSpool(spool: string, hostSpool?: string): Listing {
  const listing: Listing = { files: new Map(), away: new Map(), hasHostSpool: false };
  try {
    for (const { name, isFile, isSymlink } of Deno.readDirSync(spool)) {
      if (!kindOf(name)) continue;
      if (isFile) addFile(listing, name, `${spool}/${name}`);
      else if (isSymlink && hostSpool !== undefined) addLink(listing, name, `${spool}/${name}`, hostSpool);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (listing.away.size > 0 && hostSpool !== undefined) {
    listing.hasHostSpool = infoOf(hostSpool)?.isDirectory === true;
  }
  return listing;
}

/** @returns whether there is such a file */
function addFile({ files }: Listing, name: string, path: string): boolean {
  const info = infoOf(path);
  if (info?.isFile) files.set(name, { name, path, ...measuresOf(info) });
  return info !== undefined;
}

function addLink(listing: Listing, name: string, link: string, hostSpool: string): void {
  const target = targetOf(link);
  if (!target?.startsWith(`${hostSpool}/`)) return;
  const inFolder = target.slice(hostSpool.length + 1);
  if (inFolder.includes("/") || kindOf(inFolder) !== kindOf(name)) return;
  if (!addFile(listing, name, target)) {
    const madeMs = infoOf(link)?.mtime?.getTime();
    if (madeMs !== undefined) listing.away.set(name, madeMs * 1000);
  }
  const file = listing.files.get(name);
  const shell = shellOfName(inFolder);
  if (file && shell) file.session = shell.session;
}

function targetOf(link: string): string | undefined {
  try {
    return Deno.readLinkSync(link);
  } catch (error) {
    // Another process has taken it away.
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function infoOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    // Another process has taken it in and away.
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function measuresOf(info: Deno.FileInfo): Pick<SpoolFile, "inode" | "size" | "changedUs"> {
  return { inode: String(info.ino), size: info.size, changedUs: (info.mtime?.getTime() ?? 0) * 1000 };
}

/** Some of a file's bytes, and what the file was when they were read. */
export interface Piece {
  bytes: Uint8Array;
  /** Whether the file ended with them. */
  isLast: boolean;
  /** When it was last written to, in microseconds. */
  changedUs: number;
  uid: number;
}

/**
 * @param path the file
 * @param from where to begin, in bytes
 * @param limit how much to read at most
 * @throws {Error} if it cannot be read
 */
export function readPiece(path: string, from: number, limit: number): Piece {
  using file = Deno.openSync(path, { read: true });
  const info = file.statSync();
  const length = Math.max(0, Math.min(limit, info.size - from));
  const bytes = new Uint8Array(length);
  let filled = 0;
  file.seekSync(from, Deno.SeekMode.Start);
  while (filled < length) {
    const count = file.readSync(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return {
    bytes: bytes.subarray(0, filled),
    isLast: from + filled >= info.size,
    changedUs: (info.mtime?.getTime() ?? 0) * 1000,
    uid: info.uid ?? 0,
  };
}

/**
 * Removes a spool file that is wholly taken in, or the link to it, and the scratch file that its shell kept beside it.
 *
 * @returns whether it is gone; it is not where the folder does not let us
 */
export function removeSpoolFile(spool: string, name: string, pid: number | null): boolean {
  // That is named after the pid alone, which a new shell may have by now.
  if (pid !== null && !processOf(pid)) tryToRemove(`${spool}/.${pid}`);
  return tryToRemove(`${spool}/${name}`);
}

function tryToRemove(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    // A folder of root's, or a file that can only be added to: the agent's business.
    return false;
  }
}
