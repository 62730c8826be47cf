/** A small disk that can be filled. */

import { run, succeed } from "../support/run.ts";

/** A tmpfs of its own, mounted until it is disposed of. Needs root. */
export class SmallDisk implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  /** Mounts one over a folder, which is made where it is not there. */
  static async mount(folder: string, mebibytes: number, mode: string): Promise<SmallDisk> {
    await Deno.mkdir(folder, { recursive: true });
    await succeed(["mount", "-t", "tmpfs", "-o", `size=${mebibytes}M,mode=${mode}`, "torture", folder]);
    return new SmallDisk(folder);
  }

  /** Leaves no byte of room. */
  async fill(): Promise<void> {
    // It ends when it can write no more: that is what it is for.
    await run(["sh", "-c", 'cat /dev/zero > "$1"', "sh", this.#ballast]);
  }

  /** Gives all that room back. */
  async empty(): Promise<void> {
    await Deno.remove(this.#ballast);
  }

  get #ballast(): string {
    return `${this.folder}/ballast`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await succeed(["umount", "--lazy", this.folder]);
  }
}
