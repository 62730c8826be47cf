/** The stories of login sessions, and the parts that they are told in, as rows. `schema.ts` says what each column means. */

import type { DatabaseSync } from "node:sqlite";
import { number, numberOrNull, text, textOrNull } from "./cells.ts";

/** Whether the ticket is known to be one: a false one's story is never told. */
export type Standing = "true" | "unverified" | "false";

/** What is told of one session on one ticket. */
export interface StoryRow {
  id: number;
  /** The tracker, by kind and address. */
  tracker: string;
  /** The `seq` of the session's opening. */
  session: number;
  /** As the tracker writes it. */
  ticket: string;
  uid: number | null;
  standing: Standing;
  /** Whether the session's commands without a ticket belong to it. */
  adopts: boolean;
  /** Whether the session is closed. */
  isOver: boolean;
  /** Whether it is another tracker's than the config's. */
  isAsleep: boolean;
  isLogged: boolean;
  /** The `seq` up to which its entries lie in parts, and up to which there may be some. */
  cut: number;
  news: number;
  commands: number;
  failures: number;
  /** Since when something is to be told. */
  waitingUs: number | null;
  heldUs: number | null;
  tries: number;
}

/** One comment of a story. */
export interface PartRow {
  /** Counts from 1. */
  number: number;
  /** The `seq` of the event, and the number of the piece of it, that it begins with. */
  first: number;
  firstPiece: number;
  /** How much of the tracker's limit it takes up at most. */
  size: number;
  /** The day that the lines at its end are of, or ''. */
  day: string;
  wanted: number;
  told: number;
  /** The comment's id, once there is one. */
  comment: string | null;
  /** What it is found by: set before there is a comment. */
  mark: string | null;
}

/** A story to be begun. */
export type NewStory = Pick<
  StoryRow,
  "tracker" | "session" | "ticket" | "uid" | "standing" | "adopts" | "isOver" | "cut"
>;

/** The statements; for one open database. Within a transaction of the store's, each of them. */
export class StoryRows {
  readonly #database;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#one = database.prepare("select * from story where id = ?");
    this.#ofSession = database.prepare("select * from story where session = ? order by id");
    this.#begin = database.prepare(`insert or ignore into story
      (tracker, session, ticket, uid, standing, adopts, is_over, cut, news) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#news = database.prepare(`update story set news = max(news, ?), waiting_us = coalesce(waiting_us, ?)
      where id = ? and standing <> 'false'`);
    this.#cut = database.prepare("update story set cut = ?, commands = ?, failures = ? where id = ?");
    this.#settle = database.prepare(
      `update story set waiting_us = null, held_us = null, error = null, tries = 0
      where id = ? and cut >= news
        and not exists (select 1 from story_part p where p.story = story.id and p.wanted > p.told)`,
    );
    this.#hold = database.prepare(
      `update story set held_us = coalesce(held_us, ?), error = ?, tries = tries + 1
      where id = ?`,
    );
    this.#parts = database.prepare("select * from story_part where story = ? order by number");
    this.#lastPart = database.prepare(
      "select * from story_part where story = ? order by number desc limit 1",
    );
    this.#onePart = database.prepare("select * from story_part where story = ? and number = ?");
    this.#wantedPart = database.prepare(`select * from story_part where story = ? and wanted > told
      order by number limit 1`);
    this.#partOf = database.prepare(`select * from story_part where story = ?
      and (first < ? or (first = ? and first_piece = 0)) order by number desc limit 1`);
    this.#savePart = database.prepare(`insert or replace into story_part
      (story, number, first, first_piece, size, day, wanted, told, comment, mark)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  }

  readonly #one;
  readonly #ofSession;
  readonly #begin;
  readonly #news;
  readonly #cut;
  readonly #settle;
  readonly #hold;
  readonly #parts;
  readonly #lastPart;
  readonly #onePart;
  readonly #wantedPart;
  readonly #partOf;
  readonly #savePart;

  one(id: number): StoryRow | undefined {
    const row = this.#one.get(id);
    return row && storyOf(row);
  }

  /** Those of a session, in the order in which it came to their tickets first. */
  ofSession(session: number): StoryRow[] {
    return this.#ofSession.all(session).map(storyOf);
  }

  /** Begins a story, unless there is one. */
  begin({ tracker, session, ticket, uid, standing, adopts, isOver, cut }: NewStory): void {
    this.#begin.run(tracker, session, ticket, uid, standing, Number(adopts), Number(isOver), cut, cut);
  }

  /** There may be something new up to that event. */
  addNews(id: number, seq: number, nowUs: number): void {
    this.#news.run(seq, nowUs, id);
  }

  setStanding(id: number, standing: Standing): void {
    this.#database.prepare(
      `update story set standing = ?, waiting_us = case when ? = 'false' then null else waiting_us end
       where id = ?`,
    ).run(standing, standing, id);
  }

  /** The sessions' stories are over when it is; of those that others are told as well. */
  endSession(session: number): void {
    this.#database.prepare("update story set is_over = 1 where session = ?").run(session);
  }

  saveCut({ id, cut, commands, failures }: StoryRow): void {
    this.#cut.run(cut, commands, failures, id);
  }

  /** All of it is told, unless there is news. @returns whether it is */
  settle(id: number): boolean {
    return Number(this.#settle.run(id).changes) > 0;
  }

  hold(id: number, error: string, nowUs: number): void {
    this.#hold.run(nowUs, error, id);
  }

  /** The tracker takes it again. */
  release(id: number): void {
    this.#database.prepare("update story set held_us = null, error = null, tries = 0 where id = ?").run(id);
  }

  setLogged(id: number): void {
    this.#database.prepare("update story set is_logged = 1 where id = ?").run(id);
  }

  parts(story: number): PartRow[] {
    return this.#parts.all(story).map(partOf);
  }

  lastPart(story: number): PartRow | undefined {
    const row = this.#lastPart.get(story);
    return row && partOf(row);
  }

  part(story: number, number: number): PartRow | undefined {
    const row = this.#onePart.get(story, number);
    return row && partOf(row);
  }

  /** The first of those that are to be told. */
  wantedPart(story: number): PartRow | undefined {
    const row = this.#wantedPart.get(story);
    return row && partOf(row);
  }

  /** The one that the first piece of an event lies in. */
  partWith(story: number, seq: number): PartRow | undefined {
    const row = this.#partOf.get(story, seq, seq);
    return row && partOf(row);
  }

  savePart(story: number, part: PartRow): void {
    const { number, first, firstPiece, size, day, wanted, told, comment, mark } = part;
    this.#savePart.run(story, number, first, firstPiece, size, day, wanted, told, comment, mark);
  }

  /** Those of a tracker that have something to tell. */
  waiting(tracker: string): StoryRow[] {
    return this.#database.prepare(
      "select * from story where waiting_us is not null and tracker = ? order by id",
    )
      .all(tracker).map(storyOf);
  }

  /** Lets the stories of all other trackers sleep. @returns how many of those have something to tell */
  wake(tracker: string): number {
    this.#database.prepare("update story set is_asleep = (tracker <> ?) where is_asleep <> (tracker <> ?)")
      .run(tracker, tracker);
    const row = this.#database.prepare(
      "select count(*) as count from story where waiting_us is not null and is_asleep",
    ).get();
    return number(row?.count);
  }

  /** Forgets what is wrong with stories: it may be mended. */
  forgetTries(): void {
    this.#database.prepare("update story set tries = 0 where tries > 0").run();
  }

  /** Those whose session is not known to be closed, of every tracker. */
  open(): StoryRow[] {
    return this.#database.prepare("select * from story where not is_over order by id").all().map(storyOf);
  }

  /** Removes those whose session's events are gone. @returns those that were not told wholly */
  removeOld(): StoryRow[] {
    const gone = "session < (select min(seq) from event)";
    const untold = this.#database.prepare(
      `select * from story where ${gone} and waiting_us is not null and standing <> 'false'`,
    ).all().map(storyOf);
    this.#database.exec(`delete from story_part where story in (select id from story where ${gone})`);
    this.#database.exec(`delete from story where ${gone}`);
    return untold;
  }
}

function storyOf(row: Record<string, unknown>): StoryRow {
  const standing = text(row.standing);
  return {
    id: number(row.id),
    tracker: text(row.tracker),
    session: number(row.session),
    ticket: text(row.ticket),
    uid: numberOrNull(row.uid),
    standing: standing === "true" || standing === "unverified" ? standing : "false",
    adopts: row.adopts === 1,
    isOver: row.is_over === 1,
    isAsleep: row.is_asleep === 1,
    isLogged: row.is_logged === 1,
    cut: number(row.cut),
    news: number(row.news),
    commands: number(row.commands),
    failures: number(row.failures),
    waitingUs: numberOrNull(row.waiting_us),
    heldUs: numberOrNull(row.held_us),
    tries: number(row.tries),
  };
}

function partOf(row: Record<string, unknown>): PartRow {
  return {
    number: number(row.number),
    first: number(row.first),
    firstPiece: number(row.first_piece),
    size: number(row.size),
    day: text(row.day),
    wanted: number(row.wanted),
    told: number(row.told),
    comment: textOrNull(row.comment),
    mark: textOrNull(row.mark),
  };
}
