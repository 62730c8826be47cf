/** All that the agent keeps of its host, and does for it: sessions, spools, evidence, tickets. */

import type { AgentSettings } from "../config/agent_settings.ts";
import type { HostPaths } from "../config/paths.ts";
import { VERSION } from "../config/version.ts";
import type { AgentStatus } from "../desk/protocol.ts";
import { EvidenceError } from "../evidence/evidence_error.ts";
import type { NewEvent } from "../evidence/event.ts";
import { formatHead } from "../evidence/head.ts";
import { Outbox } from "../evidence/outbox.ts";
import { removeOld } from "../evidence/retention.ts";
import { EvidenceStore } from "../evidence/store.ts";
import { Accounts, localAccounts } from "../posix/accounts.ts";
import { dropGroups } from "../posix/as_user.ts";
import type { Poller } from "../posix/poller.ts";
import type { Account } from "../posix/libc.ts";
import { nowUs } from "../record/clock.ts";
import { isSessionEvent } from "../record/session_event.ts";
import { LocalTracker } from "../trackers/local.ts";
import type { Ticket } from "../trackers/tracker.ts";
import { Admission } from "./admission.ts";
import { Errands } from "./errands.ts";
import type { Followed } from "./followed.ts";
import { IdleWatch } from "./idle.ts";
import { log, reasonOf } from "./log.ts";
import { answering } from "./requests.ts";
import type { Handle } from "./server.ts";
import { type OpenSession, Sessions } from "./sessions.ts";
import { SilenceWatch } from "./silence.ts";
import { SpoolTidy } from "./spool_tidy.ts";
import { inFolder, pathOf, type SpoolFolder } from "./spool_folder.ts";
import { type Dirty, SpoolWatcher } from "./spool_watcher.ts";
import { TakeIn } from "./take_in.ts";

/** How often it looks at what no file system tells: processes that are gone, terminals that are silent. */
const TICK_MS = 1000;
/** Every how many ticks it does so thoroughly. */
const THOROUGH_TICKS = 30;
/** Every how many it removes spool files that nobody needs any more. */
const TIDY_TICKS = 60;
/** Every how many it removes old evidence, and says where the chain stands; the first time a minute after the start. */
const RETENTION_TICKS = 3600;
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
  readonly #tidy: SpoolTidy;
  readonly #errands: Errands;
  readonly #silence = new SilenceWatch();
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
    this.#tidy = new SpoolTidy(this.#store, this.#takeIn.spools);
    this.#idle = new IdleWatch(this.#sessions);
    this.#admission = new Admission(settings.policy, ({ uid }, key) => this.#find(uid, key));
    this.#errands = new Errands(this.#store, new Outbox(this.#store), this.#sessions, {
      find: (uid, key) => this.#find(uid, key),
      create: (uid, subject) => this.#inTracker(uid, (tracker) => tracker.create(subject)),
      addNote: (uid, key, text) => this.#inTracker(uid, (tracker) => tracker.addNote(key, text)),
    });
    this.handle = answering({
      sessions: this.#sessions,
      accounts: this.#accounts,
      admission: this.#admission,
      ticketsFile: places.hostTickets,
      met: (account) => this.#meet(account),
      taken: ({ uid, gid, home }, files) =>
        this.#tidy.taken({ path: `${home}/.ash/spool`, owner: { uid, gid } }, files),
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

  #find(uid: number, key: string): Promise<Ticket | undefined> {
    return this.#inTracker(uid, (tracker) => tracker.find(key));
  }

  async #inTracker<Result>(uid: number, work: (tracker: LocalTracker) => Result): Promise<Result> {
    const account = await this.#accounts.byUid(uid);
    using tracker = new LocalTracker(this.places.hostTickets, account?.name ?? String(uid));
    return work(tracker);
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
      this.#append({ kind: "agent", session: null, shell: null, uid: null, data: { what, ...data } });
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

  /** What cannot be done now is tried again the next time. */
  #look(): void {
    this.#ticks++;
    const isThorough = this.#ticks % THOROUGH_TICKS === 0;
    try {
      if (this.#takeIn.sweep(isThorough) && this.#next === undefined) this.#take([]);
      this.#idle.check(this.settings.policy.idleTimeoutS);
      this.#lookForSilence();
      if (this.#ticks % TIDY_TICKS === 0) this.#tidyUp();
    } catch (error) {
      this.#failed(error);
    }
    this.#errands.run().catch((error) => this.#failed(error));
    if (this.#ticks % RETENTION_TICKS === RETENTION_TICKS / 60) {
      this.#removeOld().catch((error) => this.#failed(error));
    }
  }

  #failed(error: unknown): void {
    if (error instanceof EvidenceError) this.#inTrouble(error);
    else log.error("looking after the host failed: {reason}", { reason: reasonOf(error) });
  }

  #lookForSilence(): void {
    const files = new Map<string, Followed>();
    for (const file of this.#takeIn.spools.values()) files.set(pathOf(file), file);
    const shells = [...files].flatMap(([key, { row }]) =>
      row.pid === null || row.startTicks === null || row.name.endsWith(".session")
        ? []
        : [{ key, pid: row.pid, startTicks: row.startTicks, isRunning: row.openCommand !== null }]
    );
    for (const { key, pid, program, seconds } of this.#silence.check(shells)) {
      const row = files.get(key)?.row;
      if (!row) continue;
      this.#append({
        kind: "tamper",
        session: row.session,
        shell: row.shell,
        uid: row.uid,
        data: {
          what: "silent",
          words: "a program runs that the shell's hooks did not record",
          program,
          pid,
          seconds,
        },
      });
      log.warn("a shell of user {uid} runs what its hooks did not record: {program}", {
        uid: row.uid,
        program,
      });
    }
  }

  #tidyUp(): void {
    const { spoolDays, spoolMaxMegabytes } = this.settings;
    const { early, sealed } = this.#tidy.tidy({ days: spoolDays, maxBytes: spoolMaxMegabytes * 1_000_000 });
    if (early > 0) {
      log.warn(
        "the spool is larger than spoolMaxMegabytes: {early} files went before their users' histories had them",
        {
          early,
        },
      );
    }
    for (const file of sealed) {
      log.error("{file} is too long: nothing more of that shell is recorded (spoolMaxMegabytes)", { file });
    }
  }

  async #removeOld(): Promise<void> {
    const { retentionDays, evidenceMaxMegabytes } = this.settings;
    const limits = { keepDays: retentionDays, maxBytes: evidenceMaxMegabytes * 1_000_000, nowUs: nowUs() };
    const { tooOld, tooMuch, unmet } = await removeOld(this.#store, limits);
    if (tooOld + tooMuch > 0) log.info("removed {count} events from evidence", { count: tooOld + tooMuch });
    if (unmet !== null) log.warn("{reason}", { reason: unmet });
    // A log that is kept elsewhere holds the head against whoever rewrites this host.
    log.info("the head of the evidence is {head}", { head: formatHead(this.#store.head()) });
  }

  #append(event: Omit<NewEvent, "atUs">): void {
    const now = nowUs();
    this.#store.transaction(() => this.#store.append({ ...event, atUs: now }, now));
  }

  #status(): Omit<AgentStatus, "version" | "pid"> {
    return {
      sinceUs: this.#sinceUs,
      memory: Deno.memoryUsage().rss,
      connections: this.countConnections(),
      head: formatHead(this.#store.head()),
      trouble: this.#trouble,
      files: this.#takeIn.spools.size,
      waiting: this.#takeIn.spools.waitingBytes(),
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
