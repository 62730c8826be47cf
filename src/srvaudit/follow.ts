/** `srvaudit follow`: what goes on record, as it comes. */

import { hostPaths } from "../config/paths.ts";
import { type EventFilter, EvidenceReader, type ReadEvent } from "../evidence/reading.ts";
import { accountOf, waitReadable } from "../posix/libc.ts";
import { localTime } from "../terminal/moments.ts";
import { visibleJson } from "../terminal/visible.ts";
import { eventLine } from "./event_line.ts";
import { openEvidence } from "./evidence_file.ts";
import { NobodyReadsError, print, say } from "./output.ts";

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

/** When to look though nothing was heard, in milliseconds: a watch may be lost with its folder. */
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
  using source = new Source(file, filter, question.lines);
  using news = new News(file, stop);
  while (!stop.aborted) {
    for (const event of source.read()) {
      printer(event);
      if (stop.aborted) return;
    }
    if (source.lost !== undefined) say(source.lost);
    if (isReaderGone()) return;
    await news.next();
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

/** Waits until the evidence was written to. */
class News implements Disposable {
  #watcher: Deno.FsWatcher | undefined;
  #wake: () => void = () => {};
  #isHeard = false;

  constructor(file: string, stop: AbortSignal) {
    stop.addEventListener("abort", () => this.#hear());
    // The folder, since the WAL comes and goes with its writers.
    this.#watcher = Deno.watchFs(file.slice(0, file.lastIndexOf("/")), { recursive: false });
    this.#listen(this.#watcher);
  }

  async #listen(watcher: Deno.FsWatcher): Promise<void> {
    // Reading, which we do ourselves, is no news.
    for await (const { kind } of watcher) if (kind === "modify" || kind === "create") this.#hear();
  }

  #hear(): void {
    this.#isHeard = true;
    this.#wake();
  }

  /** Resolves when something was heard since the last time, or after a while. */
  async next(): Promise<void> {
    if (!this.#isHeard) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, TICK_MS);
      await promise;
      clearTimeout(timer);
    }
    this.#isHeard = false;
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }
}

/** Whether stdout is a pipe that nobody reads any more: poll(2) says so without a write. */
function isReaderGone(): boolean {
  return Deno.readLinkSync("/proc/self/fd/1").startsWith("pipe:") && waitReadable(1, 0);
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
