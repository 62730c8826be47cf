/**
 * What users' programs could not do while the tracker, or the agent, did not answer: tickets to be looked up or made, notes
 * to be added. It is done as soon as it can be, on each ticket in the order of the evidence, whether or not the session is
 * still open; nobody's errands wait for anybody else's.
 */

import { type Errand, ErrandRows, type ErrandsWaiting } from "../evidence/errand_rows.ts";
import type { EvidenceEvent, EvidenceKind } from "../evidence/event.ts";
import type { Outbox } from "../evidence/outbox.ts";
import type { SessionRow } from "../evidence/session_rows.ts";
import type { EvidenceStore } from "../evidence/store.ts";
import { backoffMs } from "../net/backoff.ts";
import type { MaskedText } from "../net/mask.ts";
import { nowUs } from "../record/clock.ts";
import { messageOf } from "../terminal/message_of.ts";
import {
  type Ticket,
  TicketNotFoundError,
  TicketRefusedError,
  TrackerUnavailableError,
} from "../trackers/tracker.ts";
import { log } from "./log.ts";
import { madeBefore, makeTicket } from "./make_ticket.ts";
import { tellSession } from "./notice.ts";
import { RequestError } from "./server.ts";
import { presentSession, type Sessions } from "./sessions.ts";
import type { Tickets } from "./tickets.ts";

/** What errands need of the host's tickets. */
export type ErrandTickets = Pick<Tickets, "tracker" | "masked" | "outage" | "askPatiently">;

const NAME = "tickets";
const KINDS: readonly EvidenceKind[] = ["session opened", "ticket switched", "note"];
const TAKEN_AT_A_TIME = 200;
/** How many users' errands are done at the same time. */
const AT_ONCE = 4;
/** How many errands of a user may wait before further notes of hers are refused. */
const MOST_WAITING = 10_000;
/** For how many times as long as a text has kept everybody waiting its user's errands wait behind it. */
const OTHERS_SHARE = 10;
/** How long an errand that failed is left alone. */
const BACKOFF = { firstMs: 10_000, longestMs: 600_000 };

/** Does them. */
export class Errands {
  readonly #rows: ErrandRows;
  readonly #working = new Map<number, Promise<void>>();
  /** When each user had her last turn. */
  readonly #turns = new Map<number, number>();
  #isTakingIn = false;
  /** What went wrong at last, and nobody was told of. */
  #fault: unknown;
  #saidOutage: string | undefined;

  constructor(
    readonly store: EvidenceStore,
    readonly outbox: Outbox,
    readonly sessions: Sessions,
    readonly tickets: ErrandTickets,
  ) {
    this.#rows = new ErrandRows(store);
    outbox.register(NAME, nowUs());
  }

  /** What is still to be done. @throws {EvidenceError} */
  get waiting(): ErrandsWaiting {
    return this.#rows.waiting();
  }

  /**
   * Does all that can be done now.
   *
   * @returns when there is no more of it
   * @throws {EvidenceError}
   */
  async run(): Promise<void> {
    if (!this.#isTakingIn) await this.#takeIn();
    this.#begin();
    while (this.#working.size > 0) await Promise.all(this.#working.values());
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault !== undefined) throw fault;
  }

  /** Looks through what is new in evidence for errands. */
  async #takeIn(): Promise<void> {
    this.#isTakingIn = true;
    try {
      while (this.#takeSome()) await new Promise((resolve) => setTimeout(resolve));
    } finally {
      this.#isTakingIn = false;
    }
  }

  /** @returns whether there may be more */
  #takeSome(): boolean {
    const { seq: head } = this.store.head();
    const place = this.outbox.states().find(({ name }) => name === NAME)?.delivered ?? head;
    if (place >= head) return false;
    const events = this.outbox.pending(NAME, TAKEN_AT_A_TIME, KINDS);
    const isMore = events.length === TAKEN_AT_A_TIME;
    this.store.transaction(() => {
      for (const event of events) this.#add(event);
      this.outbox.delivered(NAME, isMore ? events.at(-1)?.seq ?? head : head, nowUs());
    });
    return isMore;
  }

  #add(event: EvidenceEvent): void {
    const { seq, kind, session } = event;
    const ticket = ticketOf(event);
    const row = ticket === undefined || session === null ? undefined : this.store.sessionBySeq(session);
    if (ticket === undefined || !row || row.uid === null) return;
    const { uid } = row;
    if (kind === "note" && this.#rows.countOf(uid) >= MOST_WAITING) {
      this.#say(row, { what: "note refused", ticket, words: `${MOST_WAITING} errands of this user wait` });
    } else this.#rows.add({ seq, uid, ticket, dueUs: nowUs() });
  }

  /** Begins what has its turn: that of whoever has waited longest comes first. */
  #begin(): void {
    if (this.#isOut()) return;
    const due = this.#rows.due(nowUs()).filter(({ uid }) => !this.#working.has(uid));
    due.sort((one, other) => (this.#turns.get(one.uid) ?? 0) - (this.#turns.get(other.uid) ?? 0));
    for (const errand of due.slice(0, AT_ONCE - this.#working.size)) {
      this.#turns.set(errand.uid, performance.now());
      this.#working.set(errand.uid, this.#work(errand));
    }
    for (const uid of this.#turns.keys()) if (this.#turns.size > 1000) this.#turns.delete(uid);
  }

  /** Does an errand, and begins the next. It never fails. */
  async #work(errand: Errand): Promise<void> {
    try {
      await this.#do(errand);
      // Peers come in between, however much a user's spool brings at once.
      await new Promise((resolve) => setTimeout(resolve));
      this.#working.delete(errand.uid);
      this.#begin();
    } catch (error) {
      this.#working.delete(errand.uid);
      this.#fault = error;
    }
  }

  /** Whether the tracker is to be left alone; why is seen in the outbox. */
  #isOut(): boolean {
    const message = this.tickets.outage?.message;
    if (message !== undefined && message !== this.#saidOutage) this.outbox.failed(NAME, message, nowUs());
    this.#saidOutage = message;
    return message !== undefined;
  }

  async #do(errand: Errand): Promise<void> {
    const event = this.#rows.event(errand.seq);
    const row = typeof event?.session === "number" ? this.store.sessionBySeq(event.session) : undefined;
    if (!event?.data || !row) return this.#lose(errand);
    const begun = { ...errand, tries: errand.tries + 1, dueUs: nowUs() + BACKOFF.firstMs * 1000 };
    // Where this cannot be written nothing is done: what was done could not be written either, and would be done again.
    this.#rows.putOff(begun, "it was begun, and has not ended");
    try {
      await this.#errandOf(errand, event.data, row);
    } catch (error) {
      const { outage } = this.tickets;
      // Then it is no fault of this one.
      if (outage) return this.#rows.putOff(errand, outage.message);
      if (!(error instanceof TrackerUnavailableError)) throw error;
      const dueUs = nowUs() + Math.ceil(backoffMs(BACKOFF, begun.tries, error.retryAfterMs) * 1000);
      this.#rows.putOffWithTicket({ ...begun, dueUs }, error.message);
      this.outbox.failed(NAME, error.message, nowUs());
    }
  }

  async #errandOf(errand: Errand, data: Readonly<Record<string, unknown>>, row: SessionRow): Promise<void> {
    const { ticket } = errand;
    if (typeof data.text === "string") await this.#note(errand, row, data.text);
    else if (ticket === "" && typeof data.wanted === "string") await this.#make(errand, row, data.wanted);
    else await this.#verify(errand, row);
  }

  async #note({ seq, uid, ticket }: Errand, row: SessionRow, text: string): Promise<void> {
    const { tracker } = this.tickets;
    const key = tracker.keyOf(ticket);
    // The session's story tells it there.
    const isTold = tracker.storybook && row.tickets.some((one) => tracker.keyOf(one.ticket) === key);
    if (isTold) return this.#rows.done(seq);
    try {
      const { text: harmless, masked } = await this.#masked(text);
      await this.tickets.askPatiently(uid, (tracker, asking) => tracker.addNote(asking, key, harmless));
      if (masked.length === 0) this.#rows.done(seq);
      else this.#end(seq, row, { what: "masked", where: "a note", ticket, patterns: masked });
    } catch (error) {
      if (!isNo(error)) throw error;
      this.#end(seq, row, { what: "note refused", ticket, words: error.message });
    }
  }

  /** Nobody is answered while a long text is looked through: others have their share before the next one is. */
  async #masked(text: string): Promise<MaskedText> {
    const startMs = performance.now();
    const masked = this.tickets.masked(text);
    const tookMs = performance.now() - startMs;
    await new Promise((resolve) => setTimeout(resolve, tookMs * OTHERS_SHARE));
    return masked;
  }

  async #make({ seq, uid, tries }: Errand, row: SessionRow, wanted: string): Promise<void> {
    const { text: subject, masked } = await this.#masked(wanted);
    let ticket: Ticket;
    try {
      ticket = await this.tickets.askPatiently(
        uid,
        async (tracker, asking) =>
          (tries > 0 ? await madeBefore(tracker, asking, subject, row.openedUs) : undefined) ??
            await makeTicket(tracker, asking, subject),
      );
    } catch (error) {
      if (!isNo(error)) throw error;
      const words = `no ticket could be made of "${wanted}": ${error.message}`;
      return this.#refuse(seq, row, null, words);
    }
    this.#end(seq, row, {
      what: "ticket made",
      ticket: ticket.key,
      subject: wanted,
      ...(masked.length === 0 ? {} : { masked }),
    });
    // She may have gone to another one meanwhile.
    this.#putOn(row, null, ticket.key);
  }

  async #verify({ seq, uid, ticket: typed }: Errand, row: SessionRow): Promise<void> {
    let ticket: Ticket | undefined;
    let words = `ticket ${typed} does not exist`;
    try {
      ticket = await this.tickets.askPatiently(
        uid,
        (tracker, asking) => tracker.find(asking, tracker.keyOf(typed)),
      );
    } catch (error) {
      if (!isNo(error)) throw error;
      words = error.message;
    }
    if (!ticket?.open) {
      return this.#refuse(seq, row, typed, ticket ? `ticket ${typed} is ${ticket.status}` : words);
    }
    this.#end(seq, row, { what: "ticket verified", ticket: typed, key: ticket.key });
    if (ticket.key !== typed) this.#putOn(row, typed, ticket.key);
  }

  /** Retention has removed what it is for: the tracker was out for longer than evidence is kept. */
  #lose({ seq, ticket, uid }: Errand): void {
    const words = "its evidence was removed before the tracker could be asked";
    const data = { what: "errand lost", ticket, words };
    this.store.transaction(() => {
      this.#rows.done(seq);
      this.store.append({ kind: "agent", atUs: nowUs(), session: null, shell: null, uid, data }, nowUs());
    });
    log.error("what was to be done for {user} on ticket {ticket} is not done: {words}", {
      user: uid,
      ticket: ticket || "that was to be made",
      words,
    });
  }

  /** The session has worked without a ticket: that is on record, in the log, and on its terminal. */
  #refuse(seq: number, row: SessionRow, ticket: string | null, words: string): void {
    this.#end(seq, row, { what: "ticket refused", ticket, words });
    log.error("the session of {user} has no real ticket: {words}", {
      user: row.user,
      words,
      session: row.id,
    });
    const open = this.sessions.get(row.id);
    if (!open || presentSession(open).ticket !== ticket) return;
    tellSession(open, `${words}: give this session a real one: saticket switch KEY`);
  }

  /** Puts the session on a ticket, if it is on that one still. */
  #putOn(row: SessionRow, from: string | null, to: string): void {
    const open = this.sessions.get(row.id);
    if (!open || presentSession(open).ticket !== from) return;
    try {
      this.sessions.say(open, { kind: "ticket switched", session: row.id, atUs: nowUs(), from, to });
    } catch (error) {
      // That is her loss alone: the ticket is made, and must not be made again.
      log.warn("{reason}", { reason: messageOf(error) });
      if (!(error instanceof RequestError)) throw error;
    }
  }

  /** It is done, and evidence says how it ended. */
  #end(seq: number, row: SessionRow, data: Record<string, unknown>): void {
    this.store.transaction(() => {
      this.#rows.done(seq);
      this.#say(row, data);
    });
  }

  /** Within a transaction. */
  #say({ seq: session }: SessionRow, data: Record<string, unknown>): void {
    this.store.append({ kind: "agent", atUs: nowUs(), session, shell: null, uid: null, data }, nowUs());
  }
}

/** The ticket that something is to be done on, empty for one that is to be made; undefined where there is nothing to do. */
function ticketOf({ kind, data }: EvidenceEvent): string | undefined {
  if (!data) return undefined;
  const { ticket, wanted, text, to, source } = data;
  const isOwnWord = source === "user";
  switch (kind) {
    case "ticket switched":
      // The agent lets nobody switch to what it has not looked up.
      return isOwnWord && typeof to === "string" ? to : undefined;
    case "note":
      // What the agent has recorded itself the tracker had before, or its story brings it.
      if (!isOwnWord || data.told === true || typeof text !== "string") return undefined;
      return typeof ticket === "string" ? ticket : undefined;
    case "session opened":
      if (typeof ticket === "string") return isOwnWord || data.unverified === true ? ticket : undefined;
      return typeof wanted === "string" ? "" : undefined;
    default:
      return undefined;
  }
}

/** Whether the tracker has said no, and would again. */
function isNo(error: unknown): error is Error {
  return error instanceof TicketNotFoundError || error instanceof TicketRefusedError;
}
