/** One connection to a syslog server, plain or TLS: what it has acknowledged, and how it ends. */

import { descriptorOf, unsentBytes } from "../../posix/client_socket.ts";
import { type HostAddress, lookUpHost } from "../../posix/name_lookup.ts";
import { orAborted, Pauses } from "./channel.ts";

/** Whom to talk to. */
export interface Server {
  host: string;
  port: number;
  /** PEM texts of CAs that are trusted beside those that are built in; undefined for no TLS. */
  certificates: readonly string[] | undefined;
}

/** A connection that the other end has closed, or that broke. */
export class HungUpError extends Error {
  override name = "HungUpError";
}

/**
 * An open connection. Syslog servers say nothing: whatever they do is dropped. What can be known of them is that
 * their kernel has acknowledged what was sent, and, once they have closed an end, whether they have read it all: a socket that is closed
 * with something unread in it is reset (RFC 1122, 4.2.2.13; RFC 2525, 2.17), and one that was read to its end is closed in order.
 */
export class Connection implements Disposable {
  /** How it ended: "closed" in order, or "broken". Never rejects. */
  readonly end: Promise<"closed" | "broken">;
  /** Whether it has ended. */
  isOver = false;
  #isDisposed = false;

  private constructor(private readonly conn: Deno.TcpConn | Deno.TlsConn, private readonly fd: number) {
    this.end = this.#drain();
  }

  /**
   * @throws what says why there is none: Deno's errors, or NameLookupError
   */
  static async open(server: Server, signal: AbortSignal): Promise<Connection> {
    const addresses = await orAborted(lookUpHost(server.host, server.port), signal);
    let failure: unknown;
    for (const address of addresses) {
      try {
        return await openAt(address, server, signal);
      } catch (error) {
        signal.throwIfAborted();
        // The next of its addresses may be one that answers.
        failure = error;
      }
    }
    throw failure;

    async function openAt(
      { ip, bytes }: HostAddress,
      { host, port, certificates }: Server,
      signal: AbortSignal,
    ) {
      const tcp = await Deno.connect({ hostname: ip, port, signal });
      const fd = descriptorOf(tcp.localAddr.port, bytes);
      if (fd === undefined) {
        tcp.close();
        throw new HungUpError("it hung up at once");
      }
      // A receiver that has gone away without a word is noticed some time.
      tcp.setKeepAlive(true);
      if (!certificates) return new Connection(tcp, fd);
      const tls = await Deno.startTls(tcp, { hostname: host, caCerts: [...certificates] });
      await closedIfAborted(tls, signal, () => tls.handshake());
      return new Connection(tls, fd);
    }
  }

  /** Sends all of it, and waits until the other host has acknowledged it. @throws {HungUpError} and the signal's reason */
  async send(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#unlessOver(signal, async () => {
      for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await this.conn.write(rest));
    });
    const pauses = new Pauses(signal);
    while (this.#unsent() > 0) await pauses.next();
  }

  /**
   * Says that nothing more comes, and waits until the other end has closed, too.
   *
   * @returns whether it had read everything by then
   * @throws the signal's reason
   */
  async finish(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#unlessOver(signal, () => this.conn.closeWrite());
      await orAborted(this.end, signal);
    } catch (error) {
      if (!(error instanceof HungUpError)) throw error;
    }
    return (await this.end) === "closed";
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.isOver = true;
    this.conn.close();
  }

  #unsent(): number {
    // Its descriptor may be somebody else's as soon as it is closed.
    if (this.isOver) throw new HungUpError("it has hung up");
    return unsentBytes(this.fd);
  }

  async #unlessOver(signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
    if (this.isOver) throw new HungUpError("it has hung up");
    try {
      await closedIfAborted(this, signal, work);
    } catch (error) {
      signal.throwIfAborted();
      throw new HungUpError("it has hung up", { cause: error });
    }
  }

  async #drain(): Promise<"closed" | "broken"> {
    const buffer = new Uint8Array(4096);
    try {
      while (await this.conn.read(buffer) !== null);
      return "closed";
    } catch (error) {
      // A TLS server that closes without a word of it.
      return error instanceof Deno.errors.UnexpectedEof ? "closed" : "broken";
    } finally {
      this.isOver = true;
    }
  }
}

/** What is being waited for cannot be called off: closing what it waits on ends it. */
async function closedIfAborted<Result>(
  what: Disposable,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const close = () => what[Symbol.dispose]();
  signal.addEventListener("abort", close);
  try {
    return await work();
  } finally {
    signal.removeEventListener("abort", close);
  }
}
