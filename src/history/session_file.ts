/** Takes a login session's spool file in: its row in `srvaudit_sessions`, its tickets, notes and statuses. */

import { howClosed } from "../record/closing.ts";
import type { SessionEvent, SessionOpened } from "../record/event.ts";
import { readRecords } from "../record/spool.ts";
import type { Progress } from "./progress.ts";
import type { Store } from "./store.ts";

/**
 * Stores the events of a piece of the file and moves `progress` on.
 *
 * @param bytes the file from `progress.position` on
 * @returns how many events were new, and how much was damaged
 */
export function storeSession(
  store: Store,
  progress: Progress,
  bytes: Uint8Array,
): { events: number; damaged: number } {
  const reading = readRecords(bytes);
  let { damaged } = reading;
  let events = 0;
  for (const { record } of reading.records) {
    if (record.type !== "event" || record.event.session !== progress.loginSession) damaged++;
    else if (storeEvent(store, progress, record.event)) events++;
  }
  if (progress.pid === null) knowLeader(store, progress);
  progress.seen = progress.position + bytes.length;
  progress.position += reading.consumed;
  progress.damaged += damaged;
  return { events, damaged };
}

/** For a file that tells nothing of the session's opening: what another one has told. */
function knowLeader(store: Store, progress: Progress): void {
  const known = store.database.prepare(
    "select leader_pid as pid, leader_start_ticks as startTicks, host from srvaudit_sessions where id = ?",
  ).get(progress.loginSession);
  if (!known) return;
  progress.pid = Number(known.pid);
  progress.startTicks = Number(known.startTicks);
  progress.host = String(known.host);
}

function storeEvent(store: Store, progress: Progress, event: SessionEvent): boolean {
  const { database } = store;
  switch (event.kind) {
    case "session opened":
      progress.pid = event.leaderPid;
      progress.startTicks = event.leaderStartTicks;
      progress.host = event.host;
      return open(store, event);
    case "session closed":
      // What is on record is better than what closeSession() has guessed.
      return database.prepare(
        `update srvaudit_sessions set closed_us = ?, how_closed = ?, exit_code = ?, guessed = 0
        where id = ? and (closed_us is null or guessed = 1)`,
      )
        .run(event.atUs, event.how, event.exitCode ?? null, event.session).changes === 1;
    case "ticket switched":
      if (!onTicket(store, event.session, event.to, event.atUs)) return false;
      // Commands that were faster than the record of the switch.
      database.prepare(`update srvaudit_commands set ticket = ? where start_us >= ? and command_id in
        (select c.id from srvaudit_shells s join commands c on c.session_id = s.session_id where s.login_session = ?)`)
        .run(event.to, event.atUs, event.session);
      return addEvent(store, event, { ticket: event.to, from: event.from, to: event.to, text: null });
    case "note":
      return addEvent(store, event, { ticket: event.ticket, from: null, to: null, text: event.text });
    case "status":
      return addEvent(store, event, { ticket: event.ticket, from: event.from, to: event.to, text: null });
  }
}

function open(store: Store, event: SessionOpened): boolean {
  const inserted = store.database.prepare(`insert or ignore into srvaudit_sessions
    (id, user, uid, host, tty, from_address, mode, command, shell, opened_us, leader_pid, leader_start_ticks, boot_id)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    event.session,
    event.user,
    event.uid,
    event.host,
    event.tty,
    event.from,
    event.mode,
    event.command ?? null,
    event.shell,
    event.atUs,
    event.leaderPid,
    event.leaderStartTicks,
    event.bootId,
  );
  if (inserted.changes === 0) return false;
  if (event.ticket !== null) onTicket(store, event.session, event.ticket, event.atUs);
  return true;
}

function onTicket(store: Store, session: string, ticket: string, sinceUs: number): boolean {
  store.forgetTickets();
  return store.database.prepare(
    "insert or ignore into srvaudit_tickets (login_session, ticket, since_us) values (?, ?, ?)",
  ).run(session, ticket, sinceUs).changes === 1;
}

/** A file that is read again brings nothing new: an event is the same if all of it is. */
function addEvent(
  store: Store,
  event: SessionEvent,
  more: { ticket: string | null; from: string | null; to: string | null; text: string | null },
): boolean {
  const values = [event.session, event.atUs, event.kind, more.ticket, more.from, more.to, more.text];
  return store.database.prepare(`insert into srvaudit_events
    (login_session, at_us, kind, ticket, from_value, to_value, text) select ?, ?, ?, ?, ?, ?, ? where not exists
    (select 1 from srvaudit_events where login_session = ? and at_us = ? and kind = ? and ticket is ? and
     from_value is ? and to_value is ? and text is ?)`).run(...values, ...values).changes === 1;
}

/**
 * Closes a login session whose leader is gone, if nobody has: the shell's own last word says how it ended.
 *
 * @param endUs when it was over at the latest
 */
export function closeSession(store: Store, session: string, endUs: number): void {
  const { database } = store;
  const open = database.prepare(
    `select leader_pid as pid, leader_start_ticks as startTicks, mode, shell from srvaudit_sessions
    where id = ? and closed_us is null`,
  ).get(session);
  if (!open) return;
  const shell = database.prepare(`select end_us as endUs, exit_us as exitUs, exit_code as exitCode
    from srvaudit_shells where login_session = ? and pid = ? and start_ticks = ? order by session_id desc limit 1`)
    .get(session, Number(open.pid), Number(open.startTicks));
  const exitCode = shell && shell.exitUs !== null ? Number(shell.exitCode) : null;
  const how = howClosed(exitCode, { mode: String(open.mode), shell: String(open.shell) });
  database.prepare(
    "update srvaudit_sessions set closed_us = ?, how_closed = ?, exit_code = ?, guessed = 1 where id = ?",
  )
    .run(Number(shell?.exitUs ?? shell?.endUs ?? endUs), how, exitCode, session);
}
