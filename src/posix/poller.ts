/** Waits for many file descriptors at once: epoll(7), level-triggered. */

import { ERRNO, errno, SystemCallError } from "./errno.ts";
import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  waitInThread: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  eventfd_read: { parameters: ["i32", "buffer"], result: "i32" },
  eventfd_write: { parameters: ["i32", "u64"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

const EPOLL_CLOEXEC = 0o2000000;
const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
const ADD = 1;
const REMOVE = 2;
const CHANGE = 3;
const IN = 0x1;
const OUT = 0x4;
const ERR = 0x8;
const HUP = 0x10;

// struct epoll_event { u32 events; u64 data }: packed on x86_64, and nowhere else.
const DATA = Deno.build.arch === "x86_64" ? 4 : 8;
const EVENT_SIZE = DATA + 8;
/** So many at a time: those that are left come first the next time. */
const EVENTS_A_TURN = 64;

/** What to wait for. For nothing, a hang-up is still told. */
export interface Interest {
  read?: boolean;
  write?: boolean;
}

/** What came. */
export interface Ready {
  /** A read would return at once: with bytes, or with the end. */
  readable: boolean;
  writable: boolean;
  /** The other end is closed wholly, or failed. This comes again and again until the descriptor is no longer watched. */
  hungUp: boolean;
}

interface Watch {
  onReady: (ready: Ready) => void;
  generation: number;
}

/**
 * Watches file descriptors and calls back, in `turn`, when they are ready.
 *
 * @example
 * ```ts
 * using poller = new Poller();
 * poller.watch(fd, { read: true }, () => readAll(fd));
 * while (!ended) await poller.turn(Infinity);
 * ```
 */
export class Poller implements Disposable {
  readonly #epoll: number;
  readonly #wake: number;
  readonly #watches = new Map<number, Watch>();
  readonly #events = new DataView(new ArrayBuffer(EVENT_SIZE * EVENTS_A_TURN));
  readonly #event = new DataView(new ArrayBuffer(EVENT_SIZE));
  #generation = 0;
  #isWaiting = false;
  #isDisposed = false;

  /** @throws {SystemCallError} if there is no descriptor left */
  constructor() {
    this.#epoll = libc().epoll_create1(EPOLL_CLOEXEC);
    if (this.#epoll < 0) throw new SystemCallError("epoll_create1", errno());
    this.#wake = libc().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (this.#wake < 0) {
      const code = errno();
      libc().close(this.#epoll);
      throw new SystemCallError("eventfd", code);
    }
    const count = new BigUint64Array(1);
    this.watch(this.#wake, { read: true }, () => libc().eventfd_read(this.#wake, count));
  }

  /**
   * @param fd an open descriptor that is not watched yet; `unwatch` it before you close it
   * @param interest what to wait for
   * @param onReady is called in a `turn`; what it throws ends that turn
   * @throws {SystemCallError}
   */
  watch(fd: number, interest: Interest, onReady: (ready: Ready) => void): void {
    // A descriptor's number is used again after its close: by the generation, an event of the one before is known.
    const watch = { onReady, generation: ++this.#generation };
    this.#control(ADD, fd, interest, watch.generation);
    this.#watches.set(fd, watch);
  }

  /** Waits for something else from now on. @throws {SystemCallError} if `fd` is not watched */
  change(fd: number, interest: Interest): void {
    this.#control(CHANGE, fd, interest, this.#watches.get(fd)?.generation ?? 0);
  }

  /** Waits no longer for this one: it is not called back any more. @throws {SystemCallError} if `fd` is not watched */
  unwatch(fd: number): void {
    this.#watches.delete(fd);
    this.#control(REMOVE, fd, {}, 0);
  }

  /**
   * Waits until something is ready, in a thread, and calls back. One at a time.
   *
   * @param timeoutMs how long to wait at most, in milliseconds; `Infinity` for as long as it takes
   * @throws what a callback throws: the callbacks that it kept from running are called in the next turn
   */
  async turn(timeoutMs: number): Promise<void> {
    if (this.#isWaiting) throw new TypeError("a turn of this poller goes on already");
    if (this.#isDisposed) throw new TypeError("this poller is disposed of");
    const waitMs = timeoutMs === Infinity ? -1 : Math.max(0, Math.min(Math.ceil(timeoutMs), 2 ** 31 - 1));
    this.#isWaiting = true;
    let count: number;
    try {
      count = await libc().waitInThread(this.#epoll, this.#events, EVENTS_A_TURN, waitMs);
    } finally {
      this.#isWaiting = false;
      if (this.#isDisposed) this.#close();
    }
    if (this.#isDisposed) return;
    // The thread kept its errno to itself: a signal is harmless, and for anything else a second call fails as well.
    if (count < 0) count = libc().epoll_wait(this.#epoll, this.#events, EVENTS_A_TURN, 0);
    if (count < 0 && errno() !== ERRNO.EINTR) throw new SystemCallError("epoll_wait", errno());
    this.#callBack(count);
  }

  /** Ends the wait of the `turn` that goes on, or else of the next one. */
  wake(): void {
    if (!this.#isDisposed) libc().eventfd_write(this.#wake, 1n);
  }

  /** Ends the wait that goes on, without callbacks. What was watched stays open. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    // The thread that waits must not find another file behind the number: then the turn closes.
    this.wake();
    this.#isDisposed = true;
    this.#watches.clear();
    if (!this.#isWaiting) this.#close();
  }

  #close(): void {
    libc().close(this.#wake);
    libc().close(this.#epoll);
  }

  #callBack(count: number): void {
    for (let i = 0; i < count; i++) {
      const at = i * EVENT_SIZE;
      const events = this.#events.getUint32(at, true);
      const watch = this.#watches.get(this.#events.getInt32(at + DATA, true));
      // An earlier callback of this turn may have ended this watch.
      if (watch?.generation !== this.#events.getUint32(at + DATA + 4, true)) continue;
      watch.onReady({
        readable: (events & IN) !== 0,
        writable: (events & OUT) !== 0,
        hungUp: (events & (HUP | ERR)) !== 0,
      });
    }
  }

  #control(operation: number, fd: number, interest: Interest, generation: number): void {
    this.#event.setUint32(0, (interest.read ? IN : 0) | (interest.write ? OUT : 0), true);
    this.#event.setInt32(DATA, fd, true);
    this.#event.setUint32(DATA + 4, generation >>> 0, true);
    if (libc().epoll_ctl(this.#epoll, operation, fd, this.#event) !== 0) {
      throw new SystemCallError(`epoll_ctl ${operation} of descriptor ${fd}`, errno());
    }
  }
}
