/** Redmine's Textile, as its own `redcloth3.rb` reads it: a third of it is not as anybody else's. */

import { entities, entity } from "./entities.ts";
import type { Block, Markup } from "./markup.ts";
import { plainLine, plainText } from "./plain.ts";
import { bytesOf, REDMINE_LIMIT } from "./redmine_limit.ts";

/** Comments in Textile. */
export const textile: Markup = {
  limit: REDMINE_LIMIT,
  sizeOf: bytesOf,
  render: (blocks) => blocks.map(written).join(""),
};

/** Each block ends in an empty line: what comes next is on its own. */
function written(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `*${entities(plainLine(block.text))}*\n\n`;
    case "facts":
      return block.facts.map(([name, value]) => `* ${entities(plainLine(`${name}: ${value}`))}\n`).join("") +
        "\n";
    case "text":
      return prose(block.text) + "\n\n";
    case "quote":
      return `${entities(plainLine(block.by))}\n\n${prose(block.text).replace(/^/gm, "> ")}\n\n`;
    case "code":
      return block.lines.length === 0 ? "" : `<pre>\n${block.lines.map(code).join("\n")}\n</pre>\n\n`;
  }
}

function prose(text: string): string {
  return plainText(text).split("\n").map((line) => entities(line)).join("\n");
}

/**
 * In `<pre>` everything is what it is, entities too, but for what Redmine does before it looks for `<pre>`. Such a character stands
 * between two `<pre>`s, so to speak: `</notextile>` ends what is taken literally, `<notextile>` begins it again, and
 * neither is ever shown.
 */
const ACTS_IN_PRE = new RegExp(
  [
    "<(?=/?(?:code|pre|kbd|notextile|redpre))",
    "\\{(?=\\{)",
    "(?<![A-Za-z0-9_])@",
    // Behind it, a blank would be added.
    '"$',
    // How Redmine keeps ampersands and attributes meanwhile.
    "(?<=x)%(?=x%|&)",
    "(?<= ):(?=redsh#)",
    // A line of nothing but blanks would lose them.
    "^ (?= *$)",
    "[\\u{10000}-\\u{10ffff}]",
  ].join("|"),
  "giu",
);

function code(line: string): string {
  return plainLine(line).replace(ACTS_IN_PRE, (character) => island(entity(character))) || island("");
}

function island(inside: string): string {
  return `</notextile>${inside}<notextile>`;
}
