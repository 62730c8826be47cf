/** A network that fails: a TCP proxy in front of a server, which delays, hangs, cuts, resets and counts. */

/** How answers pass through; what is not said is not done. */
export interface Faults {
  /** Every answer waits for so long, in milliseconds. */
  delayMs?: number;
  /** Requests go through, and no answer comes, as long as the connection is there. */
  hang?: boolean;
  /** An answer is cut after so many bytes, and its connection closed. */
  cutAfterBytes?: number;
  /** Connections are closed as soon as something is asked; the server does not see it. */
  drop?: boolean;
  /** Everything that is asked gets this answer, with an empty body; the server does not see it. */
  answer?: { status: number; headers?: Readonly<Record<string, string>> };
  /** The same from when the server has answered: it has done what it was asked to, and nobody is told. */
  dropAnswers?: boolean;
}

/** What has passed. */
export interface Traffic {
  connections: number;
  /** HTTP/1.1 requests, by their first lines. */
  requests: number;
  /** Bytes of requests. */
  sent: number;
  /** Bytes of answers that were passed on. */
  received: number;
}

const REQUEST_LINE = /(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS) [^\r\n ]+ HTTP\/1\.[01]\r\n/g;

/**
 * Stands in front of a server on loopback.
 *
 * @example
 * ```ts
 * using proxy = new BrokenProxy(redmine.url);
 * proxy.faults = { hang: true };
 * await assert.rejects(ask(proxy.url));
 * proxy.faults = {};
 * ```
 */
export class BrokenProxy implements Disposable {
  /** From now on; for connections that are there, too. */
  faults: Faults = {};
  traffic: Traffic = { connections: 0, requests: 0, sent: 0, received: 0 };
  /** Every request line, such as `GET /issues/17.json?include=journals`, in order. */
  readonly asked: string[] = [];
  /** All that was sent, a character a byte, from when it is set to a text. */
  transcript: string | undefined;
  /** Where to ask in place of the server. */
  readonly url: string;
  readonly #port: number;
  #listener: Deno.TcpListener | undefined;
  readonly #target: URL;
  readonly #open = new Set<Deno.TcpConn>();
  /** @param target the server's address: `http://127.0.0.1:3000` or with a path */
  constructor(target: string) {
    this.#target = new URL(target);
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#port = (this.#listener.addr as Deno.NetAddr).port;
    this.url = `http://127.0.0.1:${this.#port}${this.#target.pathname.replace(/\/$/, "")}`;
    this.#accept(this.#listener);
  }

  /** Connections are refused, and those that are there are closed, until `listen`. */
  refuse(): void {
    this.#listener?.close();
    this.#listener = undefined;
    this.hangUp();
  }

  /** Takes connections again. */
  listen(): void {
    if (this.#listener) return;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.#port });
    this.#accept(this.#listener);
  }

  /** Nobody is let in any more: connections are refused, and those that are there are closed. */
  [Symbol.dispose](): void {
    this.refuse();
  }

  /** Closes all connections that are there. */
  hangUp(): void {
    for (const connection of this.#open) close(connection);
    this.#open.clear();
  }

  /** Begins to count anew. */
  reset(): void {
    this.traffic = { connections: 0, requests: 0, sent: 0, received: 0 };
    this.asked.length = 0;
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    try {
      for await (const client of listener) this.#serve(client);
    } catch {
      // Closed.
    }
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    this.traffic.connections += 1;
    this.#open.add(client);
    let server: Deno.TcpConn | undefined;
    try {
      server = await Deno.connect({ hostname: this.#target.hostname, port: Number(this.#target.port || 80) });
      this.#open.add(server);
      await Promise.race([this.#pass(client, server), this.#answer(server, client)]);
    } catch {
      // One of the two has gone.
    } finally {
      for (const connection of [client, server]) {
        if (!connection) continue;
        close(connection);
        this.#open.delete(connection);
      }
    }
  }

  async #pass(client: Deno.TcpConn, server: Deno.TcpConn): Promise<void> {
    const decoder = new TextDecoder("latin1");
    // A request's first line may come in two pieces.
    let tail = "";
    for await (const piece of pieces(client)) {
      const text = tail + decoder.decode(piece);
      let seen = 0;
      for (const match of text.matchAll(REQUEST_LINE)) {
        this.traffic.requests += 1;
        this.asked.push(match[0].replace(/ HTTP.*\r\n$/, ""));
        seen = match.index + match[0].length;
      }
      tail = text.slice(Math.max(seen, text.lastIndexOf("\n") + 1));
      this.traffic.sent += piece.length;
      if (this.transcript !== undefined) this.transcript += decoder.decode(piece);
      if (this.faults.drop) return;
      const { answer } = this.faults;
      if (!answer) await writeAll(server, piece);
      else if (seen > 0) await writeAll(client, emptyAnswer(answer));
    }
  }

  async #answer(server: Deno.TcpConn, client: Deno.TcpConn): Promise<void> {
    let passed = 0;
    for await (const piece of pieces(server)) {
      const { delayMs = 0, hang, cutAfterBytes = Infinity, dropAnswers } = this.faults;
      if (dropAnswers) return;
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      if (hang) continue;
      const part = piece.subarray(0, Math.max(0, cutAfterBytes - passed));
      await writeAll(client, part);
      passed += part.length;
      this.traffic.received += part.length;
      if (passed >= cutAfterBytes) return;
    }
  }
}

/** Whoever gets it closes the connection. */
function emptyAnswer({ status, headers = {} }: NonNullable<Faults["answer"]>): Uint8Array {
  const all = Object.entries({ ...headers, "content-length": "0", connection: "close" });
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return new TextEncoder().encode(`HTTP/1.1 ${status} by the test's wish\r\n${lines}\r\n`);
}

async function* pieces(connection: Deno.TcpConn): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(65536);
  while (true) {
    const length = await connection.read(buffer);
    if (length === null) return;
    yield buffer.slice(0, length);
  }
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += await connection.write(bytes.subarray(written));
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It was already.
  }
}
