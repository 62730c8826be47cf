/** Tells at once that a file was changed, or another was put in its place: who asks each second misses what is changed back. */

import { Inotify } from "../posix/inotify.ts";
import type { Poller } from "../posix/poller.ts";

/** Watches one file, by its folder, until it is disposed of. */
export class FileNews implements Disposable {
  readonly #inotify = new Inotify();

  /**
   * @param file its path, absolute; it need not be there
   * @param onNews is called, from the poller's turn, after each change
   * @throws {Deno.errors.NotFound} if there is no such folder
   * @throws {SystemCallError} if the kernel has no watch left
   */
  constructor(readonly poller: Poller, file: string, onNews: () => void) {
    const end = file.lastIndexOf("/");
    try {
      this.#inotify.watch(file.slice(0, end));
    } catch (error) {
      this.#inotify[Symbol.dispose]();
      throw error;
    }
    poller.watch(this.#inotify.fd, { read: true }, () => {
      if (this.#inotify.read().some(({ name }) => name === file.slice(end + 1))) onNews();
    });
  }

  [Symbol.dispose](): void {
    this.poller.unwatch(this.#inotify.fd);
    this.#inotify[Symbol.dispose]();
  }
}
