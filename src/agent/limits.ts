/** How much of the agent one user may take, so that there is always some left for the others. */

import { LONGEST_LINE, LONGEST_REPLY } from "../desk/protocol.ts";

/** What a peer must keep to. */
export interface Limits {
  /** Connections of one user at a time. */
  connectionsOfUser: number;
  /** How long one of these must have been idle, in milliseconds, to give way to another of its user's. */
  hangingMs: number;
  /** Connections of all users at a time: then whichever has been idle longest gives way. */
  connections: number;
  /** Connections beyond those, for root alone: so that `srvaudit status` always works. */
  connectionsForRoot: number;
  /** Bytes of a request's line, its end included. */
  line: number;
  /** Bytes of an answer's. */
  answer: number;
  /** Requests of one user a second, for good; 8 KiB of a long one count as another. */
  requestsPerSecond: number;
  /** Requests of one user at once, after a pause. */
  burst: number;
  /** Requests that cost more than others: for how many each counts. */
  costs: Readonly<Partial<Record<string, number>>>;
  /** Requests of one connection that are worked on at a time. */
  inFlight: number;
  /** Bytes of answers to one user that wait to be read. A longer one goes out alone. */
  unsent: number;
  /** How long a line may take from its first byte to its end, in milliseconds. */
  lineMs: number;
  /** How long a connection may do nothing, in milliseconds. */
  idleMs: number;
}

/** Limits that no honest peer meets. */
export function usualLimits(): Limits {
  return {
    connectionsOfUser: 16,
    hangingMs: 3000,
    // The other half is for the evidence, the spool files and the trackers.
    connections: Math.floor(descriptorLimit() / 2),
    connectionsForRoot: 16,
    line: LONGEST_LINE,
    answer: LONGEST_REPLY,
    requestsPerSecond: 100,
    burst: 200,
    costs: {
      "ticket.search": 20,
      "ticket.details": 20,
      "spool.taken": 10,
      "session.open": 5,
      "shell.attach": 3,
    },
    inFlight: 8,
    unsent: 8 * 1024 * 1024,
    lineMs: 10_000,
    idleMs: 60_000,
  };
}

/** What one user takes at present, over all connections. */
export interface Share {
  readonly bucket: TokenBucket;
  /** Bytes of answers that are ready, and not sent yet. */
  unsentBytes: number;
}

/** How many file descriptors this process may have: the soft limit (`ulimit -n`). */
function descriptorLimit(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"))?.[1];
  return Number(limit ?? 1024);
}

/**
 * A bucket of tokens that fills at a steady rate: who takes no more than that on average is never kept waiting. It can be
 * overdrawn by what is known only afterwards.
 */
export class TokenBucket {
  #tokens: number;
  #filledMs: number;

  /** @param nowMs the present moment, on any clock that does not run backwards; the same in all calls */
  constructor(private readonly perSecond: number, private readonly burst: number, nowMs: number) {
    this.#tokens = burst;
    this.#filledMs = nowMs;
  }

  /** Takes a token if there is a whole one. */
  take(nowMs: number): boolean {
    if (this.waitMs(nowMs) > 0) return false;
    this.#tokens--;
    return true;
  }

  /** Takes some in any case. */
  charge(tokens: number): void {
    this.#tokens -= tokens;
  }

  /** @returns how long it is until there is a token to take, in milliseconds */
  waitMs(nowMs: number): number {
    this.#fill(nowMs);
    // A hair less than a whole one is rounding.
    const missing = 1 - this.#tokens;
    return missing < 1e-9 ? 0 : missing / this.perSecond * 1000;
  }

  /** Whether it is full: then it remembers nothing. */
  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= this.burst;
  }

  #fill(nowMs: number): void {
    this.#tokens = Math.min(this.burst, this.#tokens + (nowMs - this.#filledMs) / 1000 * this.perSecond);
    this.#filledMs = nowMs;
  }
}

/** For how many requests one of that method counts. The method is whatever a peer has said. */
export function costOf({ costs }: Pick<Limits, "costs">, method: string): number {
  return Object.hasOwn(costs, method) ? costs[method] ?? 1 : 1;
}
