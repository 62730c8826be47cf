/** Whether the agent has a try-out on record. */

import { askAgent } from "../desk/agent_client.ts";
import { EvidenceReader } from "../evidence/reading.ts";
import type { Target } from "./target.ts";

/** How often evidence is asked, in milliseconds. */
const LOOK_MS = 100;
/** More sessions no user opens while she is tried out. */
const MOST_SESSIONS = 100;
/** More events no try-out makes. */
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
}

/** @throws {Error} if the agent does not answer, or cannot write evidence */
export async function agentAnswers({ root }: Target): Promise<void> {
  const { trouble } = await askAgent(`${root}/run/srvaudit/agent.sock`, "agent.status", {});
  if (trouble !== null) throw new Error(`the agent is in trouble: ${trouble}`);
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
  const session = evidence.sessions({ user: login.user, sinceUs: login.sinceUs, limit: MOST_SESSIONS }).find((
    { tty, openedUs },
  ) => tty === login.tty && openedUs >= login.sinceUs);
  if (!session) return "that she logged in";
  if (login.ticket !== null && session.ticket !== login.ticket) {
    return `that she is on ticket ${login.ticket}, but ${session.ticket ?? "on none"}`;
  }
  if (session.closedUs === null) return "that her session has ended";
  const { typed } = login;
  const hasCommand = typed === undefined ||
    evidence.eventsAfter(0, { session: session.id }, MOST_EVENTS).some(({ kind, text }) =>
      kind === "command" && text === typed
    );
  return hasCommand ? undefined : "the command that she ran";
}
