/** What a file system can forbid even a file's owner: ioctl_iflags(2), as chattr(1) sets it. */

import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // Variadic in C; for an argument that is a pointer the call is the same on x86_64 and aarch64 Linux.
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

// linux/fs.h and asm-generic/fcntl.h, the same on x86_64 and aarch64 but for O_NOFOLLOW.
const FS_IOC_GETFLAGS = 0x8008_6601n;
const FS_IOC_SETFLAGS = 0x4008_6602n;
const FLAGS = { immutable: 0x10, appendOnly: 0x20 } as const;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const O_NOFOLLOW = Deno.build.arch === "aarch64" ? 0o100000 : 0o400000;

/** `appendOnly`: bytes can be added, and nothing else be done. `immutable`: nothing at all. `none`: as any file. */
export type Protection = keyof typeof FLAGS | "none";

/**
 * Protects a file from its owner, or no longer does. Needs root (CAP_LINUX_IMMUTABLE).
 *
 * @param path a plain file, no link
 * @returns whether it is so now: not where the file system has no such flags (overlays, older tmpfs, NFS)
 *
 * @example
 * ```ts
 * if (!protect(file, "appendOnly")) log.warn("the spool's file system cannot keep a file from being cut");
 * ```
 */
export function protect(path: string, protection: Protection): boolean {
  const { open, ioctl, close } = libc();
  const fd = open(new TextEncoder().encode(`${path}\0`), O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  try {
    const value = new Uint32Array(2);
    if (ioctl(fd, FS_IOC_GETFLAGS, value) !== 0) return protection === "none";
    const [before = 0] = value;
    const wanted = (before & ~(FLAGS.immutable | FLAGS.appendOnly)) |
      (protection === "none" ? 0 : FLAGS[protection]);
    value[0] = wanted;
    return wanted === before || ioctl(fd, FS_IOC_SETFLAGS, value) === 0;
  } finally {
    close(fd);
  }
}
