/** A folder is made, where there is none. */

import type { ChangeKind, Left, Preview } from "../change.ts";
import { lstat } from "../host_file.ts";

/** Where it is, and what mode it has; one that is there stays as it is. */
export type FolderArgs = { path: string; mode: number };
/** Whether it was there. */
export type FolderBefore = { isThere: boolean };

/** A folder; root's. */
export const folder: ChangeKind<FolderArgs, FolderBefore> = {
  kind: "folder",
  isDone: ({ root }, { path }) => isFolder(root + path),
  preview: ({ root }, { path, mode }): Preview[] => [{ does: `mkdir -m ${mode.toString(8)} ${root}${path}` }],
  writes: (_, { path }) => [path],
  before: ({ root }, { path }) => ({ isThere: isFolder(root + path) }),
  apply({ root }, { path, mode }) {
    if (lstat(root + path)) {
      throw new Error(`${root}${path} is there already, and is no folder: move it away`);
    }
    Deno.mkdirSync(root + path, { mode });
    // Whatever the umask is.
    Deno.chmodSync(root + path, mode);
  },
  undo({ root }, { path }, before): Left[] {
    if (before.isThere || !isFolder(root + path)) return [];
    for (const { name } of Deno.readDirSync(root + path)) {
      return [{ what: root + path, why: `somebody has put something into it: ${name}` }];
    }
    Deno.removeSync(root + path);
    return [];
  },
};

/** A link to a folder counts: distributions move theirs, and leave one. */
function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
