/** One connection to a syslog server, plain or TLS: what it has acknowledged, and how it ends. */

import { descriptorOf, isEstablished, unsentBytes } from "../../posix/client_socket.ts";
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
 * An open connection. Syslog servers say nothing: whatever comes from them is dropped. What can be known of them is that their kernel
 * has acknowledged what was sent, and that they have read it: one that closes only when it is told that nothing more comes has come to
 * that by reading. One that ends unasked, or is killed, may have left something unread.
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
      try {
        await orAborted(tls.handshake(), signal);
        return new Connection(tls, fd);
      } catch (error) {
        tls.close();
        throw error;
      }
    }
  }

  /**
   * Sends all of it, and waits until the other host has acknowledged it. After a failure the connection is to be disposed of: that
   * ends what is still under way.
   *
   * @throws {HungUpError} and the signal's reason
   */
  async send(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    try {
      await orAborted(this.#write(bytes), signal);
      const pauses = new Pauses(signal);
      while (this.#unsent() > 0) await pauses.next();
    } catch (error) {
      signal.throwIfAborted();
      throw new HungUpError("it has hung up", { cause: error });
    }
  }

  /**
   * Says that nothing more comes, and waits until the other end has closed, too.
   *
   * @returns whether it did so because it was told to: then it has read everything
   * @throws the signal's reason, and Deno's errors
   */
  async finish(signal: AbortSignal): Promise<boolean> {
    // Deno does not say that it is told too late.
    if (this.isOver || !isEstablished(this.fd)) return false;
    await orAborted(this.conn.closeWrite(), signal);
    return await orAborted(this.end, signal) === "closed";
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.isOver = true;
    this.conn.close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await this.conn.write(rest));
  }

  #unsent(): number {
    // Its descriptor may be somebody else's as soon as it is closed.
    if (this.isOver) throw new HungUpError("it has hung up");
    return unsentBytes(this.fd);
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
