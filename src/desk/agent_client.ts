/** One question to the host's agent. On the way from a login to its shell: nothing heavy is imported here. */

import { messageOf } from "../terminal/message_of.ts";
import {
  StatusNotAllowedError,
  TicketNotFoundError,
  TicketRefusedError,
  TrackerUnavailableError,
} from "../trackers/tracker.ts";
import { AgentUnavailableError, NoSessionError, RefusedError } from "./desk.ts";
import { ERRORS, LONGEST_LINE, LONGEST_REPLY, type Method, type Params, type Result } from "./protocol.ts";
import { isResultOf } from "./replies.ts";

/** How long an answer is waited for, in milliseconds: a login has five seconds for all that may hang. */
export const ANSWER_TIMEOUT_MS = 2000;

/** How long to wait, in milliseconds, where more ask at once than the kernel lets queue, or the agent has room for. */
const QUEUE_PAUSE_MS = 20;

/**
 * Asks the agent, over a connection of its own.
 *
 * @param socket the agent's: `socket` of `hostPaths`
 * @param timeoutMs what it may take at most, whatever the agent does
 * @throws {AgentUnavailableError} if there is no agent, or none that answers in time and in its own language
 * @throws {RefusedError} {NoSessionError} {TicketNotFoundError} {StatusNotAllowedError} {TicketRefusedError}
 * {TrackerUnavailableError} as it says
 *
 * @example
 * ```ts
 * const ticket = await askAgent(hostPaths().socket, "ticket.find", { key: "17" });
 * ```
 */
export async function askAgent<Name extends Method>(
  socket: string,
  method: Name,
  params: Params<Name>,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<Result<Name>> {
  const request = new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) + "\n");
  if (request.length > LONGEST_LINE) {
    throw new RefusedError(`that is too long: ${request.length} bytes, and the agent takes ${LONGEST_LINE}`);
  }
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(unavailable(socket, `does not answer (${method}, ${timeoutMs / 1000} s)`)),
    timeoutMs,
  );
  let connection: Deno.Conn | undefined;
  let pause: number | undefined;
  const talk = async () => {
    while (true) {
      connection = await connect(socket);
      const line = await exchange(connection, request);
      if (!isBusy(line)) return line;
      connection.close();
      connection = undefined;
      await new Promise((resolve) => pause = setTimeout(resolve, QUEUE_PAUSE_MS));
    }
  };
  let line: string;
  try {
    line = await Promise.race([talk(), late]);
  } catch (error) {
    if (error instanceof AgentUnavailableError) throw error;
    throw unavailable(socket, messageOf(error), error);
  } finally {
    clearTimeout(timer);
    clearTimeout(pause);
    connection?.close();
  }
  return resultOf(socket, method, line);
}

/** A Unix socket takes a connection at once, or says no; only its queue may be full, for a moment. */
async function connect(socket: string): Promise<Deno.Conn> {
  while (true) {
    try {
      return await Deno.connect({ transport: "unix", path: socket });
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await new Promise((resolve) => setTimeout(resolve, QUEUE_PAUSE_MS));
    }
  }
}

/** Whether there is no room for one more now: many a command at once is nothing to fail for. */
function isBusy(line: string): boolean {
  return line.length < 200 && line.includes(`"error":{"code":${ERRORS.busy},`);
}

/** Sends a line, and reads one. */
async function exchange(connection: Deno.Conn, request: Uint8Array): Promise<string> {
  try {
    for (let sent = 0; sent < request.length;) sent += await connection.write(request.subarray(sent));
  } catch (error) {
    // Who refuses a connection says why, and reads nothing.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const piece = new Uint8Array(65_536);
  let text = "";
  for (let length = 0; length < LONGEST_REPLY;) {
    const count = await connection.read(piece);
    if (count === null) throw new Error("hung up before it had answered");
    length += count;
    const end = piece.subarray(0, count).indexOf(0x0a);
    text += decoder.decode(piece.subarray(0, end < 0 ? count : end), { stream: end < 0 });
    if (end >= 0) return text;
  }
  throw new Error(`answered with more than ${LONGEST_REPLY} bytes`);
}

function resultOf<Name extends Method>(socket: string, method: Name, line: string): Result<Name> {
  let reply: Partial<Record<string, unknown>> = {};
  try {
    reply = { ...JSON.parse(line) };
  } catch {
    // Not JSON: the same as JSON that is no reply.
  }
  const { result, error } = reply;
  if (isErrorReply(error)) throw errorOf(socket, error.code, error.message);
  if (reply.jsonrpc !== "2.0" || !isResultOf(method, result)) {
    throw unavailable(socket, `answered ${method} with what is no answer`);
  }
  return result;
}

function isErrorReply(value: unknown): value is { code: number; message: string } {
  return typeof value === "object" && value !== null && "code" in value && typeof value.code === "number" &&
    "message" in value && typeof value.message === "string";
}

function errorOf(socket: string, code: number, message: string): Error {
  switch (code) {
    case ERRORS.ticketNotFound:
      return new TicketNotFoundError(message);
    case ERRORS.statusNotAllowed:
      return new StatusNotAllowedError(message);
    case ERRORS.trackerUnavailable:
      return new TrackerUnavailableError(message);
    case ERRORS.ticketRefused:
      return new TicketRefusedError(message);
    case ERRORS.noSession:
      return new NoSessionError(message);
    case ERRORS.refused:
    case ERRORS.notAllowed:
    case ERRORS.params:
      return new RefusedError(message);
    default:
      return unavailable(socket, `cannot answer: ${message}`);
  }
}

function unavailable(socket: string, what: string, cause?: unknown): AgentUnavailableError {
  return new AgentUnavailableError(`the agent (${socket}): ${what}`, { cause });
}
