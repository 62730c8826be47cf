/**
 * Folders in a user's home, entered by no link of hers.
 *
 * A link leads wherever she likes: below /proc/PID/root into file systems of her own, which need not answer, to a folder
 * with millions of names, or where the kernel takes us for root. So the last two names of the path must be folders
 * themselves, as they are where our own programs have made them. And nothing is entered that another machine, or a program
 * of hers, must answer for: the agent has one thread, and would wait for it with all the host.
 */

import { errno } from "./errno.ts";
import { fromLibc } from "./from_libc.ts";
import { mayHang } from "./mounts.ts";
import { FileRefusedError } from "./plain_file.ts";

const libc = fromLibc({
  open: { parameters: ["buffer", "i32"], result: "i32" },
  openat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

// asm-generic/fcntl.h, the same on x86_64 and aarch64 but for O_NOFOLLOW and O_DIRECTORY.
const IS_ARM = Deno.build.arch === "aarch64";
const O_DIRECTORY = IS_ARM ? 0o40000 : 0o200000;
const O_NOFOLLOW = IS_ARM ? 0o100000 : 0o400000;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const MAYBE_A_LINK = O_PATH | O_DIRECTORY | O_CLOEXEC;
/** No such file, no folder, a link. */
const MISSING: ReadonlySet<number> = new Set([2, 20, 40]);

const ENOTSUP = 95;

const encoder = new TextEncoder();

/** The folder lies where it may take for ever to look. */
export class MayHangError extends FileRefusedError {
  override name = "MayHangError";

  /** @param type the file system's */
  constructor(path: string, type: string) {
    super(path, ENOTSUP);
    this.message = `${path} is on ${type}, which may not answer: it is not entered`;
  }
}

/**
 * Does something in a folder that stays the one that was entered, whatever is done to its path meanwhile.
 *
 * @param path the folder's: of its last two names none may be a link
 * @param work what to do, at once: it is given another path of the folder, which ends with the work
 * @returns what the work returned
 * @throws {Deno.errors.NotFound} if there is no such folder
 * @throws {FileRefusedError} if it cannot be entered
 * @throws {MayHangError} if it is not on a file system of this machine's
 */
export function withinOwnFolder<Result>(path: string, work: (here: string) => Result): Result {
  const fd = enter(path);
  try {
    return work(`/proc/self/fd/${fd}`);
  } finally {
    libc().close(fd);
  }
}

function enter(path: string): number {
  const type = mayHang(path, 2);
  if (type !== undefined) throw new MayHangError(path, type);
  const { open, openat, close } = libc();
  const names = path.split("/");
  const [outer = "", inner = ""] = names.splice(-2);
  let fd = open(encoder.encode(`${names.join("/") || "/"}\0`), MAYBE_A_LINK);
  if (fd < 0) refuse(path);
  for (const name of [outer, inner]) {
    const next = openat(fd, encoder.encode(`${name}\0`), MAYBE_A_LINK | O_NOFOLLOW);
    const code = next < 0 ? errno() : 0;
    close(fd);
    if (next < 0) refuse(path, code);
    fd = next;
  }
  return fd;
}

function refuse(path: string, code = errno()): never {
  if (MISSING.has(code)) throw new Deno.errors.NotFound(`${path} is no folder`);
  throw new FileRefusedError(path, code);
}
