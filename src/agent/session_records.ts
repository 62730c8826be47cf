/** Puts what a login session's spool file says into evidence. */

import { LONGEST_KEY, LONGEST_NOTE } from "../desk/protocol.ts";
import type { SessionEvent, SessionOpened } from "../record/event.ts";
import type { Reading } from "../record/spool.ts";
import type { Followed, Session } from "./followed.ts";
import { notice, noticeDamage } from "./oddities.ts";
import { AHEAD_US, type Taking } from "./shell_records.ts";
import { sessionOfName } from "./spool_folder.ts";

/** A user's own word fills no more of the agent's memory than this. */
const MOST_SWITCHES = 100;
/** No name, no address, no ticket of an honest user's is longer: in characters. */
const LONGEST_TEXT = 4096;

/**
 * Puts the events of a piece in evidence. What lies in the host's spool the agent has written itself; what lies in a user's
 * own is that user's word, and counts for sessions of that user alone.
 *
 * @returns the events that are in evidence now
 */
export function takeSessionRecords(
  taking: Taking,
  file: Followed,
  { records, damaged, torn }: Reading,
): SessionEvent[] {
  const foreign = (why: string, count = 1) => notice(file.oddities, "foreign", why, count);
  const id = sessionOfName(file.name);
  noticeDamage(file, damaged, torn);
  const taken: SessionEvent[] = [];
  for (const { record } of records) {
    if (record.type !== "event") foreign("a shell's record");
    else if (record.event.session !== id) foreign("another session's event");
    else {
      const event = inOwnName(file, record.event);
      const refusal = isTooLong(file, event) ? "a longer text than anyone's" : takeEvent(taking, file, event);
      if (refusal === undefined) taken.push(event);
      else foreign(refusal);
    }
  }
  return taken;
}

/** Who opened a session is not hers to say. */
function inOwnName(file: Followed, event: SessionEvent): SessionEvent {
  const name = file.folder.owner?.name;
  if (event.kind !== "session opened" || name === undefined || event.user === name) return event;
  notice(file.oddities, "foreign", "a session in another name");
  return { ...event, user: name };
}

function isTooLong({ folder }: Followed, event: SessionEvent): boolean {
  if (!folder.owner) return false;
  const limits: Partial<Record<string, number>> = {
    command: Infinity,
    text: LONGEST_NOTE,
    ticket: LONGEST_KEY,
    to: LONGEST_KEY,
  };
  return Object.entries(event).some(([name, value]) =>
    typeof value === "string" && value.length > (limits[name] ?? LONGEST_TEXT)
  );
}

/** @returns undefined, or why it is not taken */
function takeEvent(taking: Taking, file: Followed, event: SessionEvent): string | undefined {
  const { sessions } = taking;
  const session = sessions.byId(event.session);
  const { owner } = file.folder;
  if (event.kind === "session opened") {
    if (session) return "a second opening of a session";
    if (owner && event.uid !== owner.uid) return "another user's session";
    open(taking, file, event);
    return undefined;
  }
  if (!session) return "an event of no session";
  if (owner && session.uid !== owner.uid) return "another user's session";
  belong(file, session);
  if (owner && event.atUs > taking.takenUs + AHEAD_US) notice(file.oddities, "clock", "ahead");
  if (event.kind === "ticket switched") {
    if (owner && session.tickets.length >= MOST_SWITCHES) return "more switches of tickets than anyone makes";
    session.tickets.push({ ticket: event.to, sinceUs: event.atUs });
    session.tickets.sort((one, other) => one.sinceUs - other.sinceUs);
  }
  if (event.kind === "session closed") session.closed = true;
  append(taking, file, event, {});
  return undefined;
}

function open(taking: Taking, file: Followed, event: SessionOpened): void {
  const late = file.folder.owner !== undefined;
  const seq = append(taking, file, event, late ? { late } : {});
  file.row.session = seq;
  const session = taking.sessions.get(seq);
  if (session) belong(file, session);
  if (!late) return;
  // Who keeps the agent from answering her makes her own record what the agent's should be.
  const isServed = event.atUs > taking.sinceUs;
  taking.store.append({
    kind: "agent",
    atUs: taking.takenUs,
    session: seq,
    shell: null,
    uid: null,
    data: {
      what: "late",
      words: "a login session began without the agent" + (isServed ? ", which was there" : ""),
      session: event.session,
      ...(isServed ? { served: true } : {}),
    },
  }, taking.takenUs);
}

function belong(file: Followed, { seq, leader }: Session): void {
  file.row.session = seq;
  file.row.pid = leader.pid;
  file.row.startTicks = leader.startTicks;
}

function append(taking: Taking, file: Followed, event: SessionEvent, more: { late?: boolean }): number {
  const { kind, atUs, ...data } = event;
  file.row.lastUs = Math.max(file.row.lastUs, atUs);
  return taking.store.append({
    kind,
    atUs,
    session: file.row.session,
    shell: null,
    uid: file.folder.owner?.uid ?? (event.kind === "session opened" ? event.uid : sessionUid(taking, file)),
    data: { ...data, ...more, source: file.folder.owner ? "user" : "agent" },
  }, taking.takenUs);
}

function sessionUid({ sessions }: Taking, { row }: Followed): number | null {
  return row.session === null ? null : sessions.get(row.session)?.uid ?? null;
}
