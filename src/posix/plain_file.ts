/**
 * Reads, and adds to, files that lie where others may put anything: links, FIFOs, devices, files of someone else's.
 *
 * Deno can open neither without following a link nor without waiting. An open waits for ever at a FIFO that nobody has at
 * the other end, and for most of a minute at a file that its owner holds a lease on (fcntl(2), F_SETLEASE). And where
 * `asUser` opens a file for a user, a link of hers may still lead it where the kernel asks who the process is, not who it
 * acts for on files: to what is below /proc/sys.
 */

import { errno } from "./errno.ts";
import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // statx(2) by its number: Ubuntu 18.04's libc (2.27) has no name for it yet.
  syscall: { parameters: ["i64", "i32", "buffer", "i32", "u32", "buffer"], result: "i64" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
});

// asm-generic/fcntl.h and linux/stat.h, the same on x86_64 and aarch64 but for O_NOFOLLOW.
const O_WRONLY = 0o1;
const O_NOCTTY = 0o400;
const O_APPEND = 0o2000;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const O_NOFOLLOW = Deno.build.arch === "aarch64" ? 0o100000 : 0o400000;
const SYS_statx = Deno.build.arch === "aarch64" ? 291n : 332n;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_BYTES = 256;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const ENOENT = 2;
const ENOSPC = 28;
/** No such file, a part of the path is no folder, a link where none may be. */
const MISSING: ReadonlySet<number> = new Set([ENOENT, 20, 40]);

const encoder = new TextEncoder();
const NO_PATH = new Uint8Array(1);
const answer = new Uint8Array(STATX_BYTES);
const view = new DataView(answer.buffer);

/** What the file system says of a plain file. */
export interface FileFacts {
  inode: string;
  size: number;
  uid: number;
  /** When it was last written to, in microseconds since 1970. */
  changedUs: number;
}

/** A file cannot be read, or not be added to. */
export class FileRefusedError extends Error {
  override name = "FileRefusedError";

  /** @param errno the kernel's number for why */
  constructor(readonly path: string, readonly errno: number, readonly what = "read") {
    super(`${path} cannot be ${what}: errno ${errno}`);
  }
}

/**
 * Looks at a file by its name.
 *
 * @returns undefined where there is no plain file by that name: nothing, a link, a FIFO, a folder
 * @throws {FileRefusedError} if that cannot be told
 */
export function factsOf(path: string): FileFacts | undefined {
  const isStated = statx(AT_FDCWD, encoder.encode(`${path}\0`), AT_SYMLINK_NOFOLLOW);
  return isStated ? factsIn() : missing(path, errno());
}

/** A plain file, open for reading. */
export class PlainFile implements Disposable {
  private constructor(readonly path: string, readonly fd: number, readonly facts: FileFacts) {}

  /**
   * @returns undefined where there is no plain file by that name
   * @throws {FileRefusedError}
   */
  static open(path: string): PlainFile | undefined {
    const fd = libc().open(
      encoder.encode(`${path}\0`),
      O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW,
    );
    if (fd < 0) return missing(path, errno());
    const isStated = statx(fd, NO_PATH, AT_EMPTY_PATH);
    const code = isStated ? 0 : errno();
    const facts = isStated ? factsIn() : undefined;
    if (facts) return new PlainFile(path, fd, facts);
    libc().close(fd);
    return isStated ? undefined : missing(path, code);
  }

  /**
   * Reads some of its bytes.
   *
   * @param into where they go; it is filled as far as the file goes
   * @param from where in the file to begin
   * @returns how many there were
   * @throws {FileRefusedError}
   */
  read(into: Uint8Array<ArrayBuffer>, from: number): number {
    let filled = 0;
    while (filled < into.length) {
      const rest = into.subarray(filled);
      const count = Number(libc().pread(this.fd, rest, BigInt(rest.length), BigInt(from + filled)));
      if (count < 0) throw new FileRefusedError(this.path, errno());
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  [Symbol.dispose](): void {
    libc().close(this.fd);
  }
}

/**
 * Adds bytes to the end of a plain file that is there already, in one write.
 *
 * @param uid whose it must be
 * @throws {FileRefusedError} if it is not there, is no plain file or someone else's, or does not take all of them
 */
export function appendToPlainFile(path: string, uid: number, bytes: Uint8Array<ArrayBuffer>): void {
  const flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW;
  const fd = libc().open(encoder.encode(`${path}\0`), flags);
  if (fd < 0) throw new FileRefusedError(path, errno(), "added to");
  try {
    const isStated = statx(fd, NO_PATH, AT_EMPTY_PATH);
    if (!isStated || factsIn()?.uid !== uid) throw new FileRefusedError(path, ENOENT, "added to");
    const count = Number(libc().write(fd, bytes, BigInt(bytes.length)));
    if (count === bytes.length) return;
    throw new FileRefusedError(path, count < 0 ? errno() : ENOSPC, "added to");
  } finally {
    libc().close(fd);
  }
}

/** Has `answer` filled. @returns whether that could be: errno() knows why not */
function statx(fd: number, path: BufferSource, flags: number): boolean {
  return libc().syscall(SYS_statx, fd, path, flags, STATX_BASIC_STATS, answer) === 0n;
}

/** struct statx: its layout is the same everywhere. */
function factsIn(): FileFacts | undefined {
  if ((view.getUint16(28, true) & S_IFMT) !== S_IFREG) return undefined;
  return {
    uid: view.getUint32(20, true),
    inode: String(view.getBigUint64(32, true)),
    size: Number(view.getBigUint64(40, true)),
    // stx_mtime.
    changedUs: Number(view.getBigInt64(112, true)) * 1_000_000 + Math.floor(view.getUint32(120, true) / 1000),
  };
}

function missing(path: string, code: number): undefined {
  if (!MISSING.has(code)) throw new FileRefusedError(path, code);
  return undefined;
}
