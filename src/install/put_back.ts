/**
 * `srvaudit put-back`: the guardian. It waits until what was installed is confirmed, or the time for that is over, and then
 * puts everything back and says so.
 *
 * All that it needs is loaded before: what it puts back may be the files of srvAudit itself.
 */

import { openLog } from "../agent/log.ts";
import { tryLock } from "../posix/lock.ts";
import { writeToTerminal } from "../posix/terminal_message.ts";
import { messageOf } from "../terminal/message_of.ts";
import { visible } from "../terminal/visible.ts";
import { getLogger } from "@logtape/logtape";
import type { Left } from "./change.ts";
import { detectTarget } from "./detect.ts";
import { WAITING } from "./guardian.ts";
import { removeIfThere } from "./host_file.ts";
import { forgetUnit } from "./kinds/service.ts";
import { removeEmptyState } from "./leftovers.ts";
import { noteInEvidence } from "./note.ts";
import {
  clocksNow,
  type Pending,
  pending,
  puttingBackFile,
  readPending,
  remainingMs,
  unconfirmedFile,
} from "./safety.ts";
import type { Target } from "./target.ts";
import { undoRun } from "./undo.ts";

/** How often it looks whether it was confirmed, in milliseconds; and waits where something could not be put back. */
const LOOK_MS = 1000;
const AGAIN_MS = 10_000;
/** How often one looks that is not the only one: the other may be about to end. */
const LOOKS_BESIDE = 3;
/** How long an installer that is still at it is waited for, in milliseconds: users may be locked out meanwhile. */
const INSTALLER_MS = 60_000;

const log = getLogger(["srvaudit", "put-back"]);

/**
 * @param args nothing: waits until it is time; `--now`: it is
 * @returns the exit code
 */
export async function putBackCommand(args: readonly string[]): Promise<number> {
  const target = detectTarget();
  if (args.length > 1 || (args.length === 1 && args[0] !== "--now")) {
    throw new Error("put-back takes nothing but --now: see srvaudit install --help");
  }
  await openLog(`${target.root}/var/log/srvaudit.log`, "info");
  if (args[0] === "--now") return await putBack(target, new Set()) ? 0 : 1;
  await Deno.stdout.write(new TextEncoder().encode(`${WAITING}\n`));
  const told = new Set<string>();
  let only: Disposable | undefined;
  for (let looks = 1;; looks++) {
    only ??= tryLock(`${target.root}/run/srvaudit-guardian.lock`);
    const leftMs = timeLeft(target);
    if (leftMs === undefined) return 0;
    if (leftMs > 0) await pause(Math.min(leftMs, LOOK_MS));
    else if (!await putBack(target, only ? told : undefined)) await pause(AGAIN_MS);
    // Another one is at it: the agent starts one again and again, as long as it cannot be put back.
    if (!only && looks === LOOKS_BESIDE) return 0;
  }
}

/** @returns how long there still is to wait, in milliseconds; undefined where nothing is left to be put back */
function timeLeft(target: Target): number | undefined {
  // One that has begun goes on, whoever began it.
  if (readPending(puttingBackFile(target))) return 0;
  const waiting = pending(target);
  return waiting && remainingMs(waiting, clocksNow());
}

/**
 * Puts back what nobody has confirmed, now. Of several that do it at once, one does it; another goes on where one was killed.
 *
 * @param told why it could not be, as root was told already; undefined where another one tells her
 * @returns whether all of it is as it was
 */
async function putBack(target: Target, told: Set<string> | undefined): Promise<boolean> {
  using turn = await lockWithin(`${target.root}/run/srvaudit-put-back.lock`, INSTALLER_MS);
  if (!turn) return false;
  const waiting = begin(target);
  if (!waiting) return true;
  // Who hangs in the installer must not hang everybody.
  using _ = await lockWithin(`${target.root}/run/srvaudit-install.lock`, INSTALLER_MS);
  try {
    // Before: the agent may be stopped by what comes next.
    await noteInEvidence(target, "what was installed is put back: nobody confirmed it");
    const left: Left[] = [];
    for (const run of waiting.runs.toReversed()) left.push(...await undoRun(target, run));
    // It may have gone with all else.
    removeIfThere(puttingBackFile(target));
    removeEmptyState(target);
    await forgetUnit(target);
    log.warn("what nobody confirmed in time was put back", { runs: waiting.runs, left });
    await tellRoot(waiting, saying(left));
    return true;
  } catch (error) {
    log.error("what nobody confirmed could not be put back: {reason}", { reason: messageOf(error) });
    const words = `what nobody confirmed could not be put back: ${messageOf(error)}`;
    if (told && !told.has(words)) await tellRoot(waiting, words);
    told?.add(words);
    return false;
  }
}

/** Takes it from whoever would still confirm it. @returns what it is, or undefined if there is nothing */
function begin(target: Target): Pending | undefined {
  const begun = readPending(puttingBackFile(target));
  if (begun) return begun;
  try {
    Deno.renameSync(unconfirmedFile(target), puttingBackFile(target));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  return readPending(puttingBackFile(target));
}

function saying(left: readonly Left[]): string {
  return [
    "nobody confirmed in time what was installed: it was put back, and who logs in has the shell that was there before",
    ...left.map(({ what, why }) => `${what} is left as it is: ${why}`),
  ].join("\n");
}

/** On the terminal of whoever installed, and on root's, by wall(1). */
async function tellRoot({ terminal }: Pending, words: string): Promise<void> {
  const text = `srvaudit: ${visible(words, "\n")}`;
  if (terminal && isStillOf(terminal)) {
    writeToTerminal(terminal.path, `\r\n${text.replaceAll("\n", "\r\n")}\r\n`);
  }
  try {
    const wall = new Deno.Command("wall", {
      args: ["-g", "root"],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    })
      .spawn();
    const writer = wall.stdin.getWriter();
    await writer.write(new TextEncoder().encode(`${text}\n`));
    await writer.close();
    await wall.status;
  } catch {
    // No wall here, or none that listens: the log has it.
  }
}

/** A terminal's number is given to the next one who comes. */
function isStillOf({ path, uid }: { path: string; uid: number }): boolean {
  try {
    return path.startsWith("/dev/") && Deno.statSync(path).uid === uid;
  } catch {
    return false;
  }
}

/** @returns the lock, or undefined if another has it for longer than that */
async function lockWithin(file: string, patienceMs: number): Promise<Disposable | undefined> {
  const deadline = performance.now() + patienceMs;
  while (true) {
    const lock = tryLock(file);
    if (lock || performance.now() > deadline) return lock;
    await pause(100);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
