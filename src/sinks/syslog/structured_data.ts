/** What is known of news, as structured data (RFC 5424, 6.3): for machines. */

import { durationOf, type SinkNews } from "../news.ts";
import { visible } from "../../terminal/visible.ts";
import { ellipsized } from "../cut_text.ts";

/**
 * Names that are registered nowhere have an enterprise's number (7.2.2). srvAudit has none; this one is set aside for documentation
 * (RFC 5612), so that it is nobody else's. It is not going to change: receivers look for it.
 */
const ID = "srvaudit@32473";
/** How many characters of a fact are told. Each is short, unless somebody wants it to be long. */
const LONGEST_FACT = 96;
/** Paths and addresses of web pages may be longer and still be of use. */
const LONGEST_PATH = 160;

/** One name with its value. */
export type Param = readonly [name: string, value: string];

/** The facts of news, those first that must not be missing; without its long texts. */
export function factsOf(news: SinkNews): Param[] {
  const { session, owner, command, closing, change } = news;
  const exitCode = command?.exitCode ?? closing?.exitCode;
  const whose = session ?? owner;
  const facts: [string, string | number | null | undefined][] = [
    ["id", news.id],
    ["kind", news.kind],
    ["seq", news.seq],
    ["session", session?.id],
    ["ticket", news.ticket],
    ["exitCode", exitCode],
    ["user", whose?.user],
    ["uid", whose?.uid],
    ["effectiveUid", command?.effectiveUid],
    ["from", session?.from],
    ["tty", command?.tty ?? session?.tty],
    ["mode", session?.mode],
    ["shell", session?.shell],
    ["emergency", session?.emergency === undefined ? undefined : "true"],
    ["unverified", session?.unverified && "true"],
    ["late", session?.late && "true"],
    ["over", session?.over && "true"],
    ["durationUs", durationOf(news)],
    ["pipeStates", command && command.pipeStates.length > 1 ? command.pipeStates.join(" ") : undefined],
    ["masked", command?.isMasked ? "true" : undefined],
    ["textState", command && command.textState !== "whole" ? command.textState : undefined],
    ["how", closing?.how],
    ["commands", closing?.commands],
    ["failures", closing?.failures],
    ["statusFrom", change?.from],
    ["statusTo", change?.to],
    ["directory", command?.directory],
    ["ticketURL", news.ticketUrl],
  ];
  return facts.flatMap(([name, value]): Param[] => {
    if (value === undefined || value === null || value === "") return [];
    const isPath = name === "directory" || name === "ticketURL";
    return [[name, ellipsized(String(value), isPath ? LONGEST_PATH : LONGEST_FACT)]];
  });
}

/** What somebody has typed or written; empty where nothing was. */
export function textOf({ session, command, text }: SinkNews): string {
  return command?.text ?? text ?? session?.emergency ?? session?.command ?? "";
}

/** @returns as in `[srvaudit@32473 id="..." ticket="OPS-17"]` */
export function structuredData(params: readonly Param[]): string {
  return `[${ID}${params.map(([name, value]) => ` ${name}="${escaped(value)}"`).join("")}]`;
}

/** As it may stand in a value (6.3.3). What else would act is made visible: receivers keep control characters, or replace them in ways of their own. */
export function escaped(value: string): string {
  return visible(value).replaceAll(/["\\\]]/g, "\\$&");
}
