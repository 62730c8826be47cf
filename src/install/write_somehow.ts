/** Reads and writes a system's files on the day when nothing works: from another disk, or when this one is full. */

import { NoFolderError, placeBelow, realPlace } from "../posix/real_place.ts";
import { NotReplacedError, replaceFile } from "../posix/replace_file.ts";

/**
 * Reads a file. Links of the host's own lead to places of its own, also where its disk is mounted elsewhere.
 *
 * @param root that of a mounted disk, or nothing
 * @param path as the host has it
 * @returns its bytes, or undefined where there is none
 */
export function readBelow(root: string, path: string): Uint8Array | undefined {
  try {
    const { folder, name } = placeBelow(root, path);
    return Deno.readFileSync(`${folder}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof NoFolderError) return undefined;
    throw error;
  }
}

/**
 * Replaces a file; where there is no room for another, and it gets no longer, its bytes are written over.
 *
 * @param path absolute, with the root before it
 * @param now its bytes
 * @param then what they are to be
 * @param root that of a mounted disk, or nothing
 * @returns what there is to say of how it went; most often nothing
 * @throws {Error} that says why it stays as it is, and what to do
 */
export function writeSomehow(path: string, now: Uint8Array, then: Uint8Array, root: string): string[] {
  try {
    replaceFile(path, then, undefined, root);
    return [];
  } catch (error) {
    if (!(error instanceof NotReplacedError && error.isFull) || then.length > now.length) throw error;
    overwrite(path, then, root);
    return [`the disk is full: ${path} was written over, not replaced: see that it is whole`];
  }
}

/** Whoever is killed, or loses power, in this moment leaves half of each: for when there is no other way. */
function overwrite(path: string, bytes: Uint8Array, root: string): void {
  const { folder, name } = realPlace(path, root);
  using file = Deno.openSync(`${folder}/${name}`, { write: true });
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(file.writeSync(rest));
  file.truncateSync(bytes.length);
  file.syncSync();
}
