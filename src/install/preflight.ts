/** What must be so before anything is changed. */

import { statfsSync } from "node:fs";
import { tryLock } from "../posix/lock.ts";
import { whyUnwritable } from "../posix/may_write.ts";
import { realPlace } from "../posix/real_place.ts";
import { effectiveUid } from "../posix/libc.ts";
import { lstat } from "./host_file.ts";
import { packageOf, type Release, releaseOf } from "./manifest.ts";
import type { Change } from "./change.ts";
import type { Target } from "./target.ts";

/** More than the executable and what its replacing takes for a moment. */
const BYTES_OF_ROOM = 256 * 1024 * 1024;

/** Nobody but root installs. @throws {Error} */
export function mustBeRoot(): void {
  if (effectiveUid() !== 0) throw new Error("only root can do this: sudo srvaudit ...");
}

/**
 * Of two installers at once the second gives up.
 *
 * @returns the lock; it goes with the process
 * @throws {Error} if another has it
 */
export function lockInstaller(target: Target): Disposable {
  const path = `${target.root}/run/srvaudit-install.lock`;
  const lock = tryLock(path);
  if (!lock) {
    throw new Error(
      `another srvaudit install or uninstall is at work (${path}): let it end, and run this again`,
    );
  }
  return lock;
}

/**
 * The release that this program belongs to.
 *
 * @throws {Error} if it belongs to none, or to one that must not be put over what is installed
 */
export function mustBeRelease(target: Target): Release {
  const executable = Deno.execPath();
  const release = releaseOf(executable);
  if (!release) {
    throw new Error(
      `${executable} is not of a release: no manifest lies beside it; make install, or unpack a release`,
    );
  }
  const kind = release.root === target.root
    ? undefined
    : packageOf({ root: target.root, library: release.library });
  if (kind !== undefined) {
    throw new Error(`srvAudit is here as a package (${kind}): upgrade that one, or remove it first`);
  }
  return release;
}

/**
 * Whether there is room, and whether the files can be changed: better before than amid.
 *
 * @param changes all that are to be made, who gets in too
 * @throws {Error} that names all that is in the way
 */
export function mustBeChangeable(target: Target, release: Release, changes: readonly Change[]): void {
  const faults: string[] = [];
  if (release.root !== target.root) {
    const { bavail, bsize } = statfsSync(`${target.root}/usr`);
    if (bavail * bsize < BYTES_OF_ROOM) {
      faults.push(
        `/usr has only ${Math.floor(bavail * bsize / 1_000_000)} MB of room: srvAudit needs ${
          BYTES_OF_ROOM / 1_000_000
        } MB`,
      );
    }
  }
  const paths = changes.flatMap(({ kind, args }) => kind.writes?.(target, args) ?? []);
  const places = new Set(paths.flatMap((path) => placesOf(target, path)));
  for (const place of places) {
    const why = whyUnwritable(place);
    if (why !== undefined) faults.push(`${place} cannot be changed: ${why}`);
  }
  if (faults.length > 0) throw new Error(`${faults.join("\n")}\nnothing was changed`);
}

/** The file that is there, links followed, and the folder that it is in. */
function placesOf({ root }: Target, path: string): string[] {
  const parent = path.slice(0, path.lastIndexOf("/")) || "/";
  if (!lstat(root + parent)) return [];
  const { folder, name } = realPlace(root + path, root);
  const place = `${folder}/${name}`;
  return lstat(place) ? [folder, place] : [folder];
}
