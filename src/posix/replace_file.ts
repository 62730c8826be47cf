/**
 * Replaces files whole, or not at all: a new one is written beside the old one, made to be as it in all but its bytes, and
 * put in its place by rename(2). Whatever happens meanwhile, everybody sees the old file or the new one.
 *
 * It is for the files of a system, by root: so no folder that it passes through, and no link that it follows, may be
 * somebody else's.
 */

import { errno } from "./errno.ts";
import { fromLibc } from "./from_libc.ts";
import { copyAttributes } from "./file_attributes.ts";
import { type RealPlace, realPlace } from "./real_place.ts";

const libc = fromLibc({
  open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  fsync: { parameters: ["i32"], result: "i32" },
  rename: { parameters: ["buffer", "buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

// asm-generic/fcntl.h, the same on x86_64 and aarch64 but for O_NOFOLLOW and O_DIRECTORY.
const IS_ARM = Deno.build.arch === "aarch64";
const O_WRONLY = 0o1;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const O_DIRECTORY = IS_ARM ? 0o40000 : 0o200000;
const O_NOFOLLOW = IS_ARM ? 0o100000 : 0o400000;
const EINTR = 4;
const EINVAL = 22;
const ENOSPC = 28;
const EDQUOT = 122;

/** Those that an admin can do something about. */
const REASONS: Readonly<Partial<Record<number, string>>> = {
  1: "the kernel forbids it, as it does for an immutable file: see lsattr -d for it and its folder, and chattr -i",
  2: "its folder is not there",
  5: "the disk fails: see dmesg",
  13: "only root may, or a security module forbids it",
  16: "it is mounted by itself, as containers do: change it where it comes from",
  26: "it is in use",
  27: "a limit of a file's size (ulimit -f) is reached",
  28: "the disk is full: make room (see df)",
  30: "the file system is read-only: mount -o remount,rw",
  122: "the disk quota is used up: make room",
};

/** The kernel does not let a file be replaced. */
export class NotReplacedError extends Error {
  override name = "NotReplacedError";
  /** Whether room is all that it lacks. */
  readonly isFull: boolean;

  /** @param errno the kernel's number for why */
  constructor(path: string, errno: number) {
    super(`${path} cannot be replaced: ${REASONS[errno] ?? `errno ${errno}`}`);
    this.isFull = errno === ENOSPC || errno === EDQUOT;
  }
}

/** What a file is to be that is not there yet. */
export interface NewFile {
  mode: number;
  uid: number;
  gid: number;
}

/**
 * Replaces a file's bytes; its owner, its mode and its extended attributes (SELinux' label, ACLs) stay what they are. Of a
 * link, what it points to is replaced. It is on the disk when this returns.
 *
 * @param path absolute
 * @param newFile what it is to be where there is none yet; without this, one must be there
 * @param root what absolute links are below of: that of a mounted disk
 * @throws {NotReplacedError} that says why the kernel forbids it: then nothing is changed
 * @throws {Error} if it is no plain file, or somebody else's doing, or an attribute cannot be kept
 *
 * @example
 * ```ts
 * replaceFile("/etc/shells", new TextEncoder().encode(text), { mode: 0o644, uid: 0, gid: 0 });
 * ```
 */
export function replaceFile(path: string, bytes: Uint8Array, newFile?: NewFile, root = ""): void {
  const place = realPlace(path, root);
  sweep(place);
  const old = factsOf(path, place);
  const facts = old ?? newFile;
  if (facts === undefined) throw new Error(`${path} is not there`);
  const temporary = `${place.folder}/${temporaryName(place.name)}`;
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const fd = libc().open(cString(temporary), flags, 0o600);
  if (fd < 0) refuse(path);
  try {
    try {
      writeAll(path, fd, bytes);
      // The owner first: chown(2) takes the set-uid bits away.
      if (libc().fchown(fd, facts.uid, facts.gid) !== 0) refuse(path);
      if (libc().fchmod(fd, facts.mode & 0o7777) !== 0) refuse(path);
      if (old) copyAttributes(`${place.folder}/${place.name}`, fd);
      if (libc().fsync(fd) !== 0) refuse(path);
    } finally {
      libc().close(fd);
    }
    if (libc().rename(cString(temporary), cString(`${place.folder}/${place.name}`)) !== 0) refuse(path);
  } catch (error) {
    Deno.removeSync(temporary);
    throw error;
  }
  syncFolder(path, place.folder);
}

/**
 * Removes what a replacement of this file has left that was killed before it was done. `replaceFile` does so by itself.
 *
 * @param path the file's, which need not be there
 * @param root as for `replaceFile`
 * @throws {Error} if the path leads through what is somebody else's
 */
export function removeUnfinished(path: string, root = ""): void {
  sweep(realPlace(path, root));
}

function sweep({ folder, name }: RealPlace): void {
  for (const entry of Deno.readDirSync(folder)) {
    const process = unfinishedBy(entry.name, name);
    if (process !== undefined && !isAlive(process)) Deno.removeSync(`${folder}/${entry.name}`);
  }
}

/**
 * A name for what is to take a file's place. No shell's `*`, and no folder of `*.conf` or `*.sh`, takes it for one of its own;
 * `removeUnfinished` knows it.
 */
export function temporaryName(name: string): string {
  const [random = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return `.${name}.srvaudit-${Deno.pid}-${random.toString(16).padStart(16, "0")}`;
}

/** @returns the process that made a file of such a name, or undefined if it is not of this kind */
function unfinishedBy(entry: string, name: string): string | undefined {
  const start = `.${name}.srvaudit-`;
  return entry.startsWith(start)
    ? /^([1-9][0-9]*)-[0-9a-f]{16}$/.exec(entry.slice(start.length))?.[1]
    : undefined;
}

function isAlive(pid: string): boolean {
  try {
    Deno.statSync(`/proc/${pid}`);
    return pid !== String(Deno.pid);
  } catch {
    return false;
  }
}

function factsOf(path: string, { folder, name }: RealPlace): NewFile | undefined {
  try {
    const { isFile, mode, uid, gid } = Deno.lstatSync(`${folder}/${name}`);
    if (!isFile) throw new Error(`${path} is no plain file`);
    return { mode: mode ?? 0o600, uid: uid ?? 0, gid: gid ?? 0 };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function writeAll(path: string, fd: number, bytes: Uint8Array): void {
  let rest = new Uint8Array(bytes);
  while (rest.length > 0) {
    const count = Number(libc().write(fd, rest, BigInt(rest.length)));
    if (count >= 0) rest = rest.subarray(count);
    else if (errno() !== EINTR) refuse(path);
  }
}

/** The new name is on the disk too, and not only the file. */
function syncFolder(path: string, folder: string): void {
  const fd = libc().open(cString(folder), O_DIRECTORY | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0) refuse(path);
  const failed = libc().fsync(fd) !== 0 ? errno() : 0;
  libc().close(fd);
  // Not every file system knows how to sync a folder.
  if (failed !== 0 && failed !== EINVAL) refuse(path, failed);
}

function refuse(path: string, code = errno()): never {
  throw new NotReplacedError(path, code);
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(`${text}\0`));
}
