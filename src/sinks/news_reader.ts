/** Makes news of events. */

import type { EvidenceEvent } from "../evidence/event.ts";
import type { MaskedEvent, MaskedEvents } from "../evidence/masked.ts";
import type { NewsRows } from "../evidence/news_rows.ts";
import { MISSING_TEXT } from "../record/readable.ts";
import { Allowance, type AllowanceSettings } from "./allowance.ts";
import type { NewsClosing, NewsSession, SinkNews } from "./news.ts";
import { newsId } from "./news_id.ts";
import { type Masking, Outward } from "./outward.ts";

/** What news is made of. */
export interface NewsSources {
  rows: NewsRows;
  masked: MaskedEvents;
  mask: Masking;
  /** How tickets are written, and where people see them: a `Tracker`. */
  tickets: { keyOf(typed: string): string; urlOf(key: string): string | undefined };
  host: string;
  /** What this host calls a user, if it knows her. It is asked often, and must not wait. */
  nameOf(uid: number): string | undefined;
}

/** How many sessions are kept in mind: more than a host has that are open. */
const MOST_SESSIONS = 2000;
/** How long secrets may be looked for in what one user types: it may be made to take a quarter of a second a command. */
const ALLOWANCE = { mostMs: 5000, backMs: 100 };
/** So much of a text that every news of a session has is told, in characters. */
const MOST_OF_SESSION = 4000;

/** What may come in after a session's end; commands may, too, and are too many to ask for each. */
const MAY_BE_LATE: ReadonlySet<SinkNews["kind"]> = new Set(["ticket switched", "note", "status", "tamper"]);

/** A session, as it is kept in mind. */
interface Known {
  facts: NewsSession;
  /** Whether it was on a ticket that nobody had looked up. */
  hasDoubts: boolean;
  /** What was masked in its facts. */
  masked: MaskedEvent[];
}

/** What is special about an event. */
type Particulars = Pick<SinkNews, "kind" | "command" | "closing" | "text" | "change"> & {
  /** When it happened, where that is not the event's own time. */
  atUs?: number;
  /** As it was given; missing where it is the one that the session is on. */
  ticket?: string | null;
};

type Data = Readonly<Record<string, unknown>>;

/**
 * Makes news of events, and knows what was masked in it.
 *
 * @example
 * ```ts
 * const reader = new NewsReader({ rows, masked, mask, tickets: tracker, host, nameOf });
 * const news = reader.read(events);
 * await sink.deliver(news, memory, signal);
 * store.transaction(() => reader.told(news, nowUs()));
 * ```
 */
export class NewsReader {
  /** By the `seq` of their openings; whoever was asked for last stands last. */
  readonly #sessions = new Map<number, Known>();
  readonly #masked = new WeakMap<SinkNews, MaskedEvent[]>();
  readonly #allowance: Allowance;

  /** @param allowance how much of its time each user may have */
  constructor(readonly sources: NewsSources, allowance: AllowanceSettings = ALLOWANCE) {
    this.#allowance = new Allowance(allowance);
  }

  /**
   * @param events in their order
   * @returns the news of each that is some
   * @throws {EvidenceError}
   */
  read(events: readonly EvidenceEvent[]): SinkNews[] {
    const ended = events.flatMap(({ commandSeq }) => commandSeq === undefined ? [] : [commandSeq]);
    const begun = this.sources.rows.commands(ended);
    return events.map((event) => {
      const command = event.kind === "command" ? event : begun.get(event.commandSeq ?? 0);
      return this.#newsOf(event, command);
    }).filter((news) => news !== undefined);
  }

  /**
   * Says in evidence what was masked in news that a sink was told; within a transaction.
   *
   * @param news some that this reader has made
   */
  told(news: Iterable<SinkNews>, nowUs: number): void {
    this.sources.masked.say([...news].flatMap((one) => this.#masked.get(one) ?? []), nowUs);
  }

  #newsOf(event: EvidenceEvent, command: EvidenceEvent | undefined): SinkNews | undefined {
    const { session } = event;
    // It may have gone on to one that nobody has looked up.
    if (event.kind === "ticket switched" && session !== null) this.#sessions.delete(session);
    const known = session === null ? undefined : this.#sessionOf(session);
    const out = this.#outwardOf(event.uid);
    const particulars = command ? commandOf(event, command, out) : this.#particularsOf(event, known, out);
    if (!particulars) return undefined;
    const news = this.#whole(event, known, particulars);
    const patterns = [...out.patterns];
    const masked: MaskedEvent[] = [...known?.masked ?? []];
    if (patterns.length > 0) masked.push({ seq: command?.seq ?? event.seq, session, patterns });
    if (masked.length > 0) this.#masked.set(news, masked);
    return news;
  }

  /** For what a user has typed: she pays for the time that it takes. */
  #outwardOf(uid: number | null): Outward {
    const { mask } = this.sources;
    const allowance = this.#allowance;
    const isHasty = allowance.isSpent(uid);
    const timed: Masking = {
      apply(text, mostRead) {
        const startMs = performance.now();
        const result = mask.apply(text, mostRead);
        allowance.spend(uid, performance.now() - startMs);
        return result;
      },
    };
    return new Outward(timed, isHasty);
  }

  #particularsOf(event: EvidenceEvent, known: Known | undefined, out: Outward): Particulars | undefined {
    const { kind, data = {} } = event;
    if (kind === "tamper" || (kind === "agent" && known && isAlarming(data))) {
      return { kind: "tamper", text: out.text(tamperOf(data)) };
    }
    if (!known) return undefined;
    switch (kind) {
      case "session opened":
        return { kind };
      case "session closed":
        return { kind, closing: this.#closingOf(event, known.facts, data) };
      case "ticket switched": {
        const [from, to] = [this.#keyOf(textOrNull(data.from)), this.#keyOf(textOrNull(data.to)) ?? ""];
        return { kind, ticket: textOrNull(data.to), change: { from, to } };
      }
      case "note":
        return { kind, ticket: textOrNull(data.ticket), text: out.text(data.text) };
      case "status":
        return {
          kind,
          ticket: textOrNull(data.ticket),
          change: { from: textOrNull(data.from), to: textOrNull(data.to) ?? "" },
        };
      default:
        return undefined;
    }
  }

  #closingOf({ session, atUs }: EvidenceEvent, facts: NewsSession, data: Data): NewsClosing {
    const { rows } = this.sources;
    const tickets = rows.tickets(session ?? 0).map((ticket) => this.#keyOf(ticket));
    return {
      how: textOrNull(data.how) ?? "",
      exitCode: typeof data.exitCode === "number" ? data.exitCode : null,
      durationUs: Math.max(0, atUs - facts.openedUs),
      ...rows.counts(session ?? 0),
      // As they were typed two may be the same.
      tickets: [...new Set(tickets)],
    };
  }

  #whole(
    event: EvidenceEvent,
    known: Known | undefined,
    { ticket: given, atUs = event.atUs, ...particulars }: Particulars,
  ): SinkNews {
    const { seq, session, uid, hash } = event;
    const isAsked = session !== null && (given === undefined || known?.hasDoubts);
    const present = isAsked ? this.sources.rows.ticketAt(session, seq) : undefined;
    const ticket = this.#keyOf(given === undefined ? present?.ticket ?? null : given);
    const unverified = present?.isDoubtful ? { unverified: true as const } : {};
    const isLate = session !== null && MAY_BE_LATE.has(particulars.kind) &&
      this.sources.rows.isOver(session, seq);
    const over = isLate ? { over: true as const } : {};
    return {
      id: newsId(hash),
      seq,
      atUs,
      host: this.sources.host,
      session: known ? { ...known.facts, ...unverified, ...over } : null,
      ...(!known && uid !== null ? { owner: { uid, user: this.sources.nameOf(uid) ?? String(uid) } } : {}),
      ticket,
      ticketUrl: ticket === null ? null : this.sources.tickets.urlOf(ticket) ?? null,
      ...particulars,
    };
  }

  #keyOf(typed: string | null): string | null {
    return typed === null ? null : this.sources.tickets.keyOf(typed);
  }

  #sessionOf(seq: number): Known | undefined {
    const known = this.#sessions.get(seq) ?? this.#lookUp(seq);
    if (!known) return undefined;
    this.#sessions.delete(seq);
    this.#sessions.set(seq, known);
    for (const first of this.#sessions.keys()) {
      if (this.#sessions.size <= MOST_SESSIONS) break;
      this.#sessions.delete(first);
    }
    return known;
  }

  #lookUp(seq: number): Known | undefined {
    const { rows } = this.sources;
    const event = rows.opening(seq);
    if (!event?.data) return undefined;
    const { data } = event;
    const out = this.#outwardOf(event.uid);
    const facts: NewsSession = {
      id: textOf(data.session),
      user: textOf(data.user),
      uid: event.uid,
      from: textOf(data.from),
      tty: textOf(data.tty),
      shell: textOf(data.shell),
      mode: data.mode === "command" ? "command" : "interactive",
      openedUs: event.atUs,
      ...(typeof data.command === "string" ? { command: out.text(data.command, MOST_OF_SESSION) } : {}),
      ...(typeof data.emergency === "string" ? { emergency: out.text(data.emergency, MOST_OF_SESSION) } : {}),
      ...(data.late === true ? { late: true } : {}),
    };
    const patterns = [...out.patterns];
    return {
      facts,
      hasDoubts: rows.hasDoubts(seq),
      masked: patterns.length > 0 ? [{ seq, session: seq, patterns }] : [],
    };
  }
}

/** A command, with its end or without; or its end. */
function commandOf(event: EvidenceEvent, begun: EvidenceEvent, out: Outward): Particulars | undefined {
  const { command } = begun;
  if (!command) return undefined;
  const { end } = event;
  const isUnknown = command.textState === "missing" && command.text.length === 0;
  const text = isUnknown ? MISSING_TEXT : out.bytes(command.text);
  const isCut = out.isCut;
  const directory = out.bytes(command.directory);
  return {
    kind: end ? "command" : "command started",
    atUs: end?.endUs ?? event.atUs,
    ticket: command.ticket,
    command: {
      text,
      directory,
      startUs: begun.atUs,
      endUs: end?.endUs ?? null,
      exitCode: end?.exitCode ?? null,
      pipeStates: end?.pipeStates ?? [],
      tty: command.tty,
      effectiveUid: command.effectiveUid,
      isMasked: out.patterns.size > 0,
      textState: isCut && command.textState === "whole" ? "partial" : command.textState,
    },
  };
}

/** Which of the agent's own events somebody must look at: who got in by a ticket that is none, or around the agent. */
function isAlarming({ what, served }: Data): boolean {
  return what === "ticket refused" || (what === "late" && served === true);
}

function tamperOf(data: Data): string {
  const why = typeof data.why === "object" && data.why !== null ? Object.keys(data.why).join(", ") : "";
  return [textOf(data.words) || textOf(data.what), textOf(data.program), why].filter((part) => part !== "")
    .join(": ");
}

function textOf(value: unknown): string {
  return textOrNull(value) ?? "";
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
