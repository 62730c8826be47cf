/**
 * The agent's socket: JSON-RPC 2.0, one object a line, for every user of the host.
 *
 * All users are strangers to each other here, and one of them may be hostile: each limit is one user's own, and whoever
 * meets it costs nobody else anything.
 */

import { ERRORS } from "../desk/protocol.ts";
import type { Poller } from "../posix/poller.ts";
import { accept, close, credentialsOfPeer, listen, send } from "../posix/unix_socket.ts";
import { Connection, type Host } from "./connection.ts";
import { errorLine, type Request, resultLine } from "./json_lines.ts";
import { type Limits, type Share, TokenBucket, usualLimits } from "./limits.ts";
import { identify, type Peer } from "./peer.ts";

export type { Peer } from "./peer.ts";
export type { Limits } from "./limits.ts";

/**
 * Does what a peer asks for.
 *
 * @param params an object, whose members nobody has looked at yet
 * @returns what JSON can say; undefined is said as null
 * @throws {RequestError} what the peer may know; anything else goes to `onError`, and the peer hears only that it failed
 */
export type Handle = (peer: Peer, method: string, params: unknown) => Promise<unknown>;

/** Why a request is not done, in words for the peer. */
export class RequestError extends Error {
  override name = "RequestError";

  /** @param code one of `ERRORS` of the protocol */
  constructor(readonly code: number, message: string) {
    super(message);
  }
}

/** What can be chosen of a server. */
export interface ServerOptions {
  /** Others than the usual ones. */
  limits?: Partial<Limits>;
  /** Hears of what no peer is to blame for; stderr by default. */
  onError?: (error: Error) => void;
}

interface User extends Share {
  readonly connections: Set<Connection>;
}

const ACCEPTED_A_TURN = 64;
const PAUSE_MS = 1000;
/** A timer takes more than 24 days for none. */
const LONGEST_WAIT_MS = 60_000;
const ROOT = 0;
const BUSY = "too many connections: try again soon";

/**
 * Listens, from its making to its disposal. It works in the poller's turns.
 *
 * @example
 * ```ts
 * using poller = new Poller();
 * using server = new Server(poller, "/run/srvaudit/agent.sock", async (peer, method, params) => {
 *   if (method !== "whoami") throw new RequestError(ERRORS.unknownMethod, `there is no method ${method}`);
 *   return peer.uid;
 * });
 * while (!ended) await poller.turn(Infinity);
 * ```
 */
export class Server implements Disposable {
  readonly #limits: Limits;
  readonly #onError: (error: Error) => void;
  readonly #host: Host;
  #inode: number | null = null;
  readonly #users = new Map<number, User>();
  /** Those whose last request is longest ago come first. */
  readonly #connections = new Set<Connection>();
  /** Those that can go on without hearing of their peers. */
  readonly #postponed = new Set<Connection>();
  /** When the earliest of them may go on. */
  #dueMs = Infinity;
  #listener: number | undefined;
  #dueTimer: number | undefined;
  #sweepTimer: number | undefined;
  #pauseTimer: number | undefined;

  /**
   * @param path the socket's, in a folder where nobody else can write
   * @throws {SocketInUseError} if another process listens there
   */
  constructor(
    private readonly poller: Poller,
    private readonly path: string,
    private readonly handle: Handle,
    options: ServerOptions = {},
  ) {
    this.#limits = { ...usualLimits(), ...options.limits };
    this.#onError = options.onError ?? ((error) => console.error(error));
    this.#host = {
      poller,
      limits: this.#limits,
      answer: (peer, request) => this.#answer(peer, request),
      postpone: (connection) => this.#postpone(connection),
      used: (connection) => {
        this.#connections.delete(connection);
        this.#connections.add(connection);
      },
      ended: (connection) => this.#forget(connection),
      failed: (error) => this.#onError(new Error("a connection failed", { cause: error })),
    };
    this.#listen();
  }

  #listen(): void {
    const listener = listen(this.path);
    this.#listener = listener;
    this.#inode = inodeOf(this.path);
    this.poller.watch(listener, { read: true }, () => this.#accept(listener));
  }

  /**
   * Listens on the path anew if somebody has taken the socket away. Those who are connected notice nothing.
   *
   * @returns whether that was so
   * @throws {Error} if it cannot listen there now
   */
  heal(): boolean {
    if (this.#listener === undefined || inodeOf(this.path) === this.#inode) return false;
    this.stopAccepting();
    this.#listen();
    return true;
  }

  /** How many there are, those included whose peer is gone and whose last request is still worked on. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Lets nobody in any more; those who are connected are served on. */
  stopAccepting(): void {
    if (this.#listener === undefined) return;
    clearTimeout(this.#pauseTimer);
    this.poller.unwatch(this.#listener);
    close(this.#listener);
    this.#listener = undefined;
    // By now it may be gone, or another server's socket lie there.
    if (inodeOf(this.path) === this.#inode) Deno.removeSync(this.path);
  }

  /** Closes all. Requests in flight go on, for nobody. */
  [Symbol.dispose](): void {
    this.stopAccepting();
    for (const connection of this.#connections) connection.close();
    clearInterval(this.#sweepTimer);
    clearTimeout(this.#dueTimer);
  }

  #accept(listener: number): void {
    for (let i = 0; i < ACCEPTED_A_TURN; i++) {
      const fd = accept(listener);
      if (fd === "again") return;
      if (fd === "full") return this.#pause(listener);
      try {
        this.#admit(fd);
      } catch (error) {
        refuse(fd, ERRORS.busy, BUSY);
        return this.#pause(listener, error);
      }
    }
  }

  /** The connection that there is no room for waits on, and would end every turn at once. */
  #pause(listener: number, cause?: unknown): void {
    this.poller.change(listener, {});
    this.#pauseTimer = setTimeout(() => this.poller.change(listener, { read: true }), PAUSE_MS);
    const message = "no file descriptor is left for one more connection: nobody is let in for a second";
    this.#onError(new Error(message, { cause }));
  }

  #admit(fd: number): void {
    const credentials = credentialsOfPeer(fd);
    const user = this.#userOf(credentials.uid);
    const { uid } = credentials;
    const isFull = user.connections.size >= this.#limits.connectionsOfUser;
    // What hangs about must not keep the same user's next login out.
    const isHanging = (connection: Connection) =>
      connection.peer.uid === uid && connection.idleMs(performance.now()) >= this.#limits.hangingMs;
    if (isFull && !this.#closeIdlest(isHanging)) {
      return refuse(fd, ERRORS.busy, `a user has ${this.#limits.connectionsOfUser} connections at most`);
    }
    if (!this.#makeRoom(uid)) {
      return refuse(fd, ERRORS.busy, BUSY);
    }
    const peer = identify(fd, credentials);
    if (!peer) {
      return refuse(fd, ERRORS.notAllowed, "the process that connected is gone, or is another user's now");
    }
    const connection = new Connection(this.#host, fd, peer, user);
    user.connections.add(connection);
    this.#connections.add(connection);
  }

  /** @returns whether one more connection may come: for it, the one that has been idle longest may have to go */
  #makeRoom(uid: number): boolean {
    const { connections, connectionsForRoot } = this.#limits;
    if (this.#connections.size < connections + (uid === ROOT ? connectionsForRoot : 0)) return true;
    return this.#closeIdlest(() => true);
  }

  /** @returns whether there was one */
  #closeIdlest(isMeant: (connection: Connection) => boolean): boolean {
    for (const connection of this.#connections) {
      if (!connection.isIdle || !isMeant(connection)) continue;
      connection.close();
      return true;
    }
    return false;
  }

  #userOf(uid: number): User {
    let user = this.#users.get(uid);
    if (!user) {
      const { requestsPerSecond, burst, lineMs, idleMs } = this.#limits;
      const bucket = new TokenBucket(requestsPerSecond, burst, performance.now());
      user = { bucket, unsentBytes: 0, connections: new Set() };
      this.#users.set(uid, user);
      this.#sweepTimer ??= setInterval(() => this.#sweep(), Math.min(lineMs, idleMs) / 10);
    }
    return user;
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.#postponed.delete(connection);
    this.#users.get(connection.peer.uid)?.connections.delete(connection);
  }

  /** Ends what takes too long. With nobody there it ends itself: an idle agent sleeps. */
  #sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.expire(nowMs);
    for (const [uid, { bucket, connections }] of this.#users) {
      // Who comes back at once must not find a full bucket.
      if (connections.size === 0 && bucket.isFull(nowMs)) this.#users.delete(uid);
    }
    if (this.#users.size > 0) return;
    clearInterval(this.#sweepTimer);
    this.#sweepTimer = undefined;
  }

  #postpone(connection: Connection): void {
    this.#postponed.add(connection);
    const nowMs = performance.now();
    const dueMs = nowMs + (this.#users.get(connection.peer.uid)?.bucket.waitMs(nowMs) ?? 0);
    if (dueMs >= this.#dueMs) return;
    this.#dueMs = dueMs;
    clearTimeout(this.#dueTimer);
    this.#dueTimer = setTimeout(() => this.#resume(), Math.min(dueMs - nowMs, LONGEST_WAIT_MS));
  }

  #resume(): void {
    this.#dueMs = Infinity;
    const connections = [...this.#postponed];
    this.#postponed.clear();
    for (const connection of connections) connection.advance();
    // Where there was one token, the first has had it: the next one is another's.
    const [first] = connections;
    if (first && this.#postponed.delete(first)) this.#postponed.add(first);
  }

  async #answer(
    peer: Peer,
    { id, method, params }: Request & { id: string | number | null },
  ): Promise<Uint8Array<ArrayBuffer>> {
    try {
      const line = resultLine(id, await this.handle(peer, method, params));
      if (line.length <= this.#limits.answer) return line;
      throw new Error(`an answer of ${line.length} bytes is too long: ${this.#limits.answer} are the most`);
    } catch (error) {
      if (error instanceof RequestError) return errorLine(id, error.code, error.message);
      const what = JSON.stringify(method.slice(0, 64));
      this.#onError(new Error(`${what} of uid ${peer.uid}, pid ${peer.pid}, failed`, { cause: error }));
      return errorLine(id, ERRORS.internal, "the agent could not do that: its log says why");
    }
  }
}

function refuse(fd: number, code: number, message: string): void {
  send(fd, errorLine(null, code, message));
  close(fd);
}

function inodeOf(path: string): number | null {
  try {
    return Deno.lstatSync(path).ino;
  } catch {
    // It is not there, or its folder is not.
    return null;
  }
}
