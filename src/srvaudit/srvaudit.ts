/** `srvaudit`: the admin's tool. */

import config from "../../deno.json" with { type: "json" };
import { visible } from "../terminal/visible.ts";

const HELP = `Usage: srvaudit COMMAND [OPTION]...
The admin's tool of srvAudit, which ties every shell session to a ticket.

Commands:
  ingest               take what the shells have recorded into ~/.ash/history.db
    --linger SECONDS   go on with it in the background until nothing has been
                       recorded for so long; the shells start this by themselves

Options:
  -h, --help           show this help
  -V, --version        show the version

Examples:
  srvaudit ingest && sqlite3 ~/.ash/history.db 'select * from commands'

Your sessions and their tickets: saticket --help. Your history: ash_query --help.
`;

/** How many seconds may be asked for: a day. */
const LONGEST_LINGER_S = 86_400;

/** Runs the program; ends the process where it has failed: 2 for a wrong call, 1 for anything else. */
export async function main(args: string[]): Promise<void> {
  const [command, ...rest] = args;
  switch (command) {
    case "-h":
    case "--help":
    case "help":
      return print(HELP);
    case "-V":
    case "--version":
      return print(`srvaudit ${config.version}\n`);
    case "ingest":
      return await ingestCommand(rest);
    case undefined:
      return refuse("what shall be done?");
    default:
      return refuse(`there is no command ${visible(command)}`);
  }
}

async function ingestCommand(args: string[]): Promise<void> {
  const [flag, value] = args.length === 1 ? args[0]?.split("=") ?? [] : args;
  if (flag === "-h" || flag === "--help") return print(HELP);
  if (flag === undefined) return await ingestOnce();
  if (flag !== "--linger" || args.length > 2) return refuse(`ingest takes no ${visible(args.join(" "))}`);
  const seconds = Number(value);
  if (!/^[0-9]+$/.test(value ?? "") || seconds < 1 || seconds > LONGEST_LINGER_S) {
    return refuse(`--linger takes seconds from 1 to ${LONGEST_LINGER_S}, not ${visible(value ?? "nothing")}`);
  }
  const { paths } = await import("../config/paths.ts");
  const { linger } = await import("./linger.ts");
  const { spool, history } = paths();
  await linger(spool, history, seconds * 1000);
  // A watcher's thread may still wait for the kernel.
  Deno.exit(0);
}

async function ingestOnce(): Promise<void> {
  const { paths } = await import("../config/paths.ts");
  const { ingest } = await import("../history/ingest.ts");
  const { sayings } = await import("../history/report.ts");
  const { spool, history } = paths();
  try {
    const report = ingest(spool, history);
    for (const saying of sayings(report)) say(saying);
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error), 1);
  }
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

function say(message: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`srvaudit: ${visible(message)}\n`));
}

function fail(message: string, code: number): never {
  say(message);
  Deno.exit(code);
}

function refuse(message: string): never {
  fail(`${message}: see srvaudit --help`, 2);
}
