/** The fields of each type of record, in the order that `spool.ts` lists them in. */

import type { SessionEvent, SpoolRecord, TextState } from "./event.ts";
import { isSessionEvent } from "./session_event.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const NUL = 0;

/**
 * Where the next NUL is; the length of the bytes if there is none.
 *
 * Most fields are shorter than a call of the runtime's own search is worth.
 */
export function nulFrom(bytes: Uint8Array, from: number): number {
  const near = Math.min(bytes.length, from + 100);
  for (let at = from; at < near; at++) if (bytes[at] === NUL) return at;
  if (near === bytes.length) return near;
  const at = bytes.indexOf(NUL, near);
  return at < 0 ? bytes.length : at;
}

/** @returns the fields of a record in their order, as `recordOfFields` takes them */
export function fieldsOf(record: SpoolRecord): (string | number | Uint8Array)[] {
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

/** Takes a record's fields in their order, and remembers if one was not what it must be. */
class FieldReader {
  ok = true;
  /** Where the present field begins and ends. */
  #from: number;
  #to: number;

  constructor(readonly bytes: Uint8Array, from: number, readonly end: number) {
    this.#from = from;
    this.#to = from - 1;
  }

  #next(): void {
    this.#from = this.#to + 1;
    this.#to = Math.min(this.end, nulFrom(this.bytes, this.#from));
  }

  /** A view: what is read stands and falls with the bytes that it was read from. */
  raw(): Uint8Array {
    this.#next();
    return this.bytes.subarray(this.#from, this.#to);
  }

  /** All the rest, NULs included. */
  rest(): Uint8Array {
    return this.bytes.subarray(this.#to + 1, this.end);
  }

  text(): string {
    this.#next();
    // Most fields are a few letters, and a call of the decoder costs more than all of them.
    let text = "";
    if (this.#to - this.#from <= 20) {
      for (let at = this.#from; at < this.#to; at++) {
        const byte = this.bytes[at] ?? 0;
        if (byte >= 0x80) return decoder.decode(this.bytes.subarray(this.#from, this.#to));
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return decoder.decode(this.bytes.subarray(this.#from, this.#to));
  }

  /** Whole microseconds, or seconds with a point or a comma before the rest, as bash's EPOCHREALTIME has them. */
  microseconds(): number {
    this.#next();
    const point = this.#to - 7;
    const mark = point > this.#from ? this.bytes[point] : 0;
    if (mark !== 0x2c && mark !== 0x2e) return this.#whole(this.#from, this.#to);
    const value = this.#whole(this.#from, point) * 1_000_000 + this.#whole(point + 1, this.#to);
    if (!Number.isSafeInteger(value)) this.ok = false;
    return value;
  }

  number(): number {
    this.#next();
    const isNegative = this.bytes[this.#from] === 0x2d;
    return isNegative ? 0 - this.#whole(this.#from + 1, this.#to) : this.#whole(this.#from, this.#to);
  }

  #whole(from: number, to: number): number {
    let value = 0;
    for (let at = from; at < to; at++) {
      const digit = (this.bytes[at] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) this.ok = false;
      value = value * 10 + digit;
    }
    if (to <= from || !Number.isSafeInteger(value)) this.ok = false;
    return value;
  }
}

/**
 * @param bytes a record's fields, and a NUL between each two, from `from` to `end`
 * @returns the record, or undefined if one of its fields is not what it must be
 */
export function recordOfFields(
  type: SpoolRecord["type"],
  bytes: Uint8Array,
  from: number,
  end: number,
): SpoolRecord | undefined {
  const fields = new FieldReader(bytes, from, end);
  const record = read(type, fields);
  return fields.ok ? record : undefined;
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
        atUs: fields.microseconds(),
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
        atUs: fields.microseconds(),
        shellLevel: fields.number(),
        tty: fields.text(),
        effectiveUid: fields.number(),
        textState: fields.text(),
        directory: fields.raw(),
        text: fields.rest(),
      };
      if (record.textState === "history") {
        return { ...record, textState: "whole", text: historyText(record.text) };
      }
      const { textState } = record;
      if (isTextState(textState)) return { ...record, textState };
      fields.ok = false;
      return { ...record, textState: "missing" };
    }
    case "end": {
      const record = {
        type,
        number: fields.number(),
        atUs: fields.microseconds(),
        exitCode: fields.number(),
      };
      const states = fields.text();
      if (!/^([0-9]{1,3}([ _][0-9]{1,3})*)?$/.test(states)) fields.ok = false;
      return { ...record, pipeStates: states === "" ? [] : states.split(/[ _]/).map(Number) };
    }
    case "exit":
      return { type, atUs: fields.microseconds(), exitCode: fields.number() };
    case "event":
      return { type, event: parseEvent(fields) };
  }
}

function parseEvent(fields: FieldReader): SessionEvent {
  try {
    const event: unknown = JSON.parse(fields.text());
    if (isSessionEvent(event)) return event;
  } catch {
    // Not JSON: the same as JSON that is no event.
  }
  fields.ok = false;
  return { kind: "session closed", session: "", atUs: 0, how: "killed" };
}

function isTextState(text: string): text is TextState {
  return text === "whole" || text === "partial" || text === "missing";
}

/**
 * The command in what bash's `history 1` prints: its number, padded to five, a mark for an edited line, a blank, and
 * the line. bash's hook writes it as it is, since taking it apart there would cost more than all the rest.
 */
function historyText(printed: Uint8Array): Uint8Array {
  let at = 0;
  while (printed[at] === 0x20) at++;
  while ((printed[at] ?? 0) >= 0x30 && (printed[at] ?? 0) <= 0x39) at++;
  const end = printed[printed.length - 1] === 0x0a ? printed.length - 1 : printed.length;
  return printed.subarray(Math.min(at + 2, end), end);
}
