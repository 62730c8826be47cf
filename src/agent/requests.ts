/** What peers may ask of the agent: each method's parameters are checked here, and nowhere else. */

import english from "zod/v4/locales/en.js";
import * as z from "zod/mini";
import { VERSION } from "../config/version.ts";
import {
  type AgentStatus,
  ERRORS,
  LONGEST_KEY,
  LONGEST_NOTE,
  type Method,
  type Params,
  type PresentSession,
  type Result,
} from "../desk/protocol.ts";
import type { Accounts } from "../posix/accounts.ts";
import type { Account } from "../posix/libc.ts";
import { nowUs } from "../record/clock.ts";
import { type LocalTracker, wordsOf } from "../trackers/local.ts";
import {
  StatusNotAllowedError,
  type Ticket,
  TicketNotFoundError,
  TrackerUnavailableError,
} from "../trackers/tracker.ts";
import type { Admission } from "./admission.ts";
import { type Peer, RequestError } from "./server.ts";
import { type OpenSession, presentSession, type Sessions, TooManyFilesError } from "./sessions.ts";

// What says what is wrong with a value: zod/mini comes without.
z.config(english());

const KEY = z.string().check(z.minLength(1), z.maxLength(LONGEST_KEY));
const TEXT = z.string().check(z.minLength(1), z.maxLength(LONGEST_NOTE));
const LINE = z.string().check(z.maxLength(4096));
const WORDS = z.string().check(z.minLength(1), z.maxLength(4096));
const NOTHING = z._default(z.object({}), {});
/** A command line has no limit but the kernel's, and the line that brings it. */
const COMMAND = z.string();

const PARAMETERS = {
  "session.current": NOTHING,
  "session.open": z.object({
    mode: z.enum(["interactive", "command"]),
    shell: LINE,
    ticket: z.nullable(KEY),
    tty: LINE,
    from: LINE,
    command: z.optional(COMMAND),
    unverified: z.optional(z.literal(true)),
    wanted: z.optional(WORDS),
    emergency: z.optional(WORDS),
  }),
  "session.switch": z.object({ ticket: KEY }),
  "session.close": z.object({
    how: z.enum(["logout", "hangup", "killed", "unknown"]),
    exitCode: z.optional(z.int().check(z.minimum(0), z.maximum(255))),
  }),
  "shell.attach": z.object({ pid: z.int().check(z.positive()) }),
  "ticket.trackers": NOTHING,
  "ticket.find": z.object({ key: KEY }),
  "ticket.details": z.object({ key: KEY }),
  "ticket.search": z.object({
    words: LINE,
    limit: z.optional(z.int().check(z.positive())),
    which: z.optional(z.enum(["open", "all"])),
  }),
  "ticket.create": z.object({ subject: WORDS, tracker: z.optional(LINE) }),
  "ticket.nextStatuses": z.object({ key: KEY }),
  "ticket.setStatus": z.object({ key: KEY, status: LINE }),
  "ticket.addNote": z.object({ key: KEY, text: TEXT }),
  "spool.taken": z.object({ files: z.array(z.string().check(z.maxLength(255))).check(z.maxLength(512)) }),
  "agent.status": NOTHING,
} as const satisfies Record<Method, z.ZodMiniType>;

/** What the requests work with. */
export interface Office {
  sessions: Sessions;
  accounts: Accounts;
  admission: Admission;
  /** A user has come: what her programs wrote while there was no agent is wanted. */
  met(account: Account): void;
  /** Works on the host's tickets, in the name of a user. */
  inTracker<Result>(uid: number, work: (tracker: LocalTracker) => Result | Promise<Result>): Promise<Result>;
  /** Files that the peer's history has taken in: which of them can go. */
  taken(account: Account, files: readonly string[]): string[];
  /** What only the running agent knows of itself. */
  status(): Omit<AgentStatus, "version" | "pid">;
  /** Said of what an administrator must know of. */
  opened(session: OpenSession): void;
}

type Answers = {
  [Name in Method]: (peer: Peer, params: Params<Name>) => Result<Name> | Promise<Result<Name>>;
};

/**
 * @returns what answers each request
 *
 * The promise that it gives is rejected with a RequestError for what cannot be done.
 */
export function answering(office: Office): (peer: Peer, method: string, params: unknown) => Promise<unknown> {
  const answers = answersOf(office);
  return async (peer, method, params) => {
    if (!isMethod(method)) {
      throw new RequestError(
        ERRORS.unknownMethod,
        `there is no method ${JSON.stringify(method).slice(0, 100)}`,
      );
    }
    try {
      return await answer(answers, peer, method, params);
    } catch (error) {
      throw requestErrorOf(error);
    }
  };
}

async function answer<Name extends Method>(
  answers: Answers,
  peer: Peer,
  method: Name,
  params: unknown,
): Promise<Result<Name>> {
  const checked = PARAMETERS[method].safeParse(params ?? {});
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw new RequestError(
      ERRORS.params,
      `${method}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`,
    );
  }
  // The table of parameters and the one of answers are both checked against the protocol's types.
  return await answers[method](peer, checked.data as Params<Name>);
}

function isMethod(method: string): method is Method {
  return Object.hasOwn(PARAMETERS, method);
}

function answersOf(office: Office): Answers {
  const { sessions, admission } = office;
  const inTracker = async <T>(peer: Peer, work: (tracker: LocalTracker) => T | Promise<T>): Promise<T> => {
    await accountOf(office, peer);
    return await office.inTracker(peer.uid, work);
  };
  const mine = (peer: Peer): OpenSession => {
    const session = sessions.of(peer);
    if (!session) throw new RequestError(ERRORS.noSession, "this is in no login session");
    return session;
  };
  return {
    "session.current": async (peer): Promise<PresentSession | null> => {
      const session = sessions.of(peer);
      if (!session) return null;
      const present = presentSession(session);
      if (!session.owner) return present;
      // A session that began without the agent is its user's word: a shell within it needs an open ticket.
      const { ticket } = present;
      const found = ticket === null ? undefined : await inTracker(peer, (tracker) => tracker.find(ticket));
      return found?.open ? present : null;
    },
    "session.open": async (peer, opening) => {
      const account = await accountOf(office, peer);
      const admitted = await admission.admit(peer, account, opening);
      const spool = sessions.open(peer, account, { ...opening, ticket: admitted.ticket }, admitted.marks);
      const session = sessions.get(spool.session);
      if (session) office.opened(session);
      return spool;
    },
    "session.switch": async (peer, { ticket }) => {
      const session = mine(peer);
      const found = await inTracker(peer, (tracker) => tracker.find(ticket));
      if (!found) throw new TicketNotFoundError(`there is no ticket ${ticket}`);
      if (!found.open) throw new RequestError(ERRORS.refused, `ticket ${ticket} is ${found.status}`);
      const from = presentSession(session).ticket;
      const id = session.opened.session;
      sessions.say(session, { kind: "ticket switched", session: id, atUs: nowUs(), from, to: found.key });
      return { from };
    },
    "session.close": (peer, { how, exitCode }) => ({
      closed: sessions.close(mine(peer).opened.session, how, exitCode),
    }),
    "shell.attach": async (peer, { pid }) => {
      const account = await accountOf(office, peer);
      const spool = sessions.attach(peer, pid, account.gid);
      if (!spool) {
        throw new RequestError(ERRORS.notAllowed, `process ${pid} is no shell of yours above this one`);
      }
      return spool;
    },
    "ticket.trackers": () => ["local"],
    "ticket.find": async (peer, { key }) => await inTracker(peer, (tracker) => tracker.find(key)) ?? null,
    "ticket.details": (peer, { key }) => inTracker(peer, (tracker) => tracker.details(key)),
    "ticket.search": (peer, { words, limit, which }) =>
      inTracker(peer, (tracker) => searchPatiently(tracker, words, limit ?? SEARCHED, which === "all")),
    "ticket.create": (peer, { subject }) => inTracker(peer, (tracker) => tracker.create(subject)),
    "ticket.nextStatuses": (peer, { key }) => inTracker(peer, (tracker) => tracker.nextStatuses(key)),
    "ticket.setStatus": async (peer, { key, status }) => {
      const { before, after } = await inTracker(peer, (tracker) => ({
        before: tracker.find(key),
        after: tracker.setStatus(key, status),
      }));
      const session = sessions.of(peer);
      if (session && before && before.status !== after.status) {
        sessions.say(session, {
          kind: "status",
          session: session.opened.session,
          atUs: nowUs(),
          ticket: key,
          from: before.status,
          to: after.status,
        });
      }
      return after;
    },
    "ticket.addNote": async (peer, { key, text }) => {
      await inTracker(peer, (tracker) => tracker.addNote(key, text));
      const session = sessions.of(peer);
      if (session) {
        sessions.say(session, {
          kind: "note",
          session: session.opened.session,
          atUs: nowUs(),
          ticket: key,
          text,
          told: true,
        });
      }
      return null;
    },
    "spool.taken": async (peer, { files }) => ({
      remove: office.taken(await accountOf(office, peer), files),
    }),
    "agent.status": (peer) => {
      if (peer.uid !== 0) throw new RequestError(ERRORS.notAllowed, "the agent's status is for root alone");
      return { version: VERSION, pid: Deno.pid, ...office.status() };
    },
  };
}

/** How many tickets a search gives at most where nobody says: a reply has a length. */
const SEARCHED = 1000;
/** So many tickets are looked at in one go: others have their turn in between. */
const SEARCHED_AT_ONCE = 64;
/** How long a search goes on, in milliseconds: who asks waits no longer than two seconds. */
const SEARCH_MS = 1500;
/** Each word costs. */
const MOST_WORDS = 16;

async function searchPatiently(
  tracker: LocalTracker,
  words: string,
  limit: number,
  closedToo: boolean,
): Promise<Ticket[]> {
  if (wordsOf(words).length > MOST_WORDS) {
    throw new RequestError(ERRORS.params, `a search has ${MOST_WORDS} words at most`);
  }
  const found: Ticket[] = [];
  const endMs = performance.now() + SEARCH_MS;
  for (let below: number | undefined = Number.MAX_SAFE_INTEGER; below !== undefined;) {
    const part = tracker.searchPart(words, { below, tickets: SEARCHED_AT_ONCE, closedToo });
    found.push(...part.found);
    if (found.length >= limit || performance.now() > endMs) break;
    below = part.next;
    await new Promise((resolve) => setTimeout(resolve));
  }
  return found.slice(0, limit);
}

async function accountOf(office: Office, peer: Peer): Promise<Account> {
  const account = await office.accounts.byUid(peer.uid);
  if (!account) throw new RequestError(ERRORS.notAllowed, `the user ${peer.uid} has no account`);
  office.met(account);
  return account;
}

function requestErrorOf(error: unknown): unknown {
  if (error instanceof TicketNotFoundError) return new RequestError(ERRORS.ticketNotFound, error.message);
  if (error instanceof StatusNotAllowedError) return new RequestError(ERRORS.statusNotAllowed, error.message);
  if (error instanceof TrackerUnavailableError) {
    return new RequestError(ERRORS.trackerUnavailable, error.message);
  }
  if (error instanceof TooManyFilesError) return new RequestError(ERRORS.refused, error.message);
  return error;
}
