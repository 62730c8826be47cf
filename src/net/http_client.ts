/** Talks HTTP to one service: with its key, over its proxy, by the CAs that this host trusts. */

import { VERSION } from "../config/version.ts";
import { messageOf } from "../terminal/message_of.ts";
import { systemCertificates } from "./ca_certificates.ts";
import {
  HttpError,
  type HttpOptions,
  HttpReplyError,
  HttpReplyTooLongError,
  type HttpRequest,
  HttpStatusError,
  HttpUnreachableError,
  type RawBody,
  type ReplySchema,
  type TextReply,
} from "./http.ts";
import { denoProxy, proxyFor, withoutProxyVariables } from "./proxy.ts";
import { retryAfterMs } from "./retry_after.ts";
import { hasHungUp, whyUnreachable } from "./why_unreachable.ts";

/** The longest reply that is read, unpacked: nobody's mistake or malice fills the agent's memory. */
const MOST_BYTES = 16 * 1024 * 1024;
/** So much of an answer that is no success is kept as text, in characters. */
const MOST_TOLD = 2000;
/** Shorter than the time after which servers close idle connections (Apache: 5 s): a request must not run into that. */
const IDLE_MS = 4_000;
/** No key is shorter, in characters. */
const SHORTEST_SECRET = 8;

/**
 * A service's client. Its errors are `HttpError`s, and none of them holds a secret, a header's value or a query.
 *
 * @example
 * ```ts
 * using http = new HttpClient({ service: "Redmine", url, headers: { "X-Redmine-API-Key": key }, network });
 * const { user } = await http.json({ method: "GET", path: "/users/current.json", signal }, CURRENT_USER);
 * ```
 */
export class HttpClient implements Disposable {
  readonly #options: HttpOptions;
  readonly #client: Deno.HttpClient;
  readonly #proxy: URL | undefined;
  readonly #urlKey: string;
  readonly #secretKey: string;
  /** What nobody is to read, even where the service tells it back. */
  readonly #secrets: readonly string[];
  #isClosed = false;

  /** @throws {HttpError} for a CA file that cannot be used */
  constructor(options: HttpOptions) {
    this.#options = options;
    this.#urlKey = options.configKeys?.url ?? `${options.service.toLowerCase()}URL`;
    this.#secretKey = options.configKeys?.secret ?? `${options.service.toLowerCase()}Key`;
    this.#secrets = secretsIn(options);
    this.#proxy = proxyFor(new URL(options.url), options.network);
    this.#client = openClient(this.#proxy, options.network.caFile);
  }

  /** What is under way goes on; what is asked later fails. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#client.close();
  }

  /**
   * Asks for something.
   *
   * @param schema what the reply must be
   * @throws {HttpUnreachableError} @throws {HttpStatusError} @throws {HttpReplyError}
   */
  async json<Reply>(request: HttpRequest, schema: ReplySchema<Reply>): Promise<Reply> {
    const { status, text, contentType } = await this.#exchange(request);
    const reply = parsed(text);
    if (reply === undefined) {
      const found = text === "" ? "nothing" : contentType || "something else";
      throw new HttpReplyError(
        `${
          this.#named(request)
        }: answered ${status}, but with ${found} in place of JSON: see ${this.#urlKey}`,
      );
    }
    const { data, error } = schema.safeParse(reply);
    if (!error) return data;
    const where = error.issues.slice(0, 3).map(({ path, code }) =>
      `${path.join(".") || "the whole"} (${code})`
    );
    throw new HttpReplyError(
      `${this.#named(request)}: answered ${status}, but not as ${this.#options.service} should: ${
        where.join(", ").slice(0, 300)
      }: see ${this.#urlKey}`,
    );
  }

  /**
   * Has something done; what the service says to it does not count, if it is a success.
   *
   * @throws {HttpUnreachableError} @throws {HttpStatusError} @throws {HttpReplyError}
   */
  async nothing(request: HttpRequest): Promise<void> {
    await this.#exchange(request);
  }

  /**
   * Asks for something that is no JSON, or need not be. People read it: it has none of the client's secrets in it.
   *
   * @throws {HttpUnreachableError} @throws {HttpStatusError} @throws {HttpReplyError}
   */
  async text(request: HttpRequest): Promise<TextReply> {
    const { status, text } = await this.#exchange(request);
    return { status, text: this.#withoutSecrets(text) };
  }

  /** @returns the answer, if it is a success */
  async #exchange(request: HttpRequest): Promise<{ status: number; text: string; contentType: string }> {
    const url = this.#urlOf(request);
    if (this.#isClosed) {
      throw new HttpUnreachableError(`${this.#named(request)}: not asked any more: another config holds now`);
    }
    const init = { ...await this.#initOf(request), signal: request.signal, client: this.#client };
    const start = performance.now();
    let response: Response;
    let text: string | undefined;
    try {
      response = await fetchAgain(url, init);
      text = await readText(response);
    } catch (error) {
      const elapsedMs = performance.now() - start;
      const attempt = { url, proxy: this.#proxy, elapsedMs, urlKey: this.#urlKey };
      // Without its cause: that one's message has the whole address.
      throw new HttpUnreachableError(`${this.#named(request)}: ${whyUnreachable(error, attempt)}`);
    }
    if (!response.ok) throw this.#statusError(request, response, text);
    if (text === undefined) {
      const most = `${MOST_BYTES / 1024 / 1024} MiB`;
      throw new HttpReplyTooLongError(
        `${this.#named(request)}: the reply is longer than ${most}: see ${this.#urlKey}`,
      );
    }
    return { status: response.status, text, contentType: mediaType(response) };
  }

  #urlOf(request: HttpRequest): URL {
    const base = new URL(this.#options.url);
    const url = new URL(this.#options.url + request.path);
    // A key such as `..` would lead elsewhere.
    const isBelow = request.path === "" ||
      request.path.startsWith("/") && url.origin === base.origin &&
        url.pathname === base.pathname.replace(/\/$/, "") + request.path;
    if (!isBelow) {
      throw new HttpError(`${this.#named(request)}: this is no path of ${this.#options.service}`);
    }
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.append(name, String(value));
    }
    return url;
  }

  async #initOf(request: HttpRequest): Promise<RequestInit> {
    const headers: Record<string, string> = {
      accept: "application/json",
      "user-agent": `srvAudit/${VERSION}`,
      ...this.#options.headers,
      ...request.headers,
    };
    for (const [name, value] of Object.entries(headers)) {
      if (/[^\x20-\x7e]/.test(value)) {
        throw new HttpError(`${this.#named(request)}: the header ${name} cannot have such a value`);
      }
    }
    // A key is never sent to where it was not meant for.
    const init = { method: request.method, redirect: "manual" as const };
    const body = await bodyOf(request);
    if (!body) return { ...init, headers };
    return {
      ...init,
      headers: {
        ...headers,
        "content-type": body.contentType,
        ...(body.encoding === undefined ? {} : { "content-encoding": body.encoding }),
      },
      body: body.bytes,
    };
  }

  #statusError(request: HttpRequest, response: Response, text: string | undefined): HttpStatusError {
    const { status, headers } = response;
    const waitMs = retryAfterMs(headers.get("retry-after")) ??
      retryAfterMs(headers.get(this.#options.patienceHeader ?? "retry-after"));
    const mend = this.#mendOf(status, headers.get("location"), waitMs);
    return new HttpStatusError(
      `${this.#named(request)}: answered ${status}${mend && `: ${mend}`}`,
      status,
      parsed(text ?? "", (_, value) => typeof value === "string" ? this.#withoutSecrets(value) : value),
      waitMs,
      text && this.#withoutSecrets(text).slice(0, MOST_TOLD),
    );
  }

  /** Of what went wrong people read the service's own words; some services, and what stands before them, repeat the request in them. */
  #withoutSecrets(text: string): string {
    return this.#secrets.reduce((harmless, secret) => harmless.replaceAll(secret, "*****"), text);
  }

  /** What a status asks for; empty where it depends on the request. */
  #mendOf(status: number, location: string | null, waitMs: number | undefined): string {
    if (status >= 300 && status < 400) {
      const target = URL.parse(location ?? "", this.#options.url);
      return target
        ? `it sends srvAudit on to ${target.origin}${
          this.#options.isUrlSecret ? "" : this.#withoutSecrets(target.pathname)
        }: if that is right, put its address into ${this.#urlKey}`
        : `see ${this.#urlKey}`;
    }
    if (status === 401) return `it does not take the key: see ${this.#secretKey}`;
    if (status === 407) return "the proxy wants a user and a password, or other ones: see proxy";
    if (status === 429) {
      return `too many requests${waitMs === undefined ? "" : `: again in ${Math.ceil(waitMs / 1000)} s`}`;
    }
    if (status >= 500) {
      return `an error of ${this.#proxy ? "its own, or of the proxy's" : "its own"}: see its log`;
    }
    return "";
  }

  #named({ method, path }: HttpRequest): string {
    return `${this.#options.service}: ${method}${path && ` ${path}`}`;
  }
}

function openClient(proxy: URL | undefined, caFile: string): Deno.HttpClient {
  const caCerts = systemCertificates();
  try {
    if (caFile !== "") caCerts.push(Deno.readTextFileSync(caFile));
    const options = { caCerts, poolIdleTimeout: IDLE_MS };
    return withoutProxyVariables(() =>
      Deno.createHttpClient(proxy ? { ...options, proxy: denoProxy(proxy) } : options)
    );
  } catch (error) {
    throw new HttpError(`caFile="${caFile}" cannot be used: ${messageOf(error)}`);
  }
}

/** @returns undefined where nothing is sent */
async function bodyOf({ raw, body, gzip }: HttpRequest): Promise<RawBody | undefined> {
  const whole = raw ?? (body === undefined ? undefined : {
    bytes: new TextEncoder().encode(JSON.stringify(body)),
    contentType: "application/json",
  });
  if (!whole || !gzip) return whole;
  // Piece by piece: the agent has other things to do meanwhile.
  const packed = new Blob([whole.bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return { ...whole, bytes: await new Response(packed).bytes(), encoding: "gzip" };
}

/** A connection that was kept may end just when it is used again: what changes nothing is asked once more. */
async function fetchAgain(url: URL, init: RequestInit & { client: Deno.HttpClient }): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (init.method !== "GET" || !hasHungUp(error)) throw error;
    return await fetch(url, init);
  }
}

/** @returns undefined for one that is too long */
async function readText(response: Response): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  // Leaving the loop cancels the rest.
  for await (const piece of response.body ?? []) {
    length += piece.length;
    if (length > MOST_BYTES) return undefined;
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

function mediaType(response: Response): string {
  return /^[\w.+-]+\/[\w.+-]+/.exec(response.headers.get("content-type") ?? "")?.[0] ?? "";
}

/** What can be a secret: the words of headers' values (`Bearer` is none), and the parts of an address that is one. Longer ones first. */
function secretsIn({ headers, url, isUrlSecret }: HttpOptions): string[] {
  const { pathname, search } = new URL(url);
  const parts = isUrlSecret ? (pathname + search).split(/[/?&=]/) : [];
  const words = [...Object.values(headers).flatMap((value) => value.split(" ")), ...parts];
  return words.filter((word) => word.length >= SHORTEST_SECRET).sort((one, other) =>
    other.length - one.length
  );
}

function parsed(text: string, reviver?: (name: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch {
    return undefined;
  }
}
