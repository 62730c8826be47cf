/** Redmine's `markdown`: Redcarpet, as Redmine sets it up. HTML is dropped, code can have no entity. */

import { entities } from "./entities.ts";
import type { Block, Markup } from "./markup.ts";
import { plainLine, plainText } from "./plain.ts";
import { bytesOf, REDMINE_LIMIT } from "./redmine_limit.ts";

/** Comments in Redcarpet's Markdown. */
export const markdown: Markup = {
  limit: REDMINE_LIMIT,
  sizeOf: bytesOf,
  render: (blocks) => blocks.map(written).join(""),
};

function written(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `**${entities(plainLine(block.text))}**\n\n`;
    case "facts":
      return block.facts.map(([name, value]) => `* ${entities(plainLine(`${name}: ${value}`))}\n`).join("") +
        "\n";
    case "text":
      return prose(block.text) + "\n\n";
    case "quote":
      return `${entities(plainLine(block.by))}\n\n${prose(block.text).replace(/^/gm, "> ")}\n\n`;
    case "code":
      return code(block.lines.map(plainLine));
  }
}

function prose(text: string): string {
  return plainText(text).split("\n").map((line) => entities(line)).join("\n");
}

/** What does something in a fenced block all the same: its end, a macro of Redmine's; and what old databases do not take. */
const ACTS_IN_CODE = /```|~~~|\{\{|[\u{10000}-\u{10ffff}]/u;

/** Lines that code cannot have stand between two blocks of code, as text. */
function code(lines: readonly string[]): string {
  let body = "";
  let before: boolean | undefined;
  for (const line of lines) {
    const fenced = !ACTS_IN_CODE.test(line);
    if (fenced !== before) body += (before === undefined ? "" : end(before)) + (fenced ? "```\n" : "");
    body += (fenced ? line : entities(line)) + "\n";
    before = fenced;
  }
  return before === undefined ? "" : body + end(before);
}

function end(fenced: boolean): string {
  return fenced ? "```\n\n" : "\n";
}
