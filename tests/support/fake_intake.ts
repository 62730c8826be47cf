/** A server on loopback that takes what is posted to it, and does wrong when a test wants it to. */

/** A request, unpacked. */
export interface IntakeRequest {
  method: string;
  url: URL;
  headers: Headers;
  /** As it came. */
  packedBytes: number;
  /** Unpacked by its Content-Encoding; undefined where it cannot be. */
  body: Uint8Array | undefined;
}

/** What is answered. */
export interface IntakeReply {
  status: number;
  /** Sent as JSON, unless it is a text. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** What goes wrong. */
export type Mishap =
  | { kind: "reply"; reply: IntakeReply }
  /** No answer before that. */
  | { kind: "slow"; until: Promise<void> }
  /** No answer, until the server or the client is gone. */
  | { kind: "hang"; isTaken: boolean }
  /** The connection ends in the middle of the answer: the request has been carried out. */
  | { kind: "cut" };

interface Fault {
  on: RegExp;
  what: Mishap;
  times: number;
}

/** One request, as the test sees it afterwards. */
export interface SeenRequest {
  /** As in `POST /api/v2/logs`. */
  line: string;
  headers: Headers;
  packedBytes: number;
  text: string;
  /** When it was there, in milliseconds since 1970. */
  atMs: number;
  /** 0 where none was sent. */
  status: number;
}

/** The server; `handle` says what it makes of a request. */
export class FakeIntake implements AsyncDisposable {
  readonly url: string;
  /** All that came, the oldest first. */
  readonly requests: SeenRequest[] = [];
  readonly #handle: (request: IntakeRequest) => IntakeReply | Promise<IntakeReply>;
  readonly #faults: Fault[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #end = Promise.withResolvers<void>();

  constructor(handle: (request: IntakeRequest) => IntakeReply | Promise<IntakeReply>) {
    this.#handle = handle;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#serve(request),
    );
    this.url = `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Has something go wrong with the next requests of this kind, so many times. */
  fault(on: RegExp, what: Mishap, times = 1): void {
    this.#faults.push({ on, what, times });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.resolve();
    await this.#server.shutdown();
  }

  async #serve(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const packed = new Uint8Array(await request.arrayBuffer());
    const body = await unpacked(packed, request.headers.get("content-encoding"));
    const line = `${request.method} ${url.pathname}${url.search}`;
    const seen: SeenRequest = {
      line,
      headers: request.headers,
      packedBytes: packed.length,
      text: new TextDecoder().decode(body),
      atMs: Date.now(),
      status: 0,
    };
    this.requests.push(seen);
    const { method, headers } = request;
    const answer = () => this.#handle({ method, url, headers, packedBytes: packed.length, body });
    const mishap = this.#mishapOf(line);
    if (mishap?.kind === "hang") {
      if (mishap.isTaken) await answer();
      await this.#end.promise;
    }
    if (mishap?.kind === "slow") await Promise.race([mishap.until, this.#end.promise]);
    const reply = mishap?.kind === "reply" ? mishap.reply : await answer();
    seen.status = reply.status;
    return responseOf(reply, mishap?.kind === "cut");
  }

  #mishapOf(line: string): Mishap | undefined {
    const fault = this.#faults.find(({ on, times }) => times > 0 && on.test(line));
    if (fault) fault.times -= 1;
    return fault?.what;
  }
}

async function unpacked(bytes: Uint8Array, encoding: string | null): Promise<Uint8Array | undefined> {
  if (encoding === null || encoding === "identity") return bytes;
  if (encoding !== "gzip" && encoding !== "deflate") return undefined;
  const stream = new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(new DecompressionStream(encoding));
  return await new Response(stream).bytes().catch(() => undefined);
}

function responseOf({ status, body, headers }: IntakeReply, isCut: boolean): Response {
  const text = typeof body === "string" ? body : JSON.stringify(body ?? {});
  const init = { status, headers: { "content-type": "application/json", ...headers } };
  if (!isCut) return new Response(text, init);
  const half = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text.slice(0, 1)));
    },
    pull(controller) {
      controller.error(new Error("the connection ends here, by the test's wish"));
    },
  });
  return new Response(half, init);
}

/** Whether a value is an object, not a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @returns what JSON says, which must be UTF-8; undefined for what is none */
export function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
