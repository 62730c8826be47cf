/** Redmine's REST API, in whose name whatever is asked of it, and what its answers mean. */

import type { NetworkSettings, RedmineSettings } from "../../config/tracker_settings.ts";
import { type HttpRequest, HttpStatusError, type ReplySchema } from "../../net/http.ts";
import { HttpClient } from "../../net/http_client.ts";
import { reasonsOf, trackerError } from "../http_errors.ts";
import { Remembered } from "../remembered.ts";
import { TicketRefusedError, TrackerDeniedError, TrackerUnavailableError } from "../tracker.ts";
import { ONE_USER, type User } from "./replies.ts";

/** How often a change is sent that always meets somebody else's. */
const MOST_TRIES = 5;

/** In whose name something is asked. */
export interface Actor {
  /** As messages call her: a login, or `srvAudit's account`. */
  name: string;
  /** Her account's id in Redmine, where she is known there. */
  id: number | undefined;
  /** The login that Redmine is to take her for; undefined for the key's own account. */
  switchTo: string | undefined;
  /** Whether she is to see what is public alone, and what the config names, whatever the account may see. */
  isGuest: boolean;
}

/** The account that the key belongs to. */
export const OWN_ACCOUNT: Actor = {
  name: "srvAudit's account",
  id: undefined,
  switchTo: undefined,
  isGuest: false,
};

/** Whom Redmine does not know, where the key is an administrator's: to the account that she works as, nothing is private. */
export const GUEST: Actor = { ...OWN_ACCOUNT, isGuest: true };

/** The login that was to be switched to is unknown by now, or locked. */
export class LoginRefusedError extends Error {
  override name = "LoginRefusedError";
}

/**
 * Redmine, as somebody talks to it.
 *
 * A key that Redmine does not take makes nobody of whoever sends it, and nobody may see what is public: so a success alone
 * does not show that the key is good. That is asked for, every few minutes and after every answer that says no.
 */
export class RedmineServer implements Disposable {
  readonly #http: HttpClient;
  readonly #account = new Remembered<User>();
  readonly #caches: { forget(): void }[] = [this.#account];
  #isAdministrator = false;

  constructor(settings: RedmineSettings, network: NetworkSettings) {
    const headers = { "X-Redmine-API-Key": settings.key };
    this.#http = new HttpClient({ service: "Redmine", url: settings.url, headers, network });
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  /** A memory that is emptied as soon as Redmine says no to anything: whoever was allowed something may be no more. */
  memory<Answer>(forMs?: number): Remembered<Answer> {
    const memory = new Remembered<Answer>(forMs);
    this.#caches.push(memory);
    return memory;
  }

  /** The key's own account. @throws {TrackerDeniedError} if Redmine does not take the key */
  account(signal: AbortSignal): Promise<User> {
    return this.#account.of("", () => this.#currentUser(signal));
  }

  /** Whether the key was an administrator's when that was last asked. */
  get isAdministrator(): boolean {
    return this.#isAdministrator;
  }

  /** Asks for that account, whatever is remembered. @throws {TrackerDeniedError} */
  async check(signal: AbortSignal): Promise<void> {
    this.#account.forget();
    await this.account(signal);
  }

  /**
   * Asks for something.
   *
   * @throws {HttpStatusError} for a 403 and a 404, where the key is good: what they mean depends on what was asked
   * @throws {LoginRefusedError} @throws {TicketRefusedError} @throws {TrackerUnavailableError}
   */
  async json<Reply>(request: HttpRequest, schema: ReplySchema<Reply>, actor = OWN_ACCOUNT): Promise<Reply> {
    return await this.#judged(request, actor, (asked) => this.#http.json(asked, schema));
  }

  /** Changes something, again where somebody else was changing it at the same moment. @throws what `json` does */
  async nothing(request: HttpRequest, actor = OWN_ACCOUNT): Promise<void> {
    for (let tries = 1;; tries++) {
      try {
        return await this.#judged(request, actor, (asked) => this.#http.nothing(asked));
      } catch (error) {
        if (!isConflict(error)) throw error;
        if (tries === MOST_TRIES) {
          throw new TicketRefusedError(`${error.message}: others are changing it just now: try again`, {
            cause: error,
          });
        }
      }
    }
  }

  /** Asks for what may not be there, or not for this one. @returns undefined then @throws what `json` does but for that */
  async jsonIfThere<Reply>(
    request: HttpRequest,
    schema: ReplySchema<Reply>,
    actor = OWN_ACCOUNT,
  ): Promise<Reply | undefined> {
    try {
      return await this.json(request, schema, actor);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #judged<T>(request: HttpRequest, actor: Actor, ask: (asked: HttpRequest) => Promise<T>): Promise<T> {
    await this.account(request.signal);
    const headers = actor.switchTo === undefined ? {} : { "X-Redmine-Switch-User": actor.switchTo };
    try {
      return await ask({ ...request, headers });
    } catch (error) {
      if (!(error instanceof HttpStatusError)) throw trackerError(error);
      if (error.status === 412 && actor.switchTo !== undefined) {
        this.#forget();
        throw new LoginRefusedError(`Redmine does not let ${actor.switchTo} in`, { cause: error });
      }
      if (error.status === 401 || error.status === 403) this.#forget();
      if (isMissing(error)) {
        this.#account.forget();
        await this.account(request.signal);
      }
      throw trackerError(error);
    }
  }

  async #currentUser(signal: AbortSignal): Promise<User> {
    try {
      const path = "/users/current.json";
      const { user } = await this.#http.json({ method: "GET", path, signal }, ONE_USER);
      this.#isAdministrator = user.admin === true;
      return user;
    } catch (error) {
      this.#forget();
      if (error instanceof HttpStatusError && error.status === 403) {
        const mend = "switch its REST API on (Administration, Settings, API), and see redmineKey";
        throw new TrackerDeniedError(`${error.message}: ${mend}`, { cause: error });
      }
      if (error instanceof HttpStatusError && error.status === 404) {
        throw new TrackerUnavailableError(`${error.message}: there is no Redmine: see redmineURL`, {
          cause: error,
        });
      }
      throw trackerError(error);
    }
  }

  #forget(): void {
    for (const cache of this.#caches) cache.forget();
  }
}

/** Whether Redmine has changed nothing since another change came in between: it refuses then, and says no reason. */
function isConflict(error: unknown): error is TicketRefusedError {
  if (!(error instanceof TicketRefusedError) || !(error.cause instanceof HttpStatusError)) return false;
  return error.cause.status === 422 && reasonsOf(error.cause.body).length === 0;
}

/** Whether Redmine says that it is not there, or not for whoever asks. */
export function isMissing(error: unknown): boolean {
  return error instanceof HttpStatusError && (error.status === 403 || error.status === 404);
}
