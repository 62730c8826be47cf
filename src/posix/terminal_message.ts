/** Words on a terminal that is not one's own, as wall(1) writes them. */

import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  open: { parameters: ["buffer", "i32"], result: "i32" },
  isatty: { parameters: ["i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
});

// fcntl.h of Linux, the same on x86_64 and aarch64.
const O_WRONLY = 0o1;
const O_NOCTTY = 0o400;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

/**
 * Writes to a terminal without waiting for it, and without taking it for one's own: one whose output is stopped (Ctrl-S)
 * shows nothing.
 *
 * @param terminal its file, as in `/dev/pts/0`
 * @param text what to show, harmless
 * @returns whether all of it was taken
 */
export function writeToTerminal(terminal: string, text: string): boolean {
  const { open, isatty, write, close } = libc();
  const fd = open(new TextEncoder().encode(`${terminal}\0`), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  try {
    if (fd < 0 || isatty(fd) !== 1) return false;
    const bytes = new TextEncoder().encode(text);
    return write(fd, bytes, BigInt(bytes.length)) === BigInt(bytes.length);
  } finally {
    if (fd >= 0) close(fd);
  }
}
