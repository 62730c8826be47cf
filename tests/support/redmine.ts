/**
 * A real Redmine on loopback, with the little world of redmine/setup.rb in it, for the tests of one file: name what is tried on
 * it as steps of one test. What its world is, is said in `PEOPLE` and in setup.rb.
 *
 * @example
 * ```ts
 * testThatNeeds(["Redmine"], "a ticket of Redmine's can be found", async (test) => {
 *   await using redmine = await Redmine.start();
 *   await test.step("by its number", async () => {
 *     const { issue } = (await redmine.api("bob", "GET", "/issues/1.json")).body as { issue: { subject: string } };
 *   });
 * });
 * ```
 */

import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { RedmineSettings } from "../../src/config/tracker_settings.ts";
import type { Asking } from "../../src/trackers/tracker.ts";
import { removeFolder } from "./remove_folder.ts";
import { succeed } from "./run.ts";

const SCRIPTS = new URL("redmine/", import.meta.url).pathname;

/** What Redmine may take its texts for. */
export type RedmineFormat = "textile" | "markdown" | "common_mark";

/** Who is there, and each one's key: an administrator, a Manager of `ops`, a Developer of `ops`, and one who is locked. */
export const REDMINE_KEYS = {
  admin: "a".repeat(40),
  alice: "b".repeat(40),
  bob: "c".repeat(40),
  mallory: "d".repeat(40),
} as const;

/** An account of the test's Redmine. */
export type RedmineUser = keyof typeof REDMINE_KEYS;

/** What Redmine answered. */
export interface RedmineReply {
  status: number;
  /** Undefined where it was empty. */
  body: unknown;
}

/** A Redmine that runs as long as the test does, or is killed with it. */
export class Redmine implements AsyncDisposable {
  readonly #http = Deno.createHttpClient({ http2: false });

  private constructor(
    /** Without a slash at its end. */
    readonly url: string,
    /** Holds all that there is of it. */
    readonly folder: string,
    private readonly puma: Deno.ChildProcess,
    private readonly stdin: WritableStream<Uint8Array>,
    private readonly said: Promise<void>,
  ) {}

  /** @throws {Error} if it does not start, with what it said */
  static async start(format: RedmineFormat = "textile"): Promise<Redmine> {
    const folder = await Deno.makeTempDir({ dir: await runsFolder(), prefix: "test" });
    const puma = new Deno.Command(`${SCRIPTS}start.sh`, {
      args: ["-f", "-e", "-t", format, folder],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const listening = Promise.withResolvers<string | undefined>();
    let text = "";
    const said = puma.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
      new WritableStream({
        write(chunk) {
          text += chunk;
          const url = /^\* Listening on (http:\S+)$/m.exec(text)?.[1];
          if (url !== undefined) listening.resolve(url);
        },
        close: () => listening.resolve(undefined),
      }),
    );
    const url = await listening.promise;
    if (url === undefined) {
      await Promise.all([puma.stdin.close(), puma.status, said]);
      await removeFolder(folder);
      throw new Error(`Redmine did not start:\n${text}`);
    }
    return new Redmine(url, folder, puma, puma.stdin, said);
  }

  /**
   * Asks its REST API.
   *
   * @param user whose key to send, a key itself, or undefined for none
   * @param path with its query
   * @param body sent as JSON
   */
  async api(
    user: RedmineUser | (string & Record<never, never>) | undefined,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<RedmineReply> {
    const key = user === undefined ? undefined : (REDMINE_KEYS as Record<string, string>)[user] ?? user;
    const response = await fetch(this.url + path, {
      method,
      client: this.#http,
      headers: {
        ...(key === undefined ? {} : { "x-redmine-api-key": key }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  }

  /**
   * Makes a ticket.
   *
   * @param issue what it is to be, as the API takes it; the required field is there unless given
   * @returns its number
   */
  async issue(user: RedmineUser, issue: Record<string, unknown>): Promise<number> {
    const { status, body } = await this.api(user, "POST", "/issues.json", {
      issue: { project_id: "ops", custom_fields: [{ id: 1, value: "because" }], ...issue },
    });
    if (status !== 201) throw new Error(`no ticket: ${status} ${JSON.stringify(body)}`);
    return (body as { issue: { id: number } }).issue.id;
  }

  /** Sets one of Administration, Settings: `rest_api_enabled`, `login_required`, `text_formatting`. It holds from the next request on. */
  setting(name: string, value: string): void {
    const changed = "strftime('%Y-%m-%d %H:%M:%f','now')";
    this.sql("DELETE FROM settings WHERE name = ?", name);
    this.sql(`INSERT INTO settings (name, value, updated_on) VALUES (?, ?, ${changed})`, name, value);
  }

  /** Changes or reads what it keeps, past its own checks. */
  sql(statement: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    const database = new DatabaseSync(`${this.folder}/redmine.sqlite3`);
    try {
      database.exec("PRAGMA busy_timeout = 20000");
      return database.prepare(statement).all(...values);
    } finally {
      database.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.close();
    // Nothing of it is wanted any more: it need not end in order.
    this.puma.kill("SIGKILL");
    await this.puma.status;
    await Promise.all([this.said, this.stdin.close().catch(() => {})]);
    await removeFolder(this.folder);
  }
}

/**
 * Renders texts as a page of Redmine's would show them as a note on issue 1. It takes some seconds, however few there are.
 *
 * @returns the HTML of each
 */
export async function renderWithRedmine(format: RedmineFormat, texts: readonly string[]): Promise<string[]> {
  return JSON.parse(await succeed([`${SCRIPTS}render.sh`, format], { stdin: JSON.stringify(texts) }));
}

async function runsFolder(): Promise<string> {
  const base = Deno.env.get("REDMINE_BASE") ?? new URL("../../.tools/redmine", import.meta.url).pathname;
  await Deno.mkdir(`${base}/runs`, { recursive: true });
  return `${base}/runs`;
}

/** What the config of a host says that works with it: an administrator's key, `ops` alone, unless it is said otherwise. */
export function settingsFor(
  redmine: Pick<Redmine, "url">,
  changes: Partial<RedmineSettings> = {},
): RedmineSettings {
  return {
    kind: "Redmine",
    url: redmine.url,
    key: REDMINE_KEYS.admin,
    projects: ["ops"],
    newTicketType: "",
    fields: {},
    users: {},
    mailDomain: "",
    unknownUsers: "allow",
    logsTime: false,
    storySeconds: 30,
    format: "textile",
    activity: "",
    ...changes,
  };
}

/** Somebody of the host who asks, and waits for half a minute. */
export function askingAs(name: string): Asking {
  return { person: { uid: 1000, name }, signal: AbortSignal.timeout(30_000) };
}
