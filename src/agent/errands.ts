/**
 * What users' programs could not do while the tracker, or the agent, did not answer: tickets to be looked up or made, notes
 * to be added. It is done as soon as it can be, in the order of the evidence, whether or not the session is still open.
 */

import type { EvidenceEvent, EvidenceKind } from "../evidence/event.ts";
import type { Outbox } from "../evidence/outbox.ts";
import type { EvidenceStore } from "../evidence/store.ts";
import { nowUs } from "../record/clock.ts";
import { type Ticket, TicketNotFoundError, TrackerUnavailableError } from "../trackers/tracker.ts";
import { log } from "./log.ts";
import { RequestError } from "./server.ts";
import { presentSession, type Sessions } from "./sessions.ts";

/** The tracker, in the name of a user: by number, since a name in a user's own spool is her word. */
export interface ErrandTracker {
  find(uid: number, key: string): Promise<Ticket | undefined>;
  create(uid: number, subject: string): Promise<Ticket>;
  addNote(uid: number, key: string, text: string): Promise<void>;
}

const NAME = "tickets";
const KINDS: readonly EvidenceKind[] = ["session opened", "ticket switched", "note"];
const AT_A_TIME = 50;
/** How long a tracker that does not answer is left alone: twice as long each time, up to the second. */
const PAUSE_MS = { first: 1000, longest: 60_000 };

/** Runs them, one after the other. */
export class Errands {
  #isRunning = false;
  #pauseMs = 0;
  #dueMs = 0;

  constructor(
    readonly store: EvidenceStore,
    readonly outbox: Outbox,
    readonly sessions: Sessions,
    readonly tracker: ErrandTracker,
  ) {
    outbox.register(NAME, nowUs());
  }

  /** Does all that can be done now. @throws {EvidenceError} */
  async run(): Promise<void> {
    if (this.#isRunning || performance.now() < this.#dueMs) return;
    this.#isRunning = true;
    try {
      while (await this.#runSome());
      this.#pauseMs = 0;
    } catch (error) {
      if (!(error instanceof TrackerUnavailableError)) throw error;
      this.#pauseMs = Math.min(PAUSE_MS.longest, this.#pauseMs * 2 || PAUSE_MS.first);
      this.#dueMs = performance.now() + this.#pauseMs;
      this.outbox.failed(NAME, error.message, nowUs());
    } finally {
      this.#isRunning = false;
    }
  }

  /** @returns whether there may be more */
  async #runSome(): Promise<boolean> {
    const { seq: head } = this.store.head();
    const place = this.outbox.states().find(({ name }) => name === NAME)?.delivered ?? head;
    if (place >= head) return false;
    const events = this.outbox.pending(NAME, AT_A_TIME, KINDS);
    for (const event of events) {
      await this.#errandOf(event);
      this.outbox.delivered(NAME, event.seq, nowUs());
      // Peers come in between, however much a user's spool brings at once.
      await new Promise((resolve) => setTimeout(resolve));
    }
    if (events.length === AT_A_TIME) return true;
    this.outbox.delivered(NAME, head, nowUs());
    return false;
  }

  async #errandOf({ kind, session, data }: EvidenceEvent): Promise<void> {
    if (session === null || !data) return;
    const row = this.store.sessionBySeq(session);
    if (!row || row.uid === null) return;
    const { uid } = row;
    const { ticket, wanted, text, to } = data;
    if (kind === "ticket switched") {
      // The agent lets nobody switch to what it has not looked up.
      if (data.source === "user" && typeof to === "string") await this.#verify(session, uid, to);
    } else if (kind === "note") {
      // What the agent has recorded itself the tracker had before.
      if (data.source !== "user" || data.told === true) return;
      if (typeof ticket === "string" && typeof text === "string") {
        await this.#note(session, uid, ticket, text);
      }
    } else if (typeof wanted === "string") await this.#make(session, row.id, uid, wanted);
    else if (data.unverified === true && typeof ticket === "string") {
      await this.#verify(session, uid, ticket);
    }
  }

  async #note(session: number, uid: number, ticket: string, text: string): Promise<void> {
    try {
      await this.tracker.addNote(uid, ticket, text);
    } catch (error) {
      if (!(error instanceof TicketNotFoundError)) throw error;
      this.#say(session, { what: "note refused", ticket, words: error.message });
    }
  }

  async #make(session: number, id: string, uid: number, subject: string): Promise<void> {
    const { key } = await this.tracker.create(uid, subject);
    this.#say(session, { what: "ticket made", ticket: key, subject });
    const open = this.sessions.get(id);
    if (!open) return;
    const from = presentSession(open).ticket;
    // She may have gone to another one meanwhile.
    if (from !== null) return;
    try {
      this.sessions.say(open, { kind: "ticket switched", session: id, atUs: nowUs(), from, to: key });
    } catch (error) {
      // That is her loss alone: the ticket is made, and must not be made again.
      if (!(error instanceof RequestError)) throw error;
      log.warn("{reason}", { reason: error.message });
    }
  }

  async #verify(session: number, uid: number, key: string): Promise<void> {
    const ticket = await this.tracker.find(uid, key);
    if (ticket?.open) return this.#say(session, { what: "ticket verified", ticket: key });
    const words = ticket ? `ticket ${key} is ${ticket.status}` : `there is no ticket ${key}`;
    this.#say(session, { what: "ticket refused", ticket: key, words });
    log.error("the ticket that user {uid} gave while it could not be looked up is none: {words}", {
      uid,
      words,
      session,
    });
  }

  #say(session: number, data: Record<string, unknown>): void {
    this.store.transaction(() =>
      this.store.append(
        { kind: "agent", atUs: nowUs(), session, shell: null, uid: null, data },
        nowUs(),
      )
    );
  }
}
