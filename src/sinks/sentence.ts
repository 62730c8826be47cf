/** News in one sentence, for people who read through a log. */

import type { SinkNews } from "./news.ts";

/** A sentence: what srvAudit says comes first, so that nobody's words can be taken for it. */
export interface Sentence {
  /** srvAudit's own words; never empty, never the beginning of JSON. */
  start: string;
  /** What somebody has typed or written, as it is; may be empty. */
  words: string;
}

/**
 * @returns as in `alice (OPS-17) exit 1: $ ` and `make install`
 */
export function sentenceOf(news: SinkNews): Sentence {
  const { kind, session, owner, ticket, command, closing, change } = news;
  const user = (session ?? owner)?.user ?? "the host";
  const who = user + (ticket === null ? "" : ` (${ticket})`);
  switch (kind) {
    case "session opened": {
      const from = session?.from ? ` from ${session.from}` : "";
      if (session?.emergency !== undefined) {
        return {
          start: `EMERGENCY: ${who} opened a session${from} without a ticket: `,
          words: session.emergency,
        };
      }
      const asked = session?.command;
      return asked === undefined
        ? { start: `${who} opened a session${from}`, words: "" }
        : { start: `${who} opened a session${from} for one command: $ `, words: asked };
    }
    case "session closed":
      return { start: `${who} ended the session${closing ? closed(closing) : ""}`, words: "" };
    case "ticket switched":
      return { start: `${user} switched the ticket${changed(change)}`, words: "" };
    case "status":
      return { start: `${who} set the status${changed(change)}`, words: "" };
    case "note":
      return { start: `${who} notes: `, words: news.text ?? "" };
    case "command":
      return { start: `${who} ${ended(command)}: $ `, words: command?.text ?? "" };
    case "command started":
      return { start: `${who} runs: $ `, words: command?.text ?? "" };
    case "tamper":
      return { start: `TAMPER: ${who}: `, words: news.text ?? "" };
    case "test":
      return { start: "This is a test of srvAudit: ", words: news.text ?? "" };
  }
}

function ended(command: SinkNews["command"]): string {
  return command?.exitCode == null ? "end not seen" : `exit ${command.exitCode}`;
}

function changed(change: SinkNews["change"]): string {
  if (!change) return "";
  return change.from === null ? ` to ${change.to}` : ` from ${change.from} to ${change.to}`;
}

function closed({ how, durationUs, commands, failures }: NonNullable<SinkNews["closing"]>): string {
  const seconds = Math.max(0, Math.round(durationUs / 1_000_000));
  return ` (${how}) after ${seconds} s: ${commands} commands, ${failures} failed`;
}
