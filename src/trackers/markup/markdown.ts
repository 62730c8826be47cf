/** Redmine's `markdown`: Redcarpet, as Redmine sets it up. HTML is dropped, and code can have no entity. */

import { ASTRAL, entities } from "./entities.ts";
import type { Markup } from "./markup.ts";
import { bytesOf, REDMINE_LIMIT } from "./redmine_limit.ts";
import { codeAndText, styled } from "./styled.ts";

const PROSE = { line: (text: string) => entities(text), lineBreak: "\n" };

/**
 * What does something in a fenced block all the same: its end, or what Redmine takes for it where it looks for people who are
 * mentioned; a macro; blanks that are alone on a line.
 */
const ACTS_IN_CODE = new RegExp(`\`\`\`|~~~|\\{\\{\\w|^ +$|${ASTRAL}`, "u");

/** Comments in Redcarpet's Markdown. */
export const markdown: Markup = styled({
  ...PROSE,
  limit: REDMINE_LIMIT,
  sizeOf: bytesOf,
  strong: "**",
  quote: (lines) => lines.map((line) => `> ${line}`).join("\n"),
  code: (lines) =>
    codeAndText(lines, ACTS_IN_CODE, (literal) => `\`\`\`\n${literal.join("\n")}\n\`\`\``, PROSE),
});
