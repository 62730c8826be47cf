/** The folders that are followed: the host's, which is root's, and users' own; and the files in them. */

import { asUser, type FileUser } from "../posix/as_user.ts";
import { factsOf, type FileFacts, PlainFile } from "../posix/plain_file.ts";
import { shellOfName } from "../record/host_spool.ts";
import { isSessionId } from "../record/session_id.ts";

/** The names of some ten thousand files, in bytes. */
const LARGEST_FOLDER = 1024 * 1024;

/** Whose a folder is. */
export interface SpoolOwner extends FileUser {
  /** What the host calls that user, where it was asked. */
  name?: string;
}

/** A folder of spool files. */
export interface SpoolFolder {
  path: string;
  /** Whose it is; undefined for the host's own. What a user owns is read as that user. */
  owner: SpoolOwner | undefined;
}

/** A file that is to be looked at; or, without a name, all of a folder. */
export interface SpoolTarget {
  folder: SpoolFolder;
  name: string;
}

/** @returns the file's path, which names it wherever files are kept by name */
export function pathOf({ folder, name }: SpoolTarget): string {
  return `${folder.path}/${name}`;
}

/** The folder as the evidence has it: empty for the host's. */
export function rowFolder({ owner, path }: SpoolFolder): string {
  return owner ? path : "";
}

/** What a spool file is of: one shell, or one login session. */
export type SpoolKind = "shell" | "session";

/**
 * @param folder where it lies: in the host's folder the agent alone makes files, and gives them names of one form
 * @returns the kind, or undefined for what is no spool file's name
 */
export function kindOf(folder: SpoolFolder, name: string): SpoolKind | undefined {
  if (name.endsWith(".session")) return sessionOfName(name) === undefined ? undefined : "session";
  if (!name.endsWith(".shell") || name.startsWith(".")) return undefined;
  return folder.owner || shellOfName(name) ? "shell" : undefined;
}

/**
 * The login session that a `SESSION.session` is of, or a `SESSION.own.session`: what a user's programs have written of a
 * session of the agent's while there was no agent.
 */
export function sessionOfName(name: string): string | undefined {
  const id = name.replace(/(\.own)?\.session$/, "");
  return isSessionId(id) ? id : undefined;
}

/** Does something in a folder as its owner. */
export function inFolder<Result>(folder: SpoolFolder, work: () => Result): Result {
  return folder.owner ? asUser(folder.owner, work) : work();
}

/**
 * @returns what the file system says of a spool file; undefined if it is not there, or is none: a link, a FIFO, someone else's
 * @throws {FileRefusedError}
 */
export function look(target: SpoolTarget): FileFacts | undefined {
  const facts = inFolder(target.folder, () => factsOf(pathOf(target)));
  return facts && isOwned(target.folder, facts) ? facts : undefined;
}

/**
 * The names of all spool files in a folder.
 *
 * @returns undefined if there is no such folder
 * @throws {Error} if it cannot be read, or is so full that reading it would hold everybody up
 */
export function namesIn(folder: SpoolFolder): string[] | undefined {
  try {
    return inFolder(folder, () => {
      // Names are what a folder's size comes from, on the file systems that homes lie on.
      if (folder.owner && Deno.lstatSync(folder.path).size > LARGEST_FOLDER) {
        throw new Error(`${folder.path} has too many files: its owner must remove some`);
      }
      return [...Deno.readDirSync(folder.path)];
    })
      .filter((entry) => entry.isFile && kindOf(folder, entry.name)).map((entry) => entry.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** Some of a file's bytes, and what the file was before they were read. */
export interface Piece {
  facts: FileFacts;
  bytes: Uint8Array<ArrayBuffer>;
  /** Whether the file ended with them. */
  isLast: boolean;
}

/**
 * Reads from a spool file.
 *
 * @param begin is told what the file is, and says where to begin and how much to read at most; undefined for nothing
 * @param room gives so many bytes to read into
 * @returns undefined if the file is not there, or is none
 * @throws {FileRefusedError}
 */
export function readPiece(
  target: SpoolTarget,
  begin: (facts: FileFacts) => { from: number; limit: number },
  room: (length: number) => Uint8Array<ArrayBuffer>,
): Piece | undefined {
  return inFolder(target.folder, () => {
    using file = PlainFile.open(pathOf(target));
    if (!file || !isOwned(target.folder, file.facts)) return undefined;
    const { from, limit } = begin(file.facts);
    const length = Math.max(0, Math.min(limit, file.facts.size - from));
    const bytes = room(length);
    const count = length === 0 ? 0 : file.read(bytes, from);
    return { facts: file.facts, bytes: bytes.subarray(0, count), isLast: from + count >= file.facts.size };
  });
}

function isOwned(folder: SpoolFolder, facts: FileFacts): boolean {
  return folder.owner === undefined || facts.uid === folder.owner.uid;
}
