/** Which news a sink is to hear of. */

import type { Wants } from "../config/sink_settings.ts";
import { matchesGlob } from "./glob.ts";
import { isOfCommand, isUrgent, type SinkNews } from "./news.ts";

/**
 * Whether a sink wants to hear of something.
 *
 * Emergencies, tamper and tests are always wanted, and of a session without a ticket by an emergency everything but commands.
 * Of a switch of tickets one of the two need be wanted; and of the end of a session one of all that it was on, so that whoever
 * was told that it began hears that it is over. An exit code that is not known is none of those that are wanted.
 *
 * @example
 * ```ts
 * const failed = news.filter((one) => isWanted(one, { ...wants, exitCodes: "failed" }));
 * ```
 */
export function isWanted(news: SinkNews, wants: Wants): boolean {
  if (isUrgent(news) || news.kind === "test") return true;
  const isCommand = isOfCommand(news);
  if (isCommand && !isWantedCommand(news, wants)) return false;
  if (!isCommand && news.session?.emergency !== undefined) return true;
  const user = news.session?.user ?? news.owner?.user ?? "";
  return isAmong(user, wants.users) && isAmong(news.host, wants.hosts) &&
    ticketsOf(news).some((ticket) => isAmong(ticket, wants.tickets));
}

function isWantedCommand({ command }: SinkNews, { events, exitCodes }: Wants): boolean {
  if (events === "sessions") return false;
  if (exitCodes === "all") return true;
  const code = command?.exitCode ?? null;
  return code !== null && (exitCodes === "failed" ? code !== 0 : exitCodes.includes(code));
}

function ticketsOf({ ticket, change, closing, kind }: SinkNews): string[] {
  if (kind === "ticket switched" && change) return [change.from ?? "", change.to];
  return [ticket, ...closing?.tickets ?? []].map((one) => one ?? "");
}

/** Whether none of them excludes it, and one of those that do not, if there are any, is it. */
function isAmong(name: string, patterns: readonly string[]): boolean {
  const included = patterns.filter((pattern) => !pattern.startsWith("!"));
  return !patterns.some((pattern) => pattern.startsWith("!") && matchesGlob(pattern.slice(1), name)) &&
    (included.length === 0 || included.some((pattern) => matchesGlob(pattern, name)));
}
