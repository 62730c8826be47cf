/** Whom Redmine takes an account of this host for. */

import type { RedmineSettings } from "../../config/tracker_settings.ts";
import { type Asking, TicketRefusedError } from "../tracker.ts";
import { ONE_USER, type User, USERS } from "./replies.ts";
import { type Actor, GUEST, LoginRefusedError, OWN_ACCOUNT, type RedmineServer } from "./server.ts";

/** What Redmine takes for a login. */
const LOGIN = /^[a-z0-9_\-@.]+$/i;
/** Users that may not log in: registered only, and locked. */
const NOT_ACTIVE = [3, 2];
/** So many users are looked through for one, a hundred at a time. */
const MOST_PAGES = 10;
const PAGE = 100;

/**
 * The people of this host in Redmine. Only an administrator's key lets srvAudit look for users and work in their names; with
 * any other one all is done by the key's own account, and only those whom the config gives an id are known.
 */
export class People {
  readonly #server: RedmineServer;
  readonly #settings: RedmineSettings;
  readonly #actors;

  constructor(server: RedmineServer, settings: RedmineSettings) {
    this.#server = server;
    this.#settings = settings;
    this.#actors = server.memory<Actor>();
  }

  /**
   * Does something in a person's name.
   *
   * @throws {TicketRefusedError} for who may not work there
   */
  async as<T>({ person, signal }: Asking, work: (actor: Actor) => Promise<T>): Promise<T> {
    const actorOf = () => this.#actors.of(person.name, () => this.#lookUp(person.name, signal));
    try {
      return await work(await actorOf());
    } catch (error) {
      if (!(error instanceof LoginRefusedError)) throw error;
      // What was remembered of her is gone: this time it is known why, or she is another one.
      return await work(await actorOf());
    }
  }

  async #lookUp(name: string, signal: AbortSignal): Promise<Actor> {
    const { admin = false } = await this.#server.account(signal);
    const actor = admin ? await this.#asAdministrator(name, signal) : await this.#byId(name, signal);
    if (actor) return actor;
    if (this.#settings.unknownUsers === "allow") return admin ? GUEST : OWN_ACCOUNT;
    throw new TicketRefusedError(
      `Redmine does not know ${name}: ${
        admin
          ? 'give her an account there, or name it in trackerUsers ("NAME=LOGIN")'
          : "srvAudit can look for users with an administrator's redmineKey only"
      }`,
    );
  }

  async #asAdministrator(name: string, signal: AbortSignal): Promise<Actor | undefined> {
    const { users, mailDomain } = this.#settings;
    const mapped = users[name];
    const user = mapped !== undefined
      ? await this.#find(mapped, signal)
      : await this.#byLogin(name, signal) ??
        (mailDomain === "" ? undefined : await this.#search(`${name}@${mailDomain}`, signal));
    if (!user?.login) return undefined;
    if (user.status !== undefined && user.status !== 1) {
      throw new TicketRefusedError(`the account ${user.login} is locked in Redmine`);
    }
    return { name: user.login, id: user.id, switchTo: user.login, isGuest: false };
  }

  /** @param named a login, an e-mail address, or an id */
  async #find(named: string, signal: AbortSignal): Promise<User | undefined> {
    const byLogin = await this.#byLogin(named, signal);
    if (byLogin) return byLogin;
    if (/^\d+$/.test(named)) return await this.#userOf(named, signal);
    return named.includes("@") ? await this.#search(named, signal) : undefined;
  }

  /** Redmine itself knows best whom it takes a login for; only why it refuses one it does not say. */
  async #byLogin(login: string, signal: AbortSignal): Promise<User | undefined> {
    if (!LOGIN.test(login)) return undefined;
    const actor = { ...OWN_ACCOUNT, name: login, switchTo: login };
    try {
      const request = { method: "GET" as const, path: "/users/current.json", signal };
      return (await this.#server.json(request, ONE_USER, actor)).user;
    } catch (error) {
      if (!(error instanceof LoginRefusedError)) throw error;
      return await this.#search(login, signal, NOT_ACTIVE);
    }
  }

  /** @param text a login or an e-mail address */
  async #search(text: string, signal: AbortSignal, statuses = [1, ...NOT_ACTIVE]): Promise<User | undefined> {
    const same = (other: string | null | undefined) => other?.toLowerCase() === text.toLowerCase();
    for (const status of statuses) {
      for (let page = 0, total = 1; page * PAGE < total && page < MOST_PAGES; page++) {
        const query = { name: text, status, limit: PAGE, offset: page * PAGE };
        const reply = await this.#server.json(
          { method: "GET", path: "/users.json", query, signal },
          USERS,
        );
        const user = reply.users.find(({ login, mail }) => same(login) || same(mail));
        // The list says the status of users only since 6.0.
        if (user) return { ...user, status };
        total = reply.total_count ?? 0;
      }
    }
    return undefined;
  }

  /** With an ordinary key: the id that the config gives, if Redmine lets the key's account see that user. */
  async #byId(name: string, signal: AbortSignal): Promise<Actor | undefined> {
    const id = this.#settings.users[name];
    if (id === undefined || !/^\d+$/.test(id)) return undefined;
    const user = await this.#userOf(id, signal);
    return user && { ...OWN_ACCOUNT, name: user.login ?? name, id: user.id };
  }

  async #userOf(id: string, signal: AbortSignal): Promise<User | undefined> {
    return (await this.#server.jsonIfThere({ method: "GET", path: `/users/${id}.json`, signal }, ONE_USER))
      ?.user;
  }
}
