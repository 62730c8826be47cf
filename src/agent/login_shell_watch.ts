/**
 * Looks whether somebody has lost `hello` as her login shell: by chsh(1), by an admin, by a program that manages the host. From
 * then on she logs in without a ticket and a session, which is to be known.
 */

import type { HostPaths } from "../config/paths.ts";
import type { NewEvent } from "../evidence/event.ts";
import { type KnownShell, LoginShellRows } from "../evidence/login_shell_rows.ts";
import { localAccounts } from "../posix/accounts.ts";
import type { Poller } from "../posix/poller.ts";
import { nowUs } from "../record/clock.ts";
import { readGivenShells } from "../record/given_shells.ts";
import { messageOf } from "../terminal/message_of.ts";
import { FileNews } from "./file_news.ts";
import type { Intake } from "./intake.ts";
import { log } from "./log.ts";
import { compareShells, type LostShell, type ShellKnowledge } from "./login_shells.ts";

/** More than these at once are told of in one event: it is a tool's doing, and sinks would tell of nothing else for long. */
const MOST_TOLD_EACH = 20;

/** Reads passwd when it has changed. Who is known to have `hello` is in evidence: so a restart neither repeats nor misses it. */
export class LoginShellWatch implements Disposable {
  readonly #rows: LoginShellRows;
  /** What the rows say. */
  #known: Map<string, KnownShell> | undefined;
  /** Which passwd was looked at last. */
  #seen: string | undefined;
  #work: Promise<void> = Promise.resolve();
  #news: Disposable | undefined;

  constructor(
    readonly places: Pick<HostPaths, "accounts" | "state">,
    readonly intake: Pick<Intake, "store" | "onNews" | "failed">,
  ) {
    this.#rows = new LoginShellRows(intake.store);
  }

  /** Looks at passwd, and from now on at each change of it as it comes; where the kernel tells of none, whenever it is asked to. */
  begin(poller: Poller): void {
    const look = () => void this.check().catch((error) => this.intake.failed(error));
    try {
      this.#news = new FileNews(poller, this.places.accounts, look);
    } catch (error) {
      const { accounts: file } = this.places;
      log.warn("{file} is looked at each second: {reason}", { file, reason: messageOf(error) });
    }
    look();
  }

  /**
   * Looks whether passwd has changed, and if so, at who is in it.
   *
   * @returns when what that tells is in evidence
   * @throws {EvidenceError} if it cannot be written: the next call tries again
   */
  check(): Promise<void> {
    const version = versionOf(this.places.accounts);
    if (version === "" || version === this.#seen) return this.#work;
    this.#seen = version;
    this.#work = this.#take(this.#work).catch((error) => {
      this.#seen = undefined;
      throw error;
    });
    return this.#work;
  }

  async #take(before: Promise<void>): Promise<void> {
    const atUs = nowUs();
    // Before anything is waited for: what is changed back in the next moment was changed all the same.
    const passwd = localAccounts(this.places.accounts);
    await before.catch(() => {});
    const { isHello, installed } = await installerKnows(this.places.state);
    const known = this.#known ??= this.#rows.all();
    const given = readGivenShells(this.places.state);
    const news = compareShells(passwd, { known, installed, given, isHello, nowUs: atUs });
    if (news.known.length === 0) return;
    const events = eventsOf(news.lost);
    const { store } = this.intake;
    store.transaction(() => {
      news.known.forEach((each) => this.#rows.save(each));
      for (const event of events) store.append({ ...event, atUs }, atUs);
    });
    for (const each of news.known) known.set(each.name, each);
    if (events.length === 0) return;
    this.intake.onNews();
    for (const { kind, data } of events) {
      if (kind === "tamper") log.warn("{words}", { words: data?.words });
      else log.info("users have their own shells again, by {by}", { by: data?.by });
    }
  }

  [Symbol.dispose](): void {
    this.#news?.[Symbol.dispose]();
  }
}

/** What tells one passwd from another: rename(2) makes each a file of its own. Empty while there is none. */
function versionOf(file: string): string {
  try {
    const { dev, ino, size, mtime, ctime } = Deno.statSync(file);
    return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join();
  } catch {
    return "";
  }
}

/** The installer's own, which an agent needs only when passwd has changed. */
async function installerKnows(state: string): Promise<Pick<ShellKnowledge, "isHello" | "installed">> {
  const { helloOn } = await import("../install/old_shells.ts");
  const { givenHello } = await import("../install/given_hello.ts");
  const root = state.slice(0, -"/var/lib/srvaudit".length);
  const isHello = helloOn({ root });
  try {
    return { isHello, installed: givenHello({ root }) };
  } catch (error) {
    log.warn("whom srvaudit install gave hello cannot be told: {reason}", { reason: messageOf(error) });
    return { isHello, installed: new Map() };
  }
}

function eventsOf(lost: readonly LostShell[]): Omit<NewEvent, "atUs">[] {
  return [...Map.groupBy(lost, ({ by }) => by)].flatMap(([by, users]) => {
    if (by !== undefined) return [givenBack(by, users)];
    return users.length > MOST_TOLD_EACH ? [tamperOfMany(users)] : users.map(tamperOf);
  });
}

function tamperOf({ name, uid, shell, from }: LostShell): Omit<NewEvent, "atUs"> {
  const words = `the login shell of ${name} was changed from ${from} to ${shell || "/bin/sh"}`;
  return { kind: "tamper", session: null, shell: null, uid, data: { what: "login shell", words } };
}

function tamperOfMany(users: readonly LostShell[]): Omit<NewEvent, "atUs"> {
  const words = `the login shells of ${users.length} users were changed from hello to others`;
  const data = { what: "login shell", words, users: namesOf(users) };
  return { kind: "tamper", session: null, shell: null, uid: null, data };
}

function givenBack(by: string, users: readonly LostShell[]): Omit<NewEvent, "atUs"> {
  const data = { what: "shells given back", by: `srvaudit ${by}`, users: namesOf(users) };
  return { kind: "agent", session: null, shell: null, uid: null, data };
}

function namesOf(users: readonly LostShell[]): string {
  return users.map(({ name }) => name).join(" ");
}
