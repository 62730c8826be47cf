/** What stands at a path of the host, whole: so that it can be put back to the byte. */

import { Buffer } from "node:buffer";
import { realPlace } from "../posix/real_place.ts";
import { type NewFile, removeUnfinished, replaceFile, temporaryName } from "../posix/replace_file.ts";
import type { Target } from "./target.ts";

/** What stood at a path, as the journal keeps it. */
export type Stood =
  | null
  | { link: string }
  /** `bytes` in base64. */
  | { bytes: string; mode: number; uid: number; gid: number };

/** More than a text of a system's has; what is larger is no text, and the journal is no place for it. */
const BYTES_AT_MOST = 16 * 1024 * 1024;

/**
 * @returns what stands at the path; a link is not followed
 * @throws {Error} if that is a folder, a device, or too large to be kept
 */
export function whatStands(target: Target, path: string): Stood {
  const place = target.root + path;
  const info = lstat(place);
  if (info === undefined) return null;
  if (info.isSymlink) return { link: Deno.readLinkSync(place) };
  if (!info.isFile) throw new Error(`${place} is there already, and is no file: move it away`);
  if (info.size > BYTES_AT_MOST) {
    throw new Error(`${place} is there already, is not srvAudit's, and too large to be kept: move it away`);
  }
  const bytes = Buffer.from(Deno.readFileSync(place)).toString("base64");
  return { bytes, mode: (info.mode ?? 0) & 0o7777, uid: info.uid ?? 0, gid: info.gid ?? 0 };
}

/** Puts back what stood at a path, whatever stands there now. */
export function putBack(target: Target, path: string, stood: Stood): void {
  const place = target.root + path;
  if (stood === null || "link" in stood || lstat(place)?.isSymlink) removePath(target, path);
  if (stood === null) return;
  if ("link" in stood) return placeLink(target, path, stood.link);
  replaceFile(place, Buffer.from(stood.bytes, "base64"), stood, target.root);
  // Where there is a file already, its own mode and owner stay.
  Deno.chownSync(place, stood.uid, stood.gid);
  Deno.chmodSync(place, stood.mode);
}

/** Makes a symbolic link, in one step, whatever file or link stands there. */
export function placeLink(target: Target, path: string, to: string): void {
  const place = target.root + path;
  removeUnfinished(place, target.root);
  const slash = place.lastIndexOf("/") + 1;
  const temporary = place.slice(0, slash) + temporaryName(place.slice(slash));
  Deno.symlinkSync(to, temporary);
  Deno.renameSync(temporary, place);
}

/** Removes a file or a link, and what a killed run has left beside it. */
export function removePath(target: Target, path: string): void {
  sweepBeside(target, path);
  removeIfThere(target.root + path);
}

/** @returns whether there was such a file, or a link; it is gone now */
export function removeIfThere(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Removes what a killed run has left beside a file, whether that is there or not. */
export function sweepBeside({ root }: Target, path: string): void {
  const place = root + path;
  if (lstat(place.slice(0, place.lastIndexOf("/"))) !== undefined) removeUnfinished(place, root);
}

/** @returns a text, a character a byte, so that whatever it holds stays; links are followed; undefined if it is not there */
export function readHostText(target: Target, path: string): string | undefined {
  if (lstat((target.root + path).slice(0, (target.root + path).lastIndexOf("/"))) === undefined) {
    return undefined;
  }
  const { folder, name } = realPlace(target.root + path, target.root);
  const place = `${folder}/${name}`;
  return lstat(place) === undefined ? undefined : Buffer.from(Deno.readFileSync(place)).toString("latin1");
}

/** Replaces a text that was read by `readHostText`. */
export function writeHostText(target: Target, path: string, text: string, newFile?: NewFile): void {
  replaceFile(target.root + path, Buffer.from(text, "latin1"), newFile, target.root);
}

/** @returns the text as people see it */
export function shown(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text, "latin1").toString("utf8");
}

/** @returns undefined where there is nothing */
export function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
