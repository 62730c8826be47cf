/** A symbolic link of ours is placed. */

import type { ChangeKind, Left, Preview } from "../change.ts";
import { lstat, placeLink, putBack, type Stood, whatStands } from "../host_file.ts";

/** Where it is, and where it points to, word for word. */
export type LinkArgs = { path: string; to: string };

/** A link of ours. */
export const link: ChangeKind<LinkArgs, Stood> = {
  kind: "link",
  isDone: ({ root }, { path, to }) => pointsTo(root + path) === to,
  preview: ({ root }, { path, to }): Preview[] => [{ does: `ln -s ${to} ${root}${path}` }],
  writes: (_, { path }) => [path],
  before: (target, { path }) => whatStands(target, path),
  apply: (target, { path, to }) => placeLink(target, path, to),
  undo(target, { path, to }, before): Left[] {
    const now = lstat(target.root + path);
    if (now && pointsTo(target.root + path) !== to) {
      return [{ what: target.root + path, why: "somebody has changed it since" }];
    }
    putBack(target, path, before);
    return [];
  },
};

function pointsTo(path: string): string | undefined {
  return lstat(path)?.isSymlink ? Deno.readLinkSync(path) : undefined;
}
