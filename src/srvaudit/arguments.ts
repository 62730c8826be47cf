/** The command line of `srvaudit`. Loaded at need alone: the agent and what the shells call go without `@optique`. */

import { object, or } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, command, constant, option } from "@optique/core/primitives";
import type { Usage } from "@optique/core/usage";
import { choice, integer, string, type ValueParser } from "@optique/core/valueparser";
import { run } from "@optique/run";
import { VERSION } from "../config/version.ts";
import { type EarlierHead, parseHead } from "../evidence/head.ts";
import { SINK_NAMES } from "../config/sink_settings.ts";
import { type Moment, MomentError, parseMoment } from "../terminal/moments.ts";
import { examples } from "./examples.ts";
import { installParser, rescueParser, uninstallParser } from "./install_arguments.ts";
import { say } from "./output.ts";

const moment: ValueParser<"sync", Moment> = {
  mode: "sync",
  metavar: "TIME",
  placeholder: { fromS: 0, toS: 0 },
  parse(input) {
    try {
      return { success: true, value: parseMoment(input, new Date()) };
    } catch (error) {
      if (error instanceof MomentError) {
        return { success: false, error: [{ type: "text", text: error.message }] };
      }
      throw error;
    }
  },
  format: ({ fromS }) => new Date(fromS * 1000).toISOString(),
};

const head: ValueParser<"sync", EarlierHead> = {
  mode: "sync",
  metavar: "SEQ:HASH",
  placeholder: { seq: 1, hashHex: "" },
  parse(input) {
    const value = parseHead(input);
    if (value) return { success: true, value };
    return {
      success: false,
      error: message`${input} is no SEQ:HASH, as ${commandLine("srvaudit head")} prints it`,
    };
  },
  format: ({ seq, hashHex }) => `${seq}:${hashHex}`,
};

const json = option("--json", { description: message`print JSON` });
const user = optional(
  option("--user", string({ metavar: "USER" }), { description: message`of this user: a name, or a number` }),
);
const ticket = optional(
  option("--ticket", string({ metavar: "KEY" }), { description: message`that were on this ticket` }),
);
/** A file's path; what looks like an option is none. */
const path = string({
  metavar: "FILE",
  pattern: /^[^-]/,
  errors: { patternMismatch: (input) => message`unknown option ${input}; a file of that name is ./${input}` },
});
const file = optional(
  argument(path, { description: message`another evidence.db than this host's` }),
);

const sink = choice(SINK_NAMES, { metavar: "SINK" });

const sinkCommand = command(
  "sink",
  or(
    command("list", object({ action: constant("sink list"), json }), {
      brief: message`Which are on, what they want, and how that goes.`,
      description:
        message`All sinks: whether they are on, how many events wait for them and since when, when they were last told of something, how many they have refused, and what went wrong last.`,
      footer: examples(
        "srvaudit sink list                                               at a glance",
        "srvaudit sink list --json | jq '.[]|select(.state!=\"up\")|.name'    for monitoring",
      ),
    }),
    command("test", object({ action: constant("sink test"), sink: argument(sink) }), {
      brief: message`Send one marked news, and say what came back.`,
      description:
        message`Has the agent send one news that is marked as a test through a sink, at once and past its queue, and prints what came back. Exit code 1 where it was not taken.`,
      footer: examples("srvaudit sink test slack    does the channel get it?"),
    }),
  ),
  {
    brief: message`sink list, sink test: where it is told, and whether that works.`,
    description: message`Where what goes on record is told, how that goes, and whether it works.`,
  },
);

const redeliver = command(
  "redeliver",
  object({ action: constant("redeliver"), sink: optional(argument(sink)) }),
  {
    brief: message`Send sinks once more what they have refused.`,
    description: message`Sends a sink, or all of them, once more what they have refused, in its order; ${
      commandLine("srvaudit status")
    } shows what that is. Exit code 1 where some of it is refused again, or still waits.`,
    footer: examples(
      "srvaudit redeliver          all of it",
      "srvaudit redeliver slack    Slack's",
    ),
  },
);

const parser = or(
  command("agent", object({ action: constant("agent") }), {
    brief: message`Run the host's agent, which keeps the evidence.`,
    description:
      message`Runs the host's agent in the foreground, as root: it opens login sessions, follows the spools and keeps the evidence. SIGHUP: it reads its config anew. SIGTERM: it ends.`,
    footer: examples(
      "systemctl start srvaudit    how it is run where there is systemd",
      "srvaudit agent              how it is run where there is none",
    ),
  }),
  command("status", object({ action: constant("status"), json }), {
    brief: message`Is the agent well, who is here, what waits?`,
    description:
      message`The agent, the open sessions, and what waits to be delivered. Exit code 1 where the agent does not answer or is in trouble.`,
    footer: examples(
      "srvaudit status                                 at a glance",
      "srvaudit status --json | jq .agent.memory       for monitoring",
      "srvaudit status --json | jq '.sessions|length'  how many are here?",
    ),
  }),
  command(
    "sessions",
    object({
      action: constant("sessions"),
      user,
      ticket,
      since: optional(
        option("--since", moment, {
          description: message`that had not ended by then: 2h, yesterday, 2026-11-22`,
        }),
      ),
      until: optional(option("--until", moment, { description: message`that had begun by then` })),
      open: option("--open", { description: message`that are open now` }),
      host: optional(
        option("--host", string({ metavar: "HOST" }), {
          description: message`on this host: for evidence of others`,
        }),
      ),
      from: optional(
        option("--from", string({ metavar: "ADDRESS" }), {
          description: message`from this address, or from those that begin so: 192.0.2.`,
        }),
      ),
      emergency: option("--emergency", {
        description: message`that went in without a ticket, by an emergency`,
      }),
      limit: withDefault(
        option("-l", "--limit", integer({ metavar: "N", min: 1, max: 1_000_000 }), {
          description: message`so many at most; 50 otherwise`,
        }),
        50,
      ),
      json,
    }),
    {
      brief: message`Login sessions: who, when, from where, for which ticket.`,
      description: message`The login sessions of the evidence, newest first.`,
      footer: examples(
        "srvaudit sessions --open                     who is here?",
        "srvaudit sessions --ticket OPS-17            who worked on that?",
        "srvaudit sessions --user alice --since 3d    where was she?",
        "srvaudit sessions --emergency --since 30d    who broke the glass?",
      ),
    },
  ),
  command(
    "follow",
    object({
      action: constant("follow"),
      user,
      session: optional(
        option("--session", string({ metavar: "ID" }), {
          description: message`of this session: its id, or how that begins or ends`,
        }),
      ),
      ticket,
      lines: withDefault(
        option("-n", "--lines", integer({ metavar: "N", min: 0, max: 1_000_000 }), {
          description: message`so many of the past first; 10 otherwise`,
        }),
        10,
      ),
      json: option("--json", { description: message`print a JSON object a line` }),
    }),
    {
      brief: message`What goes on record, as it comes.`,
      description:
        message`Commands, tickets, notes, sessions and what was tampered with, as they come. Ctrl-C ends it.`,
      footer: examples(
        "srvaudit follow                        everything",
        "srvaudit follow --user alice -n 100    her last hundred, and on",
        "srvaudit follow --json | jq .text      for programs",
      ),
    },
  ),
  command(
    "verify",
    object({
      action: constant("verify"),
      file,
      since: optional(
        option("--since", head, {
          description: message`and it must hold this head, which was taken off the host earlier`,
        }),
      ),
      json,
    }),
    {
      brief: message`Is the evidence what was written?`,
      description:
        message`Walks the chain of hashes and names the first break. Exit code 1 where there is one.`,
      footer: examples(
        "srvaudit verify                         the whole chain",
        'srvaudit verify --since "$(cat head)"   against what another host kept',
        "srvaudit verify /mnt/evidence.db        a copy",
      ),
    },
  ),
  command("head", object({ action: constant("head"), file }), {
    brief: message`The chain's head, to be kept off the host.`,
    description:
      message`Prints SEQ:HASH, which stands for all evidence up to there. Kept where this host's root cannot reach it, it convicts a rewritten past: ${
        commandLine("srvaudit verify --since")
      }`,
    footer: examples("ssh web1 srvaudit head >> heads-of-web1    from another host, by cron"),
  }),
  command("doctor", object({ action: constant("doctor"), json }), {
    brief: message`What is wrong with this host's srvAudit, and its mend.`,
    description:
      message`Looks at each thing that can be wrong, and names its mend. Exit code 1 where something is wrong. Who is not root is told what could not be looked at.`,
    footer: examples(
      "sudo srvaudit doctor                                          everything",
      "srvaudit doctor --json | jq '.[]|select(.state==\"wrong\")'    for monitoring",
    ),
  }),
  command(
    "config",
    command(
      "check",
      object({
        action: constant("config check"),
        file: optional(
          argument(path, { description: message`another than /etc/srvaudit/config` }),
        ),
        json,
      }),
      {
        description:
          message`Says all that is wrong with a config at once. Exit code 1 where the agent would not take it.`,
        footer: examples(
          "srvaudit config check                       the host's own",
          "srvaudit config check new && mv new config  before it counts",
        ),
      },
    ),
    {
      brief: message`config check: would the agent take this config?`,
      description: message`Would the agent take this config?`,
    },
  ),
  sinkCommand,
  redeliver,
  command(
    "ingest",
    object({
      action: constant("ingest"),
      linger: optional(
        option("--linger", integer({ metavar: "SECONDS", min: 1, max: 86_400 }), {
          description: message`go on until nothing has come for so long; the shells start this by themselves`,
        }),
      ),
    }),
    {
      brief: message`Take what your shells have recorded into your history.`,
      description:
        message`Takes what the shells have recorded into ~/.ash/history.db, as ash_query does each time.`,
      footer: examples("srvaudit ingest && sqlite3 ~/.ash/history.db 'select * from commands'"),
    },
  ),
  installParser,
  uninstallParser,
  rescueParser,
);

/** What `srvaudit` was asked to do. */
export type Request = InferValue<typeof parser>;

/** Not every option of every command: those are in `srvaudit COMMAND --help`. */
const USAGE: Usage = [
  { type: "argument", metavar: "COMMAND" },
  { type: "multiple", terms: [{ type: "argument", metavar: "ARGUMENT" }], min: 0 },
];

/**
 * Reads the command line; answers `--help` and `--version`, and says what is wrong, by itself.
 *
 * @param args without the program's name
 * @returns what to do; does not return for help (exit 0) and for a usage error (exit 2)
 */
export function parseArguments(args: readonly string[]): Request {
  return run(parser, {
    programName: "srvaudit",
    args,
    help: { option: { hidden: "doc", names: ["-h", "--help"] } },
    version: { value: `srvaudit ${VERSION}`, option: { hidden: "doc", names: ["-V", "--version"] } },
    description: message`The admin's tool of srvAudit, which ties every shell session to a ticket.`,
    // One: all of it fits on a screen of 24 lines.
    examples: examples("srvaudit sessions --ticket 17    who worked on that?"),
    footer: message`What a command takes: ${commandLine("srvaudit COMMAND --help")}`,
    usageLine: USAGE,
    termWidth: "auto",
    errorExitCode: 2,
    aboveError: "none",
    // say() shows what would act on a terminal: colours in a complaint too.
    colors: false,
    stderr: sayWrong,
    onExit: (code) => Deno.exit(code),
  });
}

/** What is wrong with the command line, as all our messages are. */
function sayWrong(text: string): void {
  say(`${text.replace(/^Error: /, "").replace(/\.?\n*$/, "")}: see srvaudit --help`);
}
