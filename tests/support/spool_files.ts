/** Makes spool files as shells and login sessions write them. */

import { DatabaseSync } from "node:sqlite";
import { effectiveUid } from "../../src/posix/libc.ts";
import { bootId, processOf } from "../../src/posix/process.ts";
import type {
  EndRecord,
  ExitRecord,
  SessionOpened,
  ShellRecord,
  SpoolRecord,
  StartRecord,
} from "../../src/record/event.ts";
import { newSessionId } from "../../src/record/session_id.ts";
import { encodeRecord } from "../../src/record/spool.ts";

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
effectiveUid();

const encoder = new TextEncoder();

/** 2023-11-14 22:13:20 UTC, in microseconds. */
export const T0 = 1_700_000_000_000_000;

/** A process that is not there: no kernel gives such a number. */
export const GONE = { pid: 999_999_999, startTicks: 4711 };

/** This process: it is there. */
export function alive(): { pid: number; startTicks: number } {
  const process = processOf("self");
  if (!process) throw new Error("there is no /proc");
  return { pid: process.pid, startTicks: process.startTicks };
}

/** A folder for one test: a home with a spool in it. */
export class Home implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "history_" });
  readonly spool = `${this.folder}/.ash/spool`;
  readonly history = `${this.folder}/.ash/history.db`;

  constructor() {
    Deno.mkdirSync(this.spool, { recursive: true, mode: 0o700 });
  }

  /** Adds records to a spool file. */
  add(name: string, ...records: (SpoolRecord | Uint8Array)[]): void {
    const pieces = records.map((record) => record instanceof Uint8Array ? record : encodeRecord(record));
    const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    Deno.writeFileSync(`${this.spool}/${name}`, bytes, { append: true });
  }

  /** The names of the spool files that are there. */
  names(): string[] {
    return [...Deno.readDirSync(this.spool)].map((entry) => entry.name).sort();
  }

  /** Everything that a query finds in the history, each row as a plain object. */
  ask(sql: string): Record<string, unknown>[] {
    const database = new DatabaseSync(this.history, { readOnly: true });
    try {
      return database.prepare(sql).all().map((row) => ({ ...row }));
    } finally {
      database.close();
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** A shell's last word, a minute after T0 unless told otherwise. */
export function exit(exitCode: number, atUs = T0 + 60_000_000): ExitRecord {
  return { type: "exit", atUs, exitCode };
}

/** A shell's introduction: of one that is gone, unless told otherwise. */
export function shell(more: Partial<ShellRecord> = {}): ShellRecord {
  return {
    type: "shell",
    shell: "bash 5.2.15(1)-release",
    ...GONE,
    parentPid: 1,
    atUs: T0,
    tty: "/dev/pts/0",
    uid: 1000,
    effectiveUid: 1000,
    user: "alice",
    host: Deno.hostname(),
    timeZone: "UTC",
    shellLevel: 1,
    session: "",
    sshClient: "",
    sshConnection: "",
    sudoUser: "",
    sudoUid: "",
    ...more,
  };
}

/** A command's beginning, `number` seconds after T0. */
export function start(
  number: number,
  text: string | Uint8Array,
  more: Partial<StartRecord> = {},
): StartRecord {
  return {
    type: "start",
    number,
    atUs: T0 + number * 1_000_000,
    shellLevel: 1,
    tty: "/dev/pts/0",
    effectiveUid: 1000,
    textState: "whole",
    directory: encoder.encode("/home/alice"),
    text: typeof text === "string" ? encoder.encode(text) : text,
    ...more,
  };
}

/** Its end, half a second later. */
export function end(number: number, more: Partial<EndRecord> = {}): EndRecord {
  return {
    type: "end",
    number,
    atUs: T0 + number * 1_000_000 + 500_000,
    exitCode: 0,
    pipeStates: [0],
    ...more,
  };
}

/** A command from its start to its end. */
export function command(number: number, text = `echo ${number}`): SpoolRecord[] {
  return [start(number, text), end(number)];
}

/** The opening of a login session, whose leader is gone unless told otherwise. */
export function opened(more: Partial<SessionOpened> = {}): SessionOpened {
  return {
    kind: "session opened",
    session: newSessionId(),
    atUs: T0 - 1_000_000,
    user: "alice",
    uid: 1000,
    host: Deno.hostname(),
    tty: "/dev/pts/0",
    from: "203.0.113.9",
    mode: "interactive",
    shell: "/bin/bash",
    ticket: "17",
    leaderPid: GONE.pid,
    leaderStartTicks: GONE.startTicks,
    bootId: bootId(),
    ...more,
  };
}
