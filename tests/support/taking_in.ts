/** A host's spool, users' own, and the evidence that they are taken into: real files, real SQLite. */

import { namesIn, type SpoolFolder } from "../../src/agent/spool_folder.ts";
import type { Dirty } from "../../src/agent/spool_watcher.ts";
import { TakeIn, type TakenIn } from "../../src/agent/take_in.ts";
import { EvidenceError } from "../../src/evidence/evidence_error.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { asUser } from "../../src/posix/as_user.ts";
import { Inotify } from "../../src/posix/inotify.ts";
import { mayLive } from "../../src/posix/liveness.ts";
import { factsOf, PlainFile } from "../../src/posix/plain_file.ts";
import type { SessionEvent, SpoolRecord } from "../../src/record/event.ts";
import { encodeRecord } from "../../src/record/spool.ts";
import { GONE } from "./spool_files.ts";

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
asUser({ uid: 1, gid: 1 }, () => mayLive(Deno.pid));
new Inotify()[Symbol.dispose]();
factsOf("/");
PlainFile.open("/dev/null");
namesIn({ path: "/nonexistent/spool", owner: { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 } });

/** An evidence whose transactions can be made to fail at their very end: SQLite then undoes them, as on a full disk. */
class FailingStore extends EvidenceStore {
  fails = false;

  override transaction<Result>(work: () => Result): Result {
    return super.transaction(() => {
      const result = work();
      if (this.fails) throw new EvidenceError(this.file, "full");
      return result;
    });
  }
}

/** A command as evidence has it, its end included wherever that stands. */
export interface TakenCommand {
  shell: number;
  number: number;
  text: string;
  ticket: string | null;
  exitCode: number | null;
  /** Whether it is on record that it is over, seen or not. */
  isOver: boolean;
}

/** A "tamper" event. */
export interface Tamper {
  what: string;
  why: Record<string, number>;
  file: string;
}

/** All of it, in one folder that goes when it is disposed of. */
export class SpoolsAndEvidence implements Disposable {
  readonly root = Deno.makeTempDirSync({ prefix: "take_in_" });
  readonly host: SpoolFolder = { path: `${this.root}/spool`, owner: undefined };
  readonly own: SpoolFolder;
  /** What the agent's open sessions were told. */
  readonly said: SessionEvent[] = [];
  store: FailingStore;
  takeIn: TakeIn;

  /** @param uid the user whose own spool there is */
  constructor(readonly uid = Deno.uid() ?? 0) {
    this.own = { path: `${this.root}/own`, owner: { uid, gid: uid } };
    for (const { path, owner } of [this.host, this.own]) {
      Deno.mkdirSync(path, { mode: 0o700 });
      if (owner && owner.uid !== Deno.uid()) Deno.chownSync(path, owner.uid, owner.gid);
    }
    if (uid !== Deno.uid()) Deno.chmodSync(this.root, 0o755);
    this.store = this.#open();
    this.takeIn = this.#begin();
  }

  #open(): FailingStore {
    return new FailingStore(`${this.root}/state/evidence.db`);
  }

  #begin(): TakeIn {
    return new TakeIn(this.store, this.host, { note: (event) => this.said.push(event) });
  }

  /** Ends the agent at once and starts another one. */
  restart(): void {
    this.store[Symbol.dispose]();
    this.store = this.#open();
    this.takeIn = this.#begin();
  }

  /** Adds to a file of the host's spool. */
  add(name: string, ...records: (SpoolRecord | Uint8Array)[]): void {
    append(`${this.host.path}/${name}`, records);
  }

  /** Adds to a file of the user's own spool, as that user. */
  addOwn(name: string, ...records: (SpoolRecord | Uint8Array)[]): void {
    asUser({ uid: this.uid, gid: this.uid }, () => append(`${this.own.path}/${name}`, records));
  }

  /** Runs until there is no more to do. @returns what was done in all */
  run(dirty: Dirty[] = [{ folder: this.host }, { folder: this.own }]): TakenIn {
    const all = this.takeIn.run(dirty);
    for (let { isMore } = all; isMore;) {
      const taken = this.takeIn.run();
      isMore = taken.isMore;
      all.commands += taken.commands;
      all.unreadable.push(...taken.unreadable);
    }
    return all;
  }

  /** What a second or so does, again and again until nothing more comes of it. */
  settle(): void {
    this.run();
    for (let i = 0; i < 5; i++) {
      this.takeIn.sweep(true);
      this.run([]);
    }
  }

  ask(sql: string): Record<string, unknown>[] {
    return this.store.database.prepare(sql).all().map((row) => ({ ...row }));
  }

  /** The kinds of all events, in order. */
  kinds(): string[] {
    return this.ask("select kind from event order by seq").map((row) => String(row.kind));
  }

  /** The data of all events of a kind. */
  data(kind: string): Record<string, unknown>[] {
    return this.ask(`select data from event where kind = '${kind}' order by seq`)
      .map((row) => ({ ...JSON.parse(String(row.data)) }));
  }

  tampers(): Tamper[] {
    return this.data("tamper").map(findingOf);
  }

  /** What was found to be missing. */
  gaps(): Tamper[] {
    return this.data("agent").filter(({ what }) => what === "gap").map(findingOf);
  }

  commands(): TakenCommand[] {
    return this.ask(
      `select c.shell, c.number, c.text, c.ticket, coalesce(c.exit_code, e.exit_code) as exitCode,
      c.end_us is not null or e.seq is not null as isOver
      from event c left join event e on e.command = c.seq where c.kind = 'command' order by c.seq`,
    )
      .map((row) => ({
        shell: Number(row.shell),
        number: Number(row.number),
        text: String(row.text),
        ticket: row.ticket === null ? null : String(row.ticket),
        exitCode: row.exitCode === null ? null : Number(row.exitCode),
        isOver: row.isOver === 1,
      }));
  }

  [Symbol.dispose](): void {
    this.store[Symbol.dispose]();
    Deno.removeSync(this.root, { recursive: true });
  }
}

/** The name of a shell's file in the host's spool: of one that is gone, unless told otherwise. */
export function shellFile(session: string | null, { pid, startTicks } = GONE, atUs = 1): string {
  return `${session ?? "stray"}.${pid}-${startTicks}-${atUs}.shell`;
}

/** The bytes of records, one behind the other. */
export function bytesOf(records: readonly (SpoolRecord | Uint8Array)[]): Uint8Array {
  const pieces = records.map((record) => record instanceof Uint8Array ? record : encodeRecord(record));
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** A record of a session's event. */
export function say(event: SessionEvent): SpoolRecord {
  return { type: "event", event };
}

function append(path: string, records: readonly (SpoolRecord | Uint8Array)[]): void {
  Deno.writeFileSync(path, bytesOf(records), { append: true, mode: 0o600 });
}

function findingOf({ what, why, file }: Record<string, unknown>): Tamper {
  return { what: String(what), why: { ...Object(why) }, file: String(file) };
}
