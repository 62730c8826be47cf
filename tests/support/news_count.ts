/** Counts what sinks have heard against what is in evidence. */

import { newsId } from "../../src/sinks/news_id.ts";

/** The kinds of events that every sink is told of. */
const KINDS = [
  "session opened",
  "session closed",
  "ticket switched",
  "note",
  "status",
  "command",
  "command ended",
  "tamper",
];

/** Finds the events that sinks are to be told of, the oldest first: rows of `ToTell`, with the hash in `id`. */
export const TO_TELL = `select seq, hex(hash) as id, kind from event
  where kind in (${KINDS.map((kind) => `'${kind}'`).join(", ")}) order by seq`;

/** An event that sinks are to be told of. */
export interface ToTell {
  seq: number;
  /** By which sinks know it. */
  id: string;
  kind: string;
}

/** @param rows what `TO_TELL` finds */
export function toTell(rows: readonly ToTell[]): ToTell[] {
  return rows.map((row) => ({
    ...row,
    id: newsId(Uint8Array.from(row.id.match(/../g) ?? [], (pair) => parseInt(pair, 16))),
  }));
}

/** What a sink has heard; all but `doubled` is 0 where all is well. */
export interface NewsCount {
  lost: number;
  /** It is in no evidence. */
  invented: number;
  /** Behind which there is one that is older: what comes twice counts where it came first. */
  disordered: number;
  /** It came once more, by the same id. */
  doubled: number;
}

/** @param heard the ids of what was taken, in the order of their coming */
export function countNews(events: readonly ToTell[], heard: readonly string[]): NewsCount {
  const seqs = new Map(events.map(({ id, seq }) => [id, seq]));
  const firsts = new Set(heard);
  const known = [...firsts].flatMap((id) => seqs.get(id) ?? []);
  return {
    lost: events.length - known.length,
    invented: firsts.size - known.length,
    disordered: known.filter((seq, i) => seq < (known[i - 1] ?? 0)).length,
    doubled: heard.length - firsts.size,
  };
}
