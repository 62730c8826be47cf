/**
 * Reads files that lie where others may put anything: links, FIFOs, devices, files of someone else's.
 *
 * Deno can open neither without following a link nor without waiting. An open for reading waits for ever at a FIFO that
 * nobody writes to, and for most of a minute at a file that its owner holds a lease on (fcntl(2), F_SETLEASE).
 */

import { errno, prepareErrno } from "./errno.ts";

const symbols = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

let library: Deno.DynamicLibrary<typeof symbols> | undefined;

// asm-generic/fcntl.h and linux/stat.h, the same on x86_64 and aarch64 but for O_NOFOLLOW.
const O_NOCTTY = 0o400;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const O_NOFOLLOW = Deno.build.arch === "aarch64" ? 0o100000 : 0o400000;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_BYTES = 256;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
/** No such file, a part of the path is no folder, a link where none may be. */
const MISSING: ReadonlySet<number> = new Set([2, 20, 40]);

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

/** A file that is there cannot be read. */
export class FileRefusedError extends Error {
  override name = "FileRefusedError";

  /** @param errno the kernel's number for why */
  constructor(readonly path: string, readonly errno: number) {
    super(`${path} cannot be read: errno ${errno}`);
  }
}

/**
 * Looks at a file by its name.
 *
 * @returns undefined where there is no plain file by that name: nothing, a link, a FIFO, a folder
 * @throws {FileRefusedError} if that cannot be told
 */
export function factsOf(path: string): FileFacts | undefined {
  const libc = open();
  const flags = AT_SYMLINK_NOFOLLOW;
  const refused = libc.symbols.statx(AT_FDCWD, encoder.encode(`${path}\0`), flags, STATX_BASIC_STATS, answer);
  return refused === 0 ? factsIn() : missing(path, errno());
}

/** A plain file, open for reading. */
export class PlainFile implements Disposable {
  private constructor(readonly path: string, readonly fd: number, readonly facts: FileFacts) {}

  /**
   * @returns undefined where there is no plain file by that name
   * @throws {FileRefusedError}
   */
  static open(path: string): PlainFile | undefined {
    const libc = open();
    const fd = libc.symbols.open(
      encoder.encode(`${path}\0`),
      O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW,
    );
    if (fd < 0) return missing(path, errno());
    const refused = libc.symbols.statx(fd, NO_PATH, AT_EMPTY_PATH, STATX_BASIC_STATS, answer);
    const code = refused === 0 ? 0 : errno();
    const facts = refused === 0 ? factsIn() : undefined;
    if (facts) return new PlainFile(path, fd, facts);
    libc.symbols.close(fd);
    return refused === 0 ? undefined : missing(path, code);
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
    const libc = open();
    let filled = 0;
    while (filled < into.length) {
      const rest = into.subarray(filled);
      const count = Number(libc.symbols.pread(this.fd, rest, BigInt(rest.length), BigInt(from + filled)));
      if (count < 0) throw new FileRefusedError(this.path, errno());
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  [Symbol.dispose](): void {
    library?.symbols.close(this.fd);
  }
}

function open(): Deno.DynamicLibrary<typeof symbols> {
  prepareErrno();
  return library ??= Deno.dlopen("libc.so.6", symbols);
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
