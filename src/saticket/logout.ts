/**
 * The logout dialogue: `saticket logout --exit-code N`, called by the EXIT trap of a login session's own shell.
 *
 * Whatever happens here, the session is closed. Each note and each status is at the desk and on record as soon as it
 * is given, so that what cuts the dialogue short takes nothing along that was given before; the closing comes last.
 * Ctrl-C, Ctrl-\, Ctrl-Z, a hang-up and SIGTERM end the questions, not this process: what was typed of the notes
 * (the lines that were entered) is kept, and the session is closed. Only SIGKILL gets by all of that: then the
 * shell's own exit record, which the hook wrote before it called us, and the agent close the session.
 *
 * The strings are an interface: people drive logouts with expect(1).
 */

import type { Desk } from "../desk/desk.ts";
import type { PresentSession } from "../desk/protocol.ts";
import { isForeground } from "../posix/libc.ts";
import { type Process, processOf } from "../posix/process.ts";
import { askUntil, SilenceError, tell } from "../terminal/ask.ts";
import { messageOf } from "../terminal/message_of.ts";
import { visible } from "../terminal/visible.ts";
import type { Ticket } from "../trackers/tracker.ts";
import { myDesk } from "./my_desk.ts";

/** How long silence is borne before the session is closed all the same. */
const SILENCE_MS = 120_000;

/** How often a wrong number is asked again. */
const TRIES = 3;

const NOTES_PROMPT = "Session notes (end with an empty line): ";

/**
 * Asks for notes and a status, where there is somebody to ask, and closes the session. Does nothing if this process is
 * not the session's own shell, or a child of it.
 *
 * @param args `--exit-code N`: the shell's
 * @param silenceMs how long silence is borne
 * @returns the exit code: 1 if the closing could not be put on record
 */
export async function logout(args: readonly string[], silenceMs = SILENCE_MS): Promise<number> {
  using person = new Person(silenceMs);
  using desk = await myDesk(complain);
  const session = await desk.session();
  if (!session || !isLedByMe(session)) return 0;
  const key = session.ticket;
  if (key !== null && isSomebodyThere()) await attempt(() => dialogue(person, desk, key));
  try {
    await desk.close(person.hungUp ? "hangup" : "logout", exitCodeOf(args));
    return 0;
  } catch (error) {
    complain(error);
    return 1;
  }
}

async function dialogue(person: Person, desk: Desk, key: string): Promise<void> {
  let ticket: Ticket | undefined;
  try {
    ticket = await desk.find(key);
    if (!ticket) complain(`there is no ticket ${key} at this desk any more`);
  } catch (error) {
    complain(error);
  }
  tell(
    visible(`This session was on ticket ${key}${ticket ? `: ${ticket.subject} (${ticket.status})` : ""}`) +
      "\n",
  );
  try {
    await takeNotes(person, desk, key);
    if (ticket) await takeStatus(person, desk, ticket);
  } catch (error) {
    if (!(error instanceof EndOfQuestions)) throw error;
  }
}

async function takeNotes(person: Person, desk: Desk, key: string): Promise<void> {
  const lines: string[] = [];
  try {
    while (true) {
      const line = await person.answer(lines.length === 0 ? NOTES_PROMPT : "> ");
      if (!line) return;
      lines.push(line);
    }
  } finally {
    if (lines.length > 0) {
      const text = lines.join("\n");
      await attempt(() => desk.addNote(key, text));
    }
  }
}

async function takeStatus(person: Person, desk: Desk, ticket: Ticket): Promise<void> {
  const next = await attempt(() => desk.nextStatuses(ticket.key));
  if (!next) return;
  // The present one first: it is the default.
  const statuses = [ticket.status, ...next];
  tell(statuses.map((status, i) => `${String(i + 1).padStart(3)}  ${visible(status)}\n`).join(""));
  const chosen = await chooseNumber(person, statuses) ?? ticket.status;
  if (chosen === ticket.status) return;
  await attempt(() => desk.setStatus(ticket.key, chosen));
}

/** @returns the status that was chosen, or undefined for the default */
async function chooseNumber(person: Person, statuses: readonly string[]): Promise<string | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const line = await person.answer("Choose ticket status (default 1): ");
    if (!line) return undefined;
    const status = /^[0-9]+$/.test(line) ? statuses[Number(line) - 1] : undefined;
    if (status !== undefined) return status;
    tell(`"${visible(line)}" is not a number from 1 to ${statuses.length}\n`);
  }
  tell("the status stays as it is\n");
  return undefined;
}

/** There will be no more answers: the questions were cut short. */
class EndOfQuestions extends Error {
  override name = "EndOfQuestions";
}

const CUTTING_SHORT: readonly Deno.Signal[] = ["SIGINT", "SIGQUIT", "SIGTSTP", "SIGTERM", "SIGHUP"];

/** Who sits at the terminal. While it lives, no signal from there ends this process. */
class Person implements Disposable {
  /** Whether the line went away. */
  hungUp = false;
  readonly #stop = new AbortController();
  readonly #listeners = CUTTING_SHORT.map((signal) => {
    const listener = () => {
      if (signal === "SIGHUP") this.hungUp = true;
      this.#stop.abort();
    };
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });

  constructor(readonly silenceMs: number) {}

  /**
   * @returns one line, or undefined for Ctrl-D
   * @throws {EndOfQuestions} when a signal, a hang-up or silence cuts the questions short
   */
  async answer(prompt: string): Promise<string | undefined> {
    try {
      const line = await askUntil(this.#stop.signal, prompt, this.silenceMs);
      if (line !== undefined) return line;
      // Ctrl-D, or no terminal is left that could say anything: then this fails.
      tell("\n");
      if (Deno.stdin.isTerminal()) return undefined;
      throw new EndOfQuestions("the terminal is gone");
    } catch (error) {
      if (!Deno.stdin.isTerminal()) this.hungUp = true;
      if (!this.hungUp) {
        tell(error instanceof SilenceError ? `\n${error.message}: the session is closed\n` : "\n");
      }
      throw new EndOfQuestions(messageOf(error), { cause: error });
    }
  }

  [Symbol.dispose](): void {
    for (const { signal, listener } of this.#listeners) Deno.removeSignalListener(signal, listener);
  }
}

/** Whether the session's own shell runs this process, or has become it. */
function isLedByMe({ leaderPid, leaderStartTicks }: PresentSession): boolean {
  const leads = (process: Process | undefined) =>
    process?.pid === leaderPid && process.startTicks === leaderStartTicks;
  const me = processOf("self");
  return leads(me) || (me !== undefined && leads(processOf(me.parentPid)));
}

function isSomebodyThere(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal() && isForeground(0);
}

function exitCodeOf(args: readonly string[]): number | undefined {
  const given = args[0] === "--exit-code" ? args[1] : undefined;
  return given !== undefined && /^[0-9]{1,3}$/.test(given) ? Number(given) : undefined;
}

/** What cannot be done is said, and the session is closed all the same. */
async function attempt<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    complain(error);
    return undefined;
  }
}

function complain(error: unknown): void {
  try {
    tell(`saticket: ${visible(messageOf(error))}\n`);
  } catch {
    // The terminal is gone: nobody is there to be told, and the session is still to be closed.
  }
}
