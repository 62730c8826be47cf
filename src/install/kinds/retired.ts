/** A file that an older version has placed, and this one has not, is removed. */

import type { ChangeKind, Left, Preview } from "../change.ts";
import { lstat, putBack, removePath, type Stood } from "../host_file.ts";

/** Where it is, and what the older version found there. */
export type RetiredArgs = { path: string; before: Stood };

/** What stood there before srvAudit stands there again, and nothing of it is left to be undone. */
export const retired: ChangeKind<RetiredArgs, null> = {
  kind: "retired",
  isDone: ({ root }, { path, before }) => before === null && lstat(root + path) === undefined,
  preview: ({ root }, { path }): Preview[] => [{ does: `rm ${root}${path}` }],
  writes: (_, { path }) => [path],
  before: () => null,
  apply: (target, { path, before }) =>
    before === null ? removePath(target, path) : putBack(target, path, before),
  undo: (): Left[] => [],
};
