/** News as log records of OpenTelemetry's: opentelemetry/proto/logs/v1/logs.proto, and its semantic conventions. */

import { VERSION } from "../../config/version.ts";
import { cutToJsonBytes, cutToLength, marked } from "../cut_text.ts";
import type { NewsKind, SinkNews } from "../news.ts";
import { sentenceOf } from "../sentence.ts";
import { isoTime } from "../timestamp.ts";
import { weightOf } from "../weight.ts";
import { type AnyValue, attributesOf, type Fact, type KeyValue, valueOf } from "./any_value.ts";

/** What stands behind a collector often takes no more than 4 MB at a time. */
const MOST_BODY_BYTES = 1_000_000;
/** Attributes are for filters: the body has the whole of a longer text. Loki takes 64 KB of them with a record. */
const LONGEST_ATTRIBUTE = 8_000;

/** What happened, by the name that OpenTelemetry calls an event's type: dotted, and with our own name before it. */
const EVENT_NAMES: Readonly<Record<NewsKind, string>> = {
  "session opened": "srvaudit.session.opened",
  "session closed": "srvaudit.session.closed",
  "ticket switched": "srvaudit.ticket.switched",
  "note": "srvaudit.note",
  "status": "srvaudit.ticket.status",
  "command": "srvaudit.command.ended",
  "command started": "srvaudit.command.started",
  "tamper": "srvaudit.tamper",
  "test": "srvaudit.test",
};

/** As the Logs Data Model maps syslog's severities (appendix B). */
const SEVERITIES = {
  usual: { number: 9, text: "INFO" },
  failure: { number: 13, text: "WARNING" },
  emergency: { number: 18, text: "CRITICAL" },
  tamper: { number: 19, text: "ALERT" },
} as const;

/** A log record. */
export interface LogRecord {
  /** Nanoseconds since 1970; missing where the time is none that a clock shows. */
  timeUnixNano?: string;
  observedTimeUnixNano: string;
  severityNumber: number;
  severityText: string;
  eventName: string;
  body: AnyValue;
  attributes: KeyValue[];
}

/** A request: opentelemetry/proto/collector/logs/v1/logs_service.proto. */
export interface ExportLogsServiceRequest {
  resourceLogs: {
    resource: { attributes: KeyValue[] };
    scopeLogs: { scope: { name: string; version: string }; logRecords: LogRecord[] }[];
  }[];
}

/** @param nowMs the time of the delivery, in milliseconds since 1970 */
export function exportRequest(batch: readonly SinkNews[], nowMs: number): ExportLogsServiceRequest {
  const hosts = Map.groupBy(batch, ({ host }) => host);
  return {
    resourceLogs: [...hosts].map(([host, news]) => ({
      resource: {
        attributes: attributesOf({
          "service.name": "srvaudit",
          "service.version": VERSION,
          "host.name": host,
          "os.type": "linux",
        }),
      },
      scopeLogs: [{
        scope: { name: "srvaudit", version: VERSION },
        logRecords: news.map((one) => logRecord(one, nowMs)),
      }],
    })),
  };
}

/** @param nowMs the time of the delivery, in milliseconds since 1970 */
export function logRecord(news: SinkNews, nowMs: number): LogRecord {
  const { start, words } = sentenceOf(news);
  const body = cutToJsonBytes(start + words, MOST_BODY_BYTES);
  const severity = SEVERITIES[weightOf(news)];
  return {
    ...(isClockTime(news.atUs) ? { timeUnixNano: nanoseconds(news.atUs) } : {}),
    observedTimeUnixNano: nanoseconds(nowMs * 1000),
    severityNumber: severity.number,
    severityText: severity.text,
    eventName: EVENT_NAMES[news.kind],
    body: valueOf(body.text),
    attributes: attributesOf({
      // Who has a record with the same may throw this one away.
      "log.record.uid": news.id,
      "srvaudit.kind": news.kind,
      "srvaudit.seq": news.seq,
      "srvaudit.at": isClockTime(news.atUs) ? undefined : isoTime(news.atUs),
      "srvaudit.cut_characters": body.cut || undefined,
      ...personFacts(news),
      ...sessionFacts(news),
      ...commandFacts(news),
      "srvaudit.text": attribute(news.text),
      "srvaudit.change.from": attribute(news.change?.from),
      "srvaudit.change.to": attribute(news.change?.to),
    }),
  };
}

type Facts = Readonly<Record<string, Fact | null | undefined>>;

function personFacts({ session, owner, ticket, ticketUrl }: SinkNews): Facts {
  return {
    "user.name": session?.user ?? owner?.user,
    // By the conventions it is a text.
    "user.id": (session ? session.uid : owner?.uid)?.toString(),
    "client.address": session?.from || undefined,
    "srvaudit.ticket.id": attribute(ticket),
    "srvaudit.ticket.url": attribute(ticketUrl),
  };
}

function sessionFacts({ session, closing }: SinkNews): Facts {
  return {
    "session.id": session?.id,
    "srvaudit.session.mode": session?.mode,
    "srvaudit.session.shell": attribute(session?.shell),
    "srvaudit.session.tty": attribute(session?.tty),
    "srvaudit.session.opened_at": session && isoTime(session.openedUs),
    "srvaudit.session.command": attribute(session?.command),
    "srvaudit.session.emergency": attribute(session?.emergency),
    "srvaudit.session.unverified": session?.unverified,
    "srvaudit.session.late": session?.late,
    "srvaudit.session.over": session?.over,
    "srvaudit.session.end": closing?.how,
    "srvaudit.session.exit_code": closing?.exitCode,
    "srvaudit.session.duration_us": closing?.durationUs,
    "srvaudit.session.commands": closing?.commands,
    "srvaudit.session.failures": closing?.failures,
  };
}

function commandFacts({ command }: SinkNews): Facts {
  if (!command) return {};
  const { startUs, endUs } = command;
  return {
    "process.command_line": attribute(command.text),
    "process.working_directory": attribute(command.directory),
    "process.exit.code": command.exitCode,
    "process.creation.time": isoTime(startUs),
    "process.exit.time": endUs === null ? undefined : isoTime(endUs),
    "process.user.id": command.effectiveUid,
    "srvaudit.command.duration_us": endUs === null ? undefined : Math.max(0, endUs - startUs),
    "srvaudit.command.pipe_states": command.pipeStates.length > 1 ? command.pipeStates : undefined,
    "srvaudit.command.tty": attribute(command.tty),
    "srvaudit.command.masked": command.isMasked,
    "srvaudit.command.text_state": command.textState,
  };
}

function attribute(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined) return undefined;
  return marked(cutToLength(text, LONGEST_ATTRIBUTE));
}

/** Zero means an unknown time there, and what is negative or has no exact microseconds has no place. */
function isClockTime(us: number): boolean {
  return Number.isSafeInteger(us) && us > 0;
}

function nanoseconds(us: number): string {
  return String(BigInt(Math.trunc(us)) * 1000n);
}
