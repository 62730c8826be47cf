/** `srvaudit follow`: what goes on record, as it comes. */

import { hostPaths } from "../config/paths.ts";
import { type EventFilter, EvidenceReader, type ReadEvent } from "../evidence/reading.ts";
import { Inotify } from "../posix/inotify.ts";
import { accountOf } from "../posix/libc.ts";
import { Poller } from "../posix/poller.ts";
import { localTime } from "../terminal/moments.ts";
import { visibleJson } from "../terminal/visible.ts";
import { eventLine } from "./event_line.ts";
import { openEvidence } from "./evidence_file.ts";
import { NobodyReadsError, print, say } from "./output.ts";

/**
 * When to look again after something was heard, in milliseconds each after the one before: SQLite writes the WAL, which is
 * heard, then waits for the disk, and tells readers of it last, in memory, which nobody hears.
 */
const LOOK_AGAIN_MS = [10, 30, 100, 300, 1000] as const;

/** What `srvaudit follow` was asked. */
export interface FollowQuestion {
  user?: string | undefined;
  session?: string | undefined;
  ticket?: string | undefined;
  /** How many of the past come first. */
  lines: number;
  json: boolean;
}

/** So many are read at once. */
const PAGE = 500;

/** When to look though nothing was heard, in milliseconds: the folder may have been another for a while. */
const TICK_MS = 2000;

/**
 * Prints events until it is stopped, or nobody reads.
 *
 * @throws {CannotError} if the evidence cannot be read at first; later it is waited for
 */
export async function followCommand(question: FollowQuestion): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }
  try {
    await follow(hostPaths().evidence, question, stop.signal);
  } catch (error) {
    if (!(error instanceof NobodyReadsError)) throw error;
  }
}

/** @param file the evidence */
async function follow(file: string, question: FollowQuestion, stop: AbortSignal): Promise<void> {
  const printer = printerFor(question.json);
  const filter = await filterOf(question);
  using news = new News(file.slice(0, file.lastIndexOf("/")));
  stop.addEventListener("abort", () => news.wake());
  using source = new Source(file, filter, question.lines);
  while (!stop.aborted) {
    for (const event of source.read()) {
      printer(event);
      if (stop.aborted) return;
    }
    if (source.lost !== undefined) say(source.lost);
    await news.next();
    if (news.isReaderGone) return;
  }
}

/** Reads the evidence by sequence numbers, whatever becomes of its file. */
class Source implements Disposable {
  #evidence: EvidenceReader | undefined;
  #inode: string | undefined;
  #after = 0;
  #past: ReadEvent[];
  /** What the last reading could not give, for people. */
  lost: string | undefined;

  constructor(readonly file: string, readonly filter: EventFilter, lines: number) {
    this.#evidence = openEvidence(file);
    this.#inode = inodeOf(file);
    this.#after = this.#evidence.extent().last;
    this.#past = lines > 0 ? this.#evidence.eventsUpTo(this.#after, filter, lines) : [];
  }

  /** Yields what has come since the last time. */
  *read(): Generator<ReadEvent> {
    this.lost = undefined;
    yield* this.#past;
    this.#past = [];
    const evidence = this.#present();
    if (!evidence) return;
    const { first, last } = evidence.extent();
    if (last < this.#after) {
      this.lost = `the evidence was put back from event ${this.#after} to ${last}: a restored or a new file`;
      this.#after = last;
      return;
    }
    if (first > this.#after + 1 && this.#after > 0) {
      this.lost = `${first - this.#after - 1} events were removed by retention before they were shown`;
    }
    while (this.#after < last) {
      const events = evidence.eventsAfter(this.#after, this.filter, PAGE);
      yield* events;
      // Fewer than were asked for: the rest, up to what there was a moment ago, is not for us.
      const newest = events.at(-1)?.seq ?? 0;
      this.#after = events.length < PAGE ? Math.max(newest, last) : newest;
    }
  }

  /** The file under that name now: it may have been moved away, or restored. */
  #present(): EvidenceReader | undefined {
    const inode = inodeOf(this.file);
    if (this.#evidence && inode === this.#inode) return this.#evidence;
    this.#evidence?.[Symbol.dispose]();
    this.#evidence = undefined;
    try {
      this.#evidence = new EvidenceReader(this.file);
      this.#inode = inode;
    } catch {
      // Not there, or not whole yet: the next tick asks again.
    }
    return this.#evidence;
  }

  [Symbol.dispose](): void {
    this.#evidence?.[Symbol.dispose]();
  }
}

function inodeOf(file: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(file);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/**
 * Waits until the evidence was written to.
 *
 * Not by Deno.watchFs: that opens, and closes, each file that it tells of, and with any descriptor of a file closes every
 * POSIX lock of this process on it: SQLite's own, by which others know that the database is being read.
 */
class News implements Disposable {
  readonly #poller = new Poller();
  readonly #inotify = new Inotify();
  #looks: number[] = [];
  /** Whether stdout is a pipe that nobody reads any more. */
  isReaderGone = false;

  /** @param folder the evidence's: the WAL comes and goes with its writers */
  constructor(readonly folder: string) {
    // Before anything is read: what comes meanwhile is heard.
    this.#watch();
    this.#poller.watch(this.#inotify.fd, { read: true }, () => {
      this.#inotify.read();
      this.#looks = [...LOOK_AGAIN_MS];
    });
    if (!isPipe(1)) return;
    this.#poller.watch(1, {}, () => {
      this.isReaderGone = true;
    });
  }

  /** Resolves when it is time to look. */
  async next(): Promise<void> {
    this.#watch();
    await this.#poller.turn(this.#looks.shift() ?? TICK_MS);
  }

  /** A folder that is watched stays so; one that was moved away has another in its place. */
  #watch(): void {
    try {
      this.#inotify.watch(this.folder);
    } catch {
      // There is none just now, or no more watches are to be had: it is looked at every few seconds all the same.
    }
  }

  wake(): void {
    this.#poller.wake();
  }

  [Symbol.dispose](): void {
    this.#poller[Symbol.dispose]();
    this.#inotify[Symbol.dispose]();
  }
}

function isPipe(fd: number): boolean {
  return /^(pipe|socket):/.test(Deno.readLinkSync(`/proc/self/fd/${fd}`));
}

async function filterOf({ user, session, ticket }: FollowQuestion): Promise<EventFilter> {
  return { session, ticket, user: user === undefined ? undefined : { name: user, uid: await uidOf(user) } };
}

/** What the system calls a user by that name, so that what belongs to no session is hers as well. */
async function uidOf(user: string): Promise<number | undefined> {
  if (/^[0-9]{1,10}$/.test(user)) return Number(user);
  const { success, stdout } = await new Deno.Command("id", { args: ["-u", "--", user], stderr: "null" })
    .output();
  return success ? Number(new TextDecoder().decode(stdout)) : undefined;
}

/** @returns what prints an event */
function printerFor(asJson: boolean): (event: ReadEvent) => void {
  if (asJson) return (event) => print(visibleJson(event) + "\n");
  const names = new Map<number, string>();
  const nameOf = (uid: number) => {
    const name = names.get(uid) ?? accountOf(uid)?.name ?? String(uid);
    names.set(uid, name);
    return name;
  };
  const isColoured = Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR") && Deno.env.get("TERM") !== "dumb";
  let day = "";
  return (event) => {
    const today = localTime(event.atUs).slice(0, 10);
    const { text, isAlarm } = eventLine(event, nameOf);
    const line = isAlarm && isColoured ? `\x1b[1;31m${text}\x1b[0m` : text;
    print(`${today === day ? "" : `-- ${today} --\n`}${line}\n`);
    day = today;
  };
}
