/** Syslog over TCP (RFC 6587) and TLS (RFC 5425): messages with their length before them, on a connection that is kept. */

import { SinkUnavailableError } from "../sink.ts";
import { type Channel, orAborted } from "./channel.ts";
import { Connection, HungUpError, type Server } from "./connection.ts";
import { whyNoConnection } from "./why_no_connection.ts";

/** A connection that has had nothing to do for so long is closed: then it is known whether all has been read. */
const IDLE_MS = 5_000;
/** How long a receiver may take to read the rest, then. */
const FAREWELL_MS = 30_000;
/** After so many bytes that may be unread the receiver is asked to read them all, before it is sent more. */
const MOST_UNREAD_BYTES = 1024 * 1024;

/** A batch as it went. */
interface Sent {
  bytes: Uint8Array;
  /** It went a second time already, over a connection that was closed in order. */
  isRepeated: boolean;
}

/**
 * A kept connection. Neither TCP nor syslog says that a message was taken. A batch counts as delivered when the receiver's kernel has
 * acknowledged all of it. If the receiver ends before it has read that, it is lost there: so what may be unread is kept here, and sent once
 * more over the next connection, before anything new.
 */
export class StreamChannel implements Channel {
  readonly #server: Server;
  #connection: Connection | undefined;
  /** What the receiver may not have read, the oldest first. */
  #unread: Sent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The end of an idle connection, as long as it takes. */
  #farewell: Promise<void> = Promise.resolve();
  readonly #end = new AbortController();

  /** @param idleMs after how much time without anything to send the connection is closed, in milliseconds */
  constructor(server: Server, readonly idleMs: number = IDLE_MS) {
    this.#server = server;
  }

  /** Messages come without their lengths. */
  async send(messages: readonly Uint8Array<ArrayBuffer>[], signal: AbortSignal): Promise<readonly number[]> {
    clearTimeout(this.#timer);
    const bytes = framed(messages);
    try {
      await orAborted(this.#farewell, signal);
      if (this.#connection?.isOver) await this.#lose();
      if (this.#unreadBytes() > MOST_UNREAD_BYTES) await this.#finish(signal);
      const connection = this.#connection ??= await this.#open(signal);
      await connection.send(bytes, signal);
    } catch (error) {
      await this.#lose();
      throw this.#unavailable(error, signal);
    }
    this.#unread.push({ bytes, isRepeated: false });
    this.#timer = setTimeout(() => this.#farewell = this.#partIdle(), this.idleMs);
    return [];
  }

  /**
   * Waits until the receiver has read everything.
   *
   * @throws {SinkUnavailableError}
   */
  async settle(signal: AbortSignal): Promise<void> {
    clearTimeout(this.#timer);
    try {
      await orAborted(this.#farewell, signal);
      await this.#finish(signal);
    } catch (error) {
      await this.#lose();
      throw this.#unavailable(error, signal);
    }
  }

  [Symbol.dispose](): void {
    this.#end.abort(new Error("syslog is switched off"));
    this.#hangUp();
  }

  /** @throws what `Connection` does */
  async #open(signal: AbortSignal): Promise<Connection> {
    const connection = await Connection.open(this.#server, signal);
    try {
      for (const sent of this.#unread) {
        await connection.send(sent.bytes, signal);
        sent.isRepeated = true;
      }
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
    return connection;
  }

  /**
   * Ends the connection in order, so that the receiver shows that it has read everything.
   *
   * @throws {HungUpError} if it does not, and what `Connection` does
   */
  async #finish(signal: AbortSignal): Promise<void> {
    if (this.#unread.length === 0) return;
    const connection = this.#connection ??= await this.#open(signal);
    if (!await connection.finish(signal)) throw new HungUpError("it has hung up");
    this.#unread = [];
    this.#hangUp();
  }

  /**
   * Gives up a connection that has failed. Of one that was closed in order nearly everything was read, though not all of it may have been
   * kept: it goes once more, and not for ever.
   */
  async #lose(): Promise<void> {
    const connection = this.#connection;
    const isClosed = connection?.isOver && await connection.end === "closed";
    if (isClosed) this.#unread = this.#unread.filter(({ isRepeated }) => !isRepeated);
    this.#hangUp();
  }

  async #partIdle(): Promise<void> {
    try {
      await this.#finish(AbortSignal.any([this.#end.signal, AbortSignal.timeout(FAREWELL_MS)]));
    } catch {
      // It goes once more over the next connection.
      await this.#lose();
    }
  }

  #hangUp(): void {
    clearTimeout(this.#timer);
    this.#connection?.[Symbol.dispose]();
    this.#connection = undefined;
  }

  #unreadBytes(): number {
    return this.#unread.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  #unavailable(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return error;
    return new SinkUnavailableError(`syslog: ${whyNoConnection(error, this.#server)}`, { cause: error });
  }
}

/** RFC 6587, 3.4.1: each with the number of its bytes before it. */
function framed(messages: readonly Uint8Array[]): Uint8Array {
  const parts = messages.flatMap((message) => [new TextEncoder().encode(`${message.length} `), message]);
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
