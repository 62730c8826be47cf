/**
 * A Debian of a test's own: a copy of a debootstrapped bookworm, to install on, to break, and to throw away.
 *
 * The copy is kept in memory and has its own mount and pid namespaces: nothing of what is changed in it reaches the machine,
 * and whatever was started in it ends with it. It has the machine's network. Needs root and debootstrap; the first one that
 * is asked for on a machine takes half a minute, and the network.
 */

import { removeFolder } from "./remove_folder.ts";
import { type Finished, run, type RunOptions, succeed } from "./run.ts";

const SCRIPT = new URL("debian_root.sh", import.meta.url).pathname;

/** A Debian that is there until it is disposed of. */
export interface DebianRoot extends AsyncDisposable {
  /** Where its files are seen from outside: what stands before `/etc`. */
  readonly root: string;
  /** The words that stand before a command to run it inside, as root, from `/`: for a program that is not run by `run`. */
  readonly inside: readonly string[];
  /**
   * The words that stand before a program of the machine's to run it in the namespaces, but not inside: for one that takes the
   * root as an argument. Its files have the machine's paths.
   */
  readonly beside: readonly string[];
  /** The root's path for a program that runs beside. */
  readonly besideRoot: string;
  /** Runs a command inside, as root. */
  run(command: readonly string[], options?: RunOptions): Promise<Finished>;
  /**
   * Runs a command inside, as root, that must succeed.
   *
   * @returns what it wrote on stdout
   * @throws {Error} if its exit code is not 0, with what it wrote
   */
  succeed(command: readonly string[], options?: RunOptions): Promise<string>;
}

/**
 * @returns a Debian (bookworm, minbase, no srvAudit, nobody but its system's users) as nobody has touched it
 * @throws {Error} if it cannot be made, with what debootstrap said
 *
 * @example
 * ```ts
 * await using debian = await debianRoot();
 * await debian.succeed(["useradd", "--create-home", "alice"]);
 * await Deno.writeTextFile(`${debian.root}/etc/motd`, "hello\n");
 * ```
 */
export async function debianRoot(): Promise<DebianRoot> {
  const base = (await succeed([SCRIPT, "make"])).trim();
  const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: `satest${Deno.pid}.` });
  const holder = new Deno.Command(SCRIPT, {
    args: ["hold", base, folder],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = holder.stdout.getReader();
  const said = new TextDecoder().decode((await reader.read()).value);
  const pid = Number(said.trim());
  if (!pid) throw new Error(`${SCRIPT} hold ${base} ${folder} failed: see above`);
  const beside = ["nsenter", `--target=${pid}`, "--mount", "--pid"];
  const inside = [...beside, `--root=/proc/${pid}/root${folder}/root`, "--wdns=/"];
  return {
    root: `/proc/${pid}/root${folder}/root`,
    inside,
    beside,
    besideRoot: `${folder}/root`,
    run: (command, options) => run([...inside, ...command], { cwd: "/", ...options }),
    succeed: (command, options) => succeed([...inside, ...command], { cwd: "/", ...options }),
    async [Symbol.asyncDispose]() {
      await holder.stdin.close();
      await reader.cancel();
      await holder.status;
      await removeFolder(folder);
    },
  };
}
