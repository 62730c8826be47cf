/** A terminal that a program holds in place of a person: pty(7). */

import { ERRNO, errno, SystemCallError } from "./errno.ts";
import { fromLibc } from "./from_libc.ts";
import { Poller } from "./poller.ts";

const libc = fromLibc({
  posix_openpt: { parameters: ["i32"], result: "i32" },
  unlockpt: { parameters: ["i32"], result: "i32" },
  ptsname_r: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // Variadic in C; for an argument that is a pointer the call is the same on x86_64 and aarch64 Linux.
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
});

// fcntl.h and termios.h of Linux, the same on x86_64 and aarch64.
const O_RDWR = 0o2;
const O_NOCTTY = 0o400;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const TIOCSWINSZ = 0x5414n;

const LONGEST_PATH = 64;

/**
 * A new pseudo-terminal, from its opening to its hang-up.
 *
 * @example
 * ```ts
 * using terminal = new PseudoTerminal({ rows: 24, columns: 80 });
 * const child = startOn(terminal, ["bash", "-l"], { TERM: "xterm" });
 * terminal.write("exit\r");
 * while (await terminal.read(1000) !== "end");
 * ```
 */
export class PseudoTerminal implements Disposable {
  /** Its file, as in `/dev/pts/7`; root's, until somebody gives it to another user. */
  readonly path: string;
  readonly #fd: number;
  readonly #poller: Poller;
  readonly #piece = new Uint8Array(16_384);
  #isHungUp = false;

  /** @throws {SystemCallError} if there is none to be had */
  constructor(size: { rows: number; columns: number }) {
    const { posix_openpt, unlockpt, ptsname_r, ioctl, close } = libc();
    this.#fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (this.#fd < 0) throw new SystemCallError("posix_openpt", errno());
    try {
      // struct winsize: rows, columns, and two sizes in pixels that nobody knows.
      const window = new Uint16Array([size.rows, size.columns, 0, 0]);
      if (unlockpt(this.#fd) !== 0) throw new SystemCallError("unlockpt", errno());
      if (ioctl(this.#fd, TIOCSWINSZ, window) !== 0) throw new SystemCallError("ioctl TIOCSWINSZ", errno());
      const name = new Uint8Array(LONGEST_PATH);
      const code = ptsname_r(this.#fd, name, BigInt(name.length));
      if (code !== 0) throw new SystemCallError("ptsname_r", code);
      this.path = new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
      this.#poller = new Poller();
      this.#poller.watch(this.#fd, { read: true }, () => {});
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  /**
   * Waits for what is printed.
   *
   * @param timeoutMs how long, in milliseconds
   * @returns the bytes; `"silence"` where there was nothing in that time; `"end"` when nobody has the terminal any more
   * @throws {SystemCallError}
   */
  async read(timeoutMs: number): Promise<Uint8Array | "silence" | "end"> {
    const deadline = performance.now() + timeoutMs;
    while (!this.#isHungUp) {
      const count = Number(libc().read(this.#fd, this.#piece, BigInt(this.#piece.length)));
      if (count > 0) return this.#piece.slice(0, count);
      const code = errno();
      // Nobody has it open: EIO.
      if (count === 0 || (code !== ERRNO.EAGAIN && code !== ERRNO.EINTR)) return "end";
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return "silence";
      await this.#poller.turn(leftMs);
    }
    return "end";
  }

  /**
   * Types.
   *
   * @param text as keys send it: `\r` is Enter
   * @throws {SystemCallError} if it is not taken: so much is waiting to be read already
   */
  write(text: string): void {
    let bytes = new TextEncoder().encode(text);
    while (bytes.length > 0) {
      const count = Number(libc().write(this.#fd, bytes, BigInt(bytes.length)));
      if (count < 0) {
        const code = errno();
        if (code === ERRNO.EINTR) continue;
        throw new SystemCallError(`write to the other end of ${this.path}`, code);
      }
      bytes = bytes.subarray(count);
    }
  }

  /** Hangs up: the kernel tells whoever works there (SIGHUP). */
  [Symbol.dispose](): void {
    if (this.#isHungUp) return;
    this.#isHungUp = true;
    this.#poller.unwatch(this.#fd);
    this.#poller[Symbol.dispose]();
    libc().close(this.#fd);
  }
}

/**
 * Starts a program in a session of its own, with the terminal for its controlling one, and on its three streams.
 *
 * @param command the program, and its arguments
 * @param env its whole environment, but for a PATH to find it by
 * @returns the process, which leads the session
 */
export function startOn(
  terminal: PseudoTerminal,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Deno.ChildProcess {
  return new Deno.Command("sh", {
    args: ["-c", 'exec setsid -c "$@" < "$0" > "$0" 2>&1', terminal.path, ...command],
    clearEnv: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...env },
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}
