/** What `make release` makes, and copies of this machine to install it in. */

import { type Finished, run, type RunOptions, succeed } from "./run.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;
const MACHINE = new URL("machine.sh", import.meta.url).pathname;

/** A release in a folder that every user can enter; the folder goes with it. */
export class Release implements AsyncDisposable {
  private constructor(
    readonly folder: string,
    /** The tarball's name. */
    readonly tarball: string,
    /** The words that run a command in a copy of this machine, which is gone when it ends. */
    private readonly machine: readonly string[],
  ) {}

  /** Has it made of these sources: some ten seconds. */
  static async make(): Promise<Release> {
    const folder = await Deno.makeTempDir({ prefix: "release." });
    await Deno.chmod(folder, 0o755);
    // Test files run side by side, and what makes packages makes some of the same files: see packages.ts.
    const lock = `${PROJECT}dist/quick_packages.lock`;
    await succeed(["flock", lock, "make", "-C", PROJECT, "release", `RELEASE=${folder}`, "LEVEL=1"]);
    const tarball = [...Deno.readDirSync(folder)].find(({ name }) => name.endsWith(".tar.gz"))?.name ?? "";
    return new Release(folder, tarball, [
      "unshare",
      "--mount",
      "--propagation",
      "private",
      MACHINE,
      `${folder}/machine`,
    ]);
  }

  /** The words that run a shell script in a copy of this machine; `$release` and `$tarball` are known to it. */
  words(script: string): string[] {
    const known = `release=${this.folder} tarball=${this.folder}/${this.tarball}\n`;
    return [...this.machine, "sh", "-c", known + script];
  }

  /** Runs a shell script in a copy of this machine. */
  inMachine(script: string, options: RunOptions = {}): Promise<Finished> {
    return run(this.words(script), { cwd: "/", ...options });
  }

  /** The sum of the tarball. */
  async sum(): Promise<string> {
    return (await succeed(["sha256sum", `${this.folder}/${this.tarball}`])).slice(0, 64);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await succeed(["rm", "-rf", this.folder]);
  }
}
