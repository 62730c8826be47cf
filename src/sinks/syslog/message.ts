/** News as a message of syslog: RFC 5424. */

import { visible } from "../../terminal/visible.ts";
import { isUrgent, type SinkNews } from "../news.ts";
import { sentenceOf } from "../sentence.ts";
import { isoTime } from "../timestamp.ts";
import { escaped, factsOf, type Param, structuredData, textOf } from "./structured_data.ts";

// RFC 5424, table 2.
const ALERT = 1;
const WARNING = 4;
const NOTICE = 5;
const INFO = 6;

const NOTHING = "-";
/** MSG is UTF-8 (6.4). */
const BOM = "\ufeff";
/** What a text that is cut ends with, in the longest case: `[20000 more characters]`. */
const MARK_BYTES = 32;
/** srvAudit's own words have a user's and a ticket's name in them. */
const LONGEST_START = 256;
/** No visible character takes up more, nor an escaped one. */
const MOST_BYTES_EACH = 6;

const encoder = new TextEncoder();

/** From whom messages are, and to whom. */
export interface Writer {
  /** 0 to 23. */
  facility: number;
  appName: string;
  processId: number;
  /** How many bytes the receiver is sure to take. */
  mostBytes: number;
  /** For the host's own log, which knows nothing of RFC 5424 and gives every message its time itself: as syslog(3) writes. */
  isLocal: boolean;
}

/**
 * The message, on one line whatever the news say: control characters in them are visible and do nothing.
 *
 * What is too long is cut: first the sentence for people, then the text in the structured data; the other facts stay.
 *
 * @example
 * ```ts
 * // <86>1 2026-01-31T23:59:59.123456Z web1 srvaudit 4711 command [srvaudit@32473 id="..." ... text="make"] ...$ make
 * syslogMessage(news, { facility: 10, appName: "srvaudit", processId: 4711, mostBytes: 8192, isLocal: false });
 * ```
 */
export function syslogMessage(news: SinkNews, writer: Writer): Uint8Array<ArrayBuffer> {
  const { mostBytes, isLocal } = writer;
  const header = isLocal ? localHeader(news, writer) : headerOf(news, writer);
  const { start, words } = sentenceOf(news);
  const before = (isLocal ? "" : BOM) + visible(fit(start, LONGEST_START, visible).text);
  const facts = withRoom(
    [...factsOf(news), ...(isLocal ? [["at", isoTime(news.atUs)] as const] : [])],
    header,
    mostBytes * 3 / 4,
  );
  const room = mostBytes - bytesOf(`${header} ${structuredData(facts)} ${before} text="" cut="20000"`);
  const text = textOf(news);
  // Whoever asks for all of it asks the structured data: the sentence has the other half, or what is left.
  const told = fit(text, words === "" ? room : (room - MARK_BYTES) / 2, escaped);
  const params: Param[] = text === "" ? facts : [...facts, ["text", told.text]];
  if (told.cut > 0) params.push(["cut", String(told.cut)]);
  const data = structuredData(params);
  const left = mostBytes - bytesOf(`${header} ${data} ${before}`) - MARK_BYTES;
  const shown = fit(words, left, visible);
  const mark = shown.cut > 0 ? ` [${shown.cut} more characters]` : "";
  return new Uint8Array(encoder.encode(`${header} ${data} ${before}${visible(shown.text)}${mark}`));
}

/** Those that there is room for, the first ones first. */
function withRoom(facts: readonly Param[], header: string, mostBytes: number): Param[] {
  let bytes = bytesOf(`${header} ${structuredData([])}`);
  return facts.filter(([name, value]) => {
    const more = bytesOf(` ${name}="${escaped(value)}"`);
    if (bytes + more > mostBytes) return false;
    bytes += more;
    return true;
  });
}

/** 6.2: PRI, VERSION, TIMESTAMP, HOSTNAME, APP-NAME, PROCID, MSGID. */
function headerOf(news: SinkNews, { facility, appName, processId }: Writer): string {
  const time = isoTime(news.atUs);
  return [
    `<${priority(news, facility)}>1`,
    // A shell's word may be a time of no calendar, or of the year 10000.
    /^[0-9]{4}-/.test(time) ? time : NOTHING,
    printable(news.host, 255),
    printable(appName, 48),
    String(processId),
    news.kind.replaceAll(" ", "-"),
  ].join(" ");
}

/** As syslog(3) writes it: the time is the host's own, and read by nobody who has a better one. */
function localHeader(news: SinkNews, { facility, appName, processId }: Writer): string {
  const now = new Date();
  const month =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][now.getMonth()];
  const day = String(now.getDate()).padStart(2);
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) =>
    String(part).padStart(2, "0")
  );
  return `<${priority(news, facility)}>${month} ${day} ${time.join(":")} ${
    printable(appName, 48)
  }[${processId}]:`;
}

function priority(news: SinkNews, facility: number): number {
  return facility * 8 + severityOf(news);
}

/** A command that fails is nothing unusual: a warning, so that errors stay what somebody must look at. */
function severityOf(news: SinkNews): number {
  if (isUrgent(news)) return ALERT;
  if (news.kind === "command") return news.command?.exitCode === 0 ? INFO : WARNING;
  return news.kind === "command started" ? INFO : NOTICE;
}

/** PRINTUSASCII. */
function printable(text: string, most: number): string {
  return text.replaceAll(/[^\x21-\x7e]/g, "_").slice(0, most) || NOTHING;
}

/** As much of a text as has room when it is written out. */
function fit(text: string, most: number, write: (text: string) => string): { text: string; cut: number } {
  if (text.length * MOST_BYTES_EACH <= most) return { text, cut: 0 };
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += bytesOf(write(character));
    if (bytes > most) break;
    end += character.length;
  }
  return { text: text.slice(0, end), cut: text.length - end };
}

function bytesOf(text: string): number {
  return encoder.encode(text).length;
}
