/** What is read of the evidence, and how rows become it. */

import { number, numberOrNull, text, textOrNull } from "./cells.ts";
import type { EvidenceKind } from "./event.ts";

/** A login session as the evidence has it. Times are microseconds since 1970. */
export interface EvidenceSession {
  id: string;
  /** The `seq` of its opening. */
  seq: number;
  user: string;
  uid: number;
  host: string;
  tty: string;
  /** The client's address, or empty. */
  from: string;
  mode: string;
  /** What `hello -c` was given. */
  command: string | null;
  shell: string;
  openedUs: number;
  /** Null while it is open. */
  closedUs: number | null;
  how: string | null;
  exitCode: number | null;
  /** The last one that it was on. */
  ticket: string | null;
  /** Why there was no ticket at first. */
  emergency: string | null;
  commands: number;
  /** When it was last heard of. */
  lastUs: number;
}

/** An event as it is read: with what it takes to show it. */
export interface ReadEvent {
  seq: number;
  atUs: number;
  kind: EvidenceKind;
  /** The login session's id and user, null for an event of none. */
  session: string | null;
  user: string | null;
  host: string | null;
  uid: number | null;
  /** The `seq` of its shell's start. */
  shell: number | null;
  /** That which it belongs to. */
  ticket: string | null;
  /** Of a command, and of a command's end: those of the command. */
  directory: string | null;
  text: string | null;
  textState: string | null;
  tty: string | null;
  effectiveUid: number | null;
  startUs: number | null;
  endUs: number | null;
  exitCode: number | null;
  pipeStates: number[];
  /** Of a command's end: the `seq` of the command. */
  command: number | null;
  data: Readonly<Record<string, unknown>>;
}

/** How far somebody is told of events. */
export interface ConsumerState {
  name: string;
  delivered: number;
  /** Events that are to come. */
  waiting: number;
  /** When it was last told of one, or null. */
  successUs: number | null;
  /** Why the last try failed, or null if it did not. */
  error: string | null;
  errorUs: number | null;
}

/** A row of the view `login_session`, and `last_us`. */
export function sessionOf(row: Record<string, unknown>): EvidenceSession {
  return {
    id: text(row.id),
    seq: number(row.seq),
    user: text(row.user),
    uid: number(row.uid),
    host: text(row.host),
    tty: text(row.tty),
    from: text(row.from_address),
    mode: text(row.mode),
    command: textOrNull(row.command),
    shell: text(row.shell),
    openedUs: number(row.opened_us),
    closedUs: numberOrNull(row.closed_us),
    how: textOrNull(row.how_closed),
    exitCode: numberOrNull(row.exit_code),
    ticket: textOrNull(row.ticket),
    emergency: textOrNull(row.emergency),
    commands: number(row.commands),
    lastUs: number(row.last_us),
  };
}

/** A row of an event with its session. */
export function eventOf(row: Record<string, unknown>): ReadEvent {
  const kind = text(row.kind) as EvidenceKind;
  const states = textOrNull(row.pipe_states);
  const endUs = numberOrNull(row.end_us);
  return {
    seq: number(row.seq),
    atUs: number(row.at_us),
    kind,
    session: textOrNull(row.session_id),
    user: textOrNull(row.user),
    host: textOrNull(row.host),
    uid: numberOrNull(row.uid),
    shell: numberOrNull(row.shell),
    ticket: textOrNull(row.own_ticket),
    directory: textOrNull(row.directory),
    text: textOrNull(row.text),
    textState: textOrNull(row.text_state),
    tty: textOrNull(row.tty),
    effectiveUid: numberOrNull(row.effective_uid),
    startUs: numberOrNull(row.start_us),
    endUs,
    exitCode: numberOrNull(row.exit_code),
    pipeStates: states === null ? [] : states.split("_").map(Number),
    command: numberOrNull(row.command),
    data: dataOf(row.data),
  };
}

/** A row of `consumer`, and `waiting`. */
export function consumerOf(row: Record<string, unknown>): ConsumerState {
  return {
    name: text(row.name),
    delivered: number(row.delivered),
    waiting: number(row.waiting),
    successUs: numberOrNull(row.success_us),
    error: textOrNull(row.error),
    errorUs: numberOrNull(row.error_us),
  };
}

function dataOf(value: unknown): Readonly<Record<string, unknown>> {
  const parsed: unknown = typeof value === "string" ? JSON.parse(value) : {};
  return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
}
