/** A copy of this machine with srvAudit on it, and a second sshd that goes by `/etc/ssh/sshd_config`, as the system's own does. */

import type { Who } from "../../src/install/answers.ts";
import type { Forced } from "../../src/install/choose_forced.ts";
import type { Left, Preview } from "../../src/install/change.ts";
import type { ForceBefore } from "../../src/install/kinds/force_command.ts";
import { type Finished, run, type RunOptions, succeed } from "./run.ts";
import { type HostOptions, TestHost, type TestUser, until } from "./sshd.ts";

const STEPS = new URL("force_command.ts", import.meta.url).pathname;
const PID_FILE = "/run/satest-sshd.pid";
/** It must not take the machine's own sshd for the one that is to be told: the pid file is its own, whatever the test writes. */
const OWN_LINES = `PidFile ${PID_FILE}\n`;

/** The host, and what an installer does to its sshd. */
export class ForcedHost implements AsyncDisposable {
  #port = 0;

  private constructor(readonly host: TestHost) {}

  /** @param options as for any host; it is an installed one */
  static async start(options: HostOptions = {}): Promise<ForcedHost> {
    const forced = new ForcedHost(await TestHost.start({ ...options, installed: true }));
    await forced.configure("Include /etc/ssh/sshd_config.d/*.conf\n");
    return forced;
  }

  /** Writes sshd_config: the lines that every test needs, and the test's own behind them. */
  async configure(text: string | Uint8Array<ArrayBuffer>): Promise<void> {
    const own = new TextEncoder().encode(OWN_LINES);
    const rest = typeof text === "string" ? new TextEncoder().encode(text) : text;
    await this.write("/etc/ssh/sshd_config", new Uint8Array([...own, ...rest]));
  }

  /** Starts the second sshd, with the first one's keys. */
  async listen(): Promise<void> {
    const { folder } = this.host;
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#port = listener.addr.port;
    listener.close();
    // What stands on the command line counts first, and nothing of it is what tests look at.
    const options = [
      `Port=${this.#port}`,
      "ListenAddress=127.0.0.1",
      `HostKey=${folder}/host_key`,
      `AuthorizedKeysFile=${folder}/user_key.pub`,
      "StrictModes=no",
      "UsePAM=no",
      "PasswordAuthentication=no",
      "UseDNS=no",
      "MaxStartups=100",
    ].flatMap((option) => ["-o", option]);
    await this.root(["mkdir", "-p", "/run/sshd"]);
    // Its standard error is nobody's: whoever waits for its end would wait for the daemon's.
    await this.root(["sh", "-c", '"$@" >/dev/null 2>&1', "sh", "/usr/sbin/sshd", ...options]);
    await until("the second sshd's pid file", () => this.exists(PID_FILE));
  }

  /** Runs `ssh USER@HOST ARGS...` to the second sshd. */
  ssh(
    user: TestUser,
    args: readonly string[],
    options: RunOptions & { flags?: string[] } = {},
  ): Promise<Finished> {
    return this.host.ssh(user, args, {
      ...options,
      flags: ["-p", String(this.#port), ...options.flags ?? []],
    });
  }

  /** What stands before the destination for the second sshd. */
  get flags(): string[] {
    return ["-o", `Port=${this.#port}`];
  }

  /** Runs a step of the change; throws what it threw. */
  async isDone(match: string): Promise<boolean> {
    return JSON.parse(await this.step("isDone", match));
  }

  async before(match: string): Promise<ForceBefore> {
    return JSON.parse(await this.step("before", match));
  }

  async preview(match: string): Promise<Preview[]> {
    return JSON.parse(await this.step("preview", match));
  }

  async apply(match: string): Promise<void> {
    await this.step("apply", match);
  }

  async undo(match: string, before: ForceBefore): Promise<Left[]> {
    return JSON.parse(await this.step("undo", match, before));
  }

  async choose(who: Who): Promise<Forced | undefined> {
    return JSON.parse(await this.step("choose", who)) ?? undefined;
  }

  /** @returns the names of those whom `hello` would be tried out as */
  async tried(who: Who): Promise<string[]> {
    return JSON.parse(await this.step("tried", who));
  }

  private async step(step: string, ...values: unknown[]): Promise<string> {
    const words = [Deno.execPath(), "run", "-A", "--no-check", STEPS, step];
    const env = { DENO_DIR: Deno.env.get("DENO_DIR") ?? "", DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
    const command = this.host.asRoot([...words, ...values.map((value) => JSON.stringify(value))]);
    const { code, text, errors } = await run(command, { env });
    if (code !== 0) throw new Error(errors);
    return text;
  }

  /** Runs a command as root in the copy. @returns what it wrote */
  root(command: readonly string[]): Promise<string> {
    return succeed(this.host.asRoot(command));
  }

  /** All that there is in `/etc/ssh`, with modes, owners and sums. */
  listing(): Promise<string> {
    return this.root([
      "sh",
      "-c",
      "cd /etc/ssh && find . -printf '%p %m %u %g %y %l\\n' | sort && find . -type f | sort | xargs sha256sum",
    ]);
  }

  async exists(path: string): Promise<boolean> {
    return await Deno.stat(this.host.root + path).then(() => true, () => false);
  }

  read(path: string): Promise<string> {
    return Deno.readTextFile(this.host.root + path);
  }

  async write(path: string, text: string | Uint8Array<ArrayBuffer>): Promise<void> {
    if (typeof text === "string") await Deno.writeTextFile(this.host.root + path, text);
    else await Deno.writeFile(this.host.root + path, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (await this.exists(PID_FILE)) Deno.kill(Number(await this.read(PID_FILE)), "SIGTERM");
    await this.host[Symbol.asyncDispose]();
  }
}
