/** Evidence to test with: a store in a folder of its own, and events as the agent makes them. */

import type { CommandEnd, NewEvent } from "../../src/evidence/event.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { effectiveUid } from "../../src/posix/libc.ts";

// libc is opened once and for good: before the first test, or Deno would call it that test's leak.
effectiveUid();

const encoder = new TextEncoder();

/** 2023-11-14 22:13:20 UTC, in microseconds. */
export const T0 = 1_700_000_000_000_000;

/** A folder with evidence in it, gone in the end. */
export class EvidenceFolder implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "srvaudit-evidence-" });
  readonly file = `${this.folder}/state/evidence.db`;

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }

  /** Opens the store, does the work in one transaction, and closes it. */
  write<Result>(work: (store: EvidenceStore) => Result): Result {
    using store = new EvidenceStore(this.file);
    return store.transaction(() => work(store));
  }
}

export function opened(id: string, more: Record<string, unknown> = {}, atUs = T0): NewEvent {
  return {
    kind: "session opened",
    atUs,
    session: null,
    shell: null,
    uid: 1000,
    data: {
      session: id,
      user: "alice",
      uid: 1000,
      host: "web01",
      tty: "/dev/pts/3",
      from: "203.0.113.9",
      mode: "interactive",
      shell: "/bin/bash",
      ticket: "OPS-17",
      leaderPid: 4711,
      leaderStartTicks: 99,
      bootId: "boot",
      ...more,
    },
  };
}

export function closed(session: number, atUs = T0 + 9_000_000): NewEvent {
  const data = { how: "logout", exitCode: 0 };
  return { kind: "session closed", atUs, session, shell: null, uid: 1000, data };
}

export function switched(session: number, from: string, to: string, atUs = T0 + 2_000_000): NewEvent {
  return { kind: "ticket switched", atUs, session, shell: null, uid: 1000, data: { from, to } };
}

export function shellStarted(
  session: number | null,
  more: Record<string, unknown> = {},
  atUs = T0 + 500_000,
): NewEvent {
  return {
    kind: "shell started",
    atUs,
    session,
    shell: null,
    uid: 1000,
    data: {
      shell: "bash 5.2.15(1)-release",
      pid: 4711,
      parentPid: 4700,
      startTicks: 99,
      tty: "/dev/pts/3",
      uid: 1000,
      effectiveUid: 1000,
      user: "alice",
      host: "web01",
      hostAddresses: "192.0.2.7",
      timeZone: "UTC",
      shellLevel: 1,
      session: "",
      sshClient: "203.0.113.9 50022 22",
      sshConnection: "203.0.113.9 50022 192.0.2.7 22",
      sudoUser: "",
      sudoUid: "",
      bootId: "boot",
      ...more,
    },
  };
}

export function shellEnded(session: number | null, shell: number, atUs = T0 + 8_000_000): NewEvent {
  return { kind: "shell ended", atUs, session, shell, uid: 1000, data: { exitCode: 0 } };
}

/** What may differ from a plain command. */
export interface CommandSpec {
  session?: number | null;
  shell?: number | null;
  number?: number;
  atUs?: number;
  directory?: string | Uint8Array;
  ticket?: string | null;
  /** Null for a command that still runs. */
  end?: CommandEnd | null;
}

export function command(text: string | Uint8Array, spec: CommandSpec = {}): NewEvent {
  const atUs = spec.atUs ?? T0 + 1_000_000;
  const bytes = (value: string | Uint8Array) => typeof value === "string" ? encoder.encode(value) : value;
  const end = spec.end === undefined ? { endUs: atUs + 5000, exitCode: 0, pipeStates: [0] } : spec.end;
  return {
    kind: "command",
    atUs,
    session: spec.session ?? null,
    shell: spec.shell ?? null,
    uid: 1000,
    command: {
      number: spec.number ?? 1,
      ticket: spec.ticket === undefined ? "OPS-17" : spec.ticket,
      tty: "/dev/pts/3",
      effectiveUid: 1000,
      shellLevel: 1,
      directory: bytes(spec.directory ?? "/home/alice"),
      text: bytes(text),
      textState: "whole",
    },
    ...(end && { end }),
  };
}

export function ended(commandSeq: number, end: CommandEnd, more: Partial<NewEvent> = {}): NewEvent {
  const atUs = end.endUs ?? T0;
  return { kind: "command ended", atUs, session: null, shell: null, uid: 1000, commandSeq, end, ...more };
}

/** One of the agent's own. */
export function agentEvent(what: string, atUs = T0): NewEvent {
  return { kind: "agent", atUs, session: null, shell: null, uid: null, data: { what } };
}
