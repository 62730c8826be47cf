/** What the journal does not have: files that were placed without it, and, for a purge, what srvAudit has written by itself. */

import { protect } from "../posix/file_flags.ts";
import type { Left } from "./change.ts";
import { lstat, removePath } from "./host_file.ts";
import { stateFolder } from "./journal.ts";
import { sumOf } from "./kinds/file.ts";
import type { Placed } from "./manifest.ts";
import type { Target } from "./target.ts";

/**
 * Removes what a manifest names and no journal, and the folders that are srvAudit's alone.
 *
 * @param isPurge whether a file below /etc goes that somebody has changed
 */
export function removePlaced(target: Target, placed: readonly Placed[], isPurge: boolean): Left[] {
  const left: Left[] = [];
  for (const each of placed) {
    const place = target.root + each.path;
    if (lstat(place) === undefined) continue;
    if (isOurs(place, each) || (isPurge && each.path.startsWith("/etc/"))) removePath(target, each.path);
    else left.push({ what: place, why: "somebody has changed it since" });
  }
  removePath(target, `${target.library}/manifest`);
  const folders = new Set(
    placed.flatMap(({ path }) => foldersOf(path)).filter((path) => /\/srvaudit(\/|$)/.test(path)),
  );
  for (const folder of [...folders].sort().reverse()) removeEmpty(target.root + folder);
  return left;
}

function isOurs(place: string, placed: Placed): boolean {
  const info = lstat(place);
  return placed.type === "link"
    ? info?.isSymlink === true && Deno.readLinkSync(place) === placed.to
    : info?.isFile === true && sumOf(place) === placed.sha256;
}

/** Removes evidence, spool, config and log: a purge. */
export function purge(target: Target): void {
  const { root } = target;
  const logs = lstat(`${root}/var/log`)
    ? [...Deno.readDirSync(`${root}/var/log`)].map(({ name }) => name).filter((name) =>
      /^srvaudit\.log(\.[0-9]+(\.gz)?|-[0-9]+(\.gz)?)?$/.test(name)
    )
    : [];
  const paths = [
    stateFolder(target),
    `${root}/var/spool/srvaudit`,
    `${root}/etc/srvaudit`,
    `${root}/run/srvaudit`,
    ...logs.map((name) => `${root}/var/log/${name}`),
  ];
  for (const path of paths) removeTree(path);
}

/** Removes the folder of the state where nothing is in it. */
export function removeEmptyState(target: Target): void {
  removeEmpty(stateFolder(target));
}

function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    folders.push(path.slice(0, end));
  }
  return folders;
}

function removeEmpty(folder: string): void {
  if (!lstat(folder)?.isDirectory) return;
  for (const _ of Deno.readDirSync(folder)) return;
  Deno.removeSync(folder);
}

/** Spool files are protected from their owners, and so from us. */
function removeTree(path: string): void {
  const info = lstat(path);
  if (!info) return;
  if (!info.isSymlink) protect(path, "none");
  if (info.isDirectory) { for (const { name } of [...Deno.readDirSync(path)]) removeTree(`${path}/${name}`); }
  Deno.removeSync(path);
}
