/**
 * What is said over the agent's socket: JSON-RPC 2.0, one object a line, both ways.
 *
 * https://www.jsonrpc.org/specification. A request has `jsonrpc`, `id`, `method` and, by name, `params`. Who asks is what the
 * kernel says of the peer; no message names a user. What is read of the socket is checked by who reads it.
 */

import type { SinkName, Wants } from "../config/sink_settings.ts";
import type { SessionClosed, SessionOpened } from "../record/event.ts";
import type { Answers, Created, Ticket, TicketDetails } from "../trackers/tracker.ts";
import type { WhichTickets } from "./desk.ts";

/** The longest key of a ticket, and the longest note, in characters. */
export const LONGEST_KEY = 200;
export const LONGEST_NOTE = 65_536;

/** The longest question, in bytes, its end included: one with the longest note, of whose bytes JSON may make six each. */
export const LONGEST_LINE = 512 * 1024;

/** The longest answer, in bytes: a ticket with all its notes may be much longer than any question. */
export const LONGEST_REPLY = 16 * 1024 * 1024;

/** A login session as those who are in it see it. */
export interface PresentSession {
  id: string;
  ticket: string | null;
  sinceUs: number;
  /** When the session came to this ticket. */
  ticketSinceUs: number;
  leaderPid: number;
  leaderStartTicks: number;
}

/** What `hello` asks for: the rest of a session's opening the agent knows by itself. */
export interface Opening {
  mode: SessionOpened["mode"];
  /** The real shell. */
  shell: string;
  ticket: string | null;
  tty: string;
  /** The client's address, or empty. */
  from: string;
  command?: string;
  /** The ticket could not be looked up. */
  unverified?: true;
  /** The subject of a ticket that could not be made. */
  wanted?: string;
  /** A member of the break-glass group gives this reason. */
  emergency?: string;
}

/** Files that the agent has made for a shell. */
export interface ShellSpool {
  /** Null for a shell in no login session. */
  session: string | null;
  /** The shell's spool file, the asker's own. */
  spool: string;
  /** The session's, which the asker can read if the session is of the same user; null where there is none. */
  sessionFile: string | null;
}

/** Each method: what it takes and what it gives. */
export interface Methods {
  /** The login session that the peer is in. */
  "session.current": [params: Record<string, never>, result: PresentSession | null];
  /** Opens one that the peer itself leads. */
  "session.open": [params: Opening, result: ShellSpool & { session: string }];
  "session.switch": [params: { ticket: string }, result: { from: string | null }];
  "session.close": [
    params: { how: SessionClosed["how"]; exitCode?: number },
    /** Whether it was this call that closed it. */
    result: { closed: boolean },
  ];
  /** A spool file for a shell that is the peer's ancestor, or the peer. */
  "shell.attach": [params: { pid: number }, result: ShellSpool];
  "ticket.find": [params: { key: string }, result: Ticket | null];
  "ticket.details": [params: { key: string }, result: TicketDetails];
  "ticket.search": [params: { words: string; limit?: number; which?: WhichTickets }, result: Ticket[]];
  "ticket.create": [params: { answers: Answers }, result: Created];
  "ticket.nextStatuses": [params: { key: string }, result: string[]];
  /** Goes on the record of the peer's session, as do notes. */
  "ticket.setStatus": [params: { key: string; status: string }, result: Ticket];
  "ticket.addNote": [params: { key: string; text: string }, result: null];
  /**
   * The peer's history has taken these files in wholly: names in her own `~/.ash/spool`. Those that the agent, too, has
   * wholly are named back: they can go.
   */
  "spool.taken": [params: { files: string[] }, result: { remove: string[] }];
  /** For root alone, as what follows. Has what a sink has refused sent to it again; what all have, where it names none. */
  "sink.redeliver": [params: { sink?: SinkName }, result: { sink: SinkName; count: number }[]];
  /** Sends one marked news through a sink, at once. */
  "sink.test": [params: { sink: SinkName }, result: SinkTested];
  "agent.status": [params: Record<string, never>, result: AgentStatus];
  /** Puts on record what became of srvAudit itself on this host: that it was installed, put back. */
  "agent.note": [params: { what: string }, result: null];
}

/** The name of a method. */
export type Method = keyof Methods;
/** What a method takes. */
export type Params<Name extends Method> = Methods[Name][0];
/** What it gives. */
export type Result<Name extends Method> = Methods[Name][1];

/** How the agent is. */
export interface AgentStatus {
  version: string;
  pid: number;
  sinceUs: number;
  /** Resident memory, in bytes. */
  memory: number;
  connections: number;
  /** The head of the evidence's chain, `SEQ:HASH`. */
  head: string;
  /** What the evidence cannot be written for, or null. */
  trouble: string | null;
  /** Spool files that are followed. */
  files: number;
  /** Bytes in them that are not in the evidence yet. */
  waiting: number;
  tracker: TrackerStatus;
  /** Those that are switched on. */
  sinks: SinkStatus[];
}

/** How a sink is. */
export interface SinkStatus {
  name: SinkName;
  wants: Wants;
  /** `denied`: it takes nothing until somebody mends something. */
  state: "up" | "down" | "denied";
  /** Why it is not up, and since when; null while it is. */
  reason: string | null;
  sinceUs: number | null;
  /** How many events lie before it, wanted or not, and since when the first of them does. */
  depth: number;
  oldestUs: number | null;
  /** When it was last told of something, or null. */
  successUs: number | null;
  /** Why it could not be told at the last try, and when; null where it could. */
  error: string | null;
  errorUs: number | null;
  /** How many events it has refused. */
  dead: number;
}

/** What came of a test. */
export interface SinkTested {
  ok: boolean;
  /** What the receiver said, or why there is nothing from it, in a line. */
  answer: string;
}

/** How the agent and the tracker get on. */
export interface TrackerStatus {
  /** As people read it: `Redmine`. */
  name: string;
  /** `denied`: it does not take srvAudit's key. */
  state: "up" | "down" | "denied";
  /** Why it is not up, or null. */
  reason: string | null;
  /** What is not safe in how it is set up, and the mend, or null. */
  concern: { what: string; mend: string } | null;
  /** How many tickets are still to be looked up or made, and notes to be added. */
  waiting: number;
}

/** The codes of errors: JSON-RPC's own, and ours. */
export const ERRORS = {
  parse: -32700,
  invalid: -32600,
  unknownMethod: -32601,
  params: -32602,
  internal: -32603,
  /** This user, or the agent, has no room for one more connection. */
  busy: -32000,
  ticketNotFound: 1,
  statusNotAllowed: 2,
  trackerUnavailable: 3,
  /** The policy says no. */
  refused: 4,
  /** The peer is in no login session. */
  noSession: 5,
  /** Not for this user. */
  notAllowed: 6,
  /** The tracker says no to this one thing. */
  ticketRefused: 7,
} as const;

/** Why there is no result. */
export interface ErrorReply {
  code: number;
  message: string;
}

/** What the agent answers; the id is as in the request, or null where that could not be told. */
export type Reply =
  | { jsonrpc: "2.0"; id: number | string | null; result: unknown }
  | { jsonrpc: "2.0"; id: number | string | null; error: ErrorReply };
