/** Redmine's `common_mark`: GitHub's dialect, HTML in it that is harmless, and Redmine's own links looked for in what comes of it. */

import { entities, entity } from "./entities.ts";
import type { Block, Markup } from "./markup.ts";
import { plainLine, plainText } from "./plain.ts";
import { bytesOf, REDMINE_LIMIT } from "./redmine_limit.ts";

/** Comments in CommonMark. */
export const commonMark: Markup = {
  limit: REDMINE_LIMIT,
  sizeOf: bytesOf,
  render: (blocks) => blocks.map(written).join(""),
};

function written(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `**${inert(plainLine(block.text))}**\n\n`;
    case "facts":
      return block.facts.map(([name, value]) => `* ${inert(plainLine(`${name}: ${value}`))}\n`).join("") +
        "\n";
    case "text":
      return prose(block.text) + "\n\n";
    case "quote":
      return `${inert(plainLine(block.by))}\n\n${prose(block.text).replace(/^/gm, "> ")}\n\n`;
    case "code":
      return block.lines.length === 0 ? "" : `<pre>\n${block.lines.map(code).join("\n")}\n</pre>\n\n`;
  }
}

function prose(text: string): string {
  return plainText(text).split("\n").map(inert).join("\\\n");
}

/** An entity is its character again before Redmine looks for `#17`, `@alice`, `[[page]]`: a place to break the line keeps them apart. */
function inert(line: string): string {
  return entities(line, (character) => entity(character) + (/[@#:[!r{]/.test(character) ? "<wbr>" : ""));
}

function code(line: string): string {
  return plainLine(line).replace(/[&<>@]|\{(?=\{)|[\u{10000}-\u{10ffff}]/gu, entity);
}
