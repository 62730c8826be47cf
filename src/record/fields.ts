/** The fields of each type of record, in the order that `spool.ts` lists them in. */

import type { SessionEvent, SpoolRecord, TextState } from "./event.ts";
import { isSessionEvent } from "./session_event.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const NUL = 0;

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

  constructor(readonly bytes: Uint8Array, private at: number, readonly end: number) {}

  #next(): Uint8Array {
    const from = this.at;
    const nul = this.bytes.indexOf(NUL, from);
    const to = nul < 0 || nul > this.end ? this.end : nul;
    this.at = to + 1;
    return this.bytes.subarray(from, to);
  }

  /** A copy: what is read may outlive the buffer that it was read from. */
  raw(): Uint8Array {
    return this.#next().slice();
  }

  /** All the rest, NULs included. */
  rest(): Uint8Array {
    return this.bytes.slice(this.at, this.end);
  }

  text(): string {
    return decoder.decode(this.#next());
  }

  /** Whole microseconds, or seconds with a point or a comma before the rest, as bash's EPOCHREALTIME has them. */
  microseconds(): number {
    const digits = this.#next();
    const point = digits.findIndex((byte) => byte === 0x2c || byte === 0x2e);
    if (point < 0) return this.#whole(digits);
    if (digits.length - point !== 7) this.ok = false;
    return this.#whole(digits.subarray(0, point)) * 1_000_000 + this.#whole(digits.subarray(point + 1));
  }

  number(): number {
    const digits = this.#next();
    return digits[0] === 0x2d ? 0 - this.#whole(digits.subarray(1)) : this.#whole(digits);
  }

  #whole(digits: Uint8Array): number {
    let value = 0;
    for (let i = 0; i < digits.length; i++) {
      const digit = (digits[i] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) this.ok = false;
      value = value * 10 + digit;
    }
    if (digits.length === 0 || !Number.isSafeInteger(value)) this.ok = false;
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
