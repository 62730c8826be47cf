/** The command line of `saticket`. Loaded at need alone: `@optique` is the greater part of the program. */

import { object, or } from "@optique/core/constructs";
import { commandLine, lineBreak, type Message, message } from "@optique/core/message";
import { map, multiple, optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, command, constant, option } from "@optique/core/primitives";
import type { Usage } from "@optique/core/usage";
import { string } from "@optique/core/valueparser";
import { run } from "@optique/run";
import { VERSION } from "../config/version.ts";

const json = option("--json", { description: message`print JSON` });
const ticket = optional(
  option("--ticket", string({ metavar: "KEY" }), { description: message`this ticket, not the session's` }),
);
const key = string({ metavar: "KEY" });

/** Any number of words, as one text. */
function words(metavar: "WORDS" | "SUBJECT" | "STATUS" | "TEXT", min = 0) {
  return map(multiple(argument(string({ metavar })), { min }), (all) => all.join(" "));
}

const parser = or(
  command("show", object({ action: constant("show"), key: optional(argument(key)), json }), {
    description: message`A ticket with its notes and its statuses.`,
  }),
  command(
    "list",
    object({
      action: constant("list"),
      all: option("--all", { description: message`closed ones as well` }),
      json,
    }),
    { description: message`Your open tickets, newest first.` },
  ),
  command(
    "search",
    object({
      action: constant("search"),
      all: option("--all", { description: message`closed ones as well` }),
      words: words("WORDS", 1),
      json,
    }),
    { description: message`Tickets with all the words in subject or notes.` },
  ),
  command(
    "new",
    object({
      action: constant("new"),
      subject: words("SUBJECT"),
      project: optional(
        option("--project", string({ metavar: "PROJECT" }), {
          description: message`the project it is made in`,
        }),
      ),
      tracker: optional(
        option("--tracker", string({ metavar: "TRACKER" }), {
          description: message`its tracker, or issue type: a bug, a task`,
        }),
      ),
      fields: multiple(
        option("--field", string({ metavar: "NAME=VALUE", pattern: /^[^=]*[^=\s][^=]*=/ }), {
          description: message`a further field, by its name; any number of them`,
        }),
      ),
      stay: option("--no-switch", { description: message`stay on the present ticket` }),
      json,
    }),
    { description: message`Make a ticket and switch the session to it.` },
  ),
  command("switch", object({ action: constant("switch"), key: argument(key), json }), {
    description: message`Switch the session to another open ticket.`,
  }),
  command("status", object({ action: constant("status"), status: words("STATUS"), ticket, json }), {
    description: message`Show the status and the next ones, or set it.`,
  }),
  command("note", object({ action: constant("note"), text: words("TEXT"), ticket, json }), {
    description: message`Add a note; without TEXT, or for -, what stdin has.`,
  }),
  object({ action: constant("current"), json: option("--json", { hidden: "doc" }) }),
);

/** What `saticket` was asked to do. */
export type Request = InferValue<typeof parser>;

const EXAMPLES: readonly string[] = [
  "saticket                                  what am I on?",
  "saticket new Replace the disk in web1     make a ticket, go on with it",
  "saticket new --project web Fix the login  what needs no default is asked for",
  "saticket switch 17                        go on with that one",
  "saticket status                           what may come next, numbered",
  "saticket status resolved                  or a number of those",
  "dmesg | saticket note --ticket 17         a note on another ticket",
  "saticket list --json | jq '.[0].key'      every command can print JSON",
];

/** Not every option of every command: those are in `saticket COMMAND --help`. */
const USAGE: Usage = [
  { type: "optional", terms: [{ type: "argument", metavar: "COMMAND" }] },
  { type: "multiple", terms: [{ type: "argument", metavar: "ARGUMENT" }], min: 0 },
];

const examples: Message = EXAMPLES.flatMap((text, i) => [
  ...(i > 0 ? [lineBreak()] : []),
  { type: "text", text } as const,
]);

/**
 * Reads the command line; answers `--help` and `--version`, and says what is wrong, by itself.
 *
 * @param args without the program's name
 * @returns what to do; does not return for help (exit 0) and for a usage error (exit 2)
 */
export function parseArguments(args: readonly string[]): Request {
  return run(parser, {
    programName: "saticket",
    args,
    help: { option: { hidden: "doc" } },
    version: { value: VERSION, option: { hidden: "doc" } },
    description: message`The ticket of this login session: see it, update it, switch to another.`,
    examples,
    footer: message`What a command takes: ${commandLine("saticket COMMAND --help")}`,
    usageLine: USAGE,
    termWidth: 8,
    errorExitCode: 2,
    aboveError: "none",
    onExit: (code) => Deno.exit(code),
  });
}
