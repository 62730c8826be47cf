/**
 * A Debian that a real systemd has booted, with its journal, its logind and its sshd: a test's own, and gone with it.
 *
 * systemd is the first process of a pid namespace, in cgroups and with a network of its own; what it changes on its disk is
 * kept in memory. The kernel is the machine's, which it can look at alone. Needs root, debootstrap and what
 * `systemd_host.sh -n` tries: `testThatNeeds(["root", "debootstrap", "systemd"], ...)`.
 */

import { type Finished, run, type RunOptions, succeed } from "./run.ts";
import { until } from "./sshd.ts";

const SCRIPT = new URL("systemd_host.sh", import.meta.url).pathname;

/** A host that is up until it is disposed of. */
export class SystemdHost implements AsyncDisposable {
  /** Its first process, as this machine counts. */
  #pid = 0;

  private constructor(
    private readonly holder: Deno.ChildProcess,
    private readonly boots: ReadableStreamDefaultReader<string>,
  ) {}

  /**
   * Boots a Debian (bookworm, no srvAudit, nobody but its system's users) with systemd, dbus, logind and sshd: some three
   * seconds. The first one that is asked for on a machine takes a minute, and the network.
   *
   * @returns when it is up
   * @throws {Error} if it cannot be made, or does not come up
   */
  static async boot(): Promise<SystemdHost> {
    const layers = (await succeed([SCRIPT, "make"])).trim();
    const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: `satest${Deno.pid}.` });
    const holder = new Deno.Command(SCRIPT, {
      args: ["hold", layers, folder],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const host = new SystemdHost(holder, holder.stdout.pipeThrough(new TextDecoderStream()).getReader());
    try {
      await host.#comesUp();
      return host;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where its files are seen from outside: what stands before `/etc`. */
  get root(): string {
    return `/proc/${this.#pid}/root`;
  }

  /** The words that stand before a command to run it inside, as root, from `/`: for a program that is not run by `run`. */
  get inside(): readonly string[] {
    return [SCRIPT, "enter", String(this.#pid)];
  }

  /** Runs a command inside, as root. */
  run(command: readonly string[], options?: RunOptions): Promise<Finished> {
    return run([...this.inside, ...command], { cwd: "/", ...options });
  }

  /**
   * Runs a command inside, as root, that must succeed.
   *
   * @returns what it wrote on stdout
   * @throws {Error} if its exit code is not 0, with what it wrote
   */
  succeed(command: readonly string[], options?: RunOptions): Promise<string> {
    return succeed([...this.inside, ...command], { cwd: "/", ...options });
  }

  /**
   * Has it reboot, as an admin does: its disk stays, all processes end, and its clock since the boot begins anew.
   *
   * @returns when it is up again
   */
  async reboot(): Promise<void> {
    // It may be gone before it has answered.
    await this.run(["systemctl", "reboot"]);
    await this.#comesUp();
  }

  /** A property of a unit, as systemd has it. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.succeed(["systemctl", "show", "--value", `--property=${name}`, unit])).trim();
  }

  /** Ends all of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.holder.stdin.close();
    await this.boots.cancel();
    await this.holder.status;
  }

  async #comesUp(): Promise<void> {
    this.#pid = Number((await this.boots.read()).value);
    if (!this.#pid) throw new Error(`${SCRIPT} hold failed: see above`);
    await until("a systemd that is up", async () => {
      // Until systemd listens there is nobody who could say that it is not up yet.
      const { text } = await this.run(["systemctl", "is-system-running", "--wait"]);
      return /^(running|degraded)$/m.test(text);
    });
  }
}
