/**
 * What is odd about a spool file: things that no honest shell does, and what is missing in one. Each kind is put in
 * evidence at once when it is first seen, and then every ten seconds at most, with how often it was seen: who writes
 * garbage fills the evidence no faster than who works.
 */

/** What was noticed. All but `gap` are "tamper" events. */
export type Oddity =
  /** Something is missing, as where the disk was full or the shell was killed: nobody is to blame. An "agent" event. */
  | "gap"
  /** The file is shorter than what is in evidence of it, or is another file. */
  | "shrank"
  /** The file is gone, and its shell or session was not. */
  | "vanished"
  /** It holds what no hook writes. */
  | "foreign"
  /** Time ran backwards in it, or is ahead of the agent's. */
  | "clock"
  /** It was longer than a spool file may be. */
  | "capped";

/** In words, for those who read the evidence. */
const WORDS: Readonly<Record<Oddity, string>> = {
  gap: "something is missing in a spool file",
  shrank: "a spool file is shorter than it was, or another one has taken its place",
  vanished: "a spool file is gone before its time",
  foreign: "a spool file holds what no hook writes",
  clock: "the time in a spool file runs backwards, or is ahead",
  capped: "a spool file is longer than it may be",
};

/** How long one kind of oddity of one file waits until it is put in evidence again. */
const QUIET_US = 10_000_000;

/** The reasons of one kind, and how often each was seen. */
type Reasons = Record<string, number>;

/** What of one file was noticed. Plain data, to be copied with `copyOddities`. */
export interface Oddities {
  /** When a kind was last put in evidence. */
  saidUs: Partial<Record<Oddity, number>>;
  /** What is to be put in evidence. */
  waiting: Partial<Record<Oddity, Reasons>>;
}

/** What goes into the data of the event. */
export interface Finding {
  what: Oddity;
  words: string;
  /** How often it was seen since the last one of this kind. */
  count: number;
  /** What it was in particular, and how often. */
  why: Reasons;
}

/** @returns nothing noticed yet */
export function noOddities(): Oddities {
  return { saidUs: {}, waiting: {} };
}

/** @returns a copy that can be changed without changing this one */
export function copyOddities({ saidUs, waiting }: Oddities): Oddities {
  const copy: Oddities = { saidUs: { ...saidUs }, waiting: {} };
  for (const what of oddities(waiting)) copy.waiting[what] = { ...waiting[what] };
  return copy;
}

/** Notices something. */
export function notice({ waiting }: Oddities, what: Oddity, why: string, count = 1): void {
  const reasons = waiting[what] ??= {};
  reasons[why] = (reasons[why] ?? 0) + count;
}

/**
 * Notices the bytes of a file that are no record.
 *
 * @param damaged how many runs of them there were
 * @param torn how many of those were to be a record
 */
export function noticeDamage({ oddities }: { oddities: Oddities }, damaged: number, torn: number): void {
  if (damaged > torn) notice(oddities, "foreign", "bytes that are no record", damaged - torn);
  if (torn > 0) notice(oddities, "gap", "a record that was not written to its end", torn);
}

/** Whether something waits that may be put in evidence now. */
export function isDue({ saidUs, waiting }: Oddities, atUs: number): boolean {
  return oddities(waiting).some((what) => mayBeSaid(saidUs[what], atUs));
}

/**
 * Takes out what is to be put in evidence now.
 *
 * @param atUs the present time
 * @param isLast whether nobody will ask again: then nothing is kept for later
 */
export function takeDue({ saidUs, waiting }: Oddities, atUs: number, isLast: boolean): Finding[] {
  return oddities(waiting).filter((what) => isLast || mayBeSaid(saidUs[what], atUs)).map((what) => {
    const why = waiting[what] ?? {};
    delete waiting[what];
    saidUs[what] = atUs;
    return {
      what,
      words: WORDS[what],
      count: Object.values(why).reduce((sum, count) => sum + count, 0),
      why,
    };
  });
}

/** A clock that was set back must not keep anything from being said. */
function mayBeSaid(saidUs: number | undefined, atUs: number): boolean {
  return saidUs === undefined || atUs < saidUs || atUs - saidUs >= QUIET_US;
}

function oddities(waiting: Oddities["waiting"]): Oddity[] {
  return Object.keys(waiting) as Oddity[];
}
