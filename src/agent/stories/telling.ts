/** Tells a story: one comment at a time, each once, whatever is killed when. */

import type { PartRow, StoryRow } from "../../evidence/story_rows.ts";
import { CommentGoneError } from "../../trackers/tracker.ts";
import { type Author, factsOf } from "./author.ts";
import { bodyOf, cutSome, markOf, newNonce } from "./cutting.ts";

/** How much of a story is cut before others have their turn: see `cutSome`. */
const CUTS = 10;
/** What a user says of times herself is not logged as work beyond a day. */
const LONGEST_OWN_WORD_US = 86_400_000_000;

/** Asks the tracker something, within its patience. */
export type Request = <Result>(work: (signal: AbortSignal) => Promise<Result>) => Promise<Result>;

/**
 * What came of it. `told`: all of it is. `more`: the next part can be told. `later`: nothing can be told before something happens.
 */
export type Outcome = "told" | "more" | "later";

/**
 * Tells the next part of a story.
 *
 * @param id the story's
 * @param canEdit whether comments can be changed; if not, a story is told when it is over
 * @param request how to ask the tracker
 * @throws {EvidenceError} and whatever the request throws
 */
export async function tellSome(
  author: Author,
  id: number,
  canEdit: boolean,
  request: Request,
): Promise<Outcome> {
  const { rows, store } = author;
  let isMore = true;
  for (let cuts = 0; isMore && cuts < CUTS; cuts++) {
    const story = rows.one(id);
    if (!story) return "told";
    isMore = (story.cut < story.news || !rows.lastPart(id)) && cutSome(author, story);
    if (isMore) await turn();
    author.end.throwIfAborted();
  }
  const story = rows.one(id);
  if (!story || story.standing === "false") return "told";
  if (story.standing === "unverified") return "later";
  if (!canEdit && (isMore || !story.isOver)) return isMore ? "more" : "later";
  const part = rows.wantedPart(id);
  if (part) await tellPart(author, story, part, canEdit, request);
  else if (story.isOver && !story.isLogged && author.logsTime) await logTime(author, story, request);
  if (story.tries > 0) store.transaction(() => rows.release(id));
  if (isMore || rows.wantedPart(id)) return "more";
  const now = rows.one(id);
  if (now?.isOver && !now.isLogged && author.logsTime) return "more";
  return store.transaction(() => rows.settle(id)) ? "told" : "later";
}

async function tellPart(
  author: Author,
  story: StoryRow,
  part: PartRow,
  canEdit: boolean,
  request: Request,
): Promise<void> {
  const { book } = author;
  const save = (change: Partial<PartRow>) => saveOf(author, story, part, change);
  const { ticket } = story;
  let { comment, mark } = part;
  if (comment === null && mark !== null) {
    // It was begun, and nobody knows how that ended.
    const begun = mark;
    comment = await request((signal) => book.find(ticket, begun, signal)) ?? null;
    if (comment !== null) save({ comment });
  }
  if (comment === null) {
    if (mark === null) {
      mark = markOf(factsOf(author, story), part.number, newNonce());
      save({ mark });
    }
    const body = bodyOf(author, story, { ...part, mark });
    comment = await request((signal) => book.add(ticket, body, signal));
    return save({ mark, comment, told: part.wanted });
  }
  if (!canEdit) return save({ mark, comment, told: part.wanted });
  const id = comment;
  const body = bodyOf(author, story, part);
  try {
    await request((signal) => book.edit(ticket, id, body, signal));
    save({ comment, told: part.wanted });
  } catch (error) {
    if (!(error instanceof CommentGoneError)) throw error;
    // What it was found by may stand in others by now.
    save({ comment: null, mark: null });
  }
}

/** On the disk when it returns. */
function saveOf({ store, rows }: Author, story: StoryRow, part: PartRow, change: Partial<PartRow>): void {
  store.transaction(() => rows.savePart(story.id, { ...part, ...change }));
}

async function logTime(author: Author, story: StoryRow, request: Request): Promise<void> {
  const { book, rows, store } = author;
  const facts = factsOf(author, story);
  const nonce = rows.part(story.id, 1)?.mark?.split(" ").at(-1) ?? "";
  const mark = `srvAudit session ${facts.session} ${nonce}`;
  const isBelievable = !facts.isLate || facts.spentUs <= LONGEST_OWN_WORD_US;
  if (isBelievable && story.uid !== null) {
    const time = {
      person: { uid: story.uid, name: facts.user },
      startUs: facts.cameUs ?? facts.openedUs,
      seconds: Math.max(1, Math.round(facts.spentUs / 1e6)),
      comment: `${facts.user} on ${facts.host}, ${facts.commands} commands; ${mark}`,
      mark,
    };
    await request((signal) => book.logTime(story.ticket, time, signal));
  }
  store.transaction(() => rows.setLogged(story.id));
}

/** Lets others have their turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
