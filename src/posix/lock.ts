/** Locks between processes that do not wait: flock(2). Deno's own `lock` always does. */

import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  flock: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

// fcntl.h and sys/file.h of Linux, the same on x86_64 and aarch64 but for O_NOFOLLOW, which is not used.
const O_WRONLY = 0o1;
const O_CREAT = 0o100;
const O_CLOEXEC = 0o2000000;
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Takes a lock if it is free. The kernel gives it back when this process ends, however that comes.
 *
 * @param path the lock's file; made, for its owner alone, where it is not there
 * @returns what gives the lock back, or undefined if another process has it, or the file cannot be made
 *
 * @example
 * ```ts
 * using lock = tryLock("/home/alice/.ash/spool/.ingest.lock");
 * if (!lock) return;
 * ```
 */
export function tryLock(path: string): Disposable | undefined {
  const { open, flock, close } = libc();
  const name = new TextEncoder().encode(`${path}\0`);
  const fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600);
  if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) !== 0) {
    if (fd >= 0) close(fd);
    return undefined;
  }
  return {
    [Symbol.dispose]() {
      close(fd);
    },
  };
}
