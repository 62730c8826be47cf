/** The real agent of a test host: `srvaudit agent`, as root, with the host's own places. */

import { processOf } from "../../src/posix/process.ts";
import { succeed } from "./run.ts";
import { type TestHost, until } from "./sshd.ts";

/** An agent that runs until it is disposed of, and can be killed and started meanwhile. */
export class TestAgent implements AsyncDisposable {
  #process: Deno.ChildProcess | undefined;
  #said = "";
  #reading: Promise<void> = Promise.resolve();

  private constructor(readonly host: TestHost) {}

  /**
   * Starts an agent, and waits until it serves.
   *
   * @param config lines for `/etc/srvaudit/config`, in place of what is there
   */
  static async start(host: TestHost, config?: readonly string[]): Promise<TestAgent> {
    if (config) await TestAgent.configure(host, config);
    const agent = new TestAgent(host);
    await agent.start();
    return agent;
  }

  /** Writes `/etc/srvaudit/config`. A running agent reads it at SIGHUP. */
  static async configure(host: TestHost, config: readonly string[]): Promise<void> {
    await Deno.writeTextFile(`${host.root}/etc/srvaudit/config`, config.join("\n") + "\n");
  }

  /** Starts it (again), and waits until it serves. @throws {Error} with what it said, if it ends instead */
  async start(): Promise<void> {
    const [program = "", ...args] = this.host.asRoot([this.host.program("srvaudit"), "agent"]);
    const process = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "piped" })
      .spawn();
    this.#process = process;
    const from = this.#said.length;
    this.#reading = this.#read(process.stderr);
    let isOver = false;
    process.status.then(() => isOver = true);
    await until("an agent that serves", () => {
      if (isOver) throw new Error(`the agent ended:\n${this.#said.slice(from)}`);
      return Promise.resolve(this.#said.includes("serving", from));
    });
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.#said += text;
  }

  /** What it said on stderr so far. */
  get said(): string {
    return this.#said;
  }

  get pid(): number {
    if (!this.#process) throw new Error("the agent does not run");
    return this.#process.pid;
  }

  /** Sends a signal, and goes on at once. */
  signal(signal: Deno.Signal): void {
    Deno.kill(this.pid, signal);
  }

  /** Ends it, and waits until it is gone. @returns its exit code */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    const process = this.#process;
    this.#process = undefined;
    if (!process) return 0;
    if (processOf(process.pid)) process.kill(signal);
    const { code } = await process.status;
    await this.#reading;
    return code;
  }

  /** Asks the evidence, with sqlite3(1): a reader that is not ours. */
  async ask<Row>(sql: string): Promise<Row[]> {
    // An installed host has mounts of its own: sqlite3 finds the real path of what it opens in them alone.
    const words = [
      "sh",
      "-c",
      'cd "$1" && sqlite3 -readonly -json -cmd ".timeout 5000" evidence.db "$2"',
      "sh",
    ];
    const text = await succeed(this.host.asRoot([...words, `${this.host.root}/var/lib/srvaudit`, sql]));
    return text.trim() === "" ? [] : JSON.parse(text);
  }

  /** Waits until the evidence has rows for a question. */
  async find<Row>(what: string, sql: string): Promise<Row[]> {
    return await until(what, async () => {
      const rows = await this.ask<Row>(sql);
      return rows.length > 0 && rows;
    });
  }

  /** Waits until a command is in evidence, and its end. */
  async findCommand(text: string): Promise<void> {
    await this.find(
      `the command ${text}`,
      `select 1 from commands c join srvaudit_commands x on x.command_id = c.id
      where c.command = '${text.replaceAll("'", "''")}' and x.end_us is not null`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}
