/** Atlassian Document Format, which Jira Cloud has: text is text there, and nothing in it is markup. */

import type { Block, Markup } from "./markup.ts";
import { plainLine, plainText } from "./plain.ts";

/** A node of a document. */
interface Node {
  type: string;
  text?: string;
  marks?: { type: string }[];
  content?: Node[];
}

/**
 * Comments in Atlassian's document format.
 *
 * Jira Cloud takes 32,767 characters and says not of what (CONTENT_LIMIT_EXCEEDED, https://jira.atlassian.com/browse/JRACLOUD-78553):
 * all of the JSON is never less.
 */
export const adf: Markup = {
  limit: 32_767,
  sizeOf: (body) => body.length,
  render: (blocks) => JSON.stringify({ version: 1, type: "doc", content: blocks.flatMap(written) }),
};

function written(block: Block): Node[] {
  switch (block.kind) {
    case "heading":
      return [{ type: "paragraph", content: text(plainLine(block.text), "strong") }];
    case "facts":
      return block.facts.length === 0 ? [] : [{ type: "bulletList", content: block.facts.map(fact) }];
    case "text":
      return [paragraph(block.text)];
    case "quote":
      return [paragraph(plainLine(block.by)), { type: "blockquote", content: [paragraph(block.text)] }];
    case "code":
      return block.lines.length === 0
        ? []
        : [{ type: "codeBlock", content: text(block.lines.map(plainLine).join("\n")) }];
  }
}

function fact([name, value]: readonly [string, string]): Node {
  return { type: "listItem", content: [paragraph(plainLine(`${name}: ${value}`))] };
}

function paragraph(lines: string): Node {
  const content = plainText(lines).split("\n").flatMap((line, index): Node[] => [
    ...(index === 0 ? [] : [{ type: "hardBreak" }]),
    ...text(line),
  ]);
  return { type: "paragraph", content };
}

/** There is no empty text in a document. */
function text(characters: string, ...marks: string[]): Node[] {
  if (characters === "") return [];
  return [{
    type: "text",
    text: characters,
    ...(marks.length > 0 && { marks: marks.map((type) => ({ type })) }),
  }];
}
