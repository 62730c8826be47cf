/**
 * The login sessions that are open now: their making, who is in which, and their end.
 *
 * All of it is on the disk, in files of the spool that only the agent writes: a killed agent reads them again and goes on.
 */

import type { HostPaths } from "../config/paths.ts";
import { ERRORS, type Opening, type PresentSession, type ShellSpool } from "../desk/protocol.ts";
import { asUser, type FileUser } from "../posix/as_user.ts";
import { protect } from "../posix/file_flags.ts";
import type { Account } from "../posix/libc.ts";
import { appendToPlainFile, FileRefusedError } from "../posix/plain_file.ts";
import {
  ancestors,
  bootId,
  credentialsOf,
  isOfSameLogin,
  isProcessOf,
  kernelSessionsOf,
  processOf,
} from "../posix/process.ts";
import { nowUs } from "../record/clock.ts";
import type { SessionClosed, SessionEvent, SessionOpened } from "../record/event.ts";
import { shellOfName, STRAY } from "../record/host_spool.ts";
import { newSessionId } from "../record/session_id.ts";
import { appendEvent, encodeRecord, readRecords } from "../record/spool.ts";
import { type Peer, RequestError } from "./server.ts";

/** How many spool files the living shells of one user may have, and how many sessions may be open. */
const FILES_PER_USER = 1024;
/** How long a session's file may become, in bytes, before nothing but its end is added: all are read when an agent begins. */
const MOST_SAID_BYTES = 16 * 1024 * 1024;
/** How many open sessions of one user are minded that began without the agent. */
const LATE_PER_USER = 256;

/** A login session that is open. */
export interface OpenSession {
  opened: SessionOpened;
  /** Its spool file. */
  file: string;
  /** Whose folder that lies in; undefined for the host's spool. */
  owner: FileUser | undefined;
  /** Every ticket that it was on, the present one last. */
  tickets: { ticket: string | null; sinceUs: number }[];
  /** What the kernel counts its leader to. */
  kernel: { audit?: string; scope?: string };
}

/** What the policy made of an opening: it goes on record with it. */
export type Marks = Pick<SessionOpened, "exempt" | "unverified" | "wanted" | "emergency">;

/** There are more files than any honest user needs. */
export class TooManyFilesError extends Error {
  override name = "TooManyFilesError";
}

/** A session's file, in a user's own spool, cannot be written to: its owner has done something to it. */
export class SpoolTakenError extends RequestError {
  override name = "SpoolTakenError";
}

/** The open sessions, by id. */
export class Sessions {
  readonly #open = new Map<string, OpenSession>();
  readonly #boot = bootId();
  /** The spool files of living shells, by pid, start and uid. */
  readonly #shells = new Map<string, { file: string; uid: number; pid: number; startTicks: number }>();
  /** Whether the spool's file system can keep a file from being cut; undefined until it was tried. */
  canProtect: boolean | undefined;

  constructor(readonly places: Pick<HostPaths, "hostSpool">) {}

  /** Reads the open sessions and the living shells from the spool: what an agent before this one has left. */
  restore(): void {
    for (const { name, isFile } of Deno.readDirSync(this.places.hostSpool)) {
      if (!isFile) continue;
      const file = `${this.places.hostSpool}/${name}`;
      const shell = shellOfName(name);
      if (shell && isLiving(shell)) {
        const uid = Deno.lstatSync(file).uid ?? 0;
        this.#shells.set(shellKey(uid, shell), { file, uid, ...shell });
      }
      if (!name.endsWith(".session")) continue;
      const events = readRecords(Deno.readFileSync(file)).records.flatMap(({ record }) =>
        record.type === "event" ? [record.event] : []
      );
      for (const event of events) this.note(event, file);
    }
  }

  /**
   * Follows what an event says of a session; to hear it twice changes nothing.
   *
   * @param file the session's spool file
   * @param owner whose folder that lies in, if it is not the host's
   */
  note(event: SessionEvent, file: string, owner?: FileUser): void {
    const session = this.#open.get(event.session);
    switch (event.kind) {
      case "session opened":
        if (session || event.bootId !== this.#boot || !isLed(event)) break;
        if (owner && !this.#isBelieved(event, owner)) break;
        this.#remember(owner ? withoutBallast(event) : event, file, owner);
        break;
      case "ticket switched":
        if (session?.tickets.at(-1)?.sinceUs !== event.atUs) {
          session?.tickets.push({ ticket: event.to, sinceUs: event.atUs });
        }
        break;
      case "session closed":
        this.#open.delete(event.session);
        break;
      case "note":
      case "status":
        break;
    }
  }

  /** A user's own file may name any process as the leader: who is below it would be in her session. */
  #isBelieved({ leaderPid }: SessionOpened, { uid }: FileUser): boolean {
    const others = [...this.#open.values()].filter(({ owner }) => owner?.uid === uid);
    return isProcessOf(leaderPid, uid) && others.length < LATE_PER_USER;
  }

  #remember(opened: SessionOpened, file: string, owner: FileUser | undefined): OpenSession {
    const session: OpenSession = {
      opened,
      file,
      owner,
      tickets: [{ ticket: opened.ticket, sinceUs: opened.atUs }],
      kernel: kernelSessionsOf(opened.leaderPid),
    };
    this.#open.set(opened.session, session);
    return session;
  }

  /** All that are open. */
  values(): IterableIterator<OpenSession> {
    return this.#open.values();
  }

  get(id: string): OpenSession | undefined {
    return this.#open.get(id);
  }

  /**
   * The session that a process is in, by the kernel's facts alone: the audit session that its login was given, else its
   * ancestors, else the systemd session.
   *
   * @param process the process, which must still be that one
   * @returns the innermost one, or undefined
   */
  of({ pid, startTicks }: { pid: number; startTicks: number }): OpenSession | undefined {
    const { audit, scope } = kernelSessionsOf(pid);
    const line = [...ancestors(pid)];
    // Its number may be another's by now.
    if (line[0]?.startTicks !== startTicks) return undefined;
    const byAncestor = line.flatMap((process) =>
      [...this.#open.values()].filter(({ opened }) =>
        opened.leaderPid === process.pid && opened.leaderStartTicks === process.startTicks
      )
    ).at(0);
    if (byAncestor) return byAncestor;
    return [...this.#open.values()].findLast(({ kernel, opened }) =>
      ((audit !== undefined && kernel.audit === audit) || (scope !== undefined && kernel.scope === scope)) &&
      isLed(opened) && isOfSameLogin(line, opened.leaderPid)
    );
  }

  /**
   * Opens a session that the peer leads, and makes its files.
   *
   * @param account the peer's
   * @throws {TooManyFilesError} and what the file system throws
   */
  open(peer: Peer, account: Account, opening: Opening, marks: Marks): ShellSpool & { session: string } {
    const { ticket, mode, shell, tty, from, command } = opening;
    const open = [...this.#open.values()].filter(({ opened }) => opened.uid === peer.uid);
    if (open.length >= FILES_PER_USER) {
      throw new TooManyFilesError(
        `the user ${peer.uid} has ${FILES_PER_USER} sessions open at once: no more`,
      );
    }
    const id = newSessionId();
    const file = `${this.places.hostSpool}/${id}.session`;
    const opened: SessionOpened = {
      kind: "session opened",
      session: id,
      atUs: nowUs(),
      user: account.name,
      uid: peer.uid,
      host: Deno.hostname(),
      tty,
      from,
      mode,
      ...(command === undefined ? {} : { command }),
      shell,
      ticket,
      ...marks,
      leaderPid: peer.pid,
      leaderStartTicks: peer.startTicks,
      bootId: this.#boot,
    };
    const spool = this.#makeShellFile(id, peer, account.gid, peer);
    // The user reads what her history needs, and cannot write it.
    makeFile(file, 0o640, 0, account.gid);
    appendEvent(file, opened);
    this.#remember(opened, file, undefined);
    return { session: id, spool, sessionFile: file };
  }

  /**
   * A spool file for a shell of the peer's.
   *
   * @param pid the shell, which is the peer or above it, and the same user's
   * @param gid the peer's group
   * @returns undefined if it is no such process
   * @throws {TooManyFilesError} and what the file system throws
   */
  attach(peer: Peer, pid: number, gid: number): ShellSpool | undefined {
    const line = [...ancestors(peer.pid)];
    const shell = line.find((process) => process.pid === pid);
    if (line[0]?.startTicks !== peer.startTicks || !shell) return undefined;
    if (credentialsOf(pid)?.effectiveUid !== peer.uid) return undefined;
    const session = this.of(shell);
    const id = session?.opened.session ?? null;
    const spool = this.#makeShellFile(id ?? STRAY, { uid: peer.uid }, gid, shell);
    return { session: id, spool, sessionFile: session ? session.file : null };
  }

  #makeShellFile(
    session: string,
    { uid }: { uid: number },
    gid: number,
    shell: { pid: number; startTicks: number },
  ): string {
    const key = shellKey(uid, shell);
    const known = this.#shells.get(key);
    if (known) return known.file;
    if ([...this.#shells.values()].filter((one) => one.uid === uid).length >= FILES_PER_USER) {
      this.#forgetDead();
    }
    if ([...this.#shells.values()].filter((one) => one.uid === uid).length >= FILES_PER_USER) {
      throw new TooManyFilesError(`the user ${uid} has ${FILES_PER_USER} shells on record at once: no more`);
    }
    const file = `${this.places.hostSpool}/${session}.${shell.pid}-${shell.startTicks}-${nowUs()}.shell`;
    makeFile(file, 0o600, uid, gid);
    this.canProtect = protect(file, "appendOnly");
    this.#shells.set(key, { file, uid, pid: shell.pid, startTicks: shell.startTicks });
    return file;
  }

  #forgetDead(): void {
    for (const [key, shell] of this.#shells) if (!isLiving(shell)) this.#shells.delete(key);
  }

  /**
   * Puts an event of a session on its record.
   *
   * @throws {RequestError} when there is no more room on it
   * @throws {SpoolTakenError} when that is a file of a user's own, and no more what it was
   * @throws {Error} when the host's spool cannot be written
   */
  say(session: OpenSession, saying: SessionEvent): void {
    if (session.owner) sayInOwn(session.file, session.owner, saying);
    else {
      if (saying.kind !== "session closed" && Deno.lstatSync(session.file).size > MOST_SAID_BYTES) {
        throw new RequestError(ERRORS.refused, "there is no more room on this session's record: log in anew");
      }
      appendEvent(session.file, saying);
    }
    this.note(saying, session.file, session.owner);
  }

  /** Closes a session; of several that try, the first one does it. @returns whether it was this one */
  close(id: string, how: SessionClosed["how"], exitCode?: number): boolean {
    const session = this.#open.get(id);
    if (!session) return false;
    this.say(session, {
      kind: "session closed",
      session: id,
      atUs: nowUs(),
      how,
      ...(exitCode === undefined ? {} : { exitCode }),
    });
    return true;
  }
}

/** A session as those who are in it see it. */
export function presentSession({ opened, tickets }: OpenSession): PresentSession {
  const present = tickets.at(-1);
  return {
    id: opened.session,
    ticket: present?.ticket ?? null,
    sinceUs: opened.atUs,
    ticketSinceUs: present?.sinceUs ?? opened.atUs,
    leaderPid: opened.leaderPid,
    leaderStartTicks: opened.leaderStartTicks,
  };
}

/** What a user's own file says, without what need not be kept in mind: there may be any amount of it. */
function withoutBallast(event: SessionOpened): SessionOpened {
  const { kind, session, atUs, user, uid, host, tty, from, mode, shell, ticket } = event;
  const { leaderPid, leaderStartTicks, bootId } = event;
  const leader = { leaderPid, leaderStartTicks, bootId };
  return { kind, session, atUs, user, uid, host, tty, from, mode, shell, ticket, ...leader };
}

function sayInOwn(file: string, owner: FileUser, event: SessionEvent): void {
  try {
    asUser(owner, () => appendToPlainFile(file, owner.uid, encodeRecord({ type: "event", event })));
  } catch (error) {
    if (!(error instanceof FileRefusedError)) throw error;
    throw new SpoolTakenError(ERRORS.refused, `this session's record is not what it was: ${error.message}`);
  }
}

/** What a shell says of itself is no longer than this. */
const ROOM = new Uint8Array(4096);

/**
 * The file is whole when it has its name: nobody finds one that is still root's. Where the disk is full there is none: a
 * shell that is given a file it cannot write to would be worse off than with one of its own.
 */
function makeFile(path: string, mode: number, uid: number, gid: number): void {
  const draft = `${path}.new`;
  try {
    using file = Deno.openSync(draft, { write: true, createNew: true, mode });
    file.writeSync(ROOM);
    file.truncateSync();
    Deno.chownSync(draft, uid, gid);
    Deno.chmodSync(draft, mode);
    Deno.renameSync(draft, path);
  } catch (error) {
    tryToRemove(draft);
    throw error;
  }
}

function tryToRemove(file: string): void {
  try {
    Deno.removeSync(file);
  } catch {
    // It was never made.
  }
}

function shellKey(uid: number, { pid, startTicks }: { pid: number; startTicks: number }): string {
  return `${uid} ${pid} ${startTicks}`;
}

function isLiving({ pid, startTicks }: { pid: number; startTicks: number }): boolean {
  return processOf(pid)?.startTicks === startTicks;
}

function isLed({ leaderPid, leaderStartTicks }: SessionOpened): boolean {
  return isLiving({ pid: leaderPid, startTicks: leaderStartTicks });
}
