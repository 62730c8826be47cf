/**
 * Interactive programs on a real pseudo-terminal, driven by what they print: nothing here sleeps.
 *
 * util-linux's script(1) holds the terminal. It is killed for a hang-up, which is what the kernel does to a session
 * whose terminal goes away.
 */

import { processOf } from "../../src/posix/process.ts";

/** How a program is started. */
export interface StartOptions {
  /** Where it starts; this process's folder by default. */
  directory?: string;
  /** Its argv[0], as in `-zsh` for a login shell; the program's path by default. */
  argv0?: string;
  /** How wide its terminal is; 200 columns by default. */
  columns?: number;
  /** How long `expect` and `close` wait before they give up: a limit for a test that fails, 20 s by default. */
  patienceMs?: number;
}

/** A program on a terminal of its own. */
export interface Terminal extends AsyncDisposable {
  /** Types a text, byte for byte: `\r` is Enter, `\x03` Ctrl-C, `\x04` Ctrl-D. */
  send(text: string): Promise<void>;
  /**
   * Waits for output that nobody has expected yet.
   *
   * @param pattern what to wait for
   * @param patienceMs how long, if not as long as usual
   * @returns everything from the last match to the end of this one
   * @throws {Error} with the whole transcript, if the program ends or falls silent before
   */
  expect(pattern: RegExp, patienceMs?: number): Promise<string>;
  /** Everything that was printed so far, echoes and escape sequences included. */
  transcript(): string;
  /** Takes the terminal away, as a dropped connection does, and waits until the program is gone. */
  hangUp(): Promise<void>;
  /** Waits for the program's end. @returns its exit code, 128 + N where signal N ended it */
  close(): Promise<number>;
}

/**
 * Starts a program on a new pseudo-terminal.
 *
 * @param program its path, or a name to be found in the PATH of `env`
 * @param args its arguments
 * @param env its whole environment; nothing is inherited. TERM is `xterm` where it is not given.
 *
 * @example
 * ```ts
 * await using terminal = start("zsh", ["-f"], { PS1: "READY> ", PATH: "/usr/bin:/bin" });
 * await terminal.expect(/READY> $/);
 * await terminal.send("echo $((6 * 7))\r");
 * await terminal.expect(/^42/m);
 * await terminal.send("exit 3\r");
 * assert.equal(await terminal.close(), 3);
 * ```
 */
export function start(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: StartOptions = {},
): Terminal {
  const exports = Object.entries({ TERM: "xterm", ...env }).map(([name, value]) => `${name}=${quote(value)}`);
  // script(1) hands its command to $SHELL -c. bash it is, since only bash can choose argv[0]; its own variables go.
  const command = [
    `stty rows 50 cols ${options.columns ?? 200}`,
    "unset SHELL SHLVL OLDPWD PWD _",
    `export ${exports.join(" ")}`,
    `exec -a ${quote(options.argv0 ?? program)} ${[program, ...args].map(quote).join(" ")}`,
  ].join("; ");
  const child = new Deno.Command("script", {
    args: ["--quiet", "--flush", "--return", "--echo", "always", "--command", command, "/dev/null"],
    clearEnv: true,
    env: { SHELL: "/bin/bash", PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" },
    ...(options.directory === undefined ? {} : { cwd: options.directory }),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return new ScriptTerminal(child, options.patienceMs ?? 20_000);
}

/** script(1) has one child: the program. */
function childOf(pid: number): number | undefined {
  try {
    return Number(Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).split(" ")[0]) || undefined;
  } catch {
    // script itself has ended.
    return undefined;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

class ScriptTerminal implements Terminal {
  #printed = "";
  #expected = 0;
  #ended = false;
  /** Wakes whoever waits for more output, or for its end. */
  #news = Promise.withResolvers<void>();
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #child: Deno.ChildProcess;
  readonly #patienceMs: number;

  constructor(child: Deno.ChildProcess, patienceMs: number) {
    this.#child = child;
    this.#patienceMs = patienceMs;
    this.#input = child.stdin.getWriter();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child.stdout) {
      this.#printed += decoder.decode(bytes, { stream: true });
      this.#announce();
    }
    this.#ended = true;
    this.#announce();
  }

  #announce(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }

  async send(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  async expect(pattern: RegExp, patienceMs = this.#patienceMs): Promise<string> {
    using patience = new Patience(patienceMs);
    while (true) {
      const fresh = this.#printed.slice(this.#expected);
      const found = new RegExp(pattern, pattern.flags.replace(/[gy]/g, "")).exec(fresh);
      if (found) {
        const end = found.index + found[0].length;
        this.#expected += end;
        return fresh.slice(0, end);
      }
      if (this.#ended) throw this.#failure(`the program ended before ${pattern}`);
      if (!await patience.until(this.#news.promise)) throw this.#failure(`no ${pattern} in time`);
    }
  }

  transcript(): string {
    return this.#printed;
  }

  async hangUp(): Promise<void> {
    const program = childOf(this.#child.pid);
    this.#kill();
    await this.#reading;
    await this.#finish();
    if (program !== undefined) await this.#gone(program);
  }

  /** Of a process that is not its child, a process is told nothing: so this one does look again and again. */
  async #gone(pid: number): Promise<void> {
    const deadline = Date.now() + this.#patienceMs;
    while (processOf(pid)) {
      if (Date.now() > deadline) throw this.#failure("the program did not end when it was hung up");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async close(): Promise<number> {
    using patience = new Patience(this.#patienceMs);
    if (!await patience.until(this.#reading)) {
      const failure = this.#failure("the program did not end in time");
      await this.hangUp();
      throw failure;
    }
    return await this.#finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await this.hangUp();
    else await this.#finish();
  }

  #kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself: all the better.
    }
  }

  async #finish(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#child.stderr.cancel().catch(() => {});
    await this.#input.abort().catch(() => {});
    return code;
  }

  #failure(what: string): Error {
    return new Error(`${what}; transcript:\n${JSON.stringify(this.#printed)}`);
  }
}

/** A limit to waiting, and its timer. */
class Patience implements Disposable {
  readonly #over = Promise.withResolvers<false>();
  readonly #timer: number;

  constructor(limitMs: number) {
    this.#timer = setTimeout(() => this.#over.resolve(false), limitMs);
  }

  /** @returns whether it came before patience was over */
  async until(event: Promise<void>): Promise<boolean> {
    return await Promise.race([event.then(() => true), this.#over.promise]);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
