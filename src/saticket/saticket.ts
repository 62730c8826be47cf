/** `saticket`: the ticket of this login session. */

import { LONGEST_NOTE } from "../desk/protocol.ts";
import { askQuestion } from "../desk/ticket_form.ts";
import { tell } from "../terminal/ask.ts";
import { messageOf } from "../terminal/message_of.ts";
import { visible } from "../terminal/visible.ts";
import type { Question } from "../trackers/tracker.ts";
import type { Request } from "./arguments.ts";
import { printed } from "./answer.ts";
import { CannotError } from "./cannot.ts";
import { perform } from "./commands.ts";
import { myDesk } from "./my_desk.ts";

/** How long an answer about a new ticket is waited for. */
const SILENCE_MS = 120_000;

/**
 * Runs `saticket`.
 *
 * `logout` and `complete` are for the shells' hooks and completions, and are not in the help. Exit codes: 0 done, 1 it
 * cannot be done, 2 it was called wrongly.
 *
 * @param args what stands behind the program's name
 */
export async function main(args: string[]): Promise<void> {
  const [first, ...rest] = args;
  try {
    if (first === "logout") Deno.exitCode = await (await import("./logout.ts")).logout(rest);
    else if (first === "complete") await (await import("./complete.ts")).complete(rest);
    else Deno.exitCode = await answer(await readRequest(args));
  } catch (error) {
    sayLine(messageOf(error));
    Deno.exitCode = 1;
  }
}

/** The plain question is answered without what reads a command line: that is most of the time it would take. */
async function readRequest(args: readonly string[]): Promise<Request> {
  if (args.length === 0) return { action: "current", json: false };
  const { parseArguments } = await import("./arguments.ts");
  return parseArguments(args);
}

async function answer(request: Request): Promise<number> {
  using desk = await myDesk(sayLine);
  const given = await perform(request, {
    desk,
    session: await desk.session(),
    say: sayLine,
    ask: Deno.stdin.isTerminal() && Deno.stderr.isTerminal() ? askPerson : undefined,
    readNote,
  });
  print(printed(given, request.json));
  return given.code ?? 0;
}

/** @throws {CannotError} where there is no answer */
function askPerson(question: Question): string {
  const answer = askQuestion(question, SILENCE_MS);
  if (answer === undefined) throw new CannotError(`no ${question.label}, no ticket`);
  return answer;
}

function sayLine(line: string): void {
  tell(`saticket: ${visible(line)}\n`);
}

function print(text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
  } catch (error) {
    // `saticket list | head -1` has seen enough.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

async function readNote(): Promise<string> {
  if (Deno.stdin.isTerminal()) tell("Note (end with Ctrl-D):\n");
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of Deno.stdin.readable) {
    parts.push(part);
    length += part.length;
    if (length > LONGEST_NOTE) {
      throw new CannotError(
        `a note has at most ${LONGEST_NOTE} bytes: keep the rest in a file and name that`,
      );
    }
  }
  return await new Blob(parts as Uint8Array<ArrayBuffer>[]).text();
}
