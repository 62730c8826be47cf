/** The spool files that the agent follows, and how far each is in evidence. */

import type { DatabaseSync } from "node:sqlite";
import { numberOrNull } from "./cells.ts";

/** A spool file. Saved in the same transaction as the events that were read from it. */
export interface FollowedFile {
  /** Empty for the host's spool; else a user's own folder, absolute. */
  folder: string;
  name: string;
  inode: string;
  /** How many of its bytes are in evidence. */
  position: number;
  /** The `seq` of "session opened". */
  session: number | null;
  /** The `seq` of "shell started". */
  shell: number | null;
  uid: number;
  pid: number | null;
  startTicks: number | null;
  /** Of its last command. */
  lastNumber: number;
  /** The `seq` of a command in evidence whose end is to come. */
  openCommand: number | null;
  /** The time of its last record. */
  lastUs: number;
  /** The shell has said that it ends. */
  leaving: boolean;
  /** The shell's process is gone, or the session is closed. */
  gone: boolean;
  /** All is in evidence and no more comes. */
  done: boolean;
  /** The user's history has it. */
  taken: boolean;
}

/** The statements for them; for one open database. */
export class FollowedFiles {
  readonly #all;
  readonly #one;
  readonly #save;
  readonly #forget;

  constructor(database: DatabaseSync) {
    this.#all = database.prepare("select * from spool order by folder, name");
    this.#one = database.prepare("select * from spool where folder = ? and name = ?");
    this.#save = database.prepare(`insert or replace into spool
      (folder, name, inode, position, session, shell, uid, pid, start_ticks, last_number, open_command, last_us,
       leaving, gone, done, taken) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#forget = database.prepare("delete from spool where folder = ? and name = ?");
  }

  all(): FollowedFile[] {
    return this.#all.all().map(fileOf);
  }

  one(folder: string, name: string): FollowedFile | undefined {
    const row = this.#one.get(folder, name);
    return row && fileOf(row);
  }

  save(file: FollowedFile): void {
    this.#save.run(
      file.folder,
      file.name,
      file.inode,
      file.position,
      file.session,
      file.shell,
      file.uid,
      file.pid,
      file.startTicks,
      file.lastNumber,
      file.openCommand,
      file.lastUs,
      Number(file.leaving),
      Number(file.gone),
      Number(file.done),
      Number(file.taken),
    );
  }

  forget(folder: string, name: string): void {
    this.#forget.run(folder, name);
  }
}

function fileOf(row: Record<string, unknown>): FollowedFile {
  return {
    folder: String(row.folder),
    name: String(row.name),
    inode: String(row.inode),
    position: Number(row.position),
    session: numberOrNull(row.session),
    shell: numberOrNull(row.shell),
    uid: Number(row.uid),
    pid: numberOrNull(row.pid),
    startTicks: numberOrNull(row.start_ticks),
    lastNumber: Number(row.last_number),
    openCommand: numberOrNull(row.open_command),
    lastUs: Number(row.last_us),
    leaving: row.leaving === 1,
    gone: row.gone === 1,
    done: row.done === 1,
    taken: row.taken === 1,
  };
}
