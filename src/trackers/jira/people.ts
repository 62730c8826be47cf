/** Which of Jira's users an account of this host is. */

import type { HttpStatusError } from "../../net/http.ts";
import { type Asking, type Person, TicketRefusedError } from "../tracker.ts";
import type { JiraConnection } from "./connection.ts";
import { Remembered } from "../remembered.ts";
import { pageOf, USER, type UserReply } from "./replies.ts";

/** One of Jira's users. */
export interface JiraUser {
  /** What fields and JQL name her by: an accountId (Cloud), a user name (Server). */
  id: string;
  active: boolean;
}

/** So many of the users that a search finds are looked at. */
const FOUND_AT_MOST = 50;

const USERS = pageOf(USER);

/** Finds users, and remembers them for some minutes. */
export class People {
  readonly #users = new Remembered<JiraUser | undefined>();

  constructor(readonly connection: JiraConnection) {
    connection.onRefusal.push(() => this.#users.forget());
  }

  /**
   * The user that a person is: as the config says; else who has her login, or her mail. Full names count only where the config has
   * them: on Cloud everybody chooses her own, and may choose another's account here.
   *
   * @returns undefined, where Jira knows none and the config allows that
   * @throws {TicketRefusedError} where it does not, or where her account in Jira is locked
   */
  async of({ person, signal }: Asking): Promise<JiraUser | undefined> {
    const user = await this.#users.of(`person ${person.name}`, () => this.#find(person, signal));
    if (user && !user.active) {
      throw new TicketRefusedError(
        `the account of ${person.name} in Jira is locked: ask an administrator of Jira`,
      );
    }
    if (!user && this.connection.settings.unknownUsers === "deny") {
      throw new TicketRefusedError(
        `Jira knows no user for ${person.name}: have an administrator add her there, or name her in trackerUsers`,
      );
    }
    return user;
  }

  /** The one user of that mail address, id or name, if there is one. */
  async named(name: string, signal: AbortSignal): Promise<JiraUser | undefined> {
    return await this.#users.of(`name ${name}`, () => this.#named(name, signal));
  }

  async #find({ name }: Person, signal: AbortSignal): Promise<JiraUser | undefined> {
    const { users, mailDomain } = this.connection.settings;
    if (Object.hasOwn(users, name)) return await this.#named(users[name] ?? name, signal);
    const { hasLogins } = await this.connection.edition(signal);
    const byMail = mailDomain === "" ? undefined : `${name}@${mailDomain}`;
    if (hasLogins) {
      const user = await this.#exact(name, signal, ["username"]);
      return user ?? (byMail === undefined ? undefined : await this.#byMail(byMail, signal));
    }
    return byMail === undefined ? undefined : await this.#byMail(byMail, signal);
  }

  async #named(name: string, signal: AbortSignal): Promise<JiraUser | undefined> {
    const { userKeys } = await this.connection.edition(signal);
    if (name.includes("@")) {
      const user = await this.#byMail(name, signal);
      if (user) return user;
    }
    return await this.#exact(name, signal, userKeys) ?? await this.#byDisplayName(name, signal);
  }

  /** "Get user": 404 where there is none, and 403 where nobody may look. */
  async #exact(name: string, signal: AbortSignal, keys: readonly string[]): Promise<JiraUser | undefined> {
    for (const key of keys) {
      const none = (error: HttpStatusError) => new NoUserError(error.message);
      try {
        const user = await this.connection.json(
          {
            method: "GET",
            path: "/user",
            query: { [key]: name },
            signal,
            meaning: { 400: none, 403: none, 404: none },
          },
          USER,
        );
        return await this.#userOf(user, signal);
      } catch (error) {
        if (!(error instanceof NoUserError)) throw error;
      }
    }
    return undefined;
  }

  /**
   * A hidden mail is found by the whole of it alone: the one user found has it, or has a full name that looks like it, which anybody
   * can choose.
   */
  async #byMail(mail: string, signal: AbortSignal): Promise<JiraUser | undefined> {
    const found = await this.#search(mail, signal);
    const same = found.filter(({ emailAddress }) => emailAddress?.toLowerCase() === mail.toLowerCase());
    const hidden = found.filter(({ emailAddress, displayName }) =>
      !emailAddress && !displayName?.toLowerCase().includes(mail.toLowerCase())
    );
    const only = same.length === 0 && hidden.length === 1 ? hidden[0] : same[0];
    return only && same.length < 2 ? await this.#userOf(only, signal) : undefined;
  }

  async #byDisplayName(name: string, signal: AbortSignal): Promise<JiraUser | undefined> {
    const found = await this.#search(name, signal);
    const same = found.filter(({ displayName }) => displayName?.toLowerCase() === name.toLowerCase());
    // Display names are what people choose: two of the same are nobody's.
    return same[0] && same.length === 1 ? await this.#userOf(same[0], signal) : undefined;
  }

  /** "Find users": finds what begins so. Where srvAudit's account may not browse users, Cloud finds none, and Server says 403. */
  async #search(text: string, signal: AbortSignal): Promise<UserReply[]> {
    const { userSearch } = await this.connection.edition(signal);
    const none = (error: HttpStatusError) => new NoUserError(error.message);
    try {
      return await this.connection.list(
        {
          method: "GET",
          path: "/user/search",
          query: { ...userSearch.query, [userSearch.parameter]: text },
          signal,
          meaning: { 403: none },
        },
        USERS,
        { size: FOUND_AT_MOST, most: FOUND_AT_MOST },
      );
    } catch (error) {
      if (error instanceof NoUserError) return [];
      throw error;
    }
  }

  async #userOf(user: UserReply, signal: AbortSignal): Promise<JiraUser | undefined> {
    const id = user[(await this.connection.edition(signal)).userId];
    return id ? { id, active: user.active !== false } : undefined;
  }
}

/** Jira has no such user for srvAudit. */
class NoUserError extends Error {}
