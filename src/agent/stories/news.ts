/** Finds out what is new for stories in evidence: begins them, ends them, and says which have something to tell. */

import type { Outbox } from "../../evidence/outbox.ts";
import type { EvidenceStore } from "../../evidence/store.ts";
import type { StoryEvents, StoryNews } from "../../evidence/story_events.ts";
import type { StoryRow, StoryRows } from "../../evidence/story_rows.ts";
import { nowUs } from "../../record/clock.ts";

/** The name of the consumer. */
export const CONSUMER = "stories";

/** How many events are looked through at once. */
const AT_ONCE = 20_000;

/** How soon something is to be told: with the next commands, after the two seconds that a short session may have, or now. */
export type Urgency = "usual" | "soon" | "now";

/** Who is to be told. */
export interface Reader {
  /** The tracker, by kind and address. */
  tracker: string;
  keyOf(ticket: string): string;
}

/** What is new, from where it was last looked. */
export class News {
  #place: number;

  /**
   * Registers the consumer, unless it is. What was open before somebody listened again may be over by now.
   *
   * @throws {EvidenceError}
   */
  constructor(
    readonly store: EvidenceStore,
    readonly outbox: Outbox,
    readonly rows: StoryRows,
    readonly events: StoryEvents,
  ) {
    this.#place = store.transaction(() => {
      const known = this.#registered();
      if (known !== undefined) return known;
      outbox.register(CONSUMER, nowUs());
      const { seq } = store.head();
      for (const { id, session } of rows.open()) {
        rows.addNews(id, seq, nowUs());
        if (store.isSessionClosed(session)) rows.endSession(session);
      }
      return seq;
    });
  }

  #registered(): number | undefined {
    return this.outbox.states().find(({ name }) => name === CONSUMER)?.delivered;
  }

  /**
   * Looks through what is new, a part of it at a time.
   *
   * @param trouble why nothing can be told just now, if so
   * @returns the stories that have news; undefined when there is nothing more
   * @throws {EvidenceError}
   */
  take(reader: Reader, trouble: string | undefined): Map<StoryRow, Urgency> | undefined {
    const { seq: head } = this.store.head();
    if (head <= this.#place) return undefined;
    const upTo = Math.min(head, this.#place + AT_ONCE);
    const urgencies = this.store.transaction(() => {
      const news = this.events.news(this.#place, upTo);
      const marks = new Marks(this.store, this.rows, reader);
      for (const event of news.events) marks.take(event);
      for (const { session, seq } of news.commands) marks.addAll(session, seq, "usual");
      this.outbox.delivered(CONSUMER, upTo, nowUs());
      if (trouble !== undefined) this.outbox.failed(CONSUMER, trouble, nowUs());
      return marks.found();
    });
    this.#place = upTo;
    return urgencies;
  }
}

/** What is found in one stretch of the evidence, within its transaction. */
class Marks {
  readonly #found = new Map<number, { urgency: Urgency; seq: number }>();
  readonly #nowUs = nowUs();

  constructor(readonly store: EvidenceStore, readonly rows: StoryRows, readonly reader: Reader) {}

  take({ seq, kind, session, data }: StoryNews["events"][number]): void {
    // A session that began without the agent is its user's word, like one whose ticket nobody could look up.
    const isDoubtful = data.source === "user" || data.unverified === true;
    switch (kind) {
      case "session opened":
        if (typeof data.ticket === "string") this.#begin(session, data.ticket, seq, isDoubtful);
        return;
      case "ticket switched":
        if (typeof data.to === "string") this.#begin(session, data.to, seq, isDoubtful);
        return this.addAll(session, seq, "now");
      case "session closed":
        this.rows.endSession(session);
        return this.addAll(session, seq, "now");
      case "note":
      case "status":
        if (typeof data.ticket === "string") this.#add(this.#storyOf(session, data.ticket), seq, "now");
        return;
      case "agent":
        return this.#agent(session, seq, data);
      default:
        this.addAll(session, seq, "usual");
    }
  }

  #agent(session: number, seq: number, { what, ticket }: Readonly<Record<string, unknown>>): void {
    const story = typeof ticket === "string" ? this.#storyOf(session, ticket) : undefined;
    if (what === "gap") this.addAll(session, seq, "usual");
    else if (what === "ticket made" && typeof ticket === "string") this.#begin(session, ticket, seq, false);
    else if (what === "ticket verified" && story) {
      this.rows.setStanding(story.id, "true");
      this.#add(story, seq, "now");
    } else if (what === "ticket refused" && story?.standing === "unverified") {
      this.rows.setStanding(story.id, "false");
    }
  }

  /** News for all stories of a session. */
  addAll(session: number, seq: number, urgency: Urgency): void {
    for (const story of this.rows.ofSession(session)) this.#add(story, seq, urgency);
  }

  #storyOf(session: number, ticket: string): StoryRow | undefined {
    const key = this.reader.keyOf(ticket);
    return this.rows.ofSession(session).find((story) =>
      story.ticket === key && story.tracker === this.reader.tracker
    );
  }

  /** Begins a story, or goes on with the one that there is. */
  #begin(session: number, ticket: string, seq: number, isDoubtful: boolean): void {
    const known = this.#storyOf(session, ticket);
    if (known) {
      if (!isDoubtful) this.rows.setStanding(known.id, "true");
      return this.#add(known, seq, "now");
    }
    const row = this.store.sessionBySeq(session);
    if (!row) return;
    // The first ticket's story has what came before there was one.
    const isFirst = this.rows.ofSession(session).length === 0 && row.opened.ticket === null;
    const isOpening = seq === session;
    this.rows.begin({
      tracker: this.reader.tracker,
      session,
      ticket: this.reader.keyOf(ticket),
      uid: row.uid,
      standing: isDoubtful ? "unverified" : "true",
      adopts: isFirst || isOpening,
      isOver: this.store.isSessionClosed(session),
      cut: isFirst || isOpening ? session : seq - 1,
    });
    this.#add(this.#storyOf(session, ticket), seq, isOpening ? "soon" : "now");
  }

  #add(story: StoryRow | undefined, seq: number, urgency: Urgency): void {
    if (!story) return;
    this.rows.addNews(story.id, seq, this.#nowUs);
    const before = this.#found.get(story.id);
    this.#found.set(story.id, {
      seq,
      urgency: before && RANKS[before.urgency] > RANKS[urgency] ? before.urgency : urgency,
    });
  }

  /** As they are now. */
  found(): Map<StoryRow, Urgency> {
    const stories = new Map<StoryRow, Urgency>();
    for (const [id, { urgency }] of this.#found) {
      const story = this.rows.one(id);
      if (story) stories.set(story, urgency);
    }
    return stories;
  }
}

const RANKS: Readonly<Record<Urgency, number>> = { usual: 0, soon: 1, now: 2 };
