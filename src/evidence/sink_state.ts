/** What sinks have refused, for whoever asks about the host. */

import type { DatabaseSync } from "node:sqlite";
import { number, text } from "./cells.ts";

/** The dead letters of a sink. */
export interface DeadLetters {
  sink: string;
  count: number;
  /** How many of them are to be sent once more. */
  again: number;
  /** The newest ones, newest first; a few of them. */
  newest: { seq: number; atUs: number; reason: string }[];
}

const MOST_SHOWN = 3;

/** @param database one of the present version @returns those of each sink that has some, by name */
export function deadLetters(database: DatabaseSync): DeadLetters[] {
  const sinks = database.prepare(`select sink, count(*) as count, sum(again) as again from dead_letter
    group by sink order by sink`).all();
  const newest = database.prepare(`select seq, at_us, reason from dead_letter where sink = ?
    order by at_us desc, seq desc limit ?`);
  return sinks.map((row) => ({
    sink: text(row.sink),
    count: number(row.count),
    again: number(row.again),
    newest: newest.all(text(row.sink), MOST_SHOWN).map((letter) => ({
      seq: number(letter.seq),
      atUs: number(letter.at_us),
      reason: text(letter.reason),
    })),
  }));
}
