/** How a terminal treats what is typed: termios(3), in glibc's layout, which is the same on x86_64 and aarch64. */

import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  tcgetattr: { parameters: ["i32", "buffer"], result: "i32" },
  tcsetattr: { parameters: ["i32", "i32", "buffer"], result: "i32" },
});

const SIZE = 60;
const INPUT = { offset: 0, flags: 0x100 /* ICRNL: Enter ends a line */ };
const OUTPUT = { offset: 4, flags: 0x1 | 0x4 /* OPOST, ONLCR: a new line begins at the left */ };
const LOCAL = {
  offset: 12,
  flags: 0x1 | 0x2 | 0x8 | 0x10 | 0x20 | 0x8000, /* ISIG, ICANON, ECHO, ECHOE, ECHOK, IEXTEN */
};
const ICANON = 0x2;
const ECHO = 0x8;
const ECHONL = 0x40;
/** Where the control characters begin (c_cc), and which of them are Ctrl-Z's and Ctrl-V's. */
const CONTROL = 17;
const VSUSP = 10;
const VLNEXT = 15;
/** _POSIX_VDISABLE */
const NO_KEY = 0;
// fcntl.h of Linux, the same on x86_64 and aarch64.
const O_NOCTTY = 0o400;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
/** TCSADRAIN: what is printed still goes out as it was meant. */
const WHEN_PRINTED = 1;

/**
 * Lets the kernel edit lines on a terminal, and Ctrl-C interrupt, until it is disposed of: a shell that is about to end
 * may have left it otherwise (fish does). Does nothing to a terminal that is so already, nor to what is none.
 *
 * @example
 * ```ts
 * using _ = editLines(0);
 * ```
 */
export function editLines(fd: number): Disposable {
  return withModes(fd, setLineEditing);
}

/**
 * The same, but what is typed is not shown, only the end of the line. Ctrl-Z does nothing meanwhile: whoever stopped the program
 * would find a shell that does not show what she types.
 */
export function hideTyping(fd: number): Disposable {
  return withModes(fd, (modes) => {
    setLineEditing(modes);
    const view = new DataView(modes.buffer);
    view.setUint32(LOCAL.offset, (view.getUint32(LOCAL.offset, true) & ~ECHO | ECHONL) >>> 0, true);
    modes[CONTROL + VSUSP] = NO_KEY;
  });
}

function setLineEditing(modes: Uint8Array<ArrayBuffer>): void {
  const view = new DataView(modes.buffer);
  for (const { offset, flags } of [INPUT, OUTPUT, LOCAL]) {
    view.setUint32(offset, (view.getUint32(offset, true) | flags) >>> 0, true);
  }
}

/** Changes a terminal's modes until that is disposed of. */
function withModes(fd: number, change: (modes: Uint8Array<ArrayBuffer>) => void): Disposable {
  const { tcgetattr, tcsetattr } = libc();
  const before = new Uint8Array(SIZE);
  let isChanged = false;
  if (tcgetattr(fd, before) === 0) {
    const wanted = new Uint8Array(before);
    change(wanted);
    isChanged = wanted.some((byte, i) => byte !== before[i]);
    if (isChanged) tcsetattr(fd, WHEN_PRINTED, wanted);
  }
  return {
    [Symbol.dispose]() {
      if (isChanged) tcsetattr(fd, WHEN_PRINTED, before);
    },
  };
}

/**
 * Whether a line editor has the terminal, readline's or zsh's: keys come one by one, nothing is echoed, and Ctrl-V is a key
 * like any other. Who merely reads a key (`read -n1 -s`) leaves Ctrl-V alone.
 *
 * @param terminal its file, as in `/dev/pts/0`
 */
export function editsLinesItself(terminal: string): boolean {
  const { open, close, tcgetattr } = libc();
  const fd = open(new TextEncoder().encode(`${terminal}\0`), O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  try {
    const modes = new Uint8Array(SIZE);
    if (tcgetattr(fd, modes) !== 0) return false;
    const local = new DataView(modes.buffer).getUint32(LOCAL.offset, true);
    return (local & (ICANON | ECHO)) === 0 && modes[CONTROL + VLNEXT] === 0;
  } finally {
    close(fd);
  }
}
