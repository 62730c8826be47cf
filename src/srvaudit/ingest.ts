/** `srvaudit ingest`: takes what the user's shells have recorded into her history. The shells start it by themselves. */

import { paths } from "../config/paths.ts";
import { ingestAndRelease } from "../desk/release.ts";
import { sayings } from "../history/report.ts";
import { visible } from "../terminal/visible.ts";
import { say } from "./output.ts";

/** How many seconds may be asked for: a day. */
const LONGEST_LINGER_S = 86_400;

/** How long the agent is waited for, in milliseconds. */
const AGENT_TIMEOUT_MS = 2000;

/**
 * @param args what stands behind `ingest`: nothing, or `--linger SECONDS`
 * @returns the exit code: 2 for a wrong call
 * @throws {HistoryError} if the history cannot be written; nothing is lost
 */
export async function ingestCommand(args: readonly string[]): Promise<number> {
  const [flag, value] = args.length === 1 ? args[0]?.split("=") ?? [] : args;
  const places = paths();
  if (flag === undefined) {
    const report = await ingestAndRelease(places, { about: "all", timeoutMs: AGENT_TIMEOUT_MS });
    for (const saying of sayings(report)) say(saying);
    return 0;
  }
  if (flag !== "--linger" || args.length > 2) {
    return refuse(`ingest takes no ${visible(args.join(" "))}`);
  }
  const seconds = Number(value);
  if (!/^[0-9]+$/.test(value ?? "") || seconds < 1 || seconds > LONGEST_LINGER_S) {
    return refuse(`--linger takes seconds from 1 to ${LONGEST_LINGER_S}, not ${visible(value ?? "nothing")}`);
  }
  const { linger } = await import("./linger.ts");
  await linger(places, seconds * 1000);
  return 0;
}

function refuse(message: string): number {
  say(`${message}: see srvaudit ingest --help`);
  return 2;
}
