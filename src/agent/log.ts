/**
 * The agent's log: JSON lines in `/var/log/srvaudit.log`, and readable ones on stderr, where journald takes them.
 *
 * No secret and no command of a user's is ever in it: those are in evidence.
 */

import { getFileSink } from "@logtape/file";
import {
  configure,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type LogRecord,
  type Sink,
} from "@logtape/logtape";
import type { LogLevel } from "../config/agent_settings.ts";
import { messageOf } from "../terminal/message_of.ts";
import { harmlessJson, visible } from "../terminal/visible.ts";

/** The agent's logger. */
export const log = getLogger(["srvaudit", "agent"]);

const json = getJsonLinesFormatter({ properties: "flatten" });
const text = getTextFormatter({ timestamp: "rfc3339", category: "." });
const encoder = new TextEncoder();

/** What stands in a record may come from a user: on stderr it must not act on a terminal. */
function toStderr(record: LogRecord): void {
  try {
    Deno.stderr.writeSync(encoder.encode(visible(text(record).trimEnd()) + "\n"));
  } catch {
    // Nobody reads it; the file has it.
  }
}

/**
 * Begins the log, or begins it anew: the file is opened again, as logrotate(8) wants it after it has moved it away.
 *
 * @param file its path; where it cannot be opened, stderr alone has the log
 * @param level the least that is said
 */
export async function openLog(file: string, level: LogLevel): Promise<void> {
  let fault: unknown;
  const sinks: Record<string, Sink> = { stderr: toStderr };
  // For root and who reads logs, though all else that the agent makes is root's alone.
  const umask = Deno.umask(0o027);
  try {
    Deno.openSync(file, { append: true, create: true, mode: 0o640 }).close();
    sinks.file = getFileSink(file, {
      formatter: (record) => harmlessJson(json(record).trimEnd()) + "\n",
      bufferSize: 0,
    });
  } catch (error) {
    fault = error;
  } finally {
    Deno.umask(umask);
  }
  await configure({
    reset: true,
    sinks,
    loggers: [
      { category: ["srvaudit"], lowestLevel: level, sinks: Object.keys(sinks) },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
    ],
  });
  if (fault !== undefined) {
    log.error("the log file cannot be written: {reason}", { reason: messageOf(fault), file });
  }
}
