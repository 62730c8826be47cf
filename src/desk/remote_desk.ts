import type { Policy } from "../config/policy.ts";
import type { SessionClosed } from "../record/event.ts";
import { linkSpool } from "../record/spool_links.ts";
import type { Answers, Created, Ticket, TicketDetails } from "../trackers/tracker.ts";
import { ANSWER_TIMEOUT_MS, askAgent } from "./agent_client.ts";
import type { Desk, OpenedSession, WhichTickets } from "./desk.ts";
import type { Method, Opening, Params, PresentSession, Result } from "./protocol.ts";
import type { DeskPlaces } from "./spool_desk.ts";

/** The longest text of a command that goes into the opening of its session: in JSON that may be six times as long. */
const LONGEST_COMMAND = 65_536;

/** How long an answer is waited for, in milliseconds. */
export interface Patience {
  /** About what the agent knows by itself. */
  agentMs: number;
  /** About a session that may need its ticket looked up. */
  sessionMs: number;
  /** About tickets. */
  ticketMs: number;
}

/** What the agent takes for itself, in milliseconds, beside the time that it gives to its tracker. */
const AGENTS_OWN_MS = 500;

/** These may take the agent to its tracker. */
const NEED_A_TICKET: readonly Method[] = ["session.open", "session.switch", "session.current"];

/** How long a login waits: the agent gives up its tracker first, and can still say so. */
export function patienceOf({ trackerTimeoutS }: Pick<Policy, "trackerTimeoutS">): Patience {
  const trackerMs = Math.max(ANSWER_TIMEOUT_MS, trackerTimeoutS * 1000 + AGENTS_OWN_MS);
  return { agentMs: ANSWER_TIMEOUT_MS, sessionMs: trackerMs, ticketMs: trackerMs };
}

/**
 * The desk of a host with an agent: every question is the agent's to answer. What it has made for a shell is linked to
 * from the user's own spool.
 *
 * Every method rejects with an `AgentUnavailableError` if the agent does not answer.
 */
export class RemoteDesk implements Desk {
  constructor(
    readonly places: Pick<DeskPlaces, "socket" | "spool">,
    readonly patience: Patience,
  ) {}

  async find(key: string): Promise<Ticket | undefined> {
    return await this.#ask("ticket.find", { key }) ?? undefined;
  }

  details(key: string): Promise<TicketDetails> {
    return this.#ask("ticket.details", { key });
  }

  search(words: string, limit?: number, which?: WhichTickets): Promise<Ticket[]> {
    return this.#ask("ticket.search", {
      words,
      ...(limit === undefined ? {} : { limit }),
      ...(which === undefined ? {} : { which }),
    });
  }

  create(answers: Answers): Promise<Created> {
    return this.#ask("ticket.create", { answers });
  }

  nextStatuses(key: string): Promise<string[]> {
    return this.#ask("ticket.nextStatuses", { key });
  }

  setStatus(key: string, status: string): Promise<Ticket> {
    return this.#ask("ticket.setStatus", { key, status });
  }

  async addNote(key: string, text: string): Promise<void> {
    await this.#ask("ticket.addNote", { key, text });
  }

  async session(): Promise<PresentSession | undefined> {
    return await this.#ask("session.current", {}) ?? undefined;
  }

  async open(opening: Opening): Promise<OpenedSession> {
    const { command } = opening;
    // All of it is in the command's own record.
    const shortened = command !== undefined && command.length > LONGEST_COMMAND
      ? { command: `${command.slice(0, LONGEST_COMMAND).toWellFormed()}...` }
      : {};
    const files = await this.#ask("session.open", { ...opening, ...shortened });
    linkSpool(this.places.spool, files);
    return { id: files.session, spoolFile: files.spool };
  }

  async attach(): Promise<string | null> {
    const files = await this.#ask("shell.attach", { pid: Deno.pid });
    linkSpool(this.places.spool, files);
    return files.spool;
  }

  async switchTo(key: string): Promise<string | null> {
    return (await this.#ask("session.switch", { ticket: key })).from;
  }

  async close(how: SessionClosed["how"], exitCode: number | undefined): Promise<boolean> {
    const params = { how, ...(exitCode === undefined ? {} : { exitCode }) };
    return (await this.#ask("session.close", params)).closed;
  }

  [Symbol.dispose](): void {
    // Each question had a connection of its own.
  }

  #ask<Name extends Method>(method: Name, params: Params<Name>): Promise<Result<Name>> {
    const { agentMs, sessionMs, ticketMs } = this.patience;
    const ownMs = NEED_A_TICKET.includes(method) ? sessionMs : agentMs;
    return askAgent(this.places.socket, method, params, method.startsWith("ticket.") ? ticketMs : ownMs);
  }
}
