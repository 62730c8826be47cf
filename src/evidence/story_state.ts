/** How the stories are, for whoever asks about the host. */

import type { DatabaseSync } from "node:sqlite";
import { number, numberOrNull, text } from "./cells.ts";

/** What is not told yet. */
export interface StoriesState {
  /** How many have something to tell, those of sessions that go on included. */
  waiting: number;
  /** Since when the oldest one of a session that is over waits, or null. */
  oldestUs: number | null;
  /** How many wait until their tickets can be looked up. */
  unverified: number;
  /** Those that the tracker refuses, oldest first; the first few of them. */
  held: HeldStory[];
  heldCount: number;
  /** How many wait for another tracker than the config's, by that tracker's kind and address. */
  asleep: { tracker: string; count: number }[];
}

/** A story that the tracker refuses. */
export interface HeldStory {
  ticket: string;
  sinceUs: number;
  /** The tracker's words. */
  error: string;
}

/** The state of who has none. */
export const NO_STORIES: StoriesState = {
  waiting: 0,
  oldestUs: null,
  unverified: 0,
  held: [],
  heldCount: 0,
  asleep: [],
};

const MOST_SHOWN = 10;
const WAITING = "waiting_us is not null and standing <> 'false'";

/** @param database one of the present version */
export function storiesState(database: DatabaseSync): StoriesState {
  const counts = database.prepare(`select
      count(*) filter (where standing = 'true' and held_us is null) as waiting,
      min(waiting_us) filter (where standing = 'true' and held_us is null and is_over) as oldest_us,
      count(*) filter (where standing = 'unverified') as unverified,
      count(*) filter (where held_us is not null) as held
    from story where ${WAITING} and not is_asleep`).get() ?? {};
  const held = database.prepare(`select ticket, held_us, error from story
    where ${WAITING} and not is_asleep and held_us is not null order by held_us limit ?`).all(MOST_SHOWN);
  const asleep = database.prepare(
    `select tracker, count(*) as count from story where ${WAITING} and is_asleep group by tracker order by tracker`,
  ).all();
  return {
    waiting: number(counts.waiting),
    oldestUs: numberOrNull(counts.oldest_us),
    unverified: number(counts.unverified),
    heldCount: number(counts.held),
    held: held.map((row) => ({
      ticket: text(row.ticket),
      sinceUs: number(row.held_us),
      error: text(row.error),
    })),
    asleep: asleep.map((row) => ({ tracker: text(row.tracker), count: number(row.count) })),
  };
}
