/**
 * What is put back unless the admin confirms that she can still log in: `/var/lib/srvaudit/unconfirmed` says what, and until
 * when, and a guardian waits for that moment (`put_back.ts`). Nobody waits for the installer, which may be killed.
 *
 * Until when is a time since the machine's start: whoever sets the clock does not change it. Only after a restart the clock
 * is believed, and never so far that the waiting would take longer than it was to take.
 */

import { bootId, terminalOf } from "../posix/process.ts";
import { replaceFile } from "../posix/replace_file.ts";
import { messageOf } from "../terminal/message_of.ts";
import { startGuardian } from "./guardian.ts";
import { removeIfThere } from "./host_file.ts";
import { stateFolder } from "./journal.ts";
import type { Target } from "./target.ts";

/** What waits for being confirmed. */
export interface Pending {
  /** The installer's runs that nobody has confirmed, in their order. */
  runs: readonly number[];
  /** How long it was to wait. */
  seconds: number;
  /** When that began. */
  since: Clocks;
  /** The terminal of whoever installed, and whose that was. */
  terminal: { path: string; uid: number } | null;
}

/** The present, by each clock that there is. */
export interface Clocks {
  /** Milliseconds since 1970. */
  wallMs: number;
  /** Milliseconds since the machine's start. */
  uptimeMs: number;
  /** Which start that was. */
  bootId: string;
}

/** How long the admin has, unless something else is said. */
export const SAFETY_SECONDS = 600;

/** Its owner alone reads and writes it. */
const NEW_FILE = { mode: 0o600, uid: 0, gid: 0 };

/** What waits for being confirmed. */
export function unconfirmedFile(target: Target): string {
  return `${stateFolder(target)}/unconfirmed`;
}

/** The same once it is being put back: nobody can confirm it any more. */
export function puttingBackFile(target: Target): string {
  return `${stateFolder(target)}/putting-back`;
}

/** @returns the present */
export function clocksNow(): Clocks {
  const uptimeS = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
  return { wallMs: Date.now(), uptimeMs: uptimeS * 1000, bootId: bootId() };
}

/**
 * Sees to it that a run is put back unless it is confirmed in time. What an earlier run left unconfirmed waits with it, and
 * as long.
 *
 * @param run the installer's, by its number in the journal
 * @param seconds how long
 * @throws {Error} if nobody can be started who would put it back: then nothing is armed that was not before
 */
export async function arm(target: Target, run: number, seconds = SAFETY_SECONDS): Promise<void> {
  const before = pending(target);
  const runs = [...(before?.runs ?? []).filter((each) => each !== run), run];
  const armed: Pending = { runs, seconds, since: clocksNow(), terminal: ownTerminal() };
  write(target, armed);
  try {
    await startGuardian(target);
  } catch (error) {
    if (before) write(target, before);
    else confirm(target);
    throw new Error(
      `nobody could be started who would put everything back: ${
        messageOf(error)
      }; go on without, by --no-safety, or mend that first`,
      { cause: error },
    );
  }
}

/**
 * Keeps what was installed.
 *
 * @returns whether there was anything to confirm; not so if it was put back already, or is just then
 * @throws {Error} if its file cannot be removed
 */
export function confirm(target: Target): boolean {
  // A guardian renames it first: only one of the two can have it.
  return removeIfThere(unconfirmedFile(target));
}

/**
 * @returns what waits for being confirmed, or undefined if nothing does
 * @throws {Error} if its file cannot be read, or is not ours
 */
export function pending(target: Target): Pending | undefined {
  return readPending(unconfirmedFile(target));
}

/**
 * @param file `unconfirmedFile` or `puttingBackFile`
 * @throws {Error} as `pending`
 */
export function readPending(file: string): Pending | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const found: Partial<Pending> = { ...JSON.parse(text) };
    const { runs, seconds, since, terminal = null } = found;
    if (runs?.every(Number.isInteger) && Number.isFinite(seconds) && since && seconds !== undefined) {
      return { runs, seconds, since, terminal };
    }
  } catch {
    // Not JSON: the same as JSON of another kind.
  }
  throw new Error(
    `${file} is not as srvAudit has written it: what is to be put back cannot be told; see srvaudit uninstall, and rescue`,
  );
}

/**
 * Whether what nobody has confirmed should have been put back already.
 *
 * @param patienceMs how long it may take, once it is time, in milliseconds
 * @throws {Error} as `pending`
 */
export function isLate(target: Target, patienceMs: number): boolean {
  const now = clocksNow();
  return [unconfirmedFile(target), puttingBackFile(target)].map(readPending).some((waiting) =>
    waiting !== undefined && remainingMs(waiting, now) < -patienceMs
  );
}

/**
 * How long there still is to confirm.
 *
 * @returns milliseconds; below 0 where the time is over
 */
export function remainingMs({ seconds, since }: Pending, now: Clocks): number {
  const wholeMs = seconds * 1000;
  return now.bootId === since.bootId
    ? since.uptimeMs + wholeMs - now.uptimeMs
    // At least as much is over as the machine is up.
    : Math.min(since.wallMs + wholeMs - now.wallMs, wholeMs - now.uptimeMs);
}

function write(target: Target, pending: Pending): void {
  replaceFile(unconfirmedFile(target), new TextEncoder().encode(JSON.stringify(pending) + "\n"), NEW_FILE);
}

/** Where whoever installs can be told: standard input may be an answers file, and the rest go to a log. */
function ownTerminal(): Pending["terminal"] {
  const stream = ([0, 1, 2] as const).map((fd) => terminalOf(fd)).find((path) => path !== undefined);
  if (stream === undefined) return null;
  const { uid } = Deno.statSync(stream);
  return { path: stream, uid: uid ?? 0 };
}
