/**
 * The lock of passwd(5), shadow(5) and group(5): the one of lckpwdf(3), which useradd, usermod, vipw, systemd-sysusers take.
 *
 * It is taken by fcntl(2) itself, as lckpwdf does: so it works for the root of another disk too, needs no alarm(2) in a
 * process whose signals are its runtime's, and the kernel can be asked who has it.
 */

import { ERRNO, errno } from "./errno.ts";
import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  // Variadic in C; for an argument that is a pointer the call is the same on x86_64 and aarch64 Linux.
  fcntl: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

// fcntl.h of Linux, the same on x86_64 and aarch64 but for O_NOFOLLOW.
const O_WRONLY = 0o1;
const O_CREAT = 0o100;
const O_CLOEXEC = 0o2000000;
const O_NOFOLLOW = Deno.build.arch === "aarch64" ? 0o100000 : 0o400000;
const F_GETLK = 5;
const F_SETLK = 6;
const F_WRLCK = 1;
const F_UNLCK = 2;
/** struct flock: type, whence, start, len, pid (64 bit). */
const FLOCK_BYTES = 32;
const EACCES = 13;

/** As long as lckpwdf(3) and shadow's tools wait. */
const PATIENCE_MS = 15_000;
const PAUSE_MS = 50;

/** The lock cannot be had: somebody else changes the accounts and goes on doing so, or the disk does not take a lock. */
export class NoAccountsLockError extends Error {
  override name = "NoAccountsLockError";
}

/**
 * Does something while nobody else changes the accounts. Not to be called from within itself: the inner end would give the
 * outer lock back.
 *
 * @param work what to do, at once
 * @param root what stands before /etc: that of a mounted disk
 * @param patienceMs how long to wait for others
 * @returns what it returned
 * @throws {NoAccountsLockError} that says who has the lock, if it is not free by then, or why there can be none
 *
 * @example
 * ```ts
 * withAccountsLocked(() => replaceFile("/etc/passwd", withShells(Deno.readFileSync("/etc/passwd"), shells)));
 * ```
 */
export function withAccountsLocked<Result>(
  work: () => Result,
  root = "",
  patienceMs: number = PATIENCE_MS,
): Result {
  const path = `${root}/etc/.pwd.lock`;
  const flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  const fd = libc().open(new TextEncoder().encode(`${path}\0`), flags, 0o600);
  if (fd < 0) throw new NoAccountsLockError(`${path} cannot be opened: errno ${errno()}`);
  try {
    const deadline = performance.now() + patienceMs;
    waitFor(deadline, () => takeLock(path, fd));
    waitFor(deadline, () => shadowLockHolder(`${root}/etc/passwd.lock`));
    return work();
  } finally {
    libc().close(fd);
  }
}

/** @param holder says who is in the way, or undefined if nobody is any more */
function waitFor(deadline: number, holder: () => string | undefined): void {
  while (true) {
    const who = holder();
    if (who === undefined) return;
    if (performance.now() >= deadline) {
      throw new NoAccountsLockError(`the accounts are being changed by ${who}: let that end, and try again`);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}

/** @returns who has it, or undefined if it is ours now */
function takeLock(path: string, fd: number): string | undefined {
  if (libc().fcntl(fd, F_SETLK, wholeFile()) === 0) return undefined;
  const code = errno();
  if (code !== ERRNO.EAGAIN && code !== EACCES && code !== ERRNO.EINTR) {
    throw new NoAccountsLockError(`${path} cannot be locked: errno ${code}`);
  }
  const asked = wholeFile();
  const view = new DataView(asked.buffer);
  const isTold = libc().fcntl(fd, F_GETLK, asked) === 0 && view.getInt16(0, true) !== F_UNLCK;
  return named(isTold ? view.getInt32(24, true) : 0);
}

function wholeFile(): Uint8Array<ArrayBuffer> {
  const lock = new Uint8Array(FLOCK_BYTES);
  new DataView(lock.buffer).setInt16(0, F_WRLCK, true);
  return lock;
}

/**
 * Shadow's tools have a lock file too, with the holder's number in it. Where that one is gone, so is its lock.
 *
 * @returns who has it, or undefined if nobody does
 */
function shadowLockHolder(path: string): string | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
  const pid = Number(/^[1-9][0-9]{0,9}/.exec(text)?.[0] ?? 0);
  return pid !== 0 && nameOf(pid) !== undefined ? `${named(pid)} (${path})` : undefined;
}

function named(pid: number): string {
  const name = pid > 0 ? nameOf(pid) : undefined;
  return name === undefined ? "another process, such as vipw or usermod" : `${name} (process ${pid})`;
}

/** @returns a process' name, or undefined if there is none of that number */
function nameOf(pid: number): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/comm`).trimEnd();
  } catch {
    return undefined;
  }
}
