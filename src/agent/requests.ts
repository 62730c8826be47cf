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
import {
  type Asking,
  StatusNotAllowedError,
  type TicketDetails,
  TicketNotFoundError,
  TicketRefusedError,
  type Tracker,
  TrackerUnavailableError,
} from "../trackers/tracker.ts";
import { SINK_NAMES } from "../config/sink_settings.ts";
import type { Admission } from "./admission.ts";
import { type Dispatch, NoSinkError } from "./dispatch/dispatch.ts";
import { type Peer, RequestError } from "./server.ts";
import { type OpenSession, presentSession, type Sessions, TooManyFilesError } from "./sessions.ts";
import type { Tickets } from "./tickets.ts";

// What says what is wrong with a value: zod/mini comes without.
z.config(english());

const KEY = z.string().check(z.minLength(1), z.maxLength(LONGEST_KEY));
const TEXT = z.string().check(z.minLength(1), z.maxLength(LONGEST_NOTE));
const LINE = z.string().check(z.maxLength(4096));
const WORDS = z.string().check(z.minLength(1), z.maxLength(4096));
/** More no new ticket demands. */
const MOST_ANSWERS = 100;
const ANSWERS = z.record(z.string().check(z.maxLength(200)), LINE).check(
  z.refine((answers) => Object.keys(answers).length <= MOST_ANSWERS, `more than ${MOST_ANSWERS} answers`),
);
const SINK = z.enum(SINK_NAMES);
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
  "ticket.find": z.object({ key: KEY }),
  "ticket.details": z.object({ key: KEY }),
  "ticket.search": z.object({
    words: LINE,
    limit: z.optional(z.int().check(z.positive())),
    which: z.optional(z.enum(["open", "all"])),
  }),
  "ticket.create": z.object({ answers: ANSWERS }),
  "ticket.nextStatuses": z.object({ key: KEY }),
  "ticket.setStatus": z.object({ key: KEY, status: LINE }),
  "ticket.addNote": z.object({ key: KEY, text: TEXT }),
  "spool.taken": z.object({ files: z.array(z.string().check(z.maxLength(255))).check(z.maxLength(512)) }),
  "agent.status": NOTHING,
  "agent.note": z.object({ what: WORDS }),
  "sink.redeliver": z.object({ sink: z.optional(SINK) }),
  "sink.test": z.object({ sink: SINK }),
} as const satisfies Record<Method, z.ZodMiniType>;

/** What the requests work with. */
export interface Office {
  sessions: Sessions;
  accounts: Accounts;
  admission: Admission;
  /** A user has come: what her programs wrote while there was no agent is wanted. */
  met(account: Account): void;
  tickets: Tickets;
  /** Secrets were hidden in what somebody sent to the tracker. */
  masked(where: string, peer: Peer, patterns: readonly string[]): void;
  /** Files that the peer's history has taken in: which of them can go. */
  taken(account: Account, files: readonly string[]): string[];
  /** What only the running agent knows of itself. */
  status(): Omit<AgentStatus, "version" | "pid">;
  /** Puts on record what became of srvAudit itself. */
  note(what: string): void;
  sinks: Pick<Dispatch, "redeliver" | "test">;
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
  const { sessions, admission, tickets } = office;
  const ask = async <T>(peer: Peer, work: (tracker: Tracker, asking: Asking) => Promise<T>): Promise<T> => {
    await accountOf(office, peer);
    return await tickets.ask(peer.uid, work);
  };
  const find = async (peer: Peer, key: string) => {
    await accountOf(office, peer);
    return await tickets.find(peer.uid, key);
  };
  /** What may leave the host. */
  const harmless = (peer: Peer, where: string, text: string): string => {
    const { text: harmless, masked } = tickets.maskedFor(peer.uid, text);
    if (masked.length > 0) office.masked(where, peer, masked);
    return harmless;
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
      const mayStay = ticket !== null && await admission.mayStay(await accountOf(office, peer), ticket);
      return mayStay ? present : null;
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
      const found = await find(peer, ticket);
      if (!found) throw new TicketNotFoundError(`there is no ticket ${ticket}`);
      if (!found.open) throw new RequestError(ERRORS.refused, `ticket ${found.key} is ${found.status}`);
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
    "ticket.find": async (peer, { key }) => await find(peer, key) ?? null,
    "ticket.details": (peer, { key }) =>
      ask(peer, async (tracker, asking) => {
        const details = readable(await tracker.details(asking, tracker.keyOf(key)));
        const url = tracker.urlOf(details.key);
        return url === undefined ? details : { ...details, url };
      }),
    "ticket.search": (peer, { words, limit, which }) =>
      ask(peer, async (tracker, asking) => {
        const most = tracker.check ? MOST_FOUND.elsewhere : MOST_FOUND.here;
        const search = { words, limit: Math.min(limit ?? most, most), closedToo: which === "all" };
        return (await tracker.search(asking, search)).slice(0, search.limit);
      }),
    "ticket.create": async (peer, { answers }) => {
      const sent = Object.entries(answers).map(([name, text]) =>
        [name, harmless(peer, "a new ticket", text)] as const
      );
      return await ask(peer, (tracker, asking) => tracker.create(asking, Object.fromEntries(sent)));
    },
    "ticket.nextStatuses": (peer, { key }) =>
      ask(peer, (tracker, asking) => tracker.nextStatuses(asking, tracker.keyOf(key))),
    "ticket.setStatus": async (peer, { key, status }) => {
      const { before, after } = await ask(
        peer,
        (tracker, asking) => tracker.setStatus(asking, tracker.keyOf(key), status),
      ).finally(() => tickets.forget(key));
      const session = sessions.of(peer);
      if (session && before !== after.status) {
        const id = session.opened.session;
        const change = { ticket: after.key, from: before, to: after.status };
        sessions.say(session, { kind: "status", session: id, atUs: nowUs(), ...change });
      }
      return after;
    },
    "ticket.addNote": async (peer, { key, text }) => {
      const session = sessions.of(peer);
      const ticket = tickets.tracker.keyOf(key);
      const isInStory = session && tickets.tracker.storybook && wasOn(session, ticket);
      if (!isInStory) {
        const sent = harmless(peer, "a note", text);
        await ask(peer, (tracker, asking) => tracker.addNote(asking, tracker.keyOf(key), sent));
      }
      if (session) {
        const id = session.opened.session;
        const told = isInStory ? {} : { told: true } as const;
        sessions.say(session, { kind: "note", session: id, atUs: nowUs(), ticket, text, ...told });
      }
      return null;
    },
    "spool.taken": async (peer, { files }) => ({
      remove: office.taken(await accountOf(office, peer), files),
    }),
    "agent.status": (peer) => {
      forRoot(peer, "the agent's status is");
      return { version: VERSION, pid: Deno.pid, ...office.status() };
    },
    "agent.note": (peer, { what }) => {
      forRoot(peer, "what became of srvAudit is");
      office.note(what);
      return null;
    },
    "sink.redeliver": (peer, { sink }) => {
      forRoot(peer, "sinks are");
      return office.sinks.redeliver(sink);
    },
    "sink.test": async (peer, { sink }) => {
      forRoot(peer, "sinks are");
      return await office.sinks.test(sink);
    },
  };
}

function forRoot({ uid }: Peer, what: string): void {
  if (uid !== 0) throw new RequestError(ERRORS.notAllowed, `${what} for root alone`);
}

/** How many tickets a search gives at most: a reply has a length, and a tracker elsewhere others to serve. */
const MOST_FOUND = { here: 1000, elsewhere: 100 };
/** So much of a ticket's notes, the newest, is in its details, in characters. */
const SHOWN_OF_NOTES = 2_000_000;
/** So many of its notes and statuses. */
const SHOWN = 1000;

/** Whether a session is or was on a ticket. */
function wasOn({ tickets }: OpenSession, key: string): boolean {
  return tickets.some(({ ticket }) => ticket === key);
}

/** What anybody can read of a ticket: the newest, where there is more. */
function readable(details: TicketDetails): TicketDetails {
  let characters = 0;
  const notes = details.notes.slice(-SHOWN).toReversed().filter(({ text }) =>
    (characters += text.length) <= SHOWN_OF_NOTES
  ).reverse();
  return { ...details, notes, statuses: details.statuses.slice(-SHOWN) };
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
  if (error instanceof TicketRefusedError) return new RequestError(ERRORS.ticketRefused, error.message);
  if (error instanceof NoSinkError) return new RequestError(ERRORS.refused, error.message);
  if (error instanceof TooManyFilesError) return new RequestError(ERRORS.refused, error.message);
  return error;
}
