/** Cuts what is new of a session into the parts of its story, and writes a part's comment. */

import { hexOf } from "../../evidence/chain.ts";
import type { PartRow, StoryRow } from "../../evidence/story_rows.ts";
import type { StoryEvent } from "../../evidence/story_events.ts";
import { nowUs } from "../../record/clock.ts";
import { footOf, headOf, type PartPlace, type StoryFacts } from "../../trackers/story/frame.ts";
import { blocksOf, Measure } from "../../trackers/story/parts.ts";
import { type Piece, piecesOf } from "../../trackers/story/pieces.ts";
import { type Author, entryOf, factsOf, isOf } from "./author.ts";

/** How many events are cut at once: the agent does nothing else meanwhile. */
const AT_ONCE = 100;
/**
 * The most parts of a story: some fifty thousand commands. Who has her shell run more of them fills no tracker; the last part
 * says that there is more, and where.
 */
const MOST_PARTS = 200;
/** For how long, in milliseconds: it takes much longer to look for secrets in some texts than in others. */
const MOST_MS = 50;

/**
 * Puts the next entries of a story into parts: what is in which one never changes any more.
 *
 * @returns whether there may be more
 * @throws {EvidenceError}
 */
export function cutSome(author: Author, story: StoryRow): boolean {
  return author.store.transaction(() => {
    const { events, upTo } = author.events.between(story.session, story.cut, story.news, AT_ONCE);
    const cut = new Cut(author, { ...story });
    const startMs = performance.now();
    let done = upTo;
    for (const [i, event] of events.entries()) {
      cut.take(event);
      if (i === events.length - 1 || performance.now() - startMs < MOST_MS) continue;
      done = event.seq;
      break;
    }
    cut.finish(done);
    return done < story.news;
  });
}

/** One cut, within its transaction. */
class Cut {
  readonly #facts: StoryFacts;
  /** By the storybook's markup as it is now: some know theirs when they have been asked. */
  readonly #measure: Measure;
  #part: PartRow;
  /** Which patterns have hit, by the event. */
  readonly #masked = new Map<number, Set<string>>();

  constructor(readonly author: Author, readonly story: StoryRow) {
    this.#facts = factsOf(author, story);
    this.#measure = new Measure(author.book.markup);
    this.#part = author.rows.lastPart(story.id) ?? this.#next(1, story.cut + 1, 0, story.cut);
  }

  take(event: StoryEvent): void {
    const { author, story } = this;
    if (event.kind === "command ended") return this.#ended(event);
    const entry = entryOf(author, story, event, (pattern) => this.#hid(event.seq, pattern));
    // A session that has gone on to another ticket ends there.
    const isEnd = event.kind === "session closed" && !this.#facts.left;
    if (isEnd || (event.kind === "ticket switched" && entry)) this.#frameChanges(event.seq);
    if (!entry) return;
    if (entry.kind === "command") {
      story.commands++;
      if (!event.endsLater && isFailure(event)) story.failures++;
    }
    piecesOf(entry).forEach((piece, i) => this.#put(piece, event.seq, i));
  }

  finish(upTo: number): void {
    const { author: { rows, masked }, story } = this;
    rows.savePart(story.id, this.#part);
    rows.saveCut({ ...story, cut: upTo });
    const hits = this.#masked.entries().map(([seq, patterns]) => ({
      seq,
      session: story.session,
      patterns: [...patterns],
    }));
    masked.say(hits, nowUs());
  }

  #put(piece: Piece, seq: number, index: number): void {
    const { rows } = this.author;
    const measure = this.#measure;
    if (this.#part.number === MOST_PARTS) return;
    let filling = measure.with(this.#part, piece);
    if (filling.size > measure.most) {
      // It says that it goes on.
      rows.savePart(this.story.id, { ...this.#part, wanted: seq });
      this.#part = this.#next(this.#part.number + 1, seq, index, seq);
      if (this.#part.number === MOST_PARTS) return;
      filling = measure.with(this.#part, piece);
    }
    this.#part = { ...this.#part, ...filling, wanted: seq };
  }

  #next(number: number, first: number, firstPiece: number, wanted: number): PartRow {
    const place: PartPlace = {
      number,
      isLast: number > 1,
      mark: markOf(this.#facts, number, "0".repeat(16)),
    };
    const frame = [...headOf(this.#facts, place), ...footOf(this.#facts, place)];
    return {
      number,
      first,
      firstPiece,
      ...this.#measure.frame(frame),
      wanted,
      told: 0,
      comment: null,
      mark: null,
    };
  }

  /** The first part says how the session ended, or went on, and the last one as well. */
  #frameChanges(seq: number): void {
    const { rows } = this.author;
    this.#part = { ...this.#part, wanted: seq };
    const first = this.#part.number === 1 ? undefined : rows.part(this.story.id, 1);
    if (first) rows.savePart(this.story.id, { ...first, wanted: seq });
  }

  #ended(event: StoryEvent): void {
    const { author, story } = this;
    if (event.command === null || !isOf(author, story, event.ticket)) return;
    // One that an earlier story of its ticket has.
    const number = author.rows.partWith(story.id, event.command)?.number;
    if (isFailure(event)) story.failures++;
    if (number === undefined || number === this.#part.number) {
      this.#part = { ...this.#part, wanted: event.seq };
      return;
    }
    const part = author.rows.part(story.id, number);
    if (part) author.rows.savePart(story.id, { ...part, wanted: event.seq });
  }

  #hid(seq: number, pattern: string): void {
    const patterns = this.#masked.get(seq) ?? new Set();
    this.#masked.set(seq, patterns.add(pattern));
  }
}

function isFailure({ end }: StoryEvent): boolean {
  return end !== undefined && end.exitCode !== null && end.exitCode !== 0;
}

/**
 * What a part's comment is found by. Its last word is made when the comment is: nobody could have written it anywhere before.
 *
 * @param nonce 16 hexadecimal digits
 */
export function markOf({ session }: StoryFacts, number: number, nonce: string): string {
  return `srvAudit session ${session} part ${number} ${nonce}`;
}

/** @returns a nonce for `markOf` */
export function newNonce(): string {
  return hexOf(crypto.getRandomValues(new Uint8Array(8)));
}

/**
 * Writes the comment of a part from what is in evidence.
 *
 * @param part one that has its mark
 */
export function bodyOf(author: Author, story: StoryRow, part: PartRow): string {
  const { rows, events, book } = author;
  const next = rows.part(story.id, part.number + 1);
  const upTo = next ? next.first : story.cut;
  const pieces: Piece[] = [];
  const facts = factsOf(author, story);
  if (part.number === MOST_PARTS) pieces.push({ kind: "text", text: restOf(facts) });
  else {for (const event of events.between(story.session, part.first - 1, upTo, -1).events) {
      const entry = entryOf(author, story, event);
      if (!entry) continue;
      const from = event.seq === part.first ? part.firstPiece : 0;
      const to = event.seq === next?.first ? next.firstPiece : undefined;
      pieces.push(...piecesOf(entry).slice(from, to));
    }}
  const place: PartPlace = { number: part.number, isLast: next === undefined, mark: part.mark ?? "" };
  return book.markup.render([...headOf(facts, place), ...blocksOf(pieces), ...footOf(facts, place)]);
}

function restOf({ host, session }: StoryFacts): string {
  return `There is too much more to be told here. The evidence of ${host} has all of it: ` +
    `srvaudit follow --session ${session}`;
}
