/** Puts what a shell's spool file says into evidence: the shell, its commands, its end. */

import type { CommandEnd, NewEvent } from "../evidence/event.ts";
import type { EvidenceStore } from "../evidence/store.ts";
import { hostAddresses } from "../posix/host_addresses.ts";
import { processOf } from "../posix/process.ts";
import type { EndRecord, ExitRecord, ShellRecord, StartRecord } from "../record/event.ts";
import { shellOfName } from "../record/host_spool.ts";
import type { Reading } from "../record/spool.ts";
import { type Followed, type KnownSessions, type Session, ticketAt } from "./followed.ts";
import { notice, noticeDamage } from "./oddities.ts";

/** How far a shell's time may run backwards: some shells know whole seconds alone. */
const BACKWARDS_US = 1_000_000;
/** How far the time in a spool file may be ahead of the agent's. */
export const AHEAD_US = 5_000_000;

/** What a transaction works with. */
export interface Taking {
  store: EvidenceStore;
  sessions: KnownSessions;
  /** The time that this transaction's events are taken in at. */
  takenUs: number;
  /** Since when this agent is there. */
  sinceUs: number;
}

/** No terminal has a longer name, in characters, and no pipeline that people type more parts: sinks are told of both. */
const LONGEST_TTY = 256;
const MOST_PARTS = 1000;

/** A command's end that nobody saw. */
const UNSEEN: CommandEnd = { endUs: null, exitCode: null, pipeStates: [] };

/** What is read from one shell's file, in one transaction. */
export class ShellRecords {
  readonly #row;
  #session: Session | undefined;
  /** A command that has begun in this piece, and is not in evidence yet: its end may be there too. */
  #begun: StartRecord | undefined;
  /** How many commands were put in evidence. */
  commands = 0;

  constructor(readonly taking: Taking, readonly file: Followed) {
    this.#row = file.row;
    // In the host's spool the name tells the session, and the agent has given the name.
    const id = file.folder.owner ? undefined : shellOfName(file.name)?.session;
    if (id && this.#row.session === null) this.#row.session = taking.sessions.byId(id)?.seq ?? null;
    if (this.#row.session !== null) this.#session = taking.sessions.get(this.#row.session);
  }

  /** Puts the records of a piece in evidence. */
  take({ records, damaged, torn }: Reading): void {
    noticeDamage(this.file, damaged, torn);
    for (const { record } of records) {
      if (record.type === "event") {
        // A login session's events have a file of their own.
        this.#foreign("a session's event");
        continue;
      }
      this.#checkTime(record.atUs);
      if (record.type === "start") this.#start(record);
      else if (record.type === "end") this.#end(record);
      else if (record.type === "shell") this.#introduce(record);
      else this.#exit(record);
    }
    if (this.#begun) this.#row.openCommand = this.#command(this.#begun);
    this.#begun = undefined;
  }

  /** Nothing more will be read of what has been said so far: the file was cut, or is another one. */
  beginAgain(): void {
    this.#giveUp(this.#row.lastUs);
    this.#row.lastNumber = 0;
  }

  /**
   * The shell's process is gone and all that it wrote is in evidence.
   *
   * @param atUs when that was at the latest
   */
  finish(atUs: number): void {
    this.#giveUp(atUs);
    if (this.#isOpen) this.#shellEnded(atUs, null);
    this.#row.gone = true;
    this.#row.done = true;
  }

  #introduce(shell: ShellRecord): void {
    this.#giveUp(shell.atUs);
    // The shell has become another one (exec bash).
    if (this.#isOpen) this.#shellEnded(shell.atUs, null);
    if (this.#row.gone) this.#foreign("a shell after its process's end");
    const { pid, startTicks } = shell;
    if (this.file.folder.owner) {
      this.#row.pid = pid;
      this.#row.startTicks = startTicks;
    } else if (pid !== this.#row.pid || startTicks !== this.#row.startTicks) {
      this.#foreign("another process's shell");
    }
    const isAlive = processOf(pid)?.startTicks === startTicks;
    const knownBy = this.#findSession(shell);
    const { type: _, atUs, ...facts } = shell;
    this.#row.shell = this.#append({
      kind: "shell started",
      atUs,
      data: {
        ...facts,
        hostAddresses: hostAddresses(),
        ...(isAlive ? { bootId: this.taking.sessions.boot } : {}),
        ...(knownBy === undefined ? {} : { knownBy }),
        spool: this.file.folder.owner ? "own" : "host",
      },
    });
    this.#row.lastNumber = 0;
    this.#row.leaving = false;
    this.#row.gone = false;
  }

  /** Whether there is a shell that has not ended. */
  get #isOpen(): boolean {
    return this.#row.shell !== null && !this.#row.leaving && !this.#row.gone;
  }

  /**
   * How the shell's login session is known. `kernel`: the agent asked the kernel when it made the file; `leader`: it is
   * the session's leader; `claim`: its environment says so, and the session is the same user's.
   */
  #findSession(shell: ShellRecord): "leader" | "kernel" | "claim" | undefined {
    const { sessions } = this.taking;
    const leads = ({ leader }: Session) => leader.pid === shell.pid && leader.startTicks === shell.startTicks;
    if (!this.file.folder.owner) return this.#session && (leads(this.#session) ? "leader" : "kernel");
    const claimed = sessions.byId(shell.session);
    const own = claimed?.uid === this.#row.uid ? claimed : undefined;
    this.#session = (own && leads(own) ? own : sessions.ledBy(shell, this.#row.uid)) ?? own;
    this.#row.session = this.#session?.seq ?? null;
    return this.#session && (leads(this.#session) ? "leader" : "claim");
  }

  #start(start: StartRecord): void {
    this.#giveUp(start.atUs);
    if (this.#row.shell === null) this.#standIn(start);
    const missing = start.number - this.#row.lastNumber - 1;
    if (missing < 0) this.#foreign("a command's number out of turn");
    if (missing > 0) notice(this.file.oddities, "gap", "commands that are not on record", missing);
    if (this.#row.gone) this.#foreign("a command after its shell's end");
    const isTooLong = start.tty.length > LONGEST_TTY;
    if (isTooLong) this.#foreign("a terminal's name longer than any");
    this.#begun = isTooLong ? { ...start, tty: start.tty.slice(0, LONGEST_TTY) } : start;
    this.#row.lastNumber = start.number;
  }

  #end(end: EndRecord): void {
    if (end.pipeStates.length > MOST_PARTS) this.#foreign("a pipeline of more parts than any");
    const states = end.pipeStates.length > 0 ? end.pipeStates.slice(0, MOST_PARTS) : [end.exitCode];
    if (end.number < this.#row.lastNumber) this.#foreign("an end without its start");
    else if (end.number > this.#row.lastNumber) notice(this.file.oddities, "gap", "an end without its start");
    else this.#ended(end.atUs, { endUs: end.atUs, exitCode: end.exitCode, pipeStates: states });
  }

  #exit(exit: ExitRecord): void {
    if (this.#begun || this.#row.openCommand !== null) {
      this.#ended(exit.atUs, { endUs: exit.atUs, exitCode: exit.exitCode, pipeStates: [] });
    }
    if (this.#isOpen) this.#shellEnded(exit.atUs, exit.exitCode);
    else this.#foreign("an exit without its shell");
    this.#row.leaving = true;
  }

  #ended(atUs: number, end: CommandEnd): void {
    if (this.#begun) this.#command(this.#begun, end);
    else if (this.#row.openCommand === null) this.#foreign("an end without its start");
    else this.#append({ kind: "command ended", atUs, commandSeq: this.#row.openCommand, end });
    this.#begun = undefined;
    this.#row.openCommand = null;
  }

  /** A command that something else came after: nobody saw its end. */
  #giveUp(atUs: number): void {
    if (this.#begun) this.#row.openCommand = this.#command(this.#begun);
    this.#begun = undefined;
    if (this.#row.openCommand !== null) this.#ended(atUs, UNSEEN);
  }

  #command(start: StartRecord, end?: CommandEnd): number {
    this.commands++;
    return this.#append({
      kind: "command",
      atUs: start.atUs,
      command: {
        number: start.number,
        ticket: this.#session ? ticketAt(this.#session, start.atUs) : null,
        tty: start.tty,
        effectiveUid: start.effectiveUid,
        shellLevel: start.shellLevel,
        directory: start.directory,
        text: start.text,
        textState: start.textState,
      },
      ...(end ? { end } : {}),
    });
  }

  /** For commands whose shell's introduction is damaged, or was never written: what can be known without it. */
  #standIn({ atUs, tty, effectiveUid, shellLevel }: StartRecord): void {
    this.#foreign("commands without their shell");
    this.#row.shell = this.#append({
      kind: "shell started",
      atUs,
      data: {
        shell: "unknown",
        pid: this.#row.pid ?? 0,
        parentPid: 0,
        startTicks: this.#row.startTicks ?? 0,
        tty,
        uid: this.#row.uid,
        effectiveUid,
        host: Deno.hostname(),
        timeZone: "",
        shellLevel,
        spool: this.file.folder.owner ? "own" : "host",
      },
    });
  }

  #shellEnded(atUs: number, exitCode: number | null): void {
    this.#append({ kind: "shell ended", atUs, data: { exitCode } });
  }

  #append(event: Omit<NewEvent, "session" | "shell" | "uid">): number {
    const { session, shell, uid } = this.#row;
    return this.taking.store.append({ ...event, session, shell, uid }, this.taking.takenUs);
  }

  #checkTime(atUs: number): void {
    if (atUs < this.#row.lastUs - BACKWARDS_US) notice(this.file.oddities, "clock", "backwards");
    if (atUs > this.taking.takenUs + AHEAD_US) notice(this.file.oddities, "clock", "ahead");
    this.#row.lastUs = atUs;
  }

  #foreign(why: string, count = 1): void {
    notice(this.file.oddities, "foreign", why, count);
  }
}
