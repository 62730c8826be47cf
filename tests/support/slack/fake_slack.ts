/**
 * A Slack for tests: incoming webhooks, and the methods that post, change and read messages, as strict as the published reference.
 * What that does not say is refused where a client could be wrong about it.
 */

import { blocksError } from "./block_kit.ts";
import { METHODS } from "./methods.ts";
import { type Channel, firstWorld, type Message, refused, type Reply, type World } from "./world.ts";

/** Something that is to go wrong. */
export interface Fault {
  /** Which requests, by `METHOD /path`. */
  on: RegExp;
  /** How often; without it: until it is taken away. */
  times?: number;
  what:
    /** An answer with that status (429: https://docs.slack.dev/apis/web-api/rate-limits); nothing is done. */
    | { kind: "status"; status: number; text?: string; retryAfterS?: number }
    /** A method's `ok: false`; nothing is done. */
    | { kind: "error"; error: string; isDone?: boolean }
    /** It is done, and the answer ends in the middle. */
    | { kind: "cut" }
    /** No answer ever comes. */
    | { kind: "silent"; isDone: boolean };
}

/** A request that came. */
export interface SeenRequest {
  /** `POST /api/chat.update`. */
  line: string;
  body: Record<string, unknown>;
  atMs: number;
}

/**
 * A Slack on loopback.
 *
 * @example
 * ```ts
 * await using slack = FakeSlack.start();
 * using _busy = slack.fault({ on: /postMessage/, times: 1, what: { kind: "status", status: 429, retryAfterS: 7 } });
 * ```
 */
export class FakeSlack implements AsyncDisposable {
  readonly url: string;
  readonly world: World = firstWorld();
  readonly requests: SeenRequest[] = [];
  readonly #faults: Fault[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #end = Promise.withResolvers<void>();

  private constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#serve(request),
    );
    this.url = `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Starts one, with a world of its own. */
  static start(): FakeSlack {
    return new FakeSlack();
  }

  /** What is to be configured as `slackApiURL`. */
  get apiUrl(): string {
    return `${this.url}/api`;
  }

  /** The address of a webhook: 0 the usual one, 1 that of emergencies, 2 a legacy one. */
  hook(index: number): string {
    return this.url + ([...this.world.hooks.keys()][index] ?? "");
  }

  channel(name: string): Channel {
    const found = this.world.channels.find((channel) => channel.name === name);
    if (!found) throw new Error(`no channel ${name}`);
    return found;
  }

  /** Has something go wrong, until it is disposed of. */
  fault(fault: Fault): Disposable {
    this.#faults.unshift(fault);
    return { [Symbol.dispose]: () => this.#drop(fault) };
  }

  #drop(fault: Fault): void {
    const at = this.#faults.indexOf(fault);
    if (at >= 0) this.#faults.splice(at, 1);
  }

  #mishapOf(line: string): Fault["what"] | undefined {
    const fault = this.#faults.find(({ on }) => on.test(line));
    if (fault?.times !== undefined && --fault.times === 0) this.#drop(fault);
    return fault?.what;
  }

  async #serve(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const line = `${request.method} ${url.pathname}`;
    const bytes = new Uint8Array(await request.arrayBuffer());
    const body = bytes.length === 0 ? Object.fromEntries(url.searchParams) : parsed(bytes);
    this.requests.push({ line, body: body ?? {}, atMs: performance.now() });
    const mishap = this.#mishapOf(line);
    if (mishap?.kind === "status") {
      const { status, text = "", retryAfterS } = mishap;
      const headers = retryAfterS === undefined ? {} : { "retry-after": String(retryAfterS) };
      return new Response(text, { status, headers });
    }
    const reply = () =>
      url.pathname.startsWith("/api/") ? this.#method(request, url, body) : this.#hook(request, url, body);
    if (mishap?.kind === "silent") {
      if (mishap.isDone) reply();
      await this.#end.promise;
    }
    if (mishap?.kind === "error") {
      if (mishap.isDone) reply();
      return Response.json(refused(mishap.error).body);
    }
    return responseOf(reply(), mishap?.kind === "cut");
  }

  /** https://docs.slack.dev/apis/web-api */
  #method(request: Request, url: URL, body: Record<string, unknown> | undefined): Reply {
    const method = METHODS[url.pathname.slice("/api/".length)];
    if (!method) return refused("unknown_method");
    if (request.method === "POST" && !isJson(request)) return refused("invalid_post_type");
    if (body === undefined) return refused("invalid_json");
    const token = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    if (token === undefined) return refused("not_authed");
    if (token !== this.world.token) return refused("invalid_auth");
    if (!method.scopes.some((scope) => this.world.scopes.has(scope))) {
      const [needed] = method.scopes;
      return refused("missing_scope", { needed, provided: [...this.world.scopes].join(",") });
    }
    // The real one leaves out what it does not know: here it is a slip of the client's that would never be seen.
    if (Object.keys(body).some((name) => !method.args.includes(name))) return refused("invalid_arguments");
    const reply = method.handle({ world: this.world, args: body });
    if (request.method === "GET" || /charset=utf-8/.test(request.headers.get("content-type") ?? "")) {
      return reply;
    }
    return refused("missing_charset");
  }

  /** https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
  #hook(request: Request, url: URL, body: Record<string, unknown> | undefined): Reply {
    const text = (status: number, body: string): Reply => ({
      status,
      body,
      headers: { "content-type": "text/html" },
    });
    const hook = this.world.hooks.get(url.pathname);
    if (!hook) return text(403, "invalid_token");
    if (hook.isSwitchedOff) return text(404, "no_service");
    if (request.method !== "POST" || !isJson(request) || body === undefined) {
      return text(400, "invalid_payload");
    }
    const known = ["text", "blocks", "channel", "mrkdwn", "unfurl_links", "unfurl_media"];
    if (Object.keys(body).some((name) => !known.includes(name))) return text(400, "invalid_payload");
    if (body.text === undefined && body.blocks === undefined) return text(400, "no_text");
    if (typeof body.text === "string" && body.text.length > 40_000) return text(400, "msg_too_long");
    const wrong = body.blocks === undefined ? undefined : blocksError(body.blocks);
    if (wrong) return text(400, wrong.error);
    const asked = typeof body.channel === "string" ? body.channel.replace(/^#/, "") : hook.channel;
    const name = hook.isLegacy ? asked : hook.channel;
    const channel = this.world.channels.find((one) => one.name === name);
    if (!channel) return text(404, "channel_not_found");
    if (channel.isArchived) return text(410, "channel_is_archived");
    channel.messages.push({
      ts: this.world.nextTs(),
      text: String(body.text ?? ""),
      blocks: body.blocks ?? null,
      metadata: null,
      thread: null,
      isBroadcast: false,
      edits: 0,
    });
    return text(200, "ok");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.resolve();
    await this.#server.shutdown();
  }
}

export type { Channel, Message };

function isJson(request: Request): boolean {
  return request.headers.get("content-type")?.split(";")[0]?.trim() === "application/json";
}

function parsed(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function responseOf({ status, body, headers }: Reply, isCut: boolean): Response {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const init = { status, headers: { "content-type": "application/json; charset=utf-8", ...headers } };
  if (!isCut) return new Response(text, init);
  const half = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text.slice(0, text.length >> 1)));
    },
    pull(controller) {
      controller.error(new Error("the connection ends here, by the test's wish"));
    },
  });
  return new Response(half, init);
}
