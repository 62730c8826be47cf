/** Redmine's Textile, as its own `redcloth3.rb` reads it: a third of it is not as anybody else's. */

import { ASTRAL, entities, entity } from "./entities.ts";
import type { Markup } from "./markup.ts";
import { bytesOf, REDMINE_LIMIT } from "./redmine_limit.ts";
import { styled } from "./styled.ts";

/** Comments in Textile. */
export const textile: Markup = styled({
  limit: REDMINE_LIMIT,
  sizeOf: bytesOf,
  strong: "*",
  line: (text) => entities(text),
  lineBreak: "\n",
  quote: (lines) => lines.map((line) => `> ${line}`).join("\n"),
  code: (lines) => `<pre>\n${lines.map(code).join("\n")}\n</pre>`,
});

/**
 * In `<pre>` everything is what it is, entities too, but for what Redmine does before it looks for `<pre>`. Such a character stands
 * outside, as it were: `</notextile>` ends what is taken literally, `<notextile>` begins it again, and neither is ever shown.
 */
const ACTS_IN_PRE = [
  // What would begin or end it.
  "<(?=/?(?:code|pre|kbd|notextile|redpre))",
  // A macro, and somebody who is told that he was mentioned.
  "\\{(?=\\{\\w)",
  "(?<!\\w)@",
  // A blank would be added behind it.
  '"$',
  // How Redmine writes down ampersands and attributes meanwhile.
  "(?<=x)%(?=x%|&)",
  "(?<= ):(?=redsh#)",
  // A line of nothing but blanks would lose them.
  "^ (?= *$)",
  ASTRAL,
];
const ACTING_RUN = new RegExp(`(?:${ACTS_IN_PRE.join("|")})+`, "giu");

function code(line: string): string {
  return line.replace(ACTING_RUN, (characters) => outside(Array.from(characters, entity).join(""))) ||
    outside("");
}

function outside(text: string): string {
  return `</notextile>${text}<notextile>`;
}
