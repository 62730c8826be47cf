/** `srvaudit sessions`: login sessions of the evidence. */

import { hostPaths } from "../config/paths.ts";
import type { EvidenceSession, SessionFilter } from "../evidence/reading.ts";
import { lengthOfTime, localTime, type Moment } from "../terminal/moments.ts";
import { visibleJson } from "../terminal/visible.ts";
import { openEvidence } from "./evidence_file.ts";
import { type Column, print, table, terminalWidth } from "./output.ts";

/** What `srvaudit sessions` was asked. */
export interface SessionsQuestion {
  user?: string | undefined;
  ticket?: string | undefined;
  since?: Moment | undefined;
  until?: Moment | undefined;
  open: boolean;
  host?: string | undefined;
  from?: string | undefined;
  emergency: boolean;
  limit: number;
  json: boolean;
}

/**
 * Prints the sessions: a table, or, with `json`, an array of objects as `EvidenceSession` describes them.
 *
 * @throws {CannotError} if the evidence cannot be read
 */
export async function sessionsCommand(question: SessionsQuestion): Promise<void> {
  using evidence = openEvidence(hostPaths().evidence);
  const sessions = evidence.sessions(filterOf(question));
  if (question.json) print(visibleJson(sessions) + "\n");
  else if (sessions.length > 0) print(await sessionsTable(sessions, Date.now() * 1000));
}

function filterOf(question: SessionsQuestion): SessionFilter {
  const { user, ticket, host, from, limit } = question;
  return {
    user,
    ticket,
    host,
    from,
    limit,
    sinceUs: question.since && question.since.fromS * 1e6,
    // "until yesterday" has all of yesterday in it.
    untilUs: question.until && question.until.toS * 1e6,
    isOpen: question.open,
    isEmergency: question.emergency,
  };
}

/** The sessions as a table that fits the terminal. */
function sessionsTable(sessions: readonly EvidenceSession[], nowUs: number): Promise<string> {
  const columns: Column<EvidenceSession>[] = [
    { title: "SINCE", cell: ({ openedUs }) => localTime(openedUs).slice(0, -3) },
    {
      title: "LASTED",
      cell: (session) => lengthOfTime((session.closedUs ?? nowUs) - session.openedUs),
      goes: 2,
    },
    { title: "USER", cell: ({ user }) => user },
    { title: "TICKET", cell: ticketOf },
    { title: "FROM", cell: ({ from, tty }) => from || tty.replace(/^\/dev\//, "") || "-", goes: 1 },
    { title: "HOST", cell: ({ host }) => host, goes: 4 },
    { title: "CMDS", cell: ({ commands }) => String(commands), goes: 3 },
    { title: "HOW", cell: howOf },
    { title: "SESSION", cell: ({ id }) => id, goes: 5 },
  ];
  return table(columns, sessions, terminalWidth());
}

/** What stands for its ticket. */
export function ticketOf({ ticket, emergency }: EvidenceSession): string {
  return emergency === null ? ticket ?? "-" : ticket === null ? "EMERGENCY" : `${ticket} EMERGENCY`;
}

function howOf({ closedUs, how, exitCode, mode }: EvidenceSession): string {
  if (closedUs === null) return "open";
  const ended = exitCode === null || exitCode === 0 ? how ?? "closed" : `${how} ${exitCode}`;
  return mode === "command" ? `${ended} (command)` : ended;
}
