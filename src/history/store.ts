/** The statements that write the history, prepared once. */

import type { DatabaseSync } from "node:sqlite";
import { MISSING_TEXT, readable } from "../record/readable.ts";
import type { Progress } from "./progress.ts";

/** One command, as the tables have it. */
export interface CommandRow {
  sessionId: number;
  shellLevel: number;
  number: number;
  tty: string;
  effectiveUid: number;
  directory: Uint8Array;
  exitCode: number;
  startUs: number;
  /** When it ended, as well as that is known. */
  endUs: number;
  /** Whether its end was seen. */
  endIsKnown: boolean;
  pipeStates: readonly number[];
  text: Uint8Array;
  textState: string;
  loginSession: string | null;
  ticket: string | null;
}

const encoder = new TextEncoder();

/** Whole seconds, as ASH has them. */
export function seconds(us: number): number {
  return Math.floor(us / 1_000_000);
}

/** How long something took, in ASH's seconds. A clock that was set back makes it 0, never less. */
export function durationOf(startUs: number, endUs: number): number {
  return Math.max(0, seconds(endUs) - seconds(startUs));
}

/** Writes commands and the spool's progress; for one open database. */
export class Store {
  readonly #command;
  readonly #ours;
  readonly #bytes;
  readonly #known;
  readonly #late;
  readonly #lateOurs;
  readonly #progress;
  readonly #tickets;
  #ticketsOf = new Map<string, { ticket: string; sinceUs: number }[]>();

  constructor(readonly database: DatabaseSync) {
    this.#command = database.prepare(`insert into commands
      (session_id, shell_level, command_no, tty, euid, cwd, rval, start_time, end_time, duration, pipe_cnt, pipe_vals,
       command) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (session_id, command_no) do nothing`);
    this.#ours = database.prepare(`insert into srvaudit_commands
      (command_id, login_session, ticket, start_us, end_us, text_state) values (?, ?, ?, ?, ?, ?)`);
    this.#bytes = database.prepare(
      "insert into srvaudit_bytes (command_id, directory, text) values (?, ?, ?)",
    );
    this.#known = database.prepare(
      `select s.start_us from commands c join srvaudit_commands s on s.command_id = c.id
      where c.session_id = ? and c.command_no = ?`,
    );
    this.#late = database.prepare(`update commands
      set rval = ?, end_time = ?, duration = max(0, ? - start_time), pipe_cnt = ?, pipe_vals = ?
      where session_id = ? and command_no = ? and id in (select command_id from srvaudit_commands where end_us is null)
      returning id`);
    this.#lateOurs = database.prepare("update srvaudit_commands set end_us = ? where command_id = ?");
    this.#progress = database.prepare(`insert or replace into srvaudit_spool
      (file, inode, position, seen, damaged, session_id, login_session, host, pid, start_ticks, leaving, gone, done)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#tickets = database.prepare(`select ticket, since_us as sinceUs from srvaudit_tickets
      where login_session = ? order by since_us, rowid`);
  }

  /** @returns whether it is new; a command that is in the history is not stored again */
  addCommand(row: CommandRow): boolean {
    const text = readable(
      row.textState === "missing" && row.text.length === 0 ? encoder.encode(MISSING_TEXT) : row.text,
    );
    const directory = readable(row.directory);
    const insert = (number: number | null) =>
      this.#command.run(
        row.sessionId,
        row.shellLevel,
        number,
        row.tty,
        row.effectiveUid,
        directory.text,
        row.exitCode,
        seconds(row.startUs),
        seconds(row.endUs),
        durationOf(row.startUs, row.endUs),
        row.pipeStates.length || null,
        row.pipeStates.length ? row.pipeStates.join("_") : null,
        text.text,
      );
    let inserted = insert(row.number);
    if (inserted.changes === 0) {
      // Its file was cut or copied, and is read again; or another command has taken its number.
      if (this.#known.get(row.sessionId, row.number)?.start_us === row.startUs) return false;
      inserted = insert(null);
    }
    const id = inserted.lastInsertRowid;
    this.#ours.run(
      id,
      row.loginSession,
      row.ticket,
      row.startUs,
      row.endIsKnown ? row.endUs : null,
      row.textState,
    );
    if (!text.exact || !directory.exact) this.#bytes.run(id, row.directory, row.text);
    return true;
  }

  /**
   * An end that comes after its command was given up: then it is known after all.
   *
   * @returns whether there is such a command
   */
  endCommand(
    sessionId: number,
    end: { number: number; atUs: number; exitCode: number; pipeStates: readonly number[] },
  ): boolean {
    const at = seconds(end.atUs);
    const row = this.#late.get(
      end.exitCode,
      at,
      at,
      end.pipeStates.length,
      end.pipeStates.join("_"),
      sessionId,
      end.number,
    );
    if (!row) return false;
    this.#lateOurs.run(end.atUs, Number(row.id));
    return true;
  }

  /** The ticket that a login session was on at a time. */
  ticketAt(loginSession: string | null, atUs: number): string | null {
    if (loginSession === null) return null;
    let tickets = this.#ticketsOf.get(loginSession);
    if (!tickets) {
      tickets = this.#tickets.all(loginSession).map((row) => ({
        ticket: String(row.ticket),
        sinceUs: Number(row.sinceUs),
      }));
      this.#ticketsOf.set(loginSession, tickets);
    }
    // Before the first one lies only what a clock that was set back makes of it.
    return (tickets.findLast((one) => one.sinceUs <= atUs) ?? tickets[0])?.ticket ?? null;
  }

  /** Tickets are read anew: others may have written since. */
  forgetTickets(): void {
    this.#ticketsOf = new Map();
  }

  saveProgress(progress: Progress): void {
    this.#progress.run(
      progress.file,
      progress.inode,
      progress.position,
      progress.seen,
      progress.damaged,
      progress.sessionId,
      progress.loginSession,
      progress.host,
      progress.pid,
      progress.startTicks,
      Number(progress.leaving),
      Number(progress.gone),
      Number(progress.done),
    );
  }
}
