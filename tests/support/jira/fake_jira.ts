/**
 * A Jira for tests, as strict as the real ones, in two editions. Each handler names the page of the published reference that it
 * follows; what that does not say was taken from what clients were seen to get.
 */

import type { Fault } from "./faults.ts";
import type { Edition, World } from "./world.ts";

/** How the fake is to be. */
export interface FakeOptions {
  edition: Edition;
  /** Any free one, without it. */
  port?: number;
  /** What comes before `/rest`, as in `https://corp.example/jira`. */
  contextPath?: string;
}

/** A request that came. */
export interface SeenRequest {
  method: string;
  /** With its query, without the context path. */
  path: string;
  /** What came, as text. */
  body: string;
  /** How large bodies were, in bytes. */
  requestBytes: number;
  replyBytes: number;
  /** 0, where no reply was sent. */
  status: number;
}

/**
 * A Jira on loopback.
 *
 * @example
 * ```ts
 * await using jira = await FakeJira.start({ edition: "cloud" });
 * using _slow = jira.fault({ on: /^GET .*\/search/, what: { kind: "slow", ms: 5000 } });
 * ```
 */
export class FakeJira implements AsyncDisposable {
  /** What is to be configured as `jiraURL`. */
  readonly url: string;
  readonly edition: Edition;
  /** What the service account signs in with; Server has no mail. */
  readonly mail: string;
  readonly token: string;
  /** All that came, the oldest first. */
  readonly requests: SeenRequest[] = [];
  readonly world: World;
  readonly #faults: Fault[] = [];

  private constructor(url: string, edition: Edition, world: World) {
    this.url = url;
    this.edition = edition;
    this.world = world;
    this.mail = "";
    this.token = "";
  }

  /** Starts one, with a world of its own. */
  static start(_options: FakeOptions): Promise<FakeJira> {
    return Promise.reject(new Error("this is the interface; what is behind it comes next"));
  }

  /** Has something go wrong, until it is disposed of. The one that was set last counts. */
  fault(fault: Fault): Disposable {
    this.#faults.unshift(fault);
    return {
      [Symbol.dispose]: () => {
        const at = this.#faults.indexOf(fault);
        if (at >= 0) this.#faults.splice(at, 1);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
