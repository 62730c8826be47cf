/** Syslog by datagrams, over UDP (RFC 5426) or a unix socket of this host, and by the rare unix socket that is a stream. */

import { close, receive } from "../../posix/unix_socket.ts";
import { addressOf } from "../../posix/unix_socket.ts";
import { AF_UNIX, connectSocket, errorOfSocket, sendSome, unsentBytes } from "../../posix/client_socket.ts";
import { ERRNO, SystemCallError } from "../../posix/errno.ts";
import { lookUpHost, NameLookupError } from "../../posix/name_lookup.ts";
import { SinkUnavailableError } from "../sink.ts";
import { type Channel, Pauses } from "./channel.ts";
import { whyNotFound } from "./why_no_connection.ts";

const ENOENT = 2;
const EPROTOTYPE = 91;
const NEWLINE = 10;

/** Where a socket of the host's leads to. */
interface Open {
  fd: number;
  isStream: boolean;
}

/**
 * A socket that somebody on this host reads: a datagram each, or, where it is a stream, a line.
 *
 * The kernel says when all has been read; and since it says so, too, when the reader is gone, it is looked for once more then.
 */
export class UnixChannel implements Channel {
  #open: Open | undefined;

  constructor(readonly path: string) {}

  async send(messages: readonly Uint8Array<ArrayBuffer>[], signal: AbortSignal): Promise<readonly number[]> {
    try {
      const { fd, isStream } = this.#open ??= openPath(this.path);
      const tooLong = await sendAll(fd, isStream ? messages.map(line) : messages, signal);
      const pauses = new Pauses(signal);
      while (unsentBytes(fd) > 0) await pauses.next();
      if (isStream) this.#expectReader(fd);
      else this.#lookAgain();
      return tooLong;
    } catch (error) {
      this[Symbol.dispose]();
      throw unavailable(error, this.path);
    }
  }

  [Symbol.dispose](): void {
    if (this.#open) close(this.#open.fd);
    this.#open = undefined;
  }

  #expectReader(fd: number): void {
    if (receive(fd, new Uint8Array(1)) !== "again") throw new SystemCallError("recv", ERRNO.ECONNRESET);
  }

  #lookAgain(): void {
    const next = openPath(this.path);
    this[Symbol.dispose]();
    this.#open = next;
  }
}

/** Datagrams over UDP. Nobody knows whether they arrive; only that nobody listens there is sometimes said. */
export class UdpChannel implements Channel {
  #fd: number | undefined;

  constructor(readonly host: string, readonly port: number) {}

  async send(messages: readonly Uint8Array<ArrayBuffer>[], signal: AbortSignal): Promise<readonly number[]> {
    try {
      this.#fd ??= await this.#open();
      const tooLong = await sendAll(this.#fd, messages, signal);
      const code = errorOfSocket(this.#fd);
      if (code !== 0) throw new SystemCallError("send", code);
      return tooLong;
    } catch (error) {
      // The name may lead elsewhere by the next time.
      this[Symbol.dispose]();
      throw unavailable(error, `udp://${this.host}:${this.port}`);
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) close(this.#fd);
    this.#fd = undefined;
  }

  async #open(): Promise<number> {
    let failure: unknown;
    for (const { family, bytes } of await lookUpHost(this.host, this.port)) {
      try {
        return connectSocket(family, "datagram", bytes);
      } catch (error) {
        // No way to this one of its addresses: there may be one to the next.
        failure = error;
      }
    }
    throw failure;
  }
}

/** @returns the places of those that are too long */
async function sendAll(
  fd: number,
  messages: readonly Uint8Array<ArrayBuffer>[],
  signal: AbortSignal,
): Promise<number[]> {
  const tooLong: number[] = [];
  for (const [i, message] of messages.entries()) {
    let rest = message;
    // A receiver that does not read holds up nobody but its own news.
    for (const pauses = new Pauses(signal); rest.length > 0;) {
      const sent = sendSome(fd, rest);
      if (sent === "too long") tooLong.push(i);
      if (sent === "too long") break;
      if (sent === "again") await pauses.next();
      else rest = rest.subarray(sent);
    }
  }
  return tooLong;
}

/** As glibc does it: nearly all of them take datagrams. */
function openPath(path: string): Open {
  const address = addressOf(path);
  try {
    return { fd: connectSocket(AF_UNIX, "datagram", address), isStream: false };
  } catch (error) {
    if (!(error instanceof SystemCallError && error.code === EPROTOTYPE)) throw error;
    return { fd: connectSocket(AF_UNIX, "stream", address), isStream: true };
  }
}

/** No message has a line's end in it. */
function line(message: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...message, NEWLINE]);
}

function unavailable(error: unknown, where: string): unknown {
  if (error instanceof NameLookupError) {
    return new SinkUnavailableError(`syslog: ${whyNotFound(error)}`, { cause: error });
  }
  if (!(error instanceof SystemCallError)) return error;
  const why = error.code === ERRNO.ECONNREFUSED
    ? `nobody listens at ${where}: is the log's service running? See syslogURL`
    : error.code === ENOENT
    ? `there is no ${where}: is the log's service running? See syslogURL`
    : error.code === ERRNO.ECONNRESET || error.code === ERRNO.EPIPE
    ? `${where} has hung up`
    : `cannot send to ${where}: ${error.message}`;
  return new SinkUnavailableError(`syslog: ${why}`, { cause: error });
}
