/** What stands above and below the entries of a story's part: who, where, when, and how it ended. */

import { lengthOfTime } from "../../terminal/moments.ts";
import { visible } from "../../terminal/visible.ts";
import type { Block } from "../markup/markup.ts";
import { clipped } from "./pieces.ts";
import { stampOf } from "./times.ts";

/** All that is known of a session on a ticket, every text as it may leave the host. */
export interface StoryFacts {
  /** The session's id. */
  session: string;
  user: string;
  uid: number | null;
  host: string;
  /** The client's address, or empty. */
  from: string;
  tty: string;
  /** Whether it is a single command. */
  isCommand: boolean;
  openedUs: number;
  /** When it came to this ticket, if it was on another one before, or on none. */
  cameUs: number | undefined;
  /** How much time it has been on this ticket. */
  spentUs: number;
  /** Where it has gone on to. */
  left: { ticket: string; atUs: number } | undefined;
  /** How it ended; undefined while it is open. */
  closed: { atUs: number; how: string; exitCode: number | undefined } | undefined;
  emergency: string | undefined;
  /** The ticket could not be looked up at the time. */
  wasUnverified: boolean;
  /** It began without the agent: what is told of it is its user's own record. */
  isLate: boolean;
  commands: number;
  failures: number;
  /** When this is written. */
  nowUs: number;
}

/** Which part of a story. */
export interface PartPlace {
  number: number;
  isLast: boolean;
  /** The text that the comment is found by. */
  mark: string;
}

const ENDS: Readonly<Partial<Record<string, string>>> = {
  logout: "logged out",
  hangup: "the line went away",
  killed: "the shell was killed, or became another program",
  idle: "nothing was typed for too long",
  unknown: "nobody could say how",
};

/** No name, no address, no terminal of an honest user's is longer. */
const LONGEST_WORD = 80;
const LONGEST_REASON = 300;

/** @returns what stands above the entries */
export function headOf(facts: StoryFacts, { number }: PartPlace): Block[] {
  const who = `${word(facts.user)} on ${word(facts.host)}`;
  const title = `${who}: ${facts.isCommand ? "one command" : "shell session"}`;
  if (number > 1) return [{ kind: "heading", text: `${title}, part ${number}` }];
  return [{ kind: "heading", text: title }, { kind: "facts", facts: listOf(facts) }];
}

/** @returns what stands below the entries */
export function footOf(facts: StoryFacts, { number, isLast, mark }: PartPlace): Block[] {
  const lines = [
    ...(isLast ? [] : [`It goes on in part ${number + 1}.`]),
    ...(isLast && number > 1 ? [endOf(facts)] : []),
    mark,
  ];
  return [{ kind: "text", text: lines.join("\n") }];
}

function listOf(facts: StoryFacts): [string, string][] {
  const { emergency, cameUs, commands, failures, wasUnverified, isLate } = facts;
  const uid = facts.uid === null ? "" : ` (user ${facts.uid})`;
  const from = facts.from === "" ? "this machine itself" : word(facts.from);
  const tty = facts.tty === "" ? "" : `, on ${word(facts.tty.replace(/^\/dev\//, ""))}`;
  return [
    ["Who", `${word(facts.user)}${uid} on ${word(facts.host)}, from ${from}${tty}`],
    ...(emergency === undefined ? [] : [pair("EMERGENCY", `went in without a ticket: ${reason(emergency)}`)]),
    ["Began", stampOf(facts.openedUs)],
    ...(cameUs === undefined ? [] : [pair("On this ticket since", stampOf(cameUs))]),
    ["Ended", endOf(facts)],
    ["Time on this ticket", lengthOfTime(facts.spentUs)],
    ["Commands", `${commands}${failures === 0 ? "" : `, ${failures} of them failed`}`],
    ...(wasUnverified ? [pair("Ticket", "could not be looked up at the login; it was found later")] : []),
    ...(isLate
      ? [pair("Record", "the user's own: srvAudit's agent did not run when the session began")]
      : []),
  ];
}

function pair(name: string, value: string): [string, string] {
  return [name, value];
}

function endOf({ closed, left, nowUs }: StoryFacts): string {
  if (left) return `went on to ${word(left.ticket)}, ${stampOf(left.atUs)}`;
  if (!closed) return `still open, as of ${stampOf(nowUs)}`;
  const code = closed.exitCode === undefined ? "" : `, exit ${closed.exitCode}`;
  return `${stampOf(closed.atUs)}: ${ENDS[closed.how] ?? word(closed.how)}${code}`;
}

function word(text: string): string {
  return clipped(visible(text), LONGEST_WORD);
}

function reason(text: string): string {
  return clipped(visible(text), LONGEST_REASON);
}
