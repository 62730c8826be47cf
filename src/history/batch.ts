/** One transaction's worth of the spool. */

import { messageOf } from "../terminal/message_of.ts";
import { findNews, type Look, type Progress, progressFinder, readProgress } from "./progress.ts";
import type { IngestReport } from "./report.ts";
import { closeSession, storeSession } from "./session_file.ts";
import { NOISE_BYTES, storeShell } from "./shell_file.ts";
import { kindOf, listSpool, type Piece, readPiece, sessionIdOf, type SpoolFile } from "./spool_folder.ts";
import type { Store } from "./store.ts";

/** How many bytes one transaction takes in, as far as whole records go. */
const BATCH_BYTES = 512 * 1024;

interface ShellToStore {
  progress: Progress;
  piece: Piece;
  /** The login session that the shell is in, where the agent says so. */
  session: string | null | undefined;
  isGone: boolean;
}

/** Takes in a part of what is new; to be run, in a transaction of its own each time, until there is nothing left. */
export class Batch {
  /** What the last run has finished with, to be removed once that is on the disk. */
  finished: Progress[] = [];
  readonly #unreadable = new Set<string>();

  constructor(
    readonly spool: string,
    readonly hostSpool: string | undefined,
    readonly store: Store,
    readonly report: IngestReport,
  ) {}

  /** @returns whether there was anything to do */
  run(): boolean {
    this.finished = [];
    this.store.forgetTickets();
    const looks = findNews(this.store.database, listSpool(this.spool, this.hostSpool)).news
      .filter((look) => !this.#unreadable.has(look.name));
    if (looks.length === 0) return false;
    // The bytes of the shells' files come first and the login sessions' events after them: so no command is read
    // without a switch of tickets that came before it.
    const { shells, areAll } = this.#readShells(looks.filter((look) => kindOf(look.name) === "shell"));
    this.#storeSessions();
    for (const shell of shells) this.#storeShell(shell);
    if (areAll) this.#finishSessions(looks.filter((look) => kindOf(look.name) === "session"));
    return true;
  }

  #readShells(looks: readonly Look[]): { shells: ShellToStore[]; areAll: boolean } {
    const shells: ShellToStore[] = [];
    let room = BATCH_BYTES;
    for (const look of looks) {
      if (room <= 0) return { shells, areAll: false };
      const progress = begin(look);
      // A record that is longer than a batch needs ever longer pieces.
      const limit = Math.min(NOISE_BYTES, Math.max(room, 2 * (progress.seen - progress.position)));
      const piece = look.file ? this.#read(look.file, progress.position, limit) : this.#lostFile(progress);
      if (!piece) continue;
      room -= piece.bytes.length;
      shells.push({ progress, piece, session: look.file?.session, isGone: look.isGone });
      if (!piece.isLast) return { shells, areAll: false };
    }
    return { shells, areAll: true };
  }

  #storeShell({ progress, piece, session, isGone }: ShellToStore): void {
    const stored = storeShell(this.store, progress, piece, isGone, session);
    this.report.commands += stored.commands;
    this.report.shells += stored.shells;
    this.#noteDamage(progress.file, stored.damaged);
    this.store.saveProgress(progress);
    if (progress.done) this.finished.push(progress);
  }

  #storeSessions(): void {
    const known = readProgress(this.store.database);
    const find = progressFinder(this.store.database);
    const files = [...listSpool(this.spool, this.hostSpool).files.values()]
      .filter((file) => kindOf(file.name) === "session" && !this.#unreadable.has(file.name));
    // Of a session's two files, the one that tells of its opening comes first.
    files.sort((a, b) => Number(isAside(a)) - Number(isAside(b)));
    for (const file of files) {
      const progress = known.get(file.name) ?? find(file.name);
      if (progress?.seen === file.size && progress.inode === file.inode) continue;
      this.#storeSession(file, begin({ name: file.name, file, progress, isGone: false }));
    }
  }

  #storeSession(file: SpoolFile, progress: Progress): void {
    const piece = this.#read(file, progress.position, Number.MAX_SAFE_INTEGER);
    if (!piece) return;
    const stored = storeSession(this.store, progress, piece.bytes);
    this.report.events += stored.events;
    this.#noteDamage(progress.file, stored.damaged);
    this.store.saveProgress(progress);
  }

  /** Closes the login sessions whose leader was gone before the shells' last bytes were read. */
  #finishSessions(looks: readonly Look[]): void {
    if (looks.length === 0) return;
    const atWork = readProgress(this.store.database);
    const shells = [...atWork.values()].filter((progress) => kindOf(progress.file) === "shell");
    const leaders = new Set(shells.map((shell) => `${shell.pid} ${shell.startTicks}`));
    const withShells = new Set(shells.map((shell) => shell.loginSession));
    for (const look of looks) {
      // As it is now, not as it was before its events were stored.
      const progress = atWork.get(look.name);
      if (!progress || !look.isGone || leaders.has(`${progress.pid} ${progress.startTicks}`)) continue;
      if (!progress.gone && progress.loginSession !== null) {
        closeSession(this.store, progress.loginSession, look.file?.changedUs ?? Date.now() * 1000);
      }
      progress.gone = true;
      progress.done = !withShells.has(progress.loginSession);
      this.store.saveProgress(progress);
      if (progress.done) this.finished.push(progress);
    }
  }

  #read({ name, path }: SpoolFile, from: number, limit: number): Piece | undefined {
    try {
      return readPiece(path, from, limit);
    } catch (error) {
      this.#unreadable.add(name);
      // Someone has removed it since it was listed.
      if (error instanceof Deno.errors.NotFound) return undefined;
      this.report.unreadable.push({
        file: `${this.spool}/${name}`,
        reason: messageOf(error),
      });
      return undefined;
    }
  }

  /** A file that someone has removed says nothing more: the shell was there as long as its last command. */
  #lostFile(progress: Progress): Piece {
    const row = this.store.database.prepare(
      `select coalesce(max(c.end_time), s.start_time) as end from sessions s
      left join commands c on c.session_id = s.id where s.id = ?`,
    ).get(progress.sessionId);
    return { bytes: new Uint8Array(), isLast: true, changedUs: Number(row?.end ?? 0) * 1_000_000, uid: 0 };
  }

  #noteDamage(name: string, count: number): void {
    if (count > 0) this.report.damaged.push({ file: `${this.spool}/${name}`, count });
  }
}

/** Whether a file holds what was said of a session while the agent, who alone writes the session's own, was down. */
function isAside({ name }: SpoolFile): boolean {
  return name !== `${sessionIdOf(name)}.session`;
}

/** What is known of a file, set back to its beginning where it is another one than it was, or has been cut. */
function begin({ name, file, progress }: Look): Progress {
  const inode = file?.inode ?? progress?.inode ?? "";
  if (progress) {
    const isSame = progress.inode === inode && (file?.size ?? progress.position) >= progress.position;
    return { ...progress, inode, done: false, ...(isSame ? {} : { position: 0, seen: 0 }) };
  }
  return {
    file: name,
    inode,
    position: 0,
    seen: 0,
    damaged: 0,
    sessionId: null,
    loginSession: kindOf(name) === "session" ? sessionIdOf(name) : null,
    host: Deno.hostname(),
    pid: null,
    startTicks: null,
    leaving: false,
    gone: false,
    done: false,
  };
}
