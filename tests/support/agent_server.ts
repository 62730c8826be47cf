/** A server of the agent's, at work, and a peer of it that says what it likes. */

import { LineBuffer } from "../../src/agent/json_lines.ts";
import { type Handle, Server, type ServerOptions } from "../../src/agent/server.ts";
import { waitReadable } from "../../src/posix/libc.ts";
import { Poller } from "../../src/posix/poller.ts";

/** A server, and what it said that no peer is to blame for. */
export class TestServer implements AsyncDisposable {
  readonly errors: Error[] = [];
  readonly path: string;
  readonly server: Server;
  readonly #folder = Deno.makeTempDirSync();
  readonly #poller = new Poller();
  /** How often the server has woken up. */
  turns = 0;
  #running = Promise.resolve();
  #hasEnded = false;

  /** Listens. It answers no one before `run`. */
  constructor(handle: Handle, limits: ServerOptions["limits"] = {}) {
    Deno.chmodSync(this.#folder, 0o755);
    this.path = `${this.#folder}/agent.sock`;
    const onError = (error: Error) => this.errors.push(error);
    this.server = new Server(this.#poller, this.path, handle, { limits, onError });
  }

  /** A server that is at work. */
  static start(handle: Handle, limits: ServerOptions["limits"] = {}): TestServer {
    const server = new TestServer(handle, limits);
    server.run();
    return server;
  }

  run(): void {
    this.#running = (async () => {
      for (; !this.#hasEnded; this.turns++) await this.#poller.turn(Infinity);
    })();
  }

  connect(): Promise<TestPeer> {
    return TestPeer.connect(this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    this.server[Symbol.dispose]();
    this.#hasEnded = true;
    this.#poller.wake();
    await this.#running;
    this.#poller[Symbol.dispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** A reply as it came, taken for one. */
export interface SomeReply {
  jsonrpc: string;
  id: unknown;
  result?: unknown;
  error?: { code: number; message: string };
}

const encoder = new TextEncoder();

/** The other end. */
export class TestPeer implements Disposable {
  readonly #lines = new LineBuffer();
  #isClosed = false;

  private constructor(readonly connection: Deno.UnixConn) {}

  static async connect(path: string): Promise<TestPeer> {
    return new TestPeer(await Deno.connect({ transport: "unix", path }));
  }

  /** Sends bytes, as they are. @throws {Error} if the server has closed */
  async send(bytes: string | Uint8Array): Promise<void> {
    let rest = typeof bytes === "string" ? encoder.encode(bytes) : bytes;
    while (rest.length > 0) rest = rest.subarray(await this.connection.write(rest));
  }

  /** Sends a request. */
  async ask(id: string | number | null, method: string, params: unknown = {}): Promise<void> {
    await this.send(requestLine(id, method, params));
  }

  /**
   * The next reply, or undefined if the server has closed.
   *
   * @throws {Error} if neither comes in twenty seconds
   */
  async reply(): Promise<SomeReply | undefined> {
    const timer = setTimeout(() => this[Symbol.dispose](), 20_000);
    try {
      return await this.#read();
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(): Promise<SomeReply | undefined> {
    const buffer = new Uint8Array(64 * 1024);
    while (true) {
      const line = this.#lines.take();
      if (line) return JSON.parse(new TextDecoder().decode(line));
      let count: number | null;
      try {
        count = await this.connection.read(buffer);
      } catch (error) {
        // It closed with bytes of ours unread: that is how the kernel says so.
        if (error instanceof Deno.errors.ConnectionReset) return undefined;
        throw error;
      }
      if (count === null) return undefined;
      this.#lines.append(buffer.subarray(0, count));
    }
  }

  /** So many replies, or as many as there are. */
  async replies(count = Infinity): Promise<SomeReply[]> {
    const replies: SomeReply[] = [];
    while (replies.length < count) {
      const reply = await this.reply();
      if (!reply) break;
      replies.push(reply);
    }
    return replies;
  }

  /** Says that it will send no more. */
  async endInput(): Promise<void> {
    await this.connection.closeWrite();
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.connection.close();
  }
}

export function requestLine(id: string | number | null, method: string, params: unknown = {}): string {
  return `${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`;
}

// libc is opened at its first use, once: within a test Deno would take that for a leak.
waitReadable(0, 0);
{
  await using warm = TestServer.start(() => Promise.resolve(null));
  using peer = await warm.connect();
  await peer.ask(1, "warm");
  await peer.reply();
}
