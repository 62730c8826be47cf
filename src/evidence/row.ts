/** An event as a row of `event`, and back. */

import { readable } from "../record/readable.ts";
import { numberOrNull, textOrNull } from "./cells.ts";
import type { Cell } from "./chain.ts";
import type { CommandEnd, CommandFacts, EvidenceEvent, EvidenceKind, NewEvent } from "./event.ts";

const encoder = new TextEncoder();

/** As SELECT * gives it. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Puts an event into the cells of its row, each as it will be read back: what is hashed must be what is stored.
 *
 * A text without NUL in proper Unicode is stored as it is; SQLite's TEXT cannot hold any other. In `data` JSON escapes
 * what is neither. A directory and a command's text keep their bytes besides. In a ticket's key and a terminal's name,
 * which are never such a text, the odd character is replaced.
 *
 * @param seq the row's number
 * @param takenUs when it is taken into evidence
 * @returns the cells in the order of COLUMNS
 */
export function cellsOf(event: NewEvent, seq: number, takenUs: number): Cell[] {
  const { kind, command, end } = event;
  const directory = command && readable(command.directory);
  const text = command && readable(command.text);
  return [
    seq,
    whole(event.atUs),
    whole(takenUs),
    kind,
    kind === "session opened" ? seq : wholeOrNull(event.session),
    kind === "shell started" ? seq : wholeOrNull(event.shell),
    wholeOrNull(event.uid),
    dataOf(event),
    command ? whole(command.number) : null,
    command && command.ticket !== null ? storable(command.ticket) : null,
    command ? storable(command.tty) : null,
    command ? whole(command.effectiveUid) : null,
    command ? whole(command.shellLevel) : null,
    directory?.text ?? null,
    directory && !directory.exact ? command.directory : null,
    text?.text ?? null,
    text && !text.exact ? command.text : null,
    command?.textState ?? null,
    wholeOrNull(event.commandSeq ?? null),
    wholeOrNull(end?.endUs ?? null),
    wholeOrNull(end?.exitCode ?? null),
    end && end.pipeStates.length > 0 ? end.pipeStates.map(whole).join("_") : null,
  ];
}

/**
 * @param row of `select * from event`
 * @returns the event in it
 */
export function eventOf(row: Row): EvidenceEvent {
  const command = commandOf(row);
  const commandSeq = numberOrNull(row.command);
  const end = endOf(row);
  const data = parsed(row.data);
  return {
    seq: Number(row.seq),
    takenUs: Number(row.taken_us),
    hash: row.hash instanceof Uint8Array ? row.hash : new Uint8Array(),
    kind: String(row.kind) as EvidenceKind,
    atUs: Number(row.at_us),
    session: numberOrNull(row.session),
    shell: numberOrNull(row.shell),
    uid: numberOrNull(row.uid),
    ...(data && { data }),
    ...(command && { command }),
    ...(commandSeq !== null && { commandSeq }),
    ...(end && { end }),
  };
}

function commandOf(row: Row): CommandFacts | undefined {
  if (row.kind !== "command") return undefined;
  return {
    number: Number(row.number),
    ticket: textOrNull(row.ticket),
    tty: String(row.tty),
    effectiveUid: Number(row.effective_uid),
    shellLevel: Number(row.shell_level),
    directory: bytesOf(row.directory, row.directory_bytes),
    text: bytesOf(row.text, row.text_bytes),
    textState: row.text_state === "partial" || row.text_state === "missing" ? row.text_state : "whole",
  };
}

function endOf(row: Row): CommandEnd | undefined {
  const end = {
    endUs: numberOrNull(row.end_us),
    exitCode: numberOrNull(row.exit_code),
    pipeStates: typeof row.pipe_states === "string" ? row.pipe_states.split("_").map(Number) : [],
  };
  const isKnown = end.endUs !== null || end.exitCode !== null || row.kind === "command ended";
  return isKnown ? end : undefined;
}

function bytesOf(text: unknown, bytes: unknown): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : encoder.encode(String(text));
}

function parsed(data: unknown): Record<string, unknown> | undefined {
  if (typeof data !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    // Only a forger's hand makes it so, and the chain tells.
    return undefined;
  }
}

/** More than anything of ours nests, and far less than SQLite's JSON, or a stack, can take. */
const DEEPEST = 8;

function dataOf({ kind, data }: NewEvent): string | null {
  if (data === undefined) return kind === "command" || kind === "command ended" ? null : "{}";
  return JSON.stringify(
    nests(data, DEEPEST) ? data : Object.fromEntries(
      Object.entries(data).map(([name, value]) => [
        name,
        nests(value, DEEPEST) ? value : "[nested too deeply]",
      ]),
    ),
  );
}

/** Whether a value has so many levels at most. */
function nests(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => nests(inner, levels - 1));
}

/** A number that comes back as it went in, whatever a user wrote for a time. */
function whole(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  if (Number.isNaN(value)) return 0;
  return Math.trunc(Math.min(Number.MAX_SAFE_INTEGER, Math.max(Number.MIN_SAFE_INTEGER, value)));
}

function wholeOrNull(value: number | null): number | null {
  return value === null ? null : whole(value);
}

function storable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\\x00");
}
