/**
 * What goes on record, as types. `spool.ts` has the bytes.
 *
 * Times are whole microseconds since 1970 (`...Us`), or as near as the shell's clock comes.
 */

/** A shell's own introduction: the first record of its spool file. One row in ASH's `sessions`. */
export interface ShellRecord {
  type: "shell";
  /** The kind and version of the shell, as in `bash 5.2.15(1)-release`. */
  shell: string;
  pid: number;
  parentPid: number;
  /** Field 22 of /proc/PID/stat: names the process together with its pid. */
  startTicks: number;
  atUs: number;
  /** As in `/dev/pts/0`; empty where there is none. */
  tty: string;
  uid: number;
  effectiveUid: number;
  user: string;
  host: string;
  /** As in `UTC` or `+0200`. */
  timeZone: string;
  shellLevel: number;
  /** The login session that the environment speaks of: a claim, until processes prove it. Empty where none. */
  session: string;
  sshClient: string;
  sshConnection: string;
  sudoUser: string;
  sudoUid: string;
}

/** How much of a command's text is on record. */
export type TextState =
  /** All of it. */
  | "whole"
  /** The first simple command of the line: the shell keeps no history of the line. */
  | "partial"
  /** None: the shell gives none away. */
  | "missing";

/** A command has begun. */
export interface StartRecord {
  type: "start";
  /** Counts the shell's commands from 1. */
  number: number;
  atUs: number;
  shellLevel: number;
  tty: string;
  effectiveUid: number;
  textState: TextState;
  /** Where it was started. Bytes, since a path is bytes. */
  directory: Uint8Array;
  text: Uint8Array;
}

/** That command has ended. */
export interface EndRecord {
  type: "end";
  number: number;
  atUs: number;
  exitCode: number;
  /** The exit code of each part of the pipeline. */
  pipeStates: number[];
}

/** The shell has ended, and could say so. */
export interface ExitRecord {
  type: "exit";
  atUs: number;
  exitCode: number;
}

/** What `hello`, `saticket` and the agent say of a login session. */
export interface EventRecord {
  type: "event";
  event: SessionEvent;
}

/** Any record of a spool file. */
export type SpoolRecord = ShellRecord | StartRecord | EndRecord | ExitRecord | EventRecord;

interface Common {
  /** The login session: a UUIDv7. */
  session: string;
  atUs: number;
}

/** A login session has begun: `hello` is about to become the shell. */
export interface SessionOpened extends Common {
  kind: "session opened";
  user: string;
  uid: number;
  host: string;
  tty: string;
  /** Where the user comes from: the client's address, or empty for a local login. */
  from: string;
  /** How `hello` was called: interactive or not. */
  mode: "interactive" | "command";
  /** What `hello -c` was given. */
  command?: string;
  /** The real shell. */
  shell: string;
  /** Null only for a session that nobody could be asked for a ticket in, or that waits for a new one. */
  ticket: string | null;
  /** Set where the ticket could not be looked up at the time: the agent does so later. */
  unverified?: true;
  /** The subject of a new ticket that could not be made at the time: the agent makes it later. */
  wanted?: string;
  /** Why a member of the break-glass group went in without a ticket. */
  emergency?: string;
  /** Set for those who need no ticket (exemptUsers, exemptGroups). */
  exempt?: true;
  /** The process that `hello` was and the shell now is. */
  leaderPid: number;
  leaderStartTicks: number;
  bootId: string;
}

/** The session has gone on to another ticket. */
export interface TicketSwitched extends Common {
  kind: "ticket switched";
  from: string | null;
  to: string;
}

/** A note for a ticket was given in the session. */
export interface NoteAdded extends Common {
  kind: "note";
  ticket: string;
  text: string;
  /** The tracker has it already. */
  told?: true;
}

/** The status of a ticket was set in the session. */
export interface StatusSet extends Common {
  kind: "status";
  ticket: string;
  from: string;
  to: string;
}

/** The session is over. */
export interface SessionClosed extends Common {
  kind: "session closed";
  /**
   * `logout`: the shell ended. `hangup`: its line went away. `killed`: it vanished without a word, as one does that became
   * another program. `idle`: it was silent for longer than idleTimeout. `unknown`: it could not say (a command that may have
   * exec'ed, a shell without a hook).
   */
  how: "logout" | "hangup" | "killed" | "idle" | "unknown";
  exitCode?: number;
}

/** Anything that goes on the record of a login session. */
export type SessionEvent = SessionOpened | TicketSwitched | NoteAdded | StatusSet | SessionClosed;
