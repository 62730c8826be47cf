/**
 * Removes what is too old, or too much.
 *
 * The chain stays whole: rows go from its front alone, and the hash of the last one that went is kept as the anchor that
 * the rest begins after. Each transaction says so on the chain itself, so that no other anchor can be put there unseen.
 */

import { hexOf } from "./chain.ts";
import type { EvidenceStore } from "./store.ts";

/** How many rows go in one transaction: the agent does nothing else meanwhile. */
const ROWS = 2000;

/** How much of rows goes at least for the size: more than what is said of it takes. */
const LEAST_BYTES = 65_536;

/** How many pages are given back to the disk at a time. */
const PAGES = 500;

const DAY_US = 86_400_000_000;

/** What may stay. */
export interface RetentionLimits {
  /** Events that were taken in longer ago go; 0 keeps them for ever. */
  keepDays: number;
  /** The most bytes that the database may have; 0 for no such limit. The oldest events go first. */
  maxBytes: number;
  nowUs: number;
}

/** Who keeps events from being removed. */
interface Holder {
  kind: "session" | "consumer" | "story";
  /** The session's id, or the consumer's name; of a story the ticket that it is for. */
  name: string;
  /** The last event that may go. */
  upTo: number;
}

/** What was done. */
export interface RetentionReport {
  /** How many events were removed for their age, and how many for the size. */
  tooOld: number;
  tooMuch: number;
  /** The bytes that the database has now. */
  bytes: number;
  /** Why something that should have gone is still there, in words, or null. */
  unmet: string | null;
}

/**
 * Removes what is over the limits: never an event that a consumer waits for, nor one of a session that is open, or whose
 * story waits for its tracker, nor any behind such a one. Between its transactions, others have their turn.
 *
 * @throws {EvidenceError} where the database refuses; what was removed till then is removed properly
 *
 * @example
 * ```ts
 * const report = await removeOld(store, { keepDays: 400, maxBytes: 20e9, nowUs: nowUs() });
 * if (report.unmet) log.warn(report.unmet);
 * ```
 */
export async function removeOld(store: EvidenceStore, limits: RetentionLimits): Promise<RetentionReport> {
  // Sessions close and consumers move on meanwhile, and new ones begin at the end: nothing that may go becomes held.
  const holder = holderOf(store);
  const end = holder?.upTo ?? store.head().seq;
  const oldest = limits.keepDays > 0 ? lastBefore(store, limits.nowUs - limits.keepDays * DAY_US) : 0;
  let tooOld = 0;
  for (let count = -1; count !== 0; await turn()) {
    count = removeSome(store, Math.min(oldest, end, nextRows(store)), "age", limits.nowUs);
    tooOld += count;
  }
  let tooMuch = 0;
  for (let count = -1; count !== 0 && isOver(store, limits); await turn()) {
    const excess = bytesOf(store) - limits.maxBytes;
    count = removeSome(store, Math.min(end, nextBytes(store, excess)), "size", limits.nowUs);
    tooMuch += count;
  }
  await shrink(store);
  const bytes = bytesOf(store);
  return { tooOld, tooMuch, bytes, unmet: unmetBy(store, limits, holder, oldest > end) };
}

/** The last of as many first rows as may go at once. */
function nextRows({ database }: EvidenceStore): number {
  return Number(database.prepare("select min(seq) as seq from event").get()?.seq ?? 0) + ROWS - 1;
}

/** The last of the first rows that have so many bytes, as far as that can be told: of rows with long texts a few do. */
function nextBytes(store: EvidenceStore, bytes: number): number {
  const last = store.database.prepare(`select max(seq) as seq from (
      select seq, sum(size) over (order by seq) - size as before from (
        select seq, 100 + coalesce(length(data), 0) + coalesce(length(directory), 0) + coalesce(length(text), 0)
          + coalesce(length(text_bytes), 0) as size from event where seq <= ?))
    where before < ?`).get(nextRows(store), Math.max(bytes, LEAST_BYTES));
  return Number(last?.seq ?? 0);
}

/** Removes the first rows, up to `upTo`. @returns how many */
function removeSome(store: EvidenceStore, upTo: number, because: "age" | "size", nowUs: number): number {
  const { database } = store;
  return store.transaction(() => {
    const last = database.prepare("select seq, hash from event where seq <= ? order by seq desc limit 1").get(
      upTo,
    );
    if (!(last?.hash instanceof Uint8Array)) return 0;
    const seq = Number(last.seq);
    database.prepare("insert or replace into anchor (id, seq, hash) values (1, ?, ?)").run(seq, last.hash);
    const count = Number(database.prepare("delete from event where seq <= ?").run(seq).changes);
    const data = { what: "retention", because, upTo: seq, hash: hexOf(last.hash), count };
    store.append({ kind: "agent", atUs: nowUs, session: null, shell: null, uid: null, data }, nowUs);
    return count;
  });
}

/** The one who holds the most. */
function holderOf({ database }: EvidenceStore): Holder | undefined {
  const holders: Holder[] = [];
  const consumer = database.prepare("select name, delivered from consumer order by delivered, name limit 1")
    .get();
  if (consumer) {
    holders.push({ kind: "consumer", name: String(consumer.name), upTo: Number(consumer.delivered) });
  }
  const session = database.prepare(`select seq, json_extract(data, '$.session') as id from event
    where kind = 'session opened' and data is not null and not exists (select 1 from event x
      where x.kind = 'session closed' and x.session = event.seq and x.data is not null) order by seq limit 1`)
    .get();
  if (session) holders.push({ kind: "session", name: String(session.id), upTo: Number(session.seq) - 1 });
  // What no tracker wants to hear, or none that is there, keeps nothing.
  const story = database.prepare(`select session, ticket from story where waiting_us is not null
    and not is_asleep and held_us is null order by session limit 1`).get();
  if (story) holders.push({ kind: "story", name: String(story.ticket), upTo: Number(story.session) - 1 });
  return holders.sort((one, other) => one.upTo - other.upTo)[0];
}

/** The last of the first rows that were all taken in before that time. */
function lastBefore({ database }: EvidenceStore, us: number): number {
  const first = database.prepare("select seq from event where taken_us >= ? order by seq limit 1").get(us);
  const all = database.prepare("select max(seq) as seq from event").get();
  return first ? Number(first.seq) - 1 : Number(all?.seq ?? 0);
}

function isOver(store: EvidenceStore, { maxBytes }: RetentionLimits): boolean {
  return maxBytes > 0 && bytesOf(store) > maxBytes;
}

function unmetBy(
  store: EvidenceStore,
  limits: RetentionLimits,
  holder: Holder | undefined,
  isTooOld: boolean,
): string | null {
  const isTooMuch = isOver(store, limits);
  if (!isTooOld && !isTooMuch) return null;
  const what = isTooMuch
    ? `the evidence has ${bytesOf(store)} bytes, more than the ${limits.maxBytes} that it may have`
    : `the evidence has events of more than ${limits.keepDays} days`;
  switch (holder?.kind) {
    case "session":
      return `${what}: the session ${holder.name} is still open, and what came after its beginning is kept`;
    case "consumer":
      return `${what}: ${holder.name} was not told of what came after event ${holder.upTo} yet`;
    case "story":
      return `${what}: the story for ticket ${holder.name} is not told yet, and what came after its beginning is kept`;
    case undefined:
      return `${what}, and there is nothing left to remove`;
  }
}

/** Gives free pages back to the disk, in small steps. */
async function shrink(store: EvidenceStore): Promise<void> {
  let free = pragma(store, "freelist_count");
  while (free > 0) {
    // It gives back one page for each row that is asked for, and exec() and run() ask for one.
    store.database.prepare(`pragma incremental_vacuum(${PAGES})`).all();
    await turn();
    const left = pragma(store, "freelist_count");
    // A file that was not made by us may not be able to.
    if (left >= free) return;
    free = left;
  }
  // The file itself gets shorter with the next checkpoint; this one waits for nobody.
  store.database.exec("pragma wal_checkpoint(passive)");
}

/** What the database takes once its free pages are given back. */
function bytesOf(store: EvidenceStore): number {
  return (pragma(store, "page_count") - pragma(store, "freelist_count")) * pragma(store, "page_size");
}

function pragma({ database }: EvidenceStore, name: string): number {
  return Number(database.prepare(`pragma ${name}`).get()?.[name] ?? 0);
}

/** Lets others have their turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
