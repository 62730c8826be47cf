/** Evidence of a made-up day: two sessions, one of them open, an emergency, and what was tampered with. */

import type { CommandEnd, NewEvent } from "../../src/evidence/event.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";

/** 2026-11-22T12:00:00Z */
export const NOON_US = Date.UTC(2026, 10, 22, 12) * 1000;

export const ALICE = "019ab000-0000-7000-8000-00000000000a";
export const BOB = "019ab000-0000-7000-8000-00000000000b";

const encoder = new TextEncoder();

/** What to say of a session's opening. */
export interface OpeningFacts {
  id: string;
  user: string;
  uid: number;
  atUs?: number;
  ticket?: string | null;
  from?: string;
  emergency?: string;
}

/** An event of a session's opening. */
export function opened(
  { id, user, uid, atUs = NOON_US, ticket = null, from = "", emergency }: OpeningFacts,
): NewEvent {
  return {
    kind: "session opened",
    atUs,
    session: null,
    shell: null,
    uid,
    data: {
      session: id,
      user,
      uid,
      host: "web1",
      tty: "/dev/pts/99",
      from,
      mode: "interactive",
      shell: "/bin/bash",
      ticket,
      leaderPid: 4_000_000,
      leaderStartTicks: 1,
      bootId: "boot",
      ...(emergency === undefined ? {} : { emergency }),
    },
  };
}

/** The start of a shell in a session. */
export function shellStarted(session: number | null, uid: number, atUs = NOON_US): NewEvent {
  return {
    kind: "shell started",
    atUs,
    session,
    shell: null,
    uid,
    data: {
      shell: "bash 5.2.15(1)-release",
      pid: 4_000_000,
      startTicks: 1,
      uid,
      effectiveUid: uid,
      host: "web1",
    },
  };
}

/** A command of a shell. */
export function command(
  [session, shell]: [session: number | null, shell: number],
  text: string,
  { number = 1, ticket = null, atUs = NOON_US, uid = 1000, end }: {
    number?: number;
    ticket?: string | null;
    atUs?: number;
    uid?: number;
    end?: CommandEnd;
  } = {},
): NewEvent {
  return {
    kind: "command",
    atUs,
    session,
    shell,
    uid,
    command: {
      number,
      ticket,
      tty: "/dev/pts/99",
      effectiveUid: uid,
      shellLevel: 1,
      directory: encoder.encode("/srv"),
      text: encoder.encode(text),
      textState: "whole",
    },
    ...(end ? { end } : {}),
  };
}

/** Puts events into the evidence, in one transaction. @returns their numbers */
export function append(file: string, ...events: NewEvent[]): number[] {
  using store = new EvidenceStore(file);
  return store.transaction(() => events.map((event) => store.append(event, event.atUs)));
}

/**
 * Makes the evidence of that day.
 *
 * Alice logged in at noon for OPS-1, ran two commands, went on to OPS-2, and logged out a minute after noon. Bob went in
 * by an emergency ten seconds after noon and is there still; a command of his runs.
 *
 * @param file where, in a folder of its own
 */
export function makeEvidence(file: string): void {
  const s = (seconds: number) => NOON_US + seconds * 1e6;
  using store = new EvidenceStore(file);
  store.transaction(() => {
    const put = (event: NewEvent) => store.append(event, event.atUs);
    const end = (endUs: number, exitCode: number): CommandEnd => ({
      endUs,
      exitCode,
      pipeStates: [exitCode],
    });
    put({ kind: "agent", atUs: s(-60), session: null, shell: null, uid: null, data: { what: "started" } });
    const alice = put(opened({ id: ALICE, user: "alice", uid: 1000, ticket: "OPS-1", from: "192.0.2.7" }));
    const shell = put(shellStarted(alice, 1000, s(1)));
    const hers = [alice, shell] as [number, number];
    put(command(hers, "make test", { ticket: "OPS-1", atUs: s(2), end: end(s(65), 2) }));
    put({
      kind: "ticket switched",
      atUs: s(3),
      session: alice,
      shell: null,
      uid: 1000,
      data: { session: ALICE, from: "OPS-1", to: "OPS-2" },
    });
    put(command(hers, "echo \x1b[31mred", { number: 2, ticket: "OPS-2", atUs: s(4), end: end(s(4), 0) }));
    const bob = put(opened({ id: BOB, user: "bob", uid: 1001, atUs: s(10), emergency: "the site is down" }));
    const his = [bob, put(shellStarted(bob, 1001, s(11)))] as [number, number];
    put(command(his, "tail -f log", { atUs: s(12), uid: 1001 }));
    put({
      kind: "tamper",
      atUs: s(20),
      session: bob,
      shell: his[1],
      uid: 1001,
      data: { what: "spool shrank", file: "x.shell" },
    });
    put({
      kind: "session closed",
      atUs: s(60),
      session: alice,
      shell: null,
      uid: 1000,
      data: { session: ALICE, how: "logout", exitCode: 0 },
    });
  });
}
