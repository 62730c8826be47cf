/** All that the agent keeps of its host, and does for it: sessions, spools, evidence, tickets. */

import type { AgentSettings } from "../config/agent_settings.ts";
import type { HostPaths } from "../config/paths.ts";
import { VERSION } from "../config/version.ts";
import type { AgentStatus } from "../desk/protocol.ts";
import { EvidenceError } from "../evidence/evidence_error.ts";
import { hexOf } from "../evidence/chain.ts";
import { EvidenceStore } from "../evidence/store.ts";
import { Accounts, localAccounts } from "../posix/accounts.ts";
import { dropGroups } from "../posix/as_user.ts";
import type { Poller } from "../posix/poller.ts";
import type { Account } from "../posix/libc.ts";
import { nowUs } from "../record/clock.ts";
import { isSessionEvent } from "../record/session_event.ts";
import { LocalTracker } from "../trackers/local.ts";
import { Admission } from "./admission.ts";
import { IdleWatch } from "./idle.ts";
import { log, reasonOf } from "./log.ts";
import { answering } from "./requests.ts";
import type { Handle } from "./server.ts";
import { type OpenSession, Sessions } from "./sessions.ts";
import { inFolder, pathOf, type SpoolFolder } from "./spool_folder.ts";
import { type Dirty, SpoolWatcher } from "./spool_watcher.ts";
import { TakeIn } from "./take_in.ts";

/** How often it looks at what no file system tells: processes that are gone, terminals that are silent. */
const TICK_MS = 1000;
/** Every how many ticks it does so thoroughly. */
const THOROUGH_TICKS = 30;
/** How long it waits when evidence cannot be written, in milliseconds. */
const TROUBLE_PAUSE_MS = 2000;

/** The agent without its socket. */
export class Host implements Disposable {
  /** Answers peers. */
  readonly handle: Handle;
  /** How many peers there are. */
  countConnections: () => number = () => 0;
  readonly #store: EvidenceStore;
  readonly #accounts = new Accounts();
  readonly #sessions: Sessions;
  readonly #takeIn: TakeIn;
  readonly #watcher: SpoolWatcher;
  readonly #idle: IdleWatch;
  readonly #admission: Admission;
  readonly #tick: ReturnType<typeof setInterval>;
  readonly #sinceUs = nowUs();
  /** The users whose own spools are watched. */
  readonly #met = new Set<number>();
  #ticks = 0;
  #next: ReturnType<typeof setTimeout> | undefined;
  /** Why evidence cannot be written, or null. */
  #trouble: string | null = null;

  /** @throws {EvidenceError} where there is evidence that cannot be gone on with */
  constructor(readonly places: HostPaths, public settings: AgentSettings, poller: Poller) {
    dropGroups();
    this.#store = new EvidenceStore(places.evidence);
    this.#sessions = new Sessions(places);
    this.#sessions.restore();
    const spool: SpoolFolder = { path: places.hostSpool, owner: undefined };
    this.#takeIn = new TakeIn(this.#store, spool, this.#sessions);
    this.#restoreLate();
    this.#idle = new IdleWatch(this.#sessions);
    this.#admission = new Admission(settings.policy, (account, key) => {
      using tracker = new LocalTracker(places.hostTickets, account.name);
      return Promise.resolve(tracker.find(key));
    });
    this.handle = answering({
      sessions: this.#sessions,
      accounts: this.#accounts,
      admission: this.#admission,
      ticketsFile: places.hostTickets,
      met: (account) => this.#meet(account),
      taken: () => [],
      status: () => this.#status(),
      opened: (session) => this.#opened(session),
    });
    this.#say("started", { version: VERSION });
    this.#watcher = new SpoolWatcher(poller, spool, (dirty) => this.#take(dirty));
    this.#meetAll();
    this.#tick = setInterval(() => this.#look(), TICK_MS);
  }

  /** Goes on by other settings. */
  follow(settings: AgentSettings): void {
    this.settings = settings;
    this.#admission.follow(settings.policy);
  }

  /** Takes in what there is, and says that it ends. */
  finish(): void {
    clearTimeout(this.#next);
    try {
      while (this.#takeIn.run().isMore);
      this.#say("stopped", { version: VERSION });
    } catch (error) {
      log.warn("what the spool still holds is taken in at the next start: {reason}", {
        reason: reasonOf(error),
      });
    }
  }

  /** Sessions that began without any agent have no file in the host's spool. */
  #restoreLate(): void {
    for (const { seq, openedUs, opened, tickets } of this.#store.openSessions()) {
      const event = { ...opened, kind: "session opened", atUs: openedUs };
      const file = this.#takeIn.spools.filesOf(seq).find(({ folder, name }) =>
        folder.owner !== undefined && name === `${opened.session}.session`
      );
      if (!file || !isSessionEvent(event)) continue;
      const [path, owner] = [pathOf(file), file.folder.owner];
      this.#sessions.note(event, path, owner);
      for (const { ticket: to, sinceUs: atUs } of tickets) {
        const switched = { kind: "ticket switched", session: event.session, atUs, from: null, to } as const;
        if (atUs > openedUs) this.#sessions.note(switched, path, owner);
      }
    }
  }

  /** Where a user's programs write when there is no agent. */
  #meet({ uid, gid, home }: Account): void {
    if (this.#met.has(uid) || !home.startsWith("/")) return;
    this.#met.add(uid);
    this.#watcher.adopt({ path: `${home}/.ash/spool`, owner: { uid, gid } });
  }

  /** Users who logged in while there was no agent may never speak to this one. */
  #meetAll(): void {
    for (const account of localAccounts()) {
      const spool: SpoolFolder = { path: `${account.home}/.ash/spool`, owner: account };
      try {
        if (inFolder(spool, () => Deno.lstatSync(spool.path)).isDirectory) this.#meet(account);
      } catch {
        // She has none, or none that can be seen now.
      }
    }
  }

  /** An event of the agent's own. */
  #say(what: string, data: Record<string, unknown>): void {
    try {
      this.#store.transaction(() =>
        this.#store.append({
          kind: "agent",
          atUs: nowUs(),
          session: null,
          shell: null,
          uid: null,
          data: { what, ...data },
        }, nowUs())
      );
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      this.#inTrouble(error);
    }
  }

  #opened({ opened }: OpenSession): void {
    const { session, user, from, ticket, mode, emergency } = opened;
    if (emergency !== undefined) {
      log.error("EMERGENCY: {user} went in without a ticket: {reason}", {
        user,
        reason: emergency,
        session,
        from,
      });
    } else log.info("session of {user} opened", { user, session, from, ticket, mode });
  }

  #take(dirty: Iterable<Dirty>): void {
    clearTimeout(this.#next);
    this.#next = undefined;
    try {
      const { isMore, unreadable } = this.#takeIn.run(dirty);
      for (const { path, reason } of unreadable) {
        log.warn("{path} cannot be read: {reason}", { path, reason });
      }
      if (this.#trouble !== null) log.info("evidence can be written again");
      this.#trouble = null;
      // Peers come in between.
      if (isMore) this.#next = setTimeout(() => this.#take([]), 0);
    } catch (error) {
      this.#inTrouble(error);
      this.#next = setTimeout(() => this.#take([]), TROUBLE_PAUSE_MS);
    }
  }

  /** Shells go on, and the spool keeps what they say. */
  #inTrouble(error: unknown): void {
    const reason = reasonOf(error);
    if (this.#trouble !== reason) {
      log.error("{reason}: shells go on, and the spool keeps what they record", { reason });
    }
    this.#trouble = reason;
  }

  #look(): void {
    this.#ticks++;
    try {
      const isThorough = this.#ticks % THOROUGH_TICKS === 0;
      if (this.#takeIn.sweep(isThorough) && this.#next === undefined) this.#take([]);
      this.#idle.check(this.settings.policy.idleTimeoutS);
    } catch (error) {
      log.error("looking after the sessions failed: {reason}", { reason: reasonOf(error) });
    }
  }

  #status(): Omit<AgentStatus, "version" | "pid"> {
    const { seq, hash } = this.#store.head();
    return {
      sinceUs: this.#sinceUs,
      memory: Deno.memoryUsage().rss,
      connections: this.countConnections(),
      head: `${seq}:${hexOf(hash)}`,
      trouble: this.#trouble,
      files: this.#takeIn.spools.size,
      waiting: 0,
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#tick);
    clearTimeout(this.#next);
    this.#watcher[Symbol.dispose]();
    this.#store[Symbol.dispose]();
    this.#accounts[Symbol.dispose]();
  }
}
