/** The spool's folder: which files are there, how long they are, and pieces of their bytes. */

import { processOf } from "../posix/process.ts";

/** A spool file as the file system shows it. */
export interface SpoolFile {
  /** Its name within the folder. */
  name: string;
  inode: string;
  size: number;
  /** When it was last written to, in microseconds. */
  changedUs: number;
}

/** What kind of spool file a name speaks of: one shell's, or a login session's events. */
export type SpoolKind = "shell" | "session";

/** @returns the kind, or undefined for a name that is none of a spool file */
export function kindOf(name: string): SpoolKind | undefined {
  if (name.startsWith(".")) return undefined;
  return name.endsWith(".shell") ? "shell" : name.endsWith(".session") ? "session" : undefined;
}

/**
 * @param spool the folder
 * @returns its spool files by name; none if there is no such folder
 * @throws {Error} if the folder cannot be read
 */
export function listSpool(spool: string): Map<string, SpoolFile> {
  const files = new Map<string, SpoolFile>();
  try {
    for (const entry of Deno.readDirSync(spool)) {
      if (!entry.isFile || !kindOf(entry.name)) continue;
      const file = spoolFile(spool, entry.name);
      if (file) files.set(entry.name, file);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files;
}

function spoolFile(spool: string, name: string): SpoolFile | undefined {
  try {
    const info = Deno.lstatSync(`${spool}/${name}`);
    if (!info.isFile) return undefined;
    return { name, inode: String(info.ino), size: info.size, changedUs: (info.mtime?.getTime() ?? 0) * 1000 };
  } catch (error) {
    // Another process has taken it in and away.
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
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
 * Removes a spool file that is wholly taken in, and the scratch file that its shell kept beside it.
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
