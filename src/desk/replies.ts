/**
 * Whether what the agent answered is what the method gives.
 *
 * Written by hand: a schema library is too slow to load on the way from a login to its shell.
 */

import type { Method, Result } from "./protocol.ts";

type Parts = Partial<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isWhole: Check = (value) => Number.isSafeInteger(value);
const isBoolean: Check = (value) => typeof value === "boolean";

/** Parts that may be missing. */
function orNone(check: Check): Check {
  return (value) => value === undefined || check(value);
}

function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}

function either(...checks: Check[]): Check {
  return (value) => checks.some((check) => check(value));
}

function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** Further parts, as of a newer agent, do no harm. */
function withParts(checks: Readonly<Record<string, Check>>): Check {
  return (value) => {
    if (typeof value !== "object" || value === null) return false;
    const parts: Parts = { ...value };
    return Object.entries(checks).every(([name, check]) => check(parts[name]));
  };
}

const ticket = { key: isText, subject: isText, status: isText, open: isBoolean };
const question = withParts({
  name: isText,
  label: isText,
  choices: orNone(listOf(withParts({ value: isText, label: isText }))),
  default: orNone(isText),
});
const shellSpool = { session: orNull(isText), spool: isText, sessionFile: orNull(isText) };

const CHECKS: Readonly<Record<Method, Check>> = {
  "session.current": orNull(withParts({
    id: isText,
    ticket: orNull(isText),
    sinceUs: isWhole,
    ticketSinceUs: isWhole,
    leaderPid: isWhole,
    leaderStartTicks: isWhole,
  })),
  "session.open": withParts({ ...shellSpool, session: isText }),
  "session.switch": withParts({ from: orNull(isText) }),
  "session.close": withParts({ closed: isBoolean }),
  "shell.attach": withParts(shellSpool),
  "ticket.find": orNull(withParts(ticket)),
  "ticket.details": withParts({
    ...ticket,
    url: orNone(isText),
    createdAtUs: isWhole,
    createdBy: isText,
    notes: listOf(withParts({ atUs: isWhole, user: isText, text: isText })),
    statuses: listOf(withParts({ atUs: isWhole, user: isText, status: isText })),
  }),
  "ticket.search": listOf(withParts(ticket)),
  "ticket.create": either(
    withParts({ ticket: withParts(ticket) }),
    withParts({ questions: listOf(question) }),
  ),
  "ticket.nextStatuses": listOf(isText),
  "ticket.setStatus": withParts(ticket),
  "ticket.addNote": (value) => value === null,
  "spool.taken": withParts({ remove: listOf(isText) }),
  "agent.status": withParts({
    version: isText,
    pid: isWhole,
    sinceUs: isWhole,
    memory: isWhole,
    connections: isWhole,
    head: isText,
    trouble: orNull(isText),
    files: isWhole,
    waiting: isWhole,
    tracker: withParts({ name: isText, state: isText, reason: orNull(isText), waiting: isWhole }),
    sinks: listOf(withParts({
      name: isText,
      wants: withParts({ events: isText }),
      state: isText,
      reason: orNull(isText),
      sinceUs: orNull(isWhole),
      depth: isWhole,
      oldestUs: orNull(isWhole),
      successUs: orNull(isWhole),
      error: orNull(isText),
      errorUs: orNull(isWhole),
      dead: isWhole,
    })),
  }),
  "agent.note": (value) => value === null,
  "sink.redeliver": listOf(withParts({ sink: isText, count: isWhole })),
  "sink.test": withParts({ ok: isBoolean, answer: isText }),
};

/** @returns whether a value that came over the socket is a result of that method */
export function isResultOf<Name extends Method>(method: Name, value: unknown): value is Result<Name> {
  return CHECKS[method](value);
}
