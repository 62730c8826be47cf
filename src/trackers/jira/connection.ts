/** One Jira: which edition it is, whether it takes srvAudit's key, and what its refusals mean. */

import { Buffer } from "node:buffer";
import type { JiraSettings, NetworkSettings } from "../../config/tracker_settings.ts";
import { type HttpRequest, HttpStatusError, type ReplySchema } from "../../net/http.ts";
import { HttpClient } from "../../net/http_client.ts";
import { reasonsOf, trackerError } from "../http_errors.ts";
import { TicketRefusedError, TrackerDeniedError } from "../tracker.ts";
import { CLOUD, type Edition, likelyEdition, SERVER } from "./editions.ts";
import { type Page, SERVER_INFO, USER, type UserReply } from "./replies.ts";

/** A request, below the edition's own path. */
export interface JiraRequest extends HttpRequest {
  /** What an answer of such a status means to who asks; where it does not say: the thing was refused. */
  meaning?: Readonly<Record<number, (error: HttpStatusError) => Error>>;
}

/** Which part of a list is wanted. */
export interface Part {
  /** The number of its first item. */
  from?: number;
  /** So many at a time. */
  size: number;
  /** So many in all, at most. */
  most: number;
  /** Whether it comes in pages, which it does where nothing else is said; else there is no asking for a part of it. */
  paged?: boolean;
}

/**
 * The way to one Jira. All that it rejects with is an error of `tracker.ts`, or what the request's `meaning` makes of it.
 */
export class JiraConnection implements Disposable {
  readonly #http: HttpClient;
  #edition: Edition | undefined;
  #self: UserReply | undefined;
  /** With 403, whatever was asked, a Server has locked the account until somebody signs in with it by hand, and solves a puzzle. */
  readonly #locked = { 403: (error: HttpStatusError) => this.#denied(error) };
  /** Called when Jira has said that something is not allowed: what was remembered may not hold any more. */
  readonly onRefusal: (() => void)[] = [];

  constructor(readonly settings: JiraSettings, network: NetworkSettings) {
    this.#http = new HttpClient({
      service: "Jira",
      url: settings.url,
      headers: { Authorization: authorizationOf(settings) },
      network,
      configKeys: { url: "jiraURL", secret: "jiraToken" },
    });
    if (settings.edition !== "ask") this.#edition = likelyEdition(settings);
  }

  /** What is known of the edition without asking; a good guess, until it has been asked for once. */
  get likelyEdition(): Edition {
    return this.#edition ?? likelyEdition(this.settings);
  }

  /** The edition, asked for once. Both editions have REST v2. */
  async edition(signal: AbortSignal): Promise<Edition> {
    if (this.#edition) return this.#edition;
    try {
      const { deploymentType } = await this.#http.json(
        { method: "GET", path: "/rest/api/2/serverInfo", signal },
        SERVER_INFO,
      );
      // Servers before 7.x do not say.
      this.#edition = deploymentType?.toLowerCase() === "cloud" ? CLOUD : SERVER;
      return this.#edition;
    } catch (error) {
      throw this.#meaningOf(error, this.#locked);
    }
  }

  /** @returns the reply's body */
  async json<Reply>(request: JiraRequest, schema: ReplySchema<Reply>): Promise<Reply> {
    return await this.#asked(request, (whole) => this.#http.json(whole, schema));
  }

  /** For requests whose reply is not read. */
  async nothing(request: JiraRequest): Promise<void> {
    await this.#asked(request, (whole) => this.#http.nothing(whole));
  }

  /** Reads a list, page by page. */
  async list<Item>(request: JiraRequest, schema: ReplySchema<Page<Item>>, part: Part): Promise<Item[]> {
    if (part.paged === false) return (await this.json(request, schema)).items.slice(0, part.most);
    const found: Item[] = [];
    let next: HttpRequest["query"] | undefined = part.from ? { startAt: part.from } : {};
    for (let at = part.from ?? 0; next && found.length < part.most;) {
      const query = { ...request.query, maxResults: part.size, ...next };
      const page: Page<Item> = await this.json({ ...request, query }, schema);
      found.push(...page.items);
      at += page.items.length;
      next = nextPage(page, at);
    }
    return found.slice(0, part.most);
  }

  /** srvAudit's own account there. @throws {TrackerDeniedError} */
  async self(signal: AbortSignal): Promise<UserReply> {
    return this.#self ??= await this.#myself(signal);
  }

  /** Asks for that account, whatever is remembered. @throws {TrackerDeniedError} */
  async check(signal: AbortSignal): Promise<void> {
    this.#self = undefined;
    await this.self(signal);
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  /** Whether the key is good now. */
  async #myself(signal: AbortSignal): Promise<UserReply> {
    const { api } = await this.edition(signal);
    try {
      return await this.#http.json({ method: "GET", path: `${api}/myself`, signal }, USER);
    } catch (error) {
      throw this.#meaningOf(error, this.#locked);
    }
  }

  async #asked<Reply>(request: JiraRequest, send: (request: HttpRequest) => Promise<Reply>): Promise<Reply> {
    const { api } = await this.edition(request.signal);
    const { meaning, ...rest } = request;
    try {
      return await send({ ...rest, path: api + request.path });
    } catch (error) {
      // Cloud takes a request with a bad key for a stranger's, who is told 404 (or 400, in JQL), not 401.
      if (error instanceof HttpStatusError && [400, 403, 404].includes(error.status)) {
        if (error.status !== 404) this.#forget();
        await this.#myself(request.signal);
      }
      throw this.#meaningOf(error, meaning ?? {});
    }
  }

  #meaningOf(error: unknown, meaning: NonNullable<JiraRequest["meaning"]>): Error {
    if (!(error instanceof HttpStatusError)) return trackerError(error);
    const said = meaning[error.status];
    if (said) return said(error);
    if (error.status === 401) return this.#denied(error);
    return [403, 404].includes(error.status) ? new TicketRefusedError(refusalOf(error)) : trackerError(error);
  }

  #denied(error: Error): TrackerDeniedError {
    this.#forget();
    return new TrackerDeniedError(`${error.message}: ${this.likelyEdition.mend}`);
  }

  #forget(): void {
    this.#self = undefined;
    for (const forget of this.onRefusal) forget();
  }
}

/** What was refused, and why, in Jira's own words. */
export function refusalOf(error: HttpStatusError): string {
  return [error.message, reasonsOf(error.body).join("; ")].filter((words) => words !== "").join(": ");
}

/** The reference's "Basic auth for REST APIs" (Cloud) and "Using personal access tokens" (Server). */
function authorizationOf({ mail, token }: JiraSettings): string {
  if (mail === "") return `Bearer ${token}`;
  return `Basic ${Buffer.from(`${mail}:${token}`).toString("base64")}`;
}

/** What the next page is asked for by; undefined where there is none. */
function nextPage(page: Page<unknown>, at: number): HttpRequest["query"] | undefined {
  if (page.next !== undefined) return { nextPageToken: page.next };
  const more = page.isLast === undefined && page.total !== undefined && at < page.total;
  return page.items.length > 0 && (page.isLast === false || more) ? { startAt: at } : undefined;
}
