/** What a channel is shown of news, one item after the other. */

import { isOfCommand, isUrgent, type NewsCommand, type SinkNews } from "../news.ts";
import { sentenceOf } from "../sentence.ts";
import {
  ALARM,
  type Block,
  header,
  type Inline,
  link,
  moment,
  own,
  type Part,
  plainWords,
  preformatted,
  quote,
  richText,
  section,
  stretch,
  words,
} from "./blocks.ts";

/** News that are shown together: one, or commands of one session. */
export interface Item {
  news: readonly SinkNews[];
  blocks: readonly Block[];
  /** The same in one line, for a notification; not escaped. */
  notice: string;
}

/** The longest that things may be, in characters: Slack takes 3000 in one text, and some 10,000 in a message. */
export const LONGEST = {
  name: 80,
  ticket: 120,
  path: 120,
  command: 600,
  line: 300,
  note: 2500,
  reason: 1500,
};
const LONGEST_NOTICE = 240;
/** So many commands of a session are shown at a time; how many more there were is said. */
const MOST_LINES = 8;

/** @returns items in the order of their news; commands of a session that came one after the other are one */
export function itemsOf(batch: readonly SinkNews[]): Item[] {
  const groups: SinkNews[][] = [];
  const open = new Map<string, SinkNews[]>();
  for (const news of batch) {
    const session = news.session?.id ?? "";
    const group = isOfCommand(news) ? open.get(session) : undefined;
    if (group) {
      group.push(news);
      continue;
    }
    const opened = [news];
    groups.push(opened);
    if (isOfCommand(news)) open.set(session, opened);
    else open.delete(session);
  }
  return groups.map(itemOf);
}

/** @returns what a notification says of news; not escaped */
export function noticeOf(news: SinkNews): string {
  const { start, words } = sentenceOf(news);
  return plainWords(`${news.host}: ${start}${words}`, LONGEST_NOTICE);
}

function itemOf(group: readonly SinkNews[]): Item {
  const [news] = group;
  if (!news) return { news: [], blocks: [], notice: "" };
  const blocks = isOfCommand(news) ? [commandsBlock(news, group)] : blocksOf(news);
  const more = group.length > 1 ? ` (and ${group.length - 1} more)` : "";
  return { news: group, blocks, notice: noticeOf(news) + more };
}

/** Who, and where. */
export function whoOf(host: string, user: string | undefined): Inline[] {
  const where = words(host, LONGEST.name, { bold: true });
  return user === undefined ? where : [...words(user, LONGEST.name, { bold: true }), own(" on "), ...where];
}

/** The ticket, with the way to it. */
export function ticketOf({ ticket, ticketUrl }: Pick<SinkNews, "ticket" | "ticketUrl">): Inline[] {
  return ticket === null ? [own("no ticket")] : link(ticketUrl, ticket, LONGEST.ticket);
}

function blocksOf(news: SinkNews): Block[] {
  const body = richText(...partsOf(news));
  if (!isUrgent(news)) return [body];
  return [header(news.kind === "tamper" ? "Tamper" : "Emergency: a login without a ticket"), body];
}

function partsOf(news: SinkNews): Part[] {
  const { kind, session, atUs, text = "", change } = news;
  const when = [own(" · "), moment(atUs)];
  const who = whoOf(news.host, session?.user);
  const ticket = ticketOf(news);
  switch (kind) {
    case "session opened":
      return openingOf(news, when);
    case "session closed":
      return [section(...who, own(" · "), ...ticket, ...closingOf(news))];
    case "ticket switched":
      return [section(...who, own(" works on another ticket: "), ...changeOf(change, ticket), ...when)];
    case "status":
      return [section(...who, own(" · "), ...ticket, own(": "), ...changeOf(change), ...when)];
    case "note":
      return [
        section(...who, own(" · "), ...ticket, own(" · a note"), ...when),
        ...quote(text, LONGEST.note),
      ];
    case "tamper": {
      const what = own(
        session ? " · an honest shell does not do this" : " · an honest host does not do this",
      );
      return [
        section(ALARM, own(" "), ...who, own(" · "), ...ticket, what, ...when),
        ...quote(text, LONGEST.note),
      ];
    }
    case "test":
      return [section(...who, own(" · a test of srvAudit"), ...when), ...quote(text, LONGEST.note)];
    case "command":
    case "command started":
      return [section(...who), preformatted([lineOf(news)])];
  }
}

function openingOf(news: SinkNews, when: readonly Inline[]): Part[] {
  const { session } = news;
  const isEmergency = session?.emergency !== undefined;
  const one = session?.mode === "command" ? " for one command" : "";
  return [
    section(
      ...(isEmergency ? [ALARM, own(" ")] : []),
      ...whoOf(news.host, session?.user),
      own(` opened a session${one} · `),
      ...ticketOf(news),
      ...(session?.unverified ? [own(" (not looked up yet)")] : []),
      ...(session ? originOf(session) : []),
      ...when,
    ),
    ...(session?.command === undefined
      ? []
      : [preformatted([`$ ${plainWords(session.command, LONGEST.command)}`])]),
    ...quote(session?.emergency ?? "", LONGEST.reason),
  ];
}

/** From where, and on which terminal. */
export function originOf({ from, tty }: { from: string; tty: string }): Inline[] {
  return [
    own(" · "),
    ...(from === "" ? [own("local")] : [own("from "), ...words(from, LONGEST.name)]),
    ...(tty === "" ? [] : [own(" · "), ...words(tty, LONGEST.name)]),
  ];
}

function closingOf({ session, closing, atUs }: SinkNews): Inline[] {
  if (!closing) return [own(" · the session is over · "), moment(atUs)];
  const { how, exitCode, durationUs } = closing;
  return [
    own(` · the session is over (${how}${exitCode === null ? "" : `, exit ${exitCode}`}) · `),
    own(`${countOf(closing)} in ${stretch(durationUs)} · `),
    ...(session ? [moment(session.openedUs), own(" to ")] : []),
    moment(atUs),
  ];
}

/** @returns `12 commands, 2 failed` */
export function countOf({ commands, failures }: { commands: number; failures: number }): string {
  return `${commands} ${commands === 1 ? "command" : "commands"}, ${failures} failed`;
}

function changeOf(change: SinkNews["change"], to?: readonly Inline[]): Inline[] {
  if (!change) return [];
  const before = change.from === null ? [] : [...words(change.from, LONGEST.ticket), own(" → ")];
  return [...before, ...(to ?? words(change.to, LONGEST.ticket, { bold: true }))];
}

function commandsBlock(first: SinkNews, group: readonly SinkNews[]): Block {
  const ended = group.filter(({ kind }) => kind === "command");
  const failures = ended.filter(({ command }) => isFailure(command)).length;
  const count = ended.length === 0 ? "still at work" : countOf({ commands: ended.length, failures });
  const head = section(
    ...whoOf(first.host, first.session?.user),
    own(" · "),
    ...ticketOf(first),
    own(` · ${count} · `),
    moment(first.atUs),
  );
  const lines = group.slice(0, MOST_LINES).map(lineOf);
  const rest = group.length - lines.length;
  return richText(head, preformatted(rest > 0 ? [...lines, `... and ${rest} more`] : lines));
}

/** Whether a command has failed, as far as anybody saw. */
export function isFailure(command: NewsCommand | undefined): boolean {
  return (command?.exitCode ?? 0) !== 0;
}

/** A command in one line: how it ended comes first, so that no command's text can be taken for it. */
function lineOf({ kind, command }: SinkNews): string {
  if (!command) return "";
  const { startUs, endUs, exitCode, directory, text, effectiveUid, isMasked, textState } = command;
  const remarks = [
    ...(isMasked ? ["masked"] : []),
    ...(textState === "partial" ? ["only its beginning is known"] : []),
    ...(textState === "missing" ? ["its text is not known"] : []),
  ];
  return [
    kind === "command started" ? "runs  " : `exit ${exitCode ?? "?"}`.padEnd(6),
    (endUs === null ? "" : stretch(endUs - startUs)).padStart(7),
    plainWords(directory, LONGEST.path),
    ...(remarks.length > 0 ? [`(${remarks.join(", ")})`] : []),
    `${effectiveUid === 0 ? "#" : "$"} ${plainWords(text, LONGEST.line)}`,
  ].join("  ");
}
