/**
 * What sinks are told: an event of the evidence with the facts of its session, as it may leave the host.
 *
 * Texts are plain: secrets in them are masked, and bytes that are no text are written out as `record/readable.ts` does. Control
 * characters are still in them: each sink makes them harmless in its own way.
 */

/** What has happened. */
export type NewsKind =
  | "session opened"
  | "session closed"
  | "ticket switched"
  | "note"
  | "status"
  /** A command that has ended, or whose end nobody saw. */
  | "command"
  /** A command that runs still: told where it takes long enough to be seen. Its end is told as "command". */
  | "command started"
  /** Something that an honest shell does not do. */
  | "tamper"
  /** A marked one, of `srvaudit sink test`. */
  | "test";

/** A login session, as far as it is known by then. */
export interface NewsSession {
  /** Its UUIDv7. */
  id: string;
  user: string;
  uid: number | null;
  /** The client's address, or empty for a local login. */
  from: string;
  tty: string;
  shell: string;
  mode: "interactive" | "command";
  openedUs: number;
  /** What `hello -c` was given, masked. */
  command?: string;
  /** Why a member of the break-glass group went in without a ticket. */
  emergency?: string;
  /** Nobody has looked the ticket up yet. */
  unverified?: true;
  /** It began without the agent: all of this but the user is her own word. */
  late?: true;
  /** It was over already: of notes and the like that came in after its end. */
  over?: true;
}

/** Whose something is that belongs to no login session. */
export interface NewsOwner {
  /** The kernel's word. */
  uid: number;
  /** As this host calls her; the number where it knows no name. */
  user: string;
}

/** A command. */
export interface NewsCommand {
  text: string;
  directory: string;
  startUs: number;
  /** Null while it runs, and where nobody saw its end. */
  endUs: number | null;
  exitCode: number | null;
  pipeStates: readonly number[];
  tty: string;
  effectiveUid: number;
  /** Whether a secret in it is masked. */
  isMasked: boolean;
  textState: "whole" | "partial" | "missing";
}

/** How a session ended, and what was done in it. */
export interface NewsClosing {
  how: string;
  exitCode: number | null;
  durationUs: number;
  commands: number;
  failures: number;
  /** What it worked on, the first one first, each once; null for no ticket. Of very many the first hundred. */
  tickets: readonly (string | null)[];
}

/** One event, for outside. */
export interface SinkNews {
  /** The same however often it is told: see `newsId` of `news_id.ts`. */
  id: string;
  /** The event's `seq`: the order of things on this host. */
  seq: number;
  kind: NewsKind;
  atUs: number;
  host: string;
  /** Null for what belongs to no login session. */
  session: NewsSession | null;
  /** Then: whose it is; missing for what is the host's own. */
  owner?: NewsOwner;
  /** The ticket that it was done for. */
  ticket: string | null;
  /** Where people see that ticket in a browser. */
  ticketUrl: string | null;
  /** Of "command" and "command started". */
  command?: NewsCommand;
  /** Of "session closed". */
  closing?: NewsClosing;
  /** Of "note", "tamper" and "test": the words. */
  text?: string;
  /** Of "ticket switched" and "status": where from, and where to. */
  change?: { from: string | null; to: string };
}

/** Whether it is what somebody must look at now: break-glass, or tamper. */
export function isUrgent({ kind, session }: SinkNews): boolean {
  return kind === "tamper" || (kind === "session opened" && session?.emergency !== undefined);
}

/** Whether it tells of a command, as most news do. */
export function isOfCommand({ kind }: SinkNews): boolean {
  return kind === "command" || kind === "command started";
}

/** How long that took which is over, in microseconds; undefined for what does not take time, and where nobody saw its end. */
export function durationOf({ command, closing }: SinkNews): number | undefined {
  if (closing) return closing.durationUs;
  if (!command || command.endUs === null) return undefined;
  return Math.max(0, command.endUs - command.startUs);
}
