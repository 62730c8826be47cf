/** A ticket system on loopback that is slow, says no or says nothing, and a tracker that asks it over HTTP, as those of ours do. */

import * as z from "zod/mini";
import { HttpStatusError } from "../../src/net/http.ts";
import { HttpClient } from "../../src/net/http_client.ts";
import { trackerError } from "../../src/trackers/http_errors.ts";
import {
  type Answers,
  type Asking,
  type Created,
  type Search,
  type StatusChange,
  type Storybook,
  type Ticket,
  type TicketDetails,
  TicketNotFoundError,
  type Tracker,
} from "../../src/trackers/tracker.ts";

/** What a question is about: `check`, `find 17`, `search WORDS`, `create SUBJECT`, `note 17 TEXT`, `status 17 Closed`. */
export type Wish = string;

/** Answers until it is disposed of. */
export class TicketServer implements AsyncDisposable {
  /** What was asked, in order, each with who asked. */
  readonly asked: { wish: Wish; user: string }[] = [];
  readonly tickets = new Map<string, Ticket>();
  /** How a wish is answered: a status (and its headers), `hang` for never, undefined for well. */
  mood: (
    wish: Wish,
    user: string,
  ) => number | { status: number; headers: Record<string, string> } | "hang" | undefined = () => undefined;
  /** How many requests are being worked on now, and were at most. */
  underWay = 0;
  mostUnderWay = 0;
  readonly #end = Promise.withResolvers<void>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** The wishes so far that begin so, without who had them. */
  wishes(start = ""): Wish[] {
    return this.asked.map(({ wish }) => wish).filter((wish) => wish.startsWith(start));
  }

  add(key: string, more: Partial<Ticket> = {}): void {
    this.tickets.set(key, { key, subject: `ticket ${key}`, status: "New", open: true, ...more });
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const wish = decodeURIComponent(pathname.slice(1));
    const user = request.headers.get("X-User") ?? "";
    this.asked.push({ wish, user });
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    try {
      const mood = this.mood(wish, user);
      if (mood === "hang") await Promise.race([this.#end.promise, goneAway(request.signal)]);
      else if (typeof mood === "number") return Response.json({ errors: ["so it is"] }, { status: mood });
      else if (mood) return Response.json({}, mood);
      return this.#result(wish);
    } finally {
      this.underWay--;
    }
  }

  #result(wish: Wish): Response {
    const [verb, key = "", ...rest] = wish.split(" ");
    const ticket = this.tickets.get(key);
    if (verb === "search") return Response.json([...this.tickets.values()]);
    if (verb === "create") {
      const made = String(100 + this.tickets.size);
      this.add(made, { subject: [key, ...rest].join(" ") });
      return Response.json(this.tickets.get(made));
    }
    if (verb === "check") return Response.json({});
    if (!ticket) return Response.json({}, { status: 404 });
    if (verb === "status") {
      Object.assign(ticket, { status: rest.join(" "), open: rest.join(" ") !== "Closed" });
    }
    return Response.json(ticket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.resolve();
    await this.#server.shutdown();
  }
}

const TICKET = z.object({ key: z.string(), subject: z.string(), status: z.string(), open: z.boolean() });

/** Asks a `TicketServer`. `17` means OPS-17 to it, where the server has that. */
export class ServedTracker implements Tracker {
  readonly name = "Served";
  isDisposed = false;
  readonly #http: HttpClient;

  /** @param more what the tracker has beside: a storybook, questions before a ticket is made */
  constructor(
    readonly server: TicketServer,
    readonly more: { storybook?: Storybook; questions?: Exclude<Created, { ticket: Ticket }>["questions"] } =
      {},
  ) {
    const network = { proxy: "", noProxy: [], caFile: "" };
    this.#http = new HttpClient({ service: "Served", url: server.url, headers: {}, network });
    if (more.storybook) this.storybook = more.storybook;
  }

  readonly storybook?: Storybook;

  keyOf(typed: string): string {
    return this.server.tickets.has(`OPS-${typed}`) ? `OPS-${typed}` : typed;
  }

  urlOf(): undefined {
    return undefined;
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#ask("check", signal, "", z.object({}));
  }

  async find({ person, signal }: Asking, key: string): Promise<Ticket | undefined> {
    try {
      return await this.#ask(`find ${key}`, signal, person.name, TICKET);
    } catch (error) {
      if (error instanceof HttpStatusError && error.status === 404) return undefined;
      throw error;
    }
  }

  async details({ person, signal }: Asking, key: string): Promise<TicketDetails> {
    const ticket = await this.#ask(`find ${key}`, signal, person.name, TICKET);
    return { ...ticket, createdAtUs: Date.now() * 1000, createdBy: "", notes: [], statuses: [] };
  }

  async search({ person, signal }: Asking, { words }: Search): Promise<Ticket[]> {
    return await this.#ask(`search ${words}`, signal, person.name, z.array(TICKET));
  }

  async create({ person, signal }: Asking, answers: Answers): Promise<Created> {
    const questions = (this.more.questions ?? []).filter(({ name }) => answers[name] === undefined);
    if (questions.length > 0) return { questions };
    return { ticket: await this.#ask(`create ${answers.subject}`, signal, person.name, TICKET) };
  }

  nextStatuses(): Promise<string[]> {
    return Promise.resolve(["Closed"]);
  }

  async setStatus({ person, signal }: Asking, key: string, status: string): Promise<StatusChange> {
    const before = this.server.tickets.get(key)?.status ?? "";
    return { before, after: await this.#ask(`status ${key} ${status}`, signal, person.name, TICKET) };
  }

  async addNote({ person, signal }: Asking, key: string, text: string): Promise<void> {
    try {
      await this.#ask(`note ${key} ${text}`, signal, person.name, TICKET);
    } catch (error) {
      if (!(error instanceof HttpStatusError)) throw error;
      throw new TicketNotFoundError(`there is no ticket ${key}`);
    }
  }

  async #ask<T>(wish: Wish, signal: AbortSignal, user: string, schema: z.ZodMiniType<T>): Promise<T> {
    const path = `/${encodeURIComponent(wish)}`;
    try {
      return await this.#http.json({ method: "GET", path, headers: { "X-User": user }, signal }, schema);
    } catch (error) {
      throw trackerError(error);
    }
  }

  [Symbol.dispose](): void {
    this.isDisposed = true;
    this.#http[Symbol.dispose]();
  }
}

function goneAway(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}
