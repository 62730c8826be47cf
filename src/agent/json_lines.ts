/** JSON-RPC 2.0, one object a line: from bytes to requests, and from answers to bytes. */

import { type ErrorReply, ERRORS, type Reply } from "../desk/protocol.ts";

/** What a reply is to: as it stood in the request; null where the request's could not be told. */
export type RequestId = Reply["id"];

/** A request that has the right shape. Whether there is such a method, with such parameters, is another's business. */
export interface Request {
  /** Undefined for a notification: nobody waits for a reply. */
  id: RequestId | undefined;
  method: string;
  params: unknown;
}

/** What is no request. */
export interface Refused {
  id: RequestId;
  error: ErrorReply;
}

const NEWLINE = 10;
const SMALL = 4096;
const LONGEST_ID = 128;

/** Bytes that have come, cut into lines. */
export class LineBuffer {
  #bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** Where the first line ends that was not taken yet; -1 for none. */
  #newline = -1;

  /** Bytes that wait, whole lines or not. */
  get size(): number {
    return this.#end - this.#start;
  }

  /** Whether a whole line is there. */
  get hasLine(): boolean {
    return this.#newline >= 0;
  }

  /** Adds what has come. It is copied. */
  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#end);
    if (this.#newline < 0) {
      // What was there before has no line's end: it is not looked at again, however small the pieces are.
      const found = bytes.indexOf(NEWLINE);
      this.#newline = found < 0 ? -1 : this.#end + found;
    }
    this.#end += bytes.length;
  }

  /** @returns the next line without its end, to be used before the next `append`; or undefined if none is whole */
  take(): Uint8Array | undefined {
    if (this.#newline < 0) return undefined;
    const line = this.#bytes.subarray(this.#start, this.#newline);
    this.#start = this.#newline + 1;
    const found = this.#bytes.subarray(this.#start, this.#end).indexOf(NEWLINE);
    this.#newline = found < 0 ? -1 : this.#start + found;
    if (this.#start === this.#end) {
      this.#start = this.#end = 0;
      // The room of a long line is not kept for short ones.
      if (this.#bytes.length > SMALL) this.#bytes = new Uint8Array(0);
    }
    return line;
  }

  /** Forgets all. */
  clear(): void {
    this.#bytes = new Uint8Array(0);
    this.#start = this.#end = 0;
    this.#newline = -1;
  }

  #reserve(more: number): void {
    const { size } = this;
    if (this.#end + more <= this.#bytes.length) return;
    // Twice the room each time: the bytes of a line are copied twice on average, whatever pieces it comes in.
    const roomy = new Uint8Array(Math.max(SMALL, 2 * (size + more)));
    roomy.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = roomy;
    if (this.#newline >= 0) this.#newline -= this.#start;
    this.#start = 0;
    this.#end = size;
  }
}

/**
 * Reads a line.
 *
 * @param line without its end
 * @returns the request, or what is to be replied to that which is none
 */
export function readRequest(line: Uint8Array): Request | Refused {
  let message: unknown;
  try {
    message = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line));
  } catch {
    return refused(null, ERRORS.parse, "this line is no JSON");
  }
  if (Array.isArray(message)) return refused(null, ERRORS.invalid, "no batches here: one request a line");
  if (!isObject(message)) return refused(null, ERRORS.invalid, "a request is an object");
  const { id, method, params } = message;
  if (!isId(id)) {
    return refused(
      null,
      ERRORS.invalid,
      `an id is a whole number, null, or a string of ${LONGEST_ID} characters at most`,
    );
  }
  if (message.jsonrpc !== "2.0") return refused(id, ERRORS.invalid, 'a request says "jsonrpc": "2.0"');
  if (typeof method !== "string") {
    return refused(id, ERRORS.invalid, "a request has a method, which is a string");
  }
  if (params !== undefined && !isObject(params)) {
    return refused(id, ERRORS.params, "params go by name, in an object");
  }
  return { id, method, params: params ?? {} };
}

/** @throws {TypeError} if the result is nothing that JSON has */
export function resultLine(id: RequestId, result: unknown): Uint8Array<ArrayBuffer> {
  return replyLine({ jsonrpc: "2.0", id, result: result ?? null });
}

/** The line that says what went wrong. */
export function errorLine(id: RequestId, code: number, message: string): Uint8Array<ArrayBuffer> {
  return replyLine({ jsonrpc: "2.0", id, error: { code, message } });
}

const encoder = new TextEncoder();

function replyLine(reply: Reply): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encoder.encode(`${JSON.stringify(reply)}\n`));
}

function refused(id: RequestId | undefined, code: number, message: string): Refused {
  return { id: id ?? null, error: { code, message } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a reply can name it exactly, and with few bytes. */
function isId(id: unknown): id is RequestId | undefined {
  if (typeof id === "string") return id.length <= LONGEST_ID;
  return id === undefined || id === null || Number.isSafeInteger(id);
}
