/** Whether the agent has a try-out on record. */

import { askAgent } from "../desk/agent_client.ts";
import { AgentUnavailableError } from "../desk/desk.ts";
import { EvidenceReader } from "../evidence/reading.ts";
import type { Target } from "./target.ts";

/** How long an agent's start may take, in milliseconds. */
const START_MS = 5000;
/** How often the agent, and evidence, are asked, in milliseconds. */
const LOOK_MS = 100;
/** More sessions no user opens while she is tried out. */
const MOST_SESSIONS = 100;
/** Among so many of a session's last events is the try-out's command. */
const MOST_EVENTS = 1000;

/** A login that is to be on record. */
export interface Login {
  user: string;
  tty: string;
  sinceUs: number;
  /** Null where it has none that is known. */
  ticket: string | null;
  /** The command that was typed; undefined where her shell has no hooks. */
  typed: string | undefined;
  /** The session that it is a part of; null where it is one by itself. */
  within: string | null;
}

/**
 * Asks the agent. One that was started just now, as systemd says it of one that has yet to begin, is waited for.
 *
 * @returns the login session that this process is in, which all that it starts belongs to; null where it is in none
 * @throws {Error} if the agent does not answer, or cannot write evidence
 */
export async function agentAnswers({ root }: Target): Promise<string | null> {
  const socket = `${root}/run/srvaudit/agent.sock`;
  const deadline = performance.now() + START_MS;
  while (true) {
    try {
      const { trouble } = await askAgent(socket, "agent.status", {});
      if (trouble !== null) throw new Error(`the agent is in trouble: ${trouble}`);
      return (await askAgent(socket, "session.current", {}))?.id ?? null;
    } catch (error) {
      if (!(error instanceof AgentUnavailableError) || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}

/**
 * Waits until evidence has the login: opened with its ticket, with its command, and closed.
 *
 * @param deadline by `performance.now()`
 * @throws {Error} that says what is missing
 */
export async function awaitRecord({ root }: Target, login: Login, deadline: number): Promise<void> {
  using evidence = new EvidenceReader(`${root}/var/lib/srvaudit/evidence.db`);
  while (true) {
    const missing = missingOf(evidence, login);
    if (missing === undefined) return;
    if (performance.now() > deadline) throw new Error(`the agent has not on record ${missing}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function missingOf(evidence: EvidenceReader, login: Login): string | undefined {
  const { user, tty, sinceUs, ticket, typed, within } = login;
  if (within !== null) return hasCommand(evidence, within, typed) ? undefined : COMMAND;
  const session = evidence.sessions({ user, sinceUs, limit: MOST_SESSIONS }).find((one) =>
    one.tty === tty && one.openedUs >= sinceUs
  );
  if (!session) return "that she logged in";
  if (ticket !== null && session.ticket !== ticket) {
    return `that she is on ticket ${ticket}, but ${session.ticket ?? "on none"}`;
  }
  if (session.closedUs === null) return "that her session has ended";
  return hasCommand(evidence, session.id, typed) ? undefined : COMMAND;
}

const COMMAND = "the command that she ran";

function hasCommand(evidence: EvidenceReader, session: string, typed: string | undefined): boolean {
  return typed === undefined ||
    evidence.eventsUpTo(Number.MAX_SAFE_INTEGER, { session }, MOST_EVENTS).some(({ kind, text }) =>
      kind === "command" && text === typed
    );
}
