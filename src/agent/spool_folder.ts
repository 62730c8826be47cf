/** The folders that are followed: the host's, which is root's, and users' own; and the files in them. */

import { asUser, type FileUser } from "../posix/as_user.ts";
import { withinOwnFolder } from "../posix/own_folder.ts";
import { factsOf, type FileFacts, FileRefusedError, PlainFile } from "../posix/plain_file.ts";
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

/** A file in such a folder. */
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

/** The user's folder that is entered now, and its path there. */
let entered: { path: string; here: string } | undefined;

/**
 * Does something in a folder: in a user's own as that user, and by no link of hers.
 *
 * @param work is given the path that leads to the folder now; nothing else may happen in between
 * @throws {Deno.errors.NotFound} if a user's own folder is none
 * @throws {FileRefusedError} and what else the work threw
 */
export function inFolder<Result>({ path, owner }: SpoolFolder, work: (here: string) => Result): Result {
  if (!owner) return work(path);
  if (entered?.path === path) return work(entered.here);
  return asUser(owner, () =>
    withinOwnFolder(path, (here) => {
      entered = { path, here };
      try {
        return work(here);
      } catch (error) {
        if (!(error instanceof FileRefusedError)) throw error;
        throw new FileRefusedError(error.path.replace(here, path), error.errno, error.what);
      } finally {
        entered = undefined;
      }
    }));
}

/** The same, for a question that a folder which is not there answers with undefined. */
function ifThere<Result>(folder: SpoolFolder, work: (here: string) => Result): Result | undefined {
  try {
    return inFolder(folder, work);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/**
 * @returns what the file system says of a spool file; undefined if it is not there, or is none: a link, a FIFO, someone else's
 * @throws {FileRefusedError}
 */
export function look({ folder, name }: SpoolTarget): FileFacts | undefined {
  const facts = ifThere(folder, (here) => factsOf(`${here}/${name}`));
  return facts && isOwned(folder, facts) ? facts : undefined;
}

/**
 * The names of all spool files in a folder.
 *
 * @returns undefined if there is no such folder
 * @throws {Error} if it cannot be read, or is so full that reading it would hold everybody up
 */
export function namesIn(folder: SpoolFolder): string[] | undefined {
  return ifThere(folder, (here) => {
    // Names are what a folder's size comes from, on the file systems that homes lie on.
    if (folder.owner && Deno.statSync(here).size > LARGEST_FOLDER) {
      throw new Error(`${folder.path} has too many files: its owner must remove some`);
    }
    return [...Deno.readDirSync(here)];
  })?.filter((entry) => entry.isFile && kindOf(folder, entry.name)).map((entry) => entry.name);
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
  return ifThere(target.folder, (here) => {
    using file = PlainFile.open(`${here}/${target.name}`);
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
