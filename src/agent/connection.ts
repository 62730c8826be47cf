/** One peer's connection: its requests one line after the other, its answers in the same order. */

import { ERRORS } from "../desk/protocol.ts";
import type { Poller, Ready } from "../posix/poller.ts";
import { close, receive, send } from "../posix/unix_socket.ts";
import { errorLine, LineBuffer, readRequest, type Request } from "./json_lines.ts";
import { costOf, type Limits, type Share } from "./limits.ts";
import type { Peer } from "./peer.ts";

/** What a connection needs of its server. */
export interface Host {
  readonly poller: Poller;
  readonly limits: Limits;
  /** Does what is asked for. @returns the line to send back; never fails */
  answer(peer: Peer, request: Request & { id: string | number | null }): Promise<Uint8Array<ArrayBuffer>>;
  /** Calls the connection's `advance` later: not before others had their turn, and its user a token. */
  postpone(connection: Connection): void;
  /** A request was begun. */
  used(connection: Connection): void;
  /** It is closed, and none of its requests is worked on any more. */
  ended(connection: Connection): void;
  /** Something failed that must not. */
  failed(error: unknown): void;
}

/** A long request costs its user one token more for each of these many bytes. */
const BYTES_A_TOKEN = 8192;

/** All connections read into this, one at a time: what is left of a line is kept by each of them. */
const incoming = new Uint8Array(64 * 1024);

/** A connection that was accepted. It watches itself, and ends itself when the peer is done or does what it must not. */
export class Connection {
  readonly #lines = new LineBuffer();
  #unsent: Uint8Array<ArrayBuffer>[] = [];
  /** Of answers that are ready, those included that others must go out before. */
  #readyBytes = 0;
  #inFlight = 0;
  /** Settles when all answers of the requests that were begun are handed over. */
  #answered = Promise.resolve();
  #hasInputEnded = false;
  #isClosed = false;
  #isReading = true;
  #isWriting = false;
  #activeMs = performance.now();
  /** Since when we have waited for the rest of a line. */
  #lineSinceMs: number | undefined;

  constructor(
    private readonly host: Host,
    private readonly fd: number,
    readonly peer: Peer,
    private readonly share: Share,
  ) {
    host.poller.watch(fd, { read: true }, (ready) => this.#guard(() => this.#onReady(ready)));
  }

  /** Whether no request of it is worked on. */
  get isIdle(): boolean {
    return this.#inFlight === 0;
  }

  /** For how long it has been idle, and nothing has come or gone; in milliseconds. */
  idleMs(nowMs: number): number {
    return this.isIdle ? nowMs - this.#activeMs : 0;
  }

  /** Begins requests that have come, as many as may be in flight at once, and no more: then others come first. */
  advance(): void {
    this.#guard(() => {
      this.#begin();
      this.#settle();
    });
  }

  /** Closes it if its peer has taken too long. */
  expire(nowMs: number): void {
    const { lineMs, idleMs } = this.host.limits;
    if (this.#lineSinceMs !== undefined && nowMs - this.#lineSinceMs > lineMs) {
      this.#lastWords(ERRORS.invalid, `a line must be whole within ${lineMs / 1000} seconds`);
    } else if (this.isIdle && nowMs - this.#activeMs > idleMs) {
      this.close();
    }
  }

  /** Closes it. What is in flight goes on, for nobody. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.host.poller.unwatch(this.fd);
    close(this.fd);
    this.#lines.clear();
    this.#unsent = [];
    this.#count(-this.#readyBytes);
    if (this.isIdle) this.host.ended(this);
  }

  #onReady(ready: Ready): void {
    if (ready.hungUp) return this.#hangUp();
    if (ready.writable) this.#flush();
    if (ready.readable) this.#read();
    this.#begin();
    this.#settle();
  }

  /** Nobody will read an answer. What was asked for before is still done, as far as it can begin now. */
  #hangUp(): void {
    while (this.#read() && this.#lines.size < this.host.limits.line);
    this.#begin();
    this.close();
  }

  /** @returns whether something came */
  #read(): boolean {
    if (this.#isClosed || this.#hasInputEnded) return false;
    const count = receive(this.fd, incoming);
    if (count === "again") return false;
    if (count === "gone" || count === 0) {
      // A peer that will send no more may still read its answers. What it left of a line is nothing.
      this.#hasInputEnded = true;
      return false;
    }
    this.#activeMs = performance.now();
    this.share.bucket.charge(count / BYTES_A_TOKEN);
    this.#lines.append(incoming.subarray(0, count));
    if (!this.#lines.hasLine && this.#lines.size >= this.host.limits.line) this.#refuseLongLine();
    return true;
  }

  /** Whether one more request may be begun, if there is one. */
  get #hasRoom(): boolean {
    // A peer that does not read its answers gets no further ones.
    return !this.#isClosed && this.#inFlight < this.host.limits.inFlight && this.#unsent.length === 0;
  }

  #begin(): void {
    while (this.#hasRoom && this.#lines.hasLine && this.share.bucket.take(performance.now())) {
      const line = this.#lines.take();
      this.#lineSinceMs = undefined;
      if (line === undefined) return;
      if (line.length >= this.host.limits.line) return this.#refuseLongLine();
      this.host.used(this);
      const request = readRequest(line);
      if ("error" in request) {
        this.#answer(Promise.resolve(errorLine(request.id, request.error.code, request.error.message)));
      } else if (request.id !== undefined) {
        // One token is taken already.
        this.share.bucket.charge(costOf(this.host.limits, request.method) - 1);
        this.#answer(this.host.answer(this.peer, { ...request, id: request.id }));
      }
      // Without an id it is a notification: JSON-RPC forbids a reply, and there is none that we know.
    }
  }

  #refuseLongLine(): void {
    this.#lines.clear();
    this.#hasInputEnded = true;
    const message = `a line has ${this.host.limits.line} bytes at most`;
    this.#answer(Promise.resolve(errorLine(null, ERRORS.invalid, message)));
  }

  #answer(line: Promise<Uint8Array<ArrayBuffer>>): void {
    this.#inFlight++;
    const ready = line.then((bytes) => {
      this.#guard(() => this.#makeReady(bytes.length));
      return bytes;
    });
    this.#answered = this.#answered.then(async () => {
      const bytes = await ready;
      this.#inFlight--;
      this.#guard(() => {
        this.#activeMs = performance.now();
        this.#send(bytes);
        this.#settle();
      });
      if (this.#isClosed && this.isIdle) this.host.ended(this);
    });
  }

  /** A user whose answers pile up does not read them: then there is no use in this one. */
  #makeReady(length: number): void {
    if (this.#isClosed) return;
    const waiting = this.share.unsentBytes;
    if (waiting > 0 && waiting + length > this.host.limits.unsent) return this.close();
    this.#count(length);
  }

  #count(bytes: number): void {
    this.#readyBytes += bytes;
    this.share.unsentBytes += bytes;
  }

  #send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isClosed) return;
    this.#unsent.push(bytes);
    if (this.#unsent.length === 1) this.#flush();
  }

  #flush(): void {
    while (!this.#isClosed) {
      const [first] = this.#unsent;
      if (first === undefined) return;
      const count = send(this.fd, first);
      if (count === "again") return;
      if (count === "gone") return this.close();
      this.#activeMs = performance.now();
      this.#count(-count);
      if (count === first.length) this.#unsent.shift();
      else this.#unsent[0] = first.subarray(count);
    }
  }

  /** Decides what to wait for next. */
  #settle(): void {
    if (this.#isClosed) return;
    const { hasLine } = this.#lines;
    if (this.#hasInputEnded && this.isIdle && !hasLine && this.#unsent.length === 0) return this.close();
    const nowMs = performance.now();
    const wantsMore = this.#hasRoom && !hasLine && !this.#hasInputEnded;
    const isReading = wantsMore && this.share.bucket.waitMs(nowMs) === 0;
    if ((this.#hasRoom && hasLine) || (wantsMore && !isReading)) this.host.postpone(this);
    const isWriting = this.#unsent.length > 0;
    if (isReading !== this.#isReading || isWriting !== this.#isWriting) {
      this.host.poller.change(this.fd, { read: isReading, write: isWriting });
      this.#isReading = isReading;
      this.#isWriting = isWriting;
    }
    // The peer is not to blame for the time in which we did not read.
    this.#lineSinceMs = isReading && this.#lines.size > 0 ? this.#lineSinceMs ?? nowMs : undefined;
  }

  #lastWords(code: number, message: string): void {
    send(this.fd, errorLine(null, code, message));
    this.close();
  }

  /** Keeps what goes wrong with this connection from the others. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.host.failed(error);
      this.close();
    }
  }
}
