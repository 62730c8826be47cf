/** Where a path really leads, as far as nobody but root has a hand in it. */

import { effectiveUid } from "./libc.ts";

/** A path without links: nothing need be there by that name. */
export interface RealPlace {
  folder: string;
  name: string;
}

/** A folder on the way is not there. */
export class NoFolderError extends Error {
  override name = "NoFolderError";
}

/** As many as the kernel follows. */
const LINKS_AT_MOST = 40;

/**
 * Follows a path's links, its last one too.
 *
 * @param path absolute
 * @param root what absolute links are below of, and `..` cannot leave: that of a mounted disk
 * @returns the folder, and the name in it
 * @throws {Error} if a folder or a link on the way is somebody else's, or anybody may write to one, or it is not there
 *
 * @example
 * ```ts
 * realPlace("/etc/bashrc"); // { folder: "/etc", name: "bash.bashrc" } where an admin has made that link
 * ```
 */
export function realPlace(path: string, root = ""): RealPlace {
  // The folders above the root are the admin's own choice.
  assertOurs(path, root || "/", Deno.statSync(root || "/"));
  const place = walk(path, root, (step, info) => assertOurs(path, step, info));
  const { mode } = Deno.statSync(place.folder);
  if (((mode ?? 0) & 0o002) !== 0) throw new Error(`${path}: anybody may write to ${place.folder}`);
  return place;
}

/**
 * Follows a path's links, whoever has made them: to look at what is there, on a disk that is mounted elsewhere too.
 *
 * @param root where that is mounted; nothing for this host's own
 * @param path as the disk's own host has it: `/bin/sh`
 * @returns where it leads, from here
 * @throws {NoFolderError} if a folder on the way is not there
 * @throws {Error} if links lead in a circle
 */
export function placeBelow(root: string, path: string): RealPlace {
  return walk(`${root}${path}`, root, () => {});
}

/** @param look is shown each folder and each link that is passed through */
function walk(path: string, root: string, look: (step: string, info: Deno.FileInfo) => void): RealPlace {
  if (!path.startsWith(`${root}/`)) throw new Error(`${path} is no path below ${root || "/"}`);
  let folder = root;
  let links = 0;
  const ahead = namesOf(path.slice(root.length));
  while (true) {
    const name = ahead.shift();
    if (name === undefined) throw new Error(`${path} is a folder`);
    if (name === "..") {
      folder = folder === root ? root : folder.slice(0, folder.lastIndexOf("/"));
      continue;
    }
    const next = `${folder}/${name}`;
    const info = lstat(next);
    if (info?.isSymlink) {
      look(next, info);
      if (++links > LINKS_AT_MOST) throw new Error(`${path}: too many links, one after the other`);
      const target = Deno.readLinkSync(next);
      if (target.startsWith("/")) folder = root;
      ahead.unshift(...namesOf(target));
    } else if (ahead.length === 0) {
      return { folder: folder || "/", name };
    } else {
      if (info === undefined) throw new NoFolderError(`${path}: there is no folder ${next}`);
      look(next, info);
      folder = next;
    }
  }
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** Nobody else may put another thing in its place: in a sticky folder only its owner may. */
function assertOurs(path: string, step: string, info: Deno.FileInfo): void {
  const isOpen = !info.isSymlink && ((info.mode ?? 0) & 0o1002) === 0o002;
  if (info.uid !== 0 && info.uid !== effectiveUid()) {
    throw new Error(`${path} is not followed: ${step} is neither root's nor this user's`);
  }
  if (isOpen) throw new Error(`${path} is not followed: anybody may write to ${step}`);
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
