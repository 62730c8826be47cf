/** What it takes to write stories; and what of a session belongs to one, as it may leave the host. */

import type { MaskedEvents } from "../../evidence/masked.ts";
import type { Outbox } from "../../evidence/outbox.ts";
import type { EvidenceStore } from "../../evidence/store.ts";
import type { StoryEvent, StoryEvents } from "../../evidence/story_events.ts";
import type { StoryRow, StoryRows } from "../../evidence/story_rows.ts";
import { nowUs } from "../../record/clock.ts";
import { MISSING_TEXT } from "../../record/readable.ts";
import type { CommandEntry, Entry } from "../../trackers/story/entry.ts";
import type { StoryFacts } from "../../trackers/story/frame.ts";
import type { Storybook, Tracker } from "../../trackers/tracker.ts";

/** Hides secrets in what leaves the host: a `Mask` of `net/mask.ts`. */
export interface Masking {
  apply(text: string): { text: string; masked: readonly string[] };
}

/** What stories are written from, where they go, and how they are measured. */
export interface Author {
  readonly store: EvidenceStore;
  readonly outbox: Outbox;
  readonly rows: StoryRows;
  readonly events: StoryEvents;
  readonly tracker: Tracker;
  readonly book: Storybook;
  readonly mask: Masking;
  /** Says in evidence what was masked, once, whoever else is told of it. */
  readonly masked: MaskedEvents;
  /** Whether the time that was spent is logged. */
  readonly logsTime: boolean;
  /** Ends all of it: from then on evidence may be closed. */
  readonly end: AbortSignal;
}

/** Which of the agent's own events of a session a reader of its story should know of. */
const TOLD_OF_AGENT: ReadonlySet<unknown> = new Set(["gap", "ticket verified", "ticket made"]);

/** Whether a command with that ticket on record is one of the story's. */
export function isOf({ tracker }: Author, story: StoryRow, ticket: string | null): boolean {
  return ticket === null ? story.adopts : tracker.keyOf(ticket) === story.ticket;
}

/**
 * @param masked is told which patterns hit
 * @returns what happened, if it belongs to the story; undefined also for a command's end, which is told with the command
 */
export function entryOf(
  author: Author,
  story: StoryRow,
  event: StoryEvent,
  masked: (pattern: string) => void = () => {},
): Entry | undefined {
  const { atUs, kind, data } = event;
  const say = (text: string): Entry => ({ kind: "line", atUs, text });
  switch (kind) {
    case "command":
      return isOf(author, story, event.ticket) ? commandOf(author, story, event, masked) : undefined;
    case "note": {
      // What the tracker was told at the time stands on the ticket already.
      if (data.told === true || !isFor(author, story, data.ticket)) return undefined;
      const { text, patterns } = hidden(author, textOf(data.text), masked);
      return { kind: "note", atUs, user: userOf(author, story), text, isMasked: patterns > 0 };
    }
    case "status":
      if (!isFor(author, story, data.ticket)) return undefined;
      return say(
        `${userOf(author, story)} set the status: ${textOf(data.from)} to ${textOf(data.to)}`,
      );
    case "ticket switched":
      return switchOf(author, story, event);
    case "tamper":
      if (!isOf(author, story, author.events.ticketAt(story.session, event.seq))) return undefined;
      return say(`TAMPERING: ${hidden(author, tamperOf(data), masked).text}`);
    case "agent":
      if (!TOLD_OF_AGENT.has(data.what)) return undefined;
      if (data.what !== "gap") {
        if (!isFor(author, story, data.ticket)) return undefined;
        return say(
          data.what === "ticket made"
            ? "this ticket, asked for while the tracker did not answer, was made"
            : "this ticket, given while the tracker did not answer, was found",
        );
      }
      if (!isOf(author, story, author.events.ticketAt(story.session, event.seq))) return undefined;
      return say(`something is missing here: ${textOf(data.words)}`);
    default:
      return undefined;
  }
}

function isFor({ tracker }: Author, story: StoryRow, ticket: unknown): boolean {
  return typeof ticket === "string" && tracker.keyOf(ticket) === story.ticket;
}

function switchOf(author: Author, story: StoryRow, { atUs, data }: StoryEvent): Entry | undefined {
  const [isFrom, isTo] = [isFor(author, story, data.from), isFor(author, story, data.to)];
  // The same ticket by another key: nothing has changed for who reads it.
  if (isFrom === isTo) return undefined;
  const user = userOf(author, story);
  const say = (text: string): Entry => ({ kind: "line", atUs, text });
  if (isFrom) return say(`${user} went on to ${textOf(data.to)}`);
  if (typeof data.from === "string") return say(`${user} came here from ${textOf(data.from)}`);
  return say(`${user} came to this ticket; what stands before that was done without one`);
}

function commandOf(
  author: Author,
  story: StoryRow,
  event: StoryEvent,
  masked: (pattern: string) => void,
): CommandEntry {
  const own = author.store.sessionBySeq(story.session);
  const { atUs, tty, effectiveUid, textState, end } = event;
  const directory = hidden(author, event.directory, masked);
  const text = hidden(
    author,
    textState === "missing" && event.text === "" ? MISSING_TEXT : event.text,
    masked,
  );
  const isOther = effectiveUid !== story.uid;
  return {
    kind: "command",
    atUs,
    directory: directory.text,
    text: text.text,
    textState: textState === "partial" || textState === "missing" ? textState : "whole",
    tty: tty === own?.opened.tty ? "" : tty.replace(/^\/dev\//, ""),
    as: isOther ? effectiveUid : undefined,
    isRoot: effectiveUid === 0,
    isMasked: directory.patterns + text.patterns > 0,
    end: end === undefined
      ? story.isOver ? "unknown" : "running"
      : end.exitCode === null
      ? "unknown"
      : { endUs: end.endUs, exitCode: end.exitCode, pipeStates: end.pipeStates },
  };
}

function tamperOf(data: Readonly<Record<string, unknown>>): string {
  const program = textOf(data.program);
  const why = typeof data.why === "object" && data.why !== null ? Object.keys(data.why).join(", ") : "";
  return [textOf(data.words), program, why].filter((part) => part !== "").join(": ");
}

/** All that is known of the session on the story's ticket. */
export function factsOf(author: Author, story: StoryRow): StoryFacts {
  const session = author.store.sessionBySeq(story.session);
  if (!session) throw new Error(`the session of story ${story.id} is not in evidence any more`);
  const { opened, openedUs, tickets } = session;
  const closed = author.events.closing(story.session);
  const now = nowUs();
  const endUs = closed?.atUs ?? now;
  // When it came to the ticket, and when it left it again.
  const stays = tickets.flatMap(({ ticket, sinceUs }, i) => {
    if (author.tracker.keyOf(ticket) !== story.ticket) return [];
    const fromUs = i === 0 && story.adopts ? openedUs : sinceUs;
    return [{ fromUs, toUs: tickets[i + 1]?.sinceUs ?? endUs }];
  });
  // The ticket was made when the session was over.
  if (stays.length === 0) stays.push({ fromUs: openedUs, toUs: endUs });
  const last = tickets.at(-1);
  const hasLeft = last !== undefined && author.tracker.keyOf(last.ticket) !== story.ticket;
  const first = tickets.find(({ ticket }) => author.tracker.keyOf(ticket) === story.ticket);
  return {
    session: session.id,
    user: session.user,
    uid: session.uid,
    host: textOf(opened.host),
    from: textOf(opened.from),
    tty: textOf(opened.tty),
    isCommand: opened.mode === "command",
    openedUs,
    cameUs: first && first.sinceUs > openedUs ? first.sinceUs : undefined,
    spentUs: stays.reduce((sum, { fromUs, toUs }) => sum + Math.max(0, toUs - fromUs), 0),
    left: hasLeft ? { ticket: nextOf(author, story, tickets), atUs: stays.at(-1)?.toUs ?? endUs } : undefined,
    closed,
    emergency: typeof opened.emergency === "string"
      ? hidden(author, opened.emergency, () => {}).text
      : undefined,
    wasUnverified: opened.unverified === true && first?.sinceUs === openedUs,
    isLate: opened.late === true,
    commands: story.commands,
    failures: story.failures,
    nowUs: now,
  };
}

/** The ticket that the session went on to when it was on the story's the last time. */
function nextOf({ tracker }: Author, story: StoryRow, tickets: readonly { ticket: string }[]): string {
  const at = tickets.findLastIndex(({ ticket }) => tracker.keyOf(ticket) === story.ticket);
  return tickets[at + 1]?.ticket ?? "";
}

function userOf({ store }: Author, story: StoryRow): string {
  return store.sessionBySeq(story.session)?.user ?? "";
}

function hidden(
  { mask }: Author,
  text: string,
  masked: (pattern: string) => void,
): { text: string; patterns: number } {
  const result = mask.apply(text);
  result.masked.forEach((pattern) => masked(pattern));
  return { text: result.text, patterns: result.masked.length };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
