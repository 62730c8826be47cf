/** Folders that tell when something in them changes: inotify(7). */

import { errno, SystemCallError } from "./errno.ts";
import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  inotify_init1: { parameters: ["i32"], result: "i32" },
  inotify_add_watch: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  inotify_rm_watch: { parameters: ["i32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
});

// sys/inotify.h and fcntl.h, the same on x86_64 and aarch64.
const IN_NONBLOCK = 0o4000;
const IN_CLOEXEC = 0o2000000;
const IN_MODIFY = 0x2;
const IN_MOVED = 0x40 | 0x80;
const IN_CREATE = 0x100;
const IN_DELETE = 0x200;
const IN_DELETE_SELF = 0x400;
const IN_MOVE_SELF = 0x800;
const IN_UNMOUNT = 0x2000;
const IN_Q_OVERFLOW = 0x4000;
const IN_IGNORED = 0x8000;
const IN_ONLYDIR = 0x1000000;
const IN_DONT_FOLLOW = 0x2000000;
const ENOENT = 2;
const ENOTDIR = 20;
const ELOOP = 40;

/** struct inotify_event: wd, mask, cookie, len; the name follows, padded with NULs. */
const HEAD_BYTES = 16;
const BUFFER_BYTES = 64 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Something in a folder has changed. */
export interface FolderChange {
  /** What `watch` gave; -1 for `overflow`. */
  id: number;
  /** The file in the folder; empty where it is not one file. */
  name: string;
  /**
   * `changed`: the file was made, written to, renamed or removed. `gone`: the folder is no longer the one that was
   * watched, or is not watched any more. `overflow`: there was more than the kernel keeps, in whatever folder.
   */
  kind: "changed" | "gone" | "overflow";
}

/**
 * Watches folders. It is to be read when its descriptor is readable, and never waits.
 *
 * @example
 * ```ts
 * using inotify = new Inotify();
 * const id = inotify.watch("/var/spool/srvaudit");
 * poller.watch(inotify.fd, { read: true }, () => handle(inotify.read()));
 * ```
 */
export class Inotify implements Disposable {
  readonly fd: number;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);

  /** @throws {SystemCallError} where the user has too many of them already (fs.inotify.max_user_instances) */
  constructor() {
    this.fd = libc().inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (this.fd < 0) {
      throw new SystemCallError("inotify_init1 (see fs.inotify.max_user_instances)", errno());
    }
  }

  /**
   * @param folder its path; a link is not followed
   * @returns a number for the folder; the same again for one that is watched already
   * @throws {Deno.errors.NotFound} if there is no such folder
   * @throws {SystemCallError} if it cannot be read, or there are too many (fs.inotify.max_user_watches)
   */
  watch(folder: string): number {
    const mask = IN_MODIFY | IN_MOVED | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
      IN_DONT_FOLLOW;
    const id = libc().inotify_add_watch(this.fd, encoder.encode(`${folder}\0`), mask);
    if (id >= 0) return id;
    const code = errno();
    if (code === ENOENT || code === ENOTDIR || code === ELOOP) {
      throw new Deno.errors.NotFound(`${folder} is no folder`);
    }
    throw new SystemCallError(`inotify_add_watch ${folder} (see fs.inotify.max_user_watches)`, code);
  }

  /** Watches a folder no longer. What was noticed before may still be read. */
  unwatch(id: number): void {
    libc().inotify_rm_watch(this.fd, id);
  }

  /** @returns all that has changed since the last time, in order; nothing where nothing has */
  read(): FolderChange[] {
    const changes: FolderChange[] = [];
    // Until it is empty: a reading that ends before the buffer does, by the length of the longest event, is the last.
    while (true) {
      const length = Number(libc().read(this.fd, this.#buffer, BigInt(BUFFER_BYTES)));
      if (length <= 0) return changes;
      this.#decode(length, changes);
      if (length < BUFFER_BYTES / 2) return changes;
    }
  }

  #decode(length: number, changes: FolderChange[]): void {
    const view = new DataView(this.#buffer.buffer);
    let last: FolderChange | undefined;
    for (let at = 0; at + HEAD_BYTES <= length;) {
      const id = view.getInt32(at, true);
      const mask = view.getUint32(at + 4, true);
      const from = at + HEAD_BYTES;
      at = from + view.getUint32(at + 12, true);
      let end = from;
      while (end < at && this.#buffer[end] !== 0) end++;
      const name = decoder.decode(this.#buffer.subarray(from, end));
      const kind = (mask & IN_Q_OVERFLOW) !== 0
        ? "overflow"
        : (mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) !== 0
        ? "gone"
        : "changed";
      if (last?.id === id && last.name === name && last.kind === kind) continue;
      last = { id, name, kind };
      changes.push(last);
    }
  }

  [Symbol.dispose](): void {
    libc().close(this.fd);
  }
}
