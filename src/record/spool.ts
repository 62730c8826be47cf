/**
 * The bytes of a spool file: what the shells' hooks write with builtins alone, and what we read.
 *
 * ```text
 * record = RS "SA1" NUL type NUL field NUL field ... NUL RS LF        RS is 0x1E, NUL is 0x00
 * ```
 *
 * A field ends at the first NUL, and each type has a known number of fields; no text is escaped and no length is
 * counted, both of which a shell could not do for bytes without a fork. What a user types or names a folder may look
 * like a record's beginning or end (`mkdir $'\x1eSA1'`), but never like a whole one, since no variable of bash or fish
 * holds a NUL. One of zsh's may: so the last field of a `start` record, its text, goes on to the record's end, unless
 * a whole record stands within it.
 *
 * A record that never got its end is either torn (the last of the file: wait for its rest) or damaged (another record
 * follows: skip to that one, and count it).
 *
 * | type | fields |
 * |---|---|
 * | `shell` | shell, pid, ppid, start ticks, µs, tty, uid, euid, user, host, time zone, level, session, ssh client, ssh connection, sudo user, sudo uid |
 * | `start` | number, µs, shell level, tty, euid, text state (`history`: the text is what bash's `history 1` prints), directory, text |
 * | `end` | number, µs, exit code, pipe states joined by `_` or blanks |
 * | `exit` | µs, exit code |
 * | `event` | a `SessionEvent` in JSON |
 */

import type { SessionEvent, SpoolRecord } from "./event.ts";
import { fieldsOf, nulFrom, recordOfFields } from "./fields.ts";

const encoder = new TextEncoder();

const MAGIC = encoder.encode("\x1eSA1\0");
const END = encoder.encode("\0\x1e\n");
const NUL = 0;
const RS = 0x1e;

/** How many fields each type has; what is frequent first. */
const FIELDS: Readonly<Record<SpoolRecord["type"], number>> = {
  start: 8,
  end: 4,
  shell: 17,
  exit: 2,
  event: 1,
};

/** Each type as the bytes of a record have it, with the NUL behind it. */
const TYPES = (Object.keys(FIELDS) as SpoolRecord["type"][]).map((type) => ({
  type,
  bytes: encoder.encode(`${type}\0`),
}));

/** A record, and where in the given bytes it stands. */
export interface PlacedRecord {
  record: SpoolRecord;
  start: number;
  end: number;
}

/** What `readRecords` found. */
export interface Reading {
  records: PlacedRecord[];
  /** How far the bytes are dealt with: what is behind this is no record yet and waits for its rest. */
  consumed: number;
  /** How many runs of bytes, each before a record, were none. */
  damaged: number;
  /** How many of those begin as a record does: one that was not written to its end (a full disk, a shell that was killed). */
  torn: number;
}

/**
 * Reads all the records that stand whole in a piece of a spool file. In how many pieces a file is read makes no
 * difference, as long as each begins where the one before was consumed to.
 *
 * @param bytes the piece, from the end of an earlier record on; a command's text and directory are views of it
 * @returns the records, how far they go, and how much was damaged; nothing is ever thrown for what bytes hold
 *
 * @example
 * ```ts
 * const reading = readRecords(Deno.readFileSync("4711-1795343616778680.shell"));
 * ```
 */
export function readRecords(bytes: Uint8Array): Reading {
  const records: PlacedRecord[] = [];
  let consumed = 0;
  let damaged = 0;
  let torn = 0;
  // Looked for once: the bytes may hold a million beginnings and no end.
  let nextEnd = endFrom(bytes, 0);
  let start = indexOf(bytes, MAGIC, 0);
  while (start >= 0) {
    let found = plainRecordAt(bytes, start);
    if (found === undefined) {
      const text = textAt(bytes, start);
      if (text !== undefined) {
        if (nextEnd >= 0 && nextEnd < text) nextEnd = endFrom(bytes, text);
        found = nextEnd < 0 ? undefined : recordOf(bytes, start, "start", nextEnd);
        const within = found ? plainRecordWithin(bytes, text, nextEnd) : undefined;
        if (within === TORN) break;
        if (within) found = within;
      }
    }
    if (found === TORN || found === undefined) {
      start = indexOf(bytes, MAGIC, start + MAGIC.length);
    } else {
      if (found.start > consumed) {
        damaged++;
        if (isAt(bytes, MAGIC, consumed)) torn++;
      }
      records.push(found);
      consumed = found.end;
      start = indexOf(bytes, MAGIC, consumed);
    }
  }
  return { records, consumed, damaged, torn };
}

/** There are not bytes enough to tell. */
const TORN = "torn";

/** The record at `start` if none of its fields holds a NUL: as all are but some that zsh writes. */
function plainRecordAt(bytes: Uint8Array, start: number): PlacedRecord | typeof TORN | undefined {
  const type = typeAt(bytes, start + MAGIC.length);
  if (!type) return undefined;
  const end = afterFields(bytes, start + MAGIC.length + type.bytes.length, FIELDS[type.type], type.type);
  if (typeof end !== "number") return end;
  return isAt(bytes, END, end - 1) ? recordOf(bytes, start, type.type, end - 1) : undefined;
}

/** Where the text of the `start` record at `start` begins, or undefined if there is none. */
function textAt(bytes: Uint8Array, start: number): number | undefined {
  const type = typeAt(bytes, start + MAGIC.length);
  if (type?.type !== "start") return undefined;
  const text = afterFields(bytes, start + MAGIC.length + type.bytes.length, FIELDS.start - 1, "start");
  return text === TORN ? undefined : text;
}

/** Where the NUL behind so many fields was, and the next byte is; undefined if the record ended before that. */
function afterFields(bytes: Uint8Array, from: number, count: number, type: SpoolRecord["type"]) {
  let at = from;
  for (let field = 1; field <= count; field++) {
    // A mark of the end before the last field is over. Only what a user typed begins like that.
    const isText = type === "start" && field === FIELDS.start;
    if (!isText && isAt(bytes, END, at - 1)) return undefined;
    const end = nulFrom(bytes, at);
    if (end === bytes.length) return TORN;
    at = end + 1;
  }
  return at;
}

/** The whole record that begins within the text between `from` and `end`: then that text was torn. */
function plainRecordWithin(
  bytes: Uint8Array,
  from: number,
  end: number,
): PlacedRecord | typeof TORN | undefined {
  // The magic may be the end of a folder's name and its NUL.
  let at = indexOf(bytes, MAGIC, from - MAGIC.length);
  while (at >= 0 && at < end) {
    const found = plainRecordAt(bytes, at);
    if (found) return found;
    at = indexOf(bytes, MAGIC, at + MAGIC.length);
  }
  return undefined;
}

/**
 * Writes a record as the hooks do.
 *
 * @throws {RangeError} where a field that cannot hold a NUL has one
 */
export function encodeRecord(record: SpoolRecord): Uint8Array<ArrayBuffer> {
  const fields = fieldsOf(record).map((field) =>
    typeof field === "object" ? field : encoder.encode(String(field))
  );
  const parts: Uint8Array[] = [MAGIC, encoder.encode(record.type)];
  fields.forEach((field, i) => {
    const mayHoldNul = record.type === "start" && i === FIELDS.start - 1;
    if (!mayHoldNul && field.includes(NUL)) {
      throw new RangeError(`field ${i + 1} of a ${record.type} record has a NUL`);
    }
    if (!mayHoldNul && isAt(field, END.subarray(1), 0)) {
      throw new RangeError(`field ${i + 1} of a ${record.type} record begins like a record's end`);
    }
    if (mayHoldNul && indexOf(field, END, 0) >= 0) {
      throw new RangeError(`the text of a ${record.type} record has the mark of a record's end`);
    }
    parts.push(new Uint8Array([NUL]), field);
  });
  parts.push(END);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}

/**
 * Appends an event to a login session's spool file, in one write and so never mixed with another's.
 *
 * @param file its path; made, for its owner alone, where it is not there
 * @throws {Error} when the disk is full or the file cannot be written
 */
export function appendEvent(file: string, event: SessionEvent): void {
  appendRecords(file, [{ type: "event", event }]);
}

/**
 * Appends records to a spool file, each in one write and so never mixed with another's.
 *
 * @param file its path; made, for its owner alone, where it is not there
 * @throws {Error} when the disk is full or the file cannot be written
 */
export function appendRecords(file: string, records: readonly SpoolRecord[]): void {
  const encoded = records.map(encodeRecord);
  using spool = Deno.openSync(file, { append: true, create: true, mode: 0o600 });
  for (const bytes of encoded) {
    const written = spool.writeSync(bytes);
    if (written !== bytes.length) {
      throw new Error(`${file}: only ${written} of ${bytes.length} bytes were written`);
    }
  }
}

function typeAt(bytes: Uint8Array, at: number) {
  for (const type of TYPES) if (isAt(bytes, type.bytes, at)) return type;
  return undefined;
}

/** @returns the record from its magic at `start` to its end mark at `end`, or undefined if its fields are none */
function recordOf(
  bytes: Uint8Array,
  start: number,
  type: SpoolRecord["type"],
  end: number,
): PlacedRecord | undefined {
  const record = recordOfFields(type, bytes, start + MAGIC.length + type.length + 1, end);
  return record && { record, start, end: end + END.length };
}

/** Whether position `at` has exactly these bytes. */
function isAt(bytes: Uint8Array, wanted: Uint8Array, at: number): boolean {
  if (at + wanted.length > bytes.length) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

/** Where the next mark of an end is. Its first byte is what a hole in a file is made of: so its second is looked for. */
function endFrom(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(RS, from + 1);
  while (at >= 0 && !isAt(bytes, END, at - 1)) at = bytes.indexOf(RS, at + 1);
  return at < 0 ? -1 : at - 1;
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const first = wanted[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (isAt(bytes, wanted, at)) return at;
  }
  return -1;
}
