/** All that the agent keeps of its host, and does for it: sessions, spools, evidence, tickets. */

import type { AgentSettings } from "../config/agent_settings.ts";
import type { HostPaths } from "../config/paths.ts";
import { VERSION } from "../config/version.ts";
import type { AgentStatus } from "../desk/protocol.ts";
import { formatHead } from "../evidence/head.ts";
import { MaskedEvents } from "../evidence/masked.ts";
import { NewsRows } from "../evidence/news_rows.ts";
import { Outbox } from "../evidence/outbox.ts";
import { EvidenceStore } from "../evidence/store.ts";
import { Accounts, localAccounts } from "../posix/accounts.ts";
import { dropGroups } from "../posix/as_user.ts";
import type { Account } from "../posix/libc.ts";
import { MayHangError } from "../posix/own_folder.ts";
import type { Poller } from "../posix/poller.ts";
import { nowUs } from "../record/clock.ts";
import type { SessionOpened } from "../record/event.ts";
import { isSessionEvent } from "../record/session_event.ts";
import { NewsReader } from "../sinks/news_reader.ts";
import { messageOf } from "../terminal/message_of.ts";
import { Admission } from "./admission.ts";
import { Dispatch } from "./dispatch/dispatch.ts";
import { Errands } from "./errands.ts";
import { IdleWatch } from "./idle.ts";
import { Intake } from "./intake.ts";
import { log } from "./log.ts";
import { LoginShellWatch } from "./login_shell_watch.ts";
import { PutBackWatch } from "./put_back_watch.ts";
import { answering } from "./requests.ts";
import type { Handle } from "./server.ts";
import { type OpenSession, Sessions } from "./sessions.ts";
import { inFolder, pathOf, type SpoolFolder } from "./spool_folder.ts";
import { SpoolTidy } from "./spool_tidy.ts";
import { Stories } from "./stories/stories.ts";
import { Tickets } from "./tickets.ts";
import { Upkeep } from "./upkeep.ts";

/** How long what is under way to sinks may take at the end, in milliseconds; what takes longer is told again. */
const SETTLE_MS = 3000;

/** The agent without its socket. */
export class Host implements Disposable {
  /** Answers peers. */
  readonly handle: Handle;
  /** How many peers there are. */
  countConnections: () => number = () => 0;
  readonly #store: EvidenceStore;
  readonly #accounts = new Accounts();
  readonly #sessions: Sessions;
  readonly #intake: Intake;
  readonly #loginShells: LoginShellWatch;
  readonly #upkeep: Upkeep;
  readonly #admission: Admission;
  readonly #tickets: Tickets;
  readonly #errands: Errands;
  readonly #stories: Stories;
  readonly #dispatch: Dispatch;
  readonly #sinceUs = nowUs();
  /** The users whose own spools are watched. */
  readonly #met = new Set<number>();
  /** The names of the users that this host knows by itself. */
  #names: ReadonlyMap<number, string> = new Map();
  #saidUnprotected = false;

  /** @throws {EvidenceError} where there is evidence that cannot be gone on with */
  constructor(readonly places: HostPaths, public settings: AgentSettings, poller: Poller) {
    dropGroups();
    this.#store = new EvidenceStore(places.evidence);
    this.#sessions = new Sessions(places);
    this.#sessions.restore();
    this.#intake = new Intake(this.#store, { path: places.hostSpool, owner: undefined }, {
      note: (event, file, owner) => {
        this.#sessions.note(event, file, owner);
        // What began without the agent is said when the agent hears of it.
        if (owner && event.kind === "session opened") sayEmergency(event);
      },
    });
    this.#restoreLate();
    this.#tickets = new Tickets(settings, places, this.#accounts);
    this.#admission = new Admission(settings.policy, this.#tickets);
    const tidy = new SpoolTidy(this.#store, this.#intake.takeIn.spools);
    const outbox = new Outbox(this.#store);
    this.#errands = new Errands(this.#store, outbox, this.#sessions, this.#tickets);
    this.#stories = new Stories(this.#store, outbox);
    this.#tellStories();
    this.#dispatch = new Dispatch(outbox);
    this.#tellSinks();
    this.#intake.onNews = () => this.#dispatch.poke();
    this.handle = answering({
      sessions: this.#sessions,
      accounts: this.#accounts,
      admission: this.#admission,
      tickets: this.#tickets,
      masked: (where, { uid }, patterns) => this.#intake.say("masked", { where, uid, patterns }),
      met: (account) => this.#meet(account),
      taken: (account, files) => tidy.taken(ownSpool(account), files),
      status: () => this.#status(),
      note: (what) => this.#intake.say(what, {}),
      opened: (session) => this.#opened(session),
      sinks: this.#dispatch,
    });
    this.#intake.say("started", { version: VERSION });
    this.#intake.begin(poller);
    this.#meetAll();
    this.#loginShells = new LoginShellWatch(places, this.#intake);
    this.#loginShells.begin(poller);
    this.#upkeep = new Upkeep(
      {
        intake: this.#intake,
        idle: new IdleWatch(this.#sessions),
        errands: this.#errands,
        stories: this.#stories,
        dispatch: this.#dispatch,
        tidy,
        putBack: new PutBackWatch(places.state),
        loginShells: this.#loginShells,
        meetAll: () => this.#meetAll(),
      },
      () => this.settings,
    );
  }

  /** Goes on by other settings. @throws {Error} if there can be no such tracker: then those before hold */
  follow(settings: AgentSettings): void {
    this.#tickets.follow(settings);
    this.settings = settings;
    this.#admission.follow(settings.policy);
    this.#tellStories();
    this.#tellSinks();
  }

  #tellStories(): void {
    const { tracker, mask } = this.#tickets;
    const outage = () => this.#tickets.outage;
    this.#stories.follow({ tracker, mask, settings: this.settings.tracker, outage });
  }

  #tellSinks(): void {
    const { sinks, network } = this.settings;
    const { tracker, mask } = this.#tickets;
    const host = Deno.hostname();
    const reader = new NewsReader({
      rows: new NewsRows(this.#store),
      masked: new MaskedEvents(this.#store),
      mask,
      tickets: tracker,
      host,
      nameOf: (uid) => this.#names.get(uid),
    });
    this.#dispatch.follow({ sinks, network, reader, host });
  }

  /** Takes in what there is, says that it ends, and lets sinks take what is under way to them. */
  async finish(): Promise<void> {
    this.#intake.finish();
    this.#intake.say("stopped", { version: VERSION });
    await this.#dispatch.settle(SETTLE_MS);
  }

  /** Sessions that began without any agent have no file in the host's spool. */
  #restoreLate(): void {
    for (const { seq, openedUs, opened, tickets } of this.#store.openSessions()) {
      const event = { ...opened, kind: "session opened", atUs: openedUs };
      const file = this.#intake.takeIn.spools.filesOf(seq).find(({ folder, name }) =>
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

  /** Follows what a user's programs have written, and will write, while there is no agent. */
  #meet(account: Account): void {
    if (this.#met.has(account.uid) || !account.home.startsWith("/")) return;
    this.#met.add(account.uid);
    this.#intake.adopt(ownSpool(account));
  }

  /** Users who logged in while there was no agent, or none that answered, may never speak to this one. */
  #meetAll(): void {
    const accounts = this.#localAccounts();
    this.#names = new Map(accounts.map(({ uid, name }) => [uid, name]));
    for (const account of accounts) {
      if (this.#met.has(account.uid)) continue;
      const spool = ownSpool(account);
      try {
        inFolder(spool, () => {});
        this.#meet(account);
      } catch (error) {
        // She has none, or none that can be seen now. What may not answer is said once, when it is first followed.
        if (error instanceof MayHangError) this.#meet(account);
      }
    }
  }

  #localAccounts(): Account[] {
    try {
      return localAccounts(this.places.accounts);
    } catch (error) {
      log.warn("{file} cannot be read: {reason}", { file: this.places.accounts, reason: messageOf(error) });
      return [];
    }
  }

  #opened({ opened }: OpenSession): void {
    const { session, user, from, ticket, mode } = opened;
    log.info("session of {user} opened", { user, session, from, ticket, mode });
    sayEmergency(opened);
    if (this.#sessions.canProtect !== false || this.#saidUnprotected) return;
    this.#saidUnprotected = true;
    log.warn(
      "{folder}: this file system keeps no file from being cut; what was taken in before that is safe",
      {
        folder: this.places.hostSpool,
      },
    );
  }

  #status(): Omit<AgentStatus, "version" | "pid"> {
    const { spools } = this.#intake.takeIn;
    return {
      sinceUs: this.#sinceUs,
      memory: Deno.memoryUsage().rss,
      connections: this.countConnections(),
      head: formatHead(this.#store.head()),
      trouble: this.#intake.trouble,
      files: spools.size,
      waiting: spools.waitingBytes(),
      tracker: { ...this.#tickets.state, waiting: this.#errands.waiting.count },
      sinks: this.#dispatch.status(),
    };
  }

  [Symbol.dispose](): void {
    this.#upkeep[Symbol.dispose]();
    this.#loginShells[Symbol.dispose]();
    this.#dispatch[Symbol.dispose]();
    this.#stories[Symbol.dispose]();
    this.#tickets[Symbol.dispose]();
    this.#intake[Symbol.dispose]();
    this.#store[Symbol.dispose]();
  }
}

/** An error, so that it is noticed. */
function sayEmergency({ session, user, from, emergency: reason }: SessionOpened): void {
  if (reason === undefined) return;
  log.error("EMERGENCY: {user} went in without a ticket: {reason}", { user, reason, session, from });
}

/** Where a user's programs write when there is no agent. */
function ownSpool({ name, uid, gid, home }: Account): SpoolFolder {
  return { path: `${home}/.ash/spool`, owner: { uid, gid, name } };
}
