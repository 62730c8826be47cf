/** The one message of a session that is kept up to date: what is known of it, and what it shows. */

import * as z from "zod/mini";
import type { SinkNews } from "../news.ts";
import {
  ALARM,
  type Inline,
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
import { countOf, isFailure, LONGEST, originOf, ticketOf, whoOf } from "./items.ts";
import { type Message, textOf } from "./message.ts";

const CARD = z.object({
  /** Where it is in Slack; null while it is not there. */
  place: z.nullable(z.object({ channel: z.string(), ts: z.string() })),
  host: z.string(),
  session: z.object({
    user: z.string(),
    from: z.string(),
    tty: z.string(),
    mode: z.enum(["interactive", "command"]),
    openedUs: z.number(),
    command: z.optional(z.string()),
    emergency: z.optional(z.string()),
  }),
  ticket: z.nullable(z.string()),
  ticketUrl: z.nullable(z.string()),
  status: z.nullable(z.string()),
  /** As far as they were told. */
  commands: z.number(),
  failures: z.number(),
  notes: z.number(),
  tampers: z.number(),
  lastUs: z.number(),
  closing: z.nullable(
    z.object({ how: z.string(), exitCode: z.nullable(z.number()), durationUs: z.number() }),
  ),
});

/** What is known of a session. */
export type Card = z.infer<typeof CARD>;

/** @returns undefined for what is none (any more) */
export function readCard(text: string | undefined): Card | undefined {
  if (text === undefined) return undefined;
  try {
    return CARD.safeParse(JSON.parse(text)).data;
  } catch {
    // Another version may have written it in another way: then the session gets a new message.
    return undefined;
  }
}

/** A card of a session that nothing was told of yet. */
export function newCard({ host, session, ticket, ticketUrl, atUs }: SinkNews): Card {
  return {
    place: null,
    host: shortened(host),
    session: {
      user: shortened(session?.user ?? ""),
      from: shortened(session?.from ?? ""),
      tty: shortened(session?.tty ?? ""),
      mode: session?.mode ?? "interactive",
      openedUs: session?.openedUs ?? atUs,
      ...(session?.command === undefined ? {} : { command: session.command.slice(0, LONGEST.command + 1) }),
      ...(session?.emergency === undefined
        ? {}
        : { emergency: session.emergency.slice(0, LONGEST.reason + 1) }),
    },
    ticket,
    ticketUrl,
    status: null,
    commands: 0,
    failures: 0,
    notes: 0,
    tampers: 0,
    lastUs: atUs,
    closing: null,
  };
}

/** What it is kept for is shown in so many characters; one more, so that it is marked as shortened still. */
function shortened(name: string): string {
  return name.slice(0, LONGEST.name + 1);
}

/** @returns the card when that has happened, too */
export function cardAfter(card: Card, news: SinkNews): Card {
  const { kind, command, closing, change, ticket, ticketUrl, atUs } = news;
  const next = { ...card, ticket, ticketUrl, lastUs: Math.max(card.lastUs, atUs) };
  if (ticket !== card.ticket) next.status = null;
  switch (kind) {
    case "command":
      next.commands++;
      if (isFailure(command)) next.failures++;
      break;
    case "status":
      next.status = change?.to.slice(0, LONGEST.ticket + 1) ?? null;
      break;
    case "note":
      next.notes++;
      break;
    case "tamper":
      next.tampers++;
      break;
    case "session closed":
      if (!closing) break;
      next.closing = { how: closing.how, exitCode: closing.exitCode, durationUs: closing.durationUs };
      // Those that were not told are in there, too.
      next.commands = closing.commands;
      next.failures = closing.failures;
      break;
  }
  return next;
}

/** @param notice what has happened, for the notification; not escaped */
export function messageOf(card: Card, notice: string): Message {
  return { text: textOf([notice]), blocks: [richText(...partsOf(card))] };
}

function partsOf(card: Card): Part[] {
  const { session, status, closing, lastUs, tampers } = card;
  const isAlarm = session.emergency !== undefined || tampers > 0;
  const mark: Inline = isAlarm
    ? ALARM
    : { type: "emoji", name: closing ? "white_circle" : "large_green_circle" };
  const end: Inline[] = closing
    ? [own(" to "), moment(lastUs), own(` (${closing.how}${exitOf(closing.exitCode)})`)]
    : [];
  const lengthUs = closing?.durationUs ?? lastUs - session.openedUs;
  const counts = [
    ...(card.commands > 0 || closing ? [countOf(card)] : []),
    ...(card.notes > 0 ? [`${card.notes} ${card.notes === 1 ? "note" : "notes"}`] : []),
    ...(tampers > 0 ? [`${tampers} × tamper`] : []),
    closing ? `over after ${stretch(lengthUs)}` : `for ${stretch(lengthUs)} so far`,
  ];
  return [
    section(
      mark,
      own(" "),
      ...whoOf(card.host, session.user),
      own(" · "),
      ...ticketOf(card),
      ...(status === null ? [] : [own(": "), ...words(status, LONGEST.ticket, { bold: true })]),
      ...originOf(session),
      own("\n"),
      moment(session.openedUs),
      ...end,
      own(` · ${counts.join(" · ")}`),
    ),
    ...(session.command === undefined
      ? []
      : [preformatted([`$ ${plainWords(session.command, LONGEST.command)}`])]),
    ...quote(session.emergency ?? "", LONGEST.reason),
  ];
}

function exitOf(exitCode: number | null): string {
  return exitCode === null ? "" : `, exit ${exitCode}`;
}
