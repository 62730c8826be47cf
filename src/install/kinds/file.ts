/** A file of ours is placed. */

import { createHash } from "node:crypto";
import { replaceFile } from "../../posix/replace_file.ts";
import type { ChangeKind, Left, Preview } from "../change.ts";
import { lstat, putBack, type Stood, whatStands } from "../host_file.ts";
import type { Target } from "../target.ts";

/** What is placed where. */
export type FileArgs = {
  path: string;
  mode: number;
  /** Where its bytes are now. */
  from: string;
  sha256: string;
  /** The sums of what was placed here earlier: a file with one of these nobody else has changed. */
  earlier: readonly string[];
};

/** A file of ours. What was there of others' is put back by undo. */
export const file: ChangeKind<FileArgs, Stood> = {
  kind: "file",
  isDone(target, args) {
    const info = lstat(target.root + args.path);
    if (!info?.isFile) return false;
    return ((info.mode ?? 0) & 0o7777) === args.mode && info.uid === 0 &&
      sumOf(target.root + args.path) === args.sha256;
  },
  preview: (
    { root },
    { path, mode },
  ): Preview[] => [{ does: `install -m ${mode.toString(8)} ${root}${path}` }],
  writes: (_, { path }) => [path],
  before(target, args) {
    const isOurs = args.path.startsWith(`${target.library}/`) || isPlaced(target, args);
    return isOurs ? null : whatStands(target, args.path);
  },
  apply(target, args) {
    const place = target.root + args.path;
    const bytes = Deno.readFileSync(args.from);
    if (sumOfBytes(bytes) !== args.sha256) {
      throw new Error(`${args.from} is not what the manifest beside it says: unpack the release anew`);
    }
    // A link that somebody has put in its place is not followed.
    if (lstat(place)?.isSymlink) Deno.removeSync(place);
    replaceFile(place, bytes, { mode: args.mode, uid: 0, gid: 0 }, target.root);
    Deno.chownSync(place, 0, 0);
    Deno.chmodSync(place, args.mode);
  },
  undo(target, args, before): Left[] {
    const isTheirs = args.path.startsWith("/etc/") && lstat(target.root + args.path)?.isFile === true;
    if (isTheirs && !isPlaced(target, args)) {
      return [{ what: target.root + args.path, why: "somebody has changed it since" }];
    }
    putBack(target, args.path, before);
    return [];
  },
};

/** Whether what stands there is what was placed there, now or earlier. */
function isPlaced(target: Target, { path, sha256, earlier }: FileArgs): boolean {
  if (!lstat(target.root + path)?.isFile) return false;
  return [sha256, ...earlier].includes(sumOf(target.root + path));
}

/** @returns a file's SHA-256 in hex */
export function sumOf(path: string): string {
  return sumOfBytes(Deno.readFileSync(path));
}

function sumOfBytes(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
