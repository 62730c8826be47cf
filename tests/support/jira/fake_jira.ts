/**
 * A Jira for tests, as strict as the real ones, in two editions. Each handler names the page of the published reference that it
 * follows; what that does not say was taken from what clients were seen to get.
 */

import { answer } from "./answer.ts";
import type { Reply } from "./exchange.ts";
import { type Fault, type Mishap, replyOf } from "./faults.ts";
import { firstWorld } from "./first_world.ts";
import type { Edition, World } from "./world.ts";
import { userNamed } from "./exchange.ts";

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
  /** 0, where no reply was sent (yet). */
  status: number;
}

/**
 * A Jira on loopback.
 *
 * @example
 * ```ts
 * await using jira = await FakeJira.start({ edition: "cloud" });
 * using _slow = jira.fault({ on: /^POST .*\/search/, what: { kind: "slow", ms: 5000 } });
 * ```
 */
export class FakeJira implements AsyncDisposable {
  /** What is to be configured as `jiraURL`. */
  readonly url: string;
  readonly edition: Edition;
  /** What the service account signs in with; empty on Server, whose tokens need no mail. */
  readonly mail: string;
  readonly token: string;
  /** All that came, the oldest first. */
  readonly requests: SeenRequest[] = [];
  readonly world: World;
  readonly #contextPath: string;
  readonly #faults: Fault[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #end = Promise.withResolvers<void>();

  private constructor({ edition, port = 0, contextPath = "" }: FakeOptions) {
    this.world = firstWorld();
    this.edition = edition;
    this.#contextPath = contextPath;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      (request) => this.#serve(request),
    );
    this.url = `http://127.0.0.1:${this.#server.addr.port}${contextPath}`;
    const service = userNamed(this.world, this.world.service);
    this.mail = edition === "cloud" ? service.emailAddress : "";
    this.token = service.token;
  }

  /** Starts one, with a world of its own. */
  static start(options: FakeOptions): Promise<FakeJira> {
    return Promise.resolve(new FakeJira(options));
  }

  /** Has something go wrong, until it is disposed of. The one that was set last counts. */
  fault(fault: Fault): Disposable {
    this.#faults.unshift(fault);
    return { [Symbol.dispose]: () => this.#drop(fault) };
  }

  #drop(fault: Fault): void {
    const at = this.#faults.indexOf(fault);
    if (at >= 0) this.#faults.splice(at, 1);
  }

  #mishapOf(line: string): Mishap | undefined {
    const fault = this.#faults.find((one) => one.on.test(line));
    if (fault?.times !== undefined && --fault.times === 0) this.#drop(fault);
    return fault?.what;
  }

  async #serve(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const body = new Uint8Array(await request.arrayBuffer());
    if (url.pathname.startsWith(`${this.#contextPath}/`)) {
      url.pathname = url.pathname.slice(this.#contextPath.length);
    }
    const path = url.pathname + url.search;
    const seen: SeenRequest = {
      method: request.method,
      path,
      body: new TextDecoder().decode(body),
      requestBytes: body.length,
      replyBytes: 0,
      status: 0,
    };
    this.requests.push(seen);
    const replied = () =>
      answer({
        edition: this.edition,
        world: this.world,
        baseUrl: this.url,
        method: request.method,
        url,
        headers: request.headers,
        body,
      });
    const mishap = this.#mishapOf(`${request.method} ${path}`);
    if (mishap?.kind === "silent") {
      if (mishap.carriedOut ?? false) replied();
      await this.#end.promise;
    }
    if (mishap?.kind === "slow") await this.#later(mishap.ms);
    const reply = mishap?.kind === "status" ? replyOf(this.edition, mishap) : replied();
    const text = reply.text ?? (reply.body === undefined ? "" : JSON.stringify(reply.body));
    const sent = Uint8Array.from(new TextEncoder().encode(text));
    seen.status = reply.status;
    seen.replyBytes = sent.length;
    return responseOf(reply, sent, mishap?.kind === "cut");
  }

  /** Waits, but not longer than this Jira lives. */
  async #later(ms: number): Promise<void> {
    let timer;
    await Promise.race([this.#end.promise, new Promise<void>((resolve) => timer = setTimeout(resolve, ms))]);
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.resolve();
    await this.#server.shutdown();
  }
}

function responseOf(reply: Reply, sent: Uint8Array<ArrayBuffer>, isCut: boolean): Response {
  const headers = { "content-type": "application/json;charset=UTF-8", ...reply.headers };
  const init = { status: reply.status, headers };
  if (sent.length === 0 || reply.status === 204) {
    return new Response(null, { status: reply.status, headers: reply.headers ?? {} });
  }
  if (!isCut) return new Response(sent, init);
  const half = new ReadableStream({
    start(controller) {
      controller.enqueue(sent.slice(0, Math.ceil(sent.length / 2)));
    },
    pull(controller) {
      controller.error(new Error("the connection ends here, by the test's wish"));
    },
  });
  return new Response(half, init);
}
