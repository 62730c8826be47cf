/**
 * Block Kit, as far as srvAudit writes it: https://docs.slack.dev/reference/block-kit
 *
 * Everything that people wrote or typed stands in `rich_text`. There nothing is parsed: no `*`, no `<!channel>`, no address and
 * no `:smile:` does anything, and nothing has to be escaped; what is bold, a link or a date is so by its type alone.
 */

import { lengthOfTime } from "../../terminal/moments.ts";
import { visible } from "../../terminal/visible.ts";
import { cutToLength } from "../cut_text.ts";
import { isoTime } from "../timestamp.ts";

/** How a text looks. */
export interface Style {
  bold?: true;
  italic?: true;
  code?: true;
}

/** A text, just as it is. */
export interface TextElement {
  type: "text";
  text: string;
  style?: Style;
}

/** What a line is made of. */
export type Inline =
  | TextElement
  | { type: "link"; url: string; text: string }
  | { type: "date"; timestamp: number; format: string; fallback: string }
  | { type: "emoji"; name: string };

/** What a block is made of. */
export type Part =
  | { type: "rich_text_section" | "rich_text_quote"; elements: Inline[] }
  | { type: "rich_text_preformatted"; elements: TextElement[] };

/** A block of a message. */
export type Block =
  | { type: "header"; text: { type: "plain_text"; text: string; emoji: false } }
  | { type: "rich_text"; elements: Part[] };

/** Behind a text that was too long. */
const SHORTENED = " … (shortened)";
/** Slack takes 3000 characters; but no tracker has addresses so long. */
const LONGEST_URL = 1000;
/** Slack's clients show no others, in seconds since 1970. */
const LAST_SECOND = 253_402_300_799;

/** srvAudit's own words; never what anybody else has written: there they could be taken for ours. */
export function own(text: string): TextElement {
  return { type: "text", text };
}

/**
 * What somebody wrote or typed, with what is left out of it marked in a way that nobody can write.
 *
 * @param longest how many characters (UTF-16) it may have
 * @param keep control characters that may stay
 * @returns nothing for an empty text: Slack takes none
 */
export function words(text: string, longest: number, style?: Style, keep = ""): TextElement[] {
  const { shown, isCut } = harmless(text, longest, keep);
  return [
    ...(shown === "" ? [] : [{ type: "text" as const, text: shown, ...(style && { style }) }]),
    ...(isCut ? [{ type: "text" as const, text: SHORTENED, style: { italic: true as const } }] : []),
  ];
}

/** The same in one text, for where nothing can be marked. */
export function plainWords(text: string, longest: number, keep = ""): string {
  const { shown, isCut } = harmless(text, longest, keep);
  return shown + (isCut ? SHORTENED : "");
}

function harmless(text: string, longest: number, keep: string): { shown: string; isCut: boolean } {
  // Cut first: nobody's megabytes are looked through.
  const beginning = cutToLength(text, longest);
  const shown = cutToLength(visible(beginning.text.toWellFormed(), keep), longest);
  return { shown: shown.text, isCut: beginning.cut + shown.cut > 0 };
}

/** A link, where the address is one that a browser may be sent to; else the words alone. */
export function link(url: string | null, text: string, longest: number): Inline[] {
  const address = URL.parse(url ?? "");
  const isOpenable = address !== null && ["http:", "https:"].includes(address.protocol) &&
    address.username + address.password === "" && address.href.length <= LONGEST_URL;
  const shown = plainWords(text, longest);
  if (!isOpenable || shown === "") return words(text, longest, { bold: true });
  return [{ type: "link", url: address.href.replaceAll("|", "%7C"), text: shown }];
}

/** A moment, by the clock of whoever reads it. */
export function moment(us: number): Inline {
  const timestamp = Math.floor(us / 1e6);
  const fallback = isoTime(us).replace(/\.\d+Z$/, "Z");
  // What no calendar has is shown as the number that it is.
  if (!(timestamp > 0 && timestamp <= LAST_SECOND)) return own(fallback);
  return { type: "date", timestamp, format: "{date_short_pretty} {time_secs}", fallback };
}

/** A length of time: `0.3 s`, `12 s`, `5m 12s`. */
export function stretch(us: number): string {
  const seconds = Math.max(0, us) / 1e6;
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : lengthOfTime(Math.max(0, us));
}

/** One line of a block, or more. */
export function section(...elements: Inline[]): Part {
  return { type: "rich_text_section", elements };
}

/** What somebody wrote, set off from what srvAudit says; nothing for no words. */
export function quote(text: string, longest: number): Part[] {
  const elements = words(text.replace(/\r\n?/g, "\n").trim(), longest, undefined, "\n\t");
  return elements.length === 0 ? [] : [{ type: "rich_text_quote", elements }];
}

/** Lines of a terminal; each for itself, as Slack takes no long texts. */
export function preformatted(lines: readonly string[]): Part {
  const elements = lines.map((line, i) => own(i < lines.length - 1 ? `${line}\n` : line));
  return { type: "rich_text_preformatted", elements };
}

/** One block of rich text. */
export function richText(...elements: Part[]): Block {
  return { type: "rich_text", elements };
}

/** Large letters; only for words of ours. */
export function header(text: string): Block {
  return { type: "header", text: { type: "plain_text", text, emoji: false } };
}

/** What must not be missed. */
export const ALARM: Inline = { type: "emoji", name: "rotating_light" };

/**
 * A text for the top of a message, where Slack looks for `<...>`: notifications, screen readers and what knows no blocks show it.
 *
 * https://docs.slack.dev/messaging/formatting-message-text#escaping
 */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
