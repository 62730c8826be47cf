/** The wiki markup of Jira Server and Data Center. */

import { entities } from "./entities.ts";
import type { Block, Markup } from "./markup.ts";
import { plainLine, plainText } from "./plain.ts";

/**
 * Comments in Jira's wiki markup.
 *
 * The limit is `jira.text.field.character.limit`, 32,767 where nobody has changed it; Jira counts as Java does, in UTF-16.
 */
export const wiki: Markup = {
  limit: 32_767,
  sizeOf: (body) => body.length,
  render: (blocks) => blocks.map(written).join(""),
};

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
      return `${entities(plainLine(block.by))}\n{quote}\n${prose(block.text)}\n{quote}\n\n`;
    case "code":
      return code(block.lines.map(plainLine));
  }
}

function prose(text: string): string {
  return plainText(text).split("\n").map((line) => entities(line)).join("\n");
}

const ACTS_IN_CODE = /\{noformat|[\u{10000}-\u{10ffff}]/iu;

/** Lines that code cannot have stand between two blocks of code, as text. */
function code(lines: readonly string[]): string {
  let body = "";
  let before: boolean | undefined;
  for (const line of lines) {
    const literal = !ACTS_IN_CODE.test(line);
    if (literal !== before) {
      body += (before === undefined ? "" : end(before)) + (literal ? "{noformat}\n" : "");
    }
    body += (literal ? line : entities(line)) + "\n";
    before = literal;
  }
  return before === undefined ? "" : body + end(before);
}

function end(literal: boolean): string {
  return literal ? "{noformat}\n\n" : "\n";
}
