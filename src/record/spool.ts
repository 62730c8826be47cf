/**
 * The bytes of a spool file: what the shells' hooks write with builtins alone, and what we read.
 *
 * ```text
 * record = RS "SA1" NUL type NUL field NUL field ... NUL RS LF        RS is 0x1E, NUL is 0x00
 * ```
 *
 * No variable of a shell holds a NUL, so nothing that a user types ends a field or begins a record; no text is
 * escaped and no length is counted, both of which a shell could not do for bytes without a fork. A record that never
 * got its end is either torn (the last of the file: wait for its rest) or damaged (another record follows: skip to
 * that one, and count it).
 *
 * | type | fields |
 * |---|---|
 * | `shell` | shell, pid, ppid, start ticks, µs, tty, uid, euid, user, host, time zone, level, session, ssh client, ssh connection, sudo user, sudo uid |
 * | `start` | number, µs, shell level, tty, euid, text state, directory, text |
 * | `end` | number, µs, exit code, pipe states joined by `_` |
 * | `exit` | µs, exit code |
 * | `event` | a `SessionEvent` in JSON |
 */

import type { SessionEvent, SpoolRecord, TextState } from "./event.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const MAGIC = encoder.encode("\x1eSA1\0");
const END = encoder.encode("\0\x1e\n");
const NUL = 0;

/** How many fields each type has. */
const FIELDS: Readonly<Record<SpoolRecord["type"], number>> = {
  shell: 17,
  start: 8,
  end: 4,
  exit: 2,
  event: 1,
};

/** A record, and where in the given bytes it stands. */
export interface PlacedRecord {
  record: SpoolRecord;
  start: number;
  end: number;
}

/** What `readRecords` found. */
export interface Reading {
  records: PlacedRecord[];
  /** How far the bytes are dealt with: what is behind this is torn and waits for its rest. */
  consumed: number;
  /** How many runs of bytes were no record. */
  damaged: number;
}

/**
 * Reads all the records that stand whole in a piece of a spool file.
 *
 * @param bytes the piece, from the end of an earlier record on
 * @returns the records, how far they go, and how much was damaged; nothing is ever thrown for what bytes hold
 *
 * @example
 * ```ts
 * const reading = readRecords(Deno.readFileSync("4711-1795343616778680.shell"));
 * ```
 */
export function readRecords(bytes: Uint8Array): Reading {
  const records: PlacedRecord[] = [];
  let damaged = 0;
  let position = 0;
  let next = indexOf(bytes, MAGIC, 0);
  if (next !== 0 && bytes.length > 0) {
    // Bytes that no hook writes: damage up to the next record, or to the end of what a torn record's first bytes
    // could be.
    if (next < 0) {
      const tail = possibleMagicAt(bytes);
      return { records, consumed: tail, damaged: tail > 0 ? 1 : 0 };
    }
    damaged++;
    position = next;
  }
  while (next >= 0) {
    const start = next;
    const following = indexOf(bytes, MAGIC, start + MAGIC.length);
    const end = indexOf(bytes, END, start + MAGIC.length);
    if (end >= 0 && (following < 0 || end < following)) {
      position = end + END.length;
      const record = decode(bytes.subarray(start + MAGIC.length, end));
      if (record) records.push({ record, start, end: position });
      else damaged++;
      if (following > position) damaged++;
    } else if (following >= 0) {
      damaged++;
    } else {
      return { records, consumed: start, damaged };
    }
    next = following;
    if (following >= 0) position = following;
  }
  if (position < bytes.length) {
    const tail = position + possibleMagicAt(bytes.subarray(position));
    if (tail > position) damaged++;
    position = tail;
  }
  return { records, consumed: position, damaged };
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
      throw new RangeError(`field ${i} of a ${record.type} record has a NUL`);
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
  const bytes = encodeRecord({ type: "event", event });
  using spool = Deno.openSync(file, { append: true, create: true, mode: 0o600 });
  const written = spool.writeSync(bytes);
  if (written !== bytes.length) {
    throw new Error(`${file}: only ${written} of ${bytes.length} bytes were written`);
  }
}

function fieldsOf(record: SpoolRecord): (string | number | Uint8Array)[] {
  switch (record.type) {
    case "shell":
      return [
        record.shell,
        record.pid,
        record.parentPid,
        record.startTicks,
        record.atUs,
        record.tty,
        record.uid,
        record.effectiveUid,
        record.user,
        record.host,
        record.timeZone,
        record.shellLevel,
        record.session,
        record.sshClient,
        record.sshConnection,
        record.sudoUser,
        record.sudoUid,
      ];
    case "start":
      return [
        record.number,
        record.atUs,
        record.shellLevel,
        record.tty,
        record.effectiveUid,
        record.textState,
        record.directory,
        record.text,
      ];
    case "end":
      return [record.number, record.atUs, record.exitCode, record.pipeStates.join("_")];
    case "exit":
      return [record.atUs, record.exitCode];
    case "event":
      return [JSON.stringify(record.event)];
  }
}

/** @returns the record, or undefined if the bytes between magic and end are none */
function decode(body: Uint8Array): SpoolRecord | undefined {
  const typeEnd = body.indexOf(NUL);
  if (typeEnd < 0) return undefined;
  const type = decoder.decode(body.subarray(0, typeEnd));
  if (!Object.hasOwn(FIELDS, type)) return undefined;
  const count = FIELDS[type as SpoolRecord["type"]];
  const bytes: Uint8Array[] = [];
  let from = typeEnd + 1;
  while (bytes.length < count - 1) {
    const to = body.indexOf(NUL, from);
    if (to < 0) return undefined;
    bytes.push(body.subarray(from, to));
    from = to + 1;
  }
  bytes.push(body.subarray(from));
  const fields = new FieldReader(bytes);
  const record = read(type as SpoolRecord["type"], fields);
  return fields.ok ? record : undefined;
}

/** Takes a record's fields in their order, and remembers if one was not what it must be. */
class FieldReader {
  ok = true;
  #next = 0;

  constructor(readonly bytes: readonly Uint8Array[]) {}

  raw(): Uint8Array {
    // A copy: what is read may outlive the buffer that it was read from.
    return this.bytes[this.#next++]?.slice() ?? new Uint8Array();
  }

  text(): string {
    return decoder.decode(this.bytes[this.#next++]);
  }

  number(): number {
    const text = this.text();
    if (!/^-?[0-9]{1,16}$/.test(text)) this.ok = false;
    return Number(text);
  }
}

function read(type: SpoolRecord["type"], fields: FieldReader): SpoolRecord {
  switch (type) {
    case "shell":
      return {
        type,
        shell: fields.text(),
        pid: fields.number(),
        parentPid: fields.number(),
        startTicks: fields.number(),
        atUs: fields.number(),
        tty: fields.text(),
        uid: fields.number(),
        effectiveUid: fields.number(),
        user: fields.text(),
        host: fields.text(),
        timeZone: fields.text(),
        shellLevel: fields.number(),
        session: fields.text(),
        sshClient: fields.text(),
        sshConnection: fields.text(),
        sudoUser: fields.text(),
        sudoUid: fields.text(),
      };
    case "start": {
      const record = {
        type,
        number: fields.number(),
        atUs: fields.number(),
        shellLevel: fields.number(),
        tty: fields.text(),
        effectiveUid: fields.number(),
        textState: fields.text() as TextState,
        directory: fields.raw(),
        text: fields.raw(),
      };
      if (!["whole", "partial", "missing"].includes(record.textState)) fields.ok = false;
      return record;
    }
    case "end": {
      const record = { type, number: fields.number(), atUs: fields.number(), exitCode: fields.number() };
      const states = fields.text();
      if (!/^([0-9]{1,3}(_[0-9]{1,3})*)?$/.test(states)) fields.ok = false;
      return { ...record, pipeStates: states === "" ? [] : states.split("_").map(Number) };
    }
    case "exit":
      return { type, atUs: fields.number(), exitCode: fields.number() };
    case "event":
      return { type, event: parseEvent(fields) };
  }
}

const EVENT_KINDS: readonly string[] = [
  "session opened",
  "ticket switched",
  "note",
  "status",
  "session closed",
];

function parseEvent(fields: FieldReader): SessionEvent {
  try {
    const event = JSON.parse(fields.text());
    if (
      EVENT_KINDS.includes(event?.kind) && typeof event.session === "string" &&
      Number.isSafeInteger(event.atUs)
    ) {
      return event;
    }
  } catch {
    // Not JSON: the same as JSON that is no event.
  }
  fields.ok = false;
  return { kind: "session closed", session: "", atUs: 0, how: "killed" };
}

/** Where in the last bytes a torn record may begin; the length if nowhere. */
function possibleMagicAt(bytes: Uint8Array): number {
  for (let at = Math.max(0, bytes.length - MAGIC.length + 1); at < bytes.length; at++) {
    if (bytes.subarray(at).every((byte, i) => byte === MAGIC[i])) return at;
  }
  return bytes.length;
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const first = wanted[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + wanted.length > bytes.length) return -1;
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
