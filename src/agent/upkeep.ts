/** What the agent looks after each second, each minute and each hour. */

import type { AgentSettings } from "../config/agent_settings.ts";
import { formatHead } from "../evidence/head.ts";
import { removeOld } from "../evidence/retention.ts";
import { nowUs } from "../record/clock.ts";
import type { Dispatch } from "./dispatch/dispatch.ts";
import type { Errands } from "./errands.ts";
import type { Followed } from "./followed.ts";
import type { IdleWatch } from "./idle.ts";
import type { Intake } from "./intake.ts";
import { log } from "./log.ts";
import type { LoginShellWatch } from "./login_shell_watch.ts";
import type { PutBackWatch } from "./put_back_watch.ts";
import { SilenceWatch } from "./silence.ts";
import { look, pathOf } from "./spool_folder.ts";
import type { SpoolTidy } from "./spool_tidy.ts";
import type { Stories } from "./stories/stories.ts";

const TICK_MS = 1000;
/** Every how many ticks it asks /proc, which costs more, of every shell. */
const THOROUGH_TICKS = 30;
/** Every how many it removes spool files that nobody needs any more. */
const TIDY_TICKS = 60;
/** Every how many it removes old evidence, and says where the chain stands; the first time a minute after the start. */
const RETENTION_TICKS = 3600;
/** A clock that is set back by less is one that is kept right. */
const CLOCK_STEP_MS = 1000;

/** Who does the work. */
export interface Crew {
  intake: Intake;
  idle: IdleWatch;
  errands: Errands;
  stories: Stories;
  dispatch: Dispatch;
  tidy: SpoolTidy;
  putBack: PutBackWatch;
  loginShells: LoginShellWatch;
  /** Looks for users whose own spools are not followed yet. */
  meetAll(): void;
}

/** Ticks from its making to its disposal. What cannot be done now is tried again the next time. */
export class Upkeep implements Disposable {
  readonly #silence = new SilenceWatch();
  readonly #timer = setInterval(() => this.#tick(), TICK_MS);
  #ticks = 0;
  #clockOffsetMs = Date.now() - performance.now();

  /** @param settings those of the day */
  constructor(readonly crew: Crew, readonly settings: () => AgentSettings) {}

  #tick(): void {
    const { intake, idle, errands, stories, dispatch, putBack, loginShells, meetAll } = this.crew;
    this.#ticks++;
    const isThorough = this.#ticks % THOROUGH_TICKS === 0;
    try {
      if (isThorough) meetAll();
      intake.sweep(isThorough);
      idle.check(this.settings().policy.idleTimeoutS);
      this.#lookAtClock();
      this.#lookForSilence();
      if (this.#ticks % TIDY_TICKS === 0) this.#tidyUp();
      stories.run();
      dispatch.run();
    } catch (error) {
      intake.failed(error);
    }
    errands.run().catch((error) => intake.failed(error));
    putBack.check().catch((error) => intake.failed(error));
    loginShells.check().catch((error) => intake.failed(error));
    if (this.#ticks % RETENTION_TICKS === RETENTION_TICKS / 60) {
      this.#removeOld().catch((error) => intake.failed(error));
    }
  }

  /** Who sets the clock can make what happened later look earlier: the chain has the order, and this says why. */
  #lookAtClock(): void {
    const offsetMs = Date.now() - performance.now();
    const backMs = this.#clockOffsetMs - offsetMs;
    this.#clockOffsetMs = offsetMs;
    if (backMs < CLOCK_STEP_MS) return;
    const seconds = Math.round(backMs / 1000);
    const data = { what: "clock", words: "the host's clock was set back", seconds };
    this.crew.intake.append({ kind: "tamper", session: null, shell: null, uid: null, data });
    log.warn("the host's clock was set back by {seconds} s", { seconds });
  }

  #lookForSilence(): void {
    const files = new Map<string, Followed>();
    for (const file of this.crew.intake.takeIn.spools.values()) {
      if (file.isShell) files.set(pathOf(file), file);
    }
    const shells = [...files].flatMap(([key, file]) => {
      const { pid, startTicks, openCommand, leaving } = file.row;
      if (pid === null || startTicks === null) return [];
      return [{
        key,
        pid,
        startTicks,
        running: openCommand,
        isLeaving: leaving,
        hasUnread: () => hasUnread(file),
      }];
    });
    for (const { key, program } of this.#silence.check(shells)) {
      const row = files.get(key)?.row;
      if (!row) continue;
      const { session, shell, uid } = row;
      const words = program
        ? "a program runs that the shell's hooks did not record"
        : "the shell sits at its prompt, and its hooks have not said that its last command has ended";
      this.crew.intake.append({
        kind: "tamper",
        session,
        shell,
        uid,
        data: {
          what: "silent",
          words,
          ...(program && { program: program.commandLine, pid: program.pid, seconds: program.seconds }),
        },
      });
      log.warn("a shell of user {uid}: {words}", { uid, words, ...(program && { pid: program.pid }) });
    }
  }

  #tidyUp(): void {
    const { spoolDays, spoolMaxMegabytes } = this.settings();
    const limits = { days: spoolDays, maxBytes: spoolMaxMegabytes * 1_000_000 };
    const { early, sealed } = this.crew.tidy.tidy(limits);
    const limit = `spoolMaxMegabytes="${spoolMaxMegabytes}"`;
    if (early > 0) {
      log.warn("the spool is over {limit}: {early} files went before their users' histories had them", {
        limit,
        early,
      });
    }
    for (const file of sealed) {
      log.error("{file} is too large a part of {limit}: nothing more is recorded in it", { file, limit });
    }
  }

  async #removeOld(): Promise<void> {
    const { retentionDays, evidenceMaxMegabytes } = this.settings();
    const { store } = this.crew.intake;
    const limits = { keepDays: retentionDays, maxBytes: evidenceMaxMegabytes * 1_000_000, nowUs: nowUs() };
    const { tooOld, tooMuch, unmet } = await removeOld(store, limits);
    if (tooOld + tooMuch > 0) log.info("removed {count} events from evidence", { count: tooOld + tooMuch });
    if (unmet !== null) log.warn("{reason}", { reason: unmet });
    // A log that is kept elsewhere holds the head against whoever rewrites this host.
    log.info("the head of the evidence is {head}", { head: formatHead(store.head()) });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Whether the file holds more than was read of it: while evidence cannot be written, and after a start. */
function hasUnread(file: Followed): boolean {
  try {
    const facts = look(file);
    return facts !== undefined && facts.size !== file.seen;
  } catch {
    // What cannot be read says nothing for the shell.
    return false;
  }
}
