import { ERRORS } from "../desk/protocol.ts";
import { TokenBucket } from "./limits.ts";
import { RequestError } from "./server.ts";

/** How many questions of one user are under way at the tracker at a time. */
const AT_ONCE = 4;
/** The same of all users. */
const AT_ONCE_OF_ALL = 32;
/** How many one user may ask in a second, for good, and at once after a pause. */
const PER_SECOND = 10;
const BURST = 40;
/** So long the agent may work on a question before it is asked, in milliseconds: what takes longer counts as several. */
const WORK_MS = 10;

interface User {
  readonly bucket: TokenBucket;
  underWay: number;
  readonly line: { begin: () => void }[];
}

/**
 * Whose turn it is to ask the tracker: nobody asks so much that others wait for it, or that the tracker has enough of this host.
 * Who does is refused; never is the tracker taken for down because of that.
 */
export class TrackerTurns {
  readonly #users = new Map<number, User>();
  #underWay = 0;

  /** @param name the tracker's, for messages */
  constructor(readonly name: string) {}

  /**
   * Waits for a turn.
   *
   * @returns what ends it
   * @throws {RequestError} if the user asks too often, or the signal comes while her own questions are in the way
   * @throws the signal's reason, if it comes while others' are
   */
  async take(uid: number, signal: AbortSignal): Promise<Disposable> {
    const user = this.#userOf(uid);
    if (!user.bucket.take(performance.now())) throw this.#tooMuch();
    if (user.underWay < AT_ONCE && this.#underWay < AT_ONCE_OF_ALL) this.#begin(user);
    else await this.#wait(user, signal);
    return { [Symbol.dispose]: () => this.#end(uid, user) };
  }

  /**
   * Does what must be done before a question is asked, and keeps everybody else waiting: it counts by the time that it takes, so
   * that nobody has more than a tenth of the agent's for good.
   *
   * @throws {RequestError} if the user asks too much
   */
  spend<Result>(uid: number, work: () => Result): Result {
    const { bucket } = this.#userOf(uid);
    const startMs = performance.now();
    if (bucket.waitMs(startMs) > 0) throw this.#tooMuch();
    try {
      return work();
    } finally {
      bucket.charge((performance.now() - startMs) / WORK_MS);
    }
  }

  async #wait(user: User, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const place = { begin: resolve };
    const leave = () => {
      const at = user.line.indexOf(place);
      // It may have been let in at the last moment.
      if (at < 0) return;
      user.line.splice(at, 1);
      reject(user.underWay < AT_ONCE ? signal.reason : this.#tooMuch());
    };
    user.line.push(place);
    signal.addEventListener("abort", leave);
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #begin(user: User): void {
    user.underWay++;
    this.#underWay++;
  }

  #end(uid: number, user: User): void {
    user.underWay--;
    this.#underWay--;
    // Who had a turn comes last.
    this.#users.delete(uid);
    if (user.underWay + user.line.length > 0 || !user.bucket.isFull(performance.now())) {
      this.#users.set(uid, user);
    }
    for (const other of this.#users.values()) {
      if (this.#underWay >= AT_ONCE_OF_ALL) return;
      if (other.underWay >= AT_ONCE) continue;
      const next = other.line.shift();
      if (!next) continue;
      this.#begin(other);
      next.begin();
    }
  }

  #userOf(uid: number): User {
    let user = this.#users.get(uid);
    if (!user) {
      user = { bucket: new TokenBucket(PER_SECOND, BURST, performance.now()), underWay: 0, line: [] };
      this.#users.set(uid, user);
    }
    return user;
  }

  #tooMuch(): RequestError {
    return new RequestError(ERRORS.refused, `you ask ${this.name} too much at once: try again in a moment`);
  }
}
