/** News as New Relic's attributes: names with a value each, texts and numbers alone, since its events have no others. */

import { cutToLength, marked } from "../cut_text.ts";
import { durationOf, type SinkNews } from "../news.ts";
import { isoTime } from "../timestamp.ts";

/** An event with a longer value is thrown away (4096), and of a log's only the beginning can be searched for (4094). */
const LONGEST_VALUE = 4_000;

/** What is known of news, by name. None of the names is a word of NRQL's, or one that New Relic keeps for itself. */
export type Facts = Record<string, string | number>;

/** @returns what is known: nothing empty, and nothing longer than New Relic takes */
export function factsOf(news: SinkNews): Facts {
  const { session, owner, command, closing, change } = news;
  const user = session ?? owner;
  const durationUs = durationOf(news);
  const facts = {
    newsId: news.id,
    seq: news.seq,
    kind: news.kind,
    happenedAt: isoTime(news.atUs),
    host: news.host,
    ticket: news.ticket,
    ticketUrl: news.ticketUrl,
    userName: user?.user,
    userId: user?.uid,
    clientAddress: session?.from,
    sessionId: session?.id,
    sessionMode: session?.mode,
    sessionShell: session?.shell,
    sessionTty: session?.tty,
    sessionOpenedAt: session && isoTime(session.openedUs),
    sessionCommand: session?.command,
    emergency: session?.emergency,
    unverified: session?.unverified && "yes",
    sessionLate: session?.late && "yes",
    sessionOver: session?.over && "yes",
    command: command?.text,
    directory: command?.directory,
    exitCode: command?.exitCode ?? closing?.exitCode,
    pipeStates: command && command.pipeStates.length > 1 ? command.pipeStates.join(" ") : undefined,
    startedAt: command && isoTime(command.startUs),
    durationMs: durationUs && durationUs / 1000,
    commandTty: command?.tty,
    effectiveUserId: command?.effectiveUid,
    masked: command?.isMasked ? "yes" : undefined,
    textState: command?.textState,
    endedHow: closing?.how,
    commands: closing?.commands,
    failures: closing?.failures,
    changedFrom: change?.from,
    changedTo: change?.to,
    text: news.text,
  };
  const known: Facts = {};
  for (const [name, value] of Object.entries(facts)) {
    if (value === undefined || value === null || value === "") continue;
    known[name] = typeof value === "string" ? shortened(value) : value;
  }
  return known;
}

function shortened(value: string): string {
  return marked(cutToLength(value, LONGEST_VALUE));
}
