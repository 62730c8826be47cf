/** News as an entry of Datadog's logs. */

import { cutToJsonBytes, cutToLength, marked } from "../cut_text.ts";
import { durationOf, type SinkNews } from "../news.ts";
import { sentenceOf } from "../sentence.ts";
import { isoTime, timestampIn, type TimeWindow } from "../timestamp.ts";
import { weightOf } from "../weight.ts";

/** An entry has 1 MB at most; this leaves room for all that is not the message, at its longest. */
const MOST_MESSAGE_BYTES = 700_000;
/** Attributes are for filters: the message has the whole of a longer text. */
const LONGEST_ATTRIBUTE = 4_000;

/** Datadog throws away what is older than 18 hours, or two hours ahead: an hour, and half of one, for the way and the clocks. */
export const DATADOG_WINDOW: TimeWindow = { pastMs: 17 * 3_600_000, futureMs: 90 * 60_000 };

const STATUSES = { usual: "info", failure: "warning", emergency: "critical", tamper: "alert" } as const;

/**
 * An entry as the Logs API takes it: Datadog's reserved attributes, its standard ones, and our own. What is undefined is not in
 * its JSON.
 */
export interface DatadogLog {
  ddsource: "srvaudit";
  /** With commas between them. */
  ddtags?: string | undefined;
  hostname: string;
  service: "srvaudit";
  message: string;
  status: "info" | "warning" | "critical" | "alert";
  /** Milliseconds since 1970. */
  timestamp: number;
  /** Nanoseconds. */
  duration?: number | undefined;
  [attribute: string]: unknown;
}

/**
 * @param tags of the config
 * @param nowMs the time of the delivery, in milliseconds since 1970
 */
export function datadogLog(news: SinkNews, tags: readonly string[], nowMs: number): DatadogLog {
  const { session, owner, ticket, ticketUrl, command, change } = news;
  const user = session ?? owner;
  const { ms, isOfDelivery } = timestampIn(DATADOG_WINDOW, news.atUs, nowMs);
  const { start, words } = sentenceOf(news);
  const message = cutToJsonBytes(start + words, MOST_MESSAGE_BYTES);
  const durationUs = durationOf(news);
  return {
    ddsource: "srvaudit",
    ddtags: tags.join(",") || undefined,
    hostname: news.host,
    service: "srvaudit",
    message: marked(message),
    status: STATUSES[weightOf(news)],
    timestamp: ms,
    duration: durationUs && durationUs * 1000,
    evt: { name: news.kind, outcome: outcomeOf(news) },
    usr: user && { name: user.user, id: user.uid?.toString() },
    network: session?.from ? { client: { ip: session.from } } : undefined,
    ticket: ticket === null ? undefined : { id: ticket, url: ticketUrl ?? undefined },
    session: session ? sessionAttributes(news, session) : undefined,
    command: command && {
      text: attribute(command.text),
      directory: attribute(command.directory),
      exit_code: command.exitCode ?? undefined,
      pipe_states: command.pipeStates.length > 1 ? command.pipeStates : undefined,
      started_at: isoTime(command.startUs),
      tty: command.tty,
      effective_uid: command.effectiveUid,
      masked: command.isMasked || undefined,
      text_state: command.textState,
    },
    change: change && { from: change.from ?? undefined, to: change.to },
    note: news.kind === "note" ? attribute(news.text ?? "") : undefined,
    srvaudit: {
      id: news.id,
      seq: news.seq,
      at: isoTime(news.atUs),
      // The log's own date is then that of its delivery, and `at` the true one.
      timestamp_is: isOfDelivery ? "delivery" : undefined,
      cut_characters: message.cut || undefined,
    },
  };
}

function sessionAttributes(news: SinkNews, session: NonNullable<SinkNews["session"]>): object {
  const { closing } = news;
  return {
    id: session.id,
    mode: session.mode,
    shell: session.shell,
    tty: session.tty,
    opened_at: isoTime(session.openedUs),
    command: session.command === undefined ? undefined : attribute(session.command),
    emergency: session.emergency === undefined ? undefined : attribute(session.emergency),
    unverified: session.unverified,
    late: session.late,
    over: session.over,
    how: closing?.how,
    exit_code: closing?.exitCode ?? undefined,
    commands: closing?.commands,
    failures: closing?.failures,
  };
}

function outcomeOf({ kind, command }: SinkNews): string | undefined {
  if (kind !== "command" || !command) return undefined;
  if (command.exitCode === null) return "unknown";
  return command.exitCode === 0 ? "success" : "failure";
}

function attribute(text: string): string {
  return marked(cutToLength(text, LONGEST_ATTRIBUTE));
}
