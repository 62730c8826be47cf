/** What Textile, Markdown and Jira's wiki markup have in common: paragraphs, lists, strong text. */

import { emphasised } from "./entities.ts";
import type { Block, Markup } from "./markup.ts";
import { plainLine, plainText } from "./plain.ts";

/** In what they differ. */
export interface Style {
  limit: number;
  sizeOf(body: string): number;
  /** What is on both sides of strong text. */
  strong: string;
  /** Writes a line of text, so that nothing in it acts; it is never empty. */
  line(text: string): string;
  /** What ends a line where a paragraph goes on. */
  lineBreak: string;
  /** Sets off lines that `line` has written. */
  quote(lines: readonly string[]): string;
  /** Writes lines of a fixed width; there is at least one. */
  code(lines: readonly string[]): string;
}

/** Makes a markup. Each block ends in an empty line: what comes next stands on its own. */
export function styled(style: Style): Markup {
  return {
    limit: style.limit,
    sizeOf: style.sizeOf,
    render: (blocks) =>
      blocks.map((block) => written(block, style)).map((part) => part && part + "\n\n").join(""),
  };
}

function written(block: Block, style: Style): string {
  switch (block.kind) {
    case "heading":
      return style.strong + emphasised(style.line(plainLine(block.text))) + style.strong;
    case "facts":
      return block.facts.map(([name, value]) => `* ${style.line(plainLine(`${name}: ${value}`))}`).join("\n");
    case "text":
      return prose(block.text, style).join(style.lineBreak);
    case "quote":
      return `${style.line(plainLine(block.by))}\n\n${style.quote(prose(block.text, style))}`;
    case "code":
      return block.lines.length === 0 ? "" : style.code(block.lines.map(plainLine));
  }
}

function prose(text: string, style: Style): string[] {
  return plainText(text).split("\n").map((line) => style.line(line));
}

/**
 * Lines of code, for a markup whose code knows no way to write a certain thing: lines with such a thing stand between two
 * blocks of code, as text.
 *
 * @param acts finds such a thing
 * @param fence writes lines that have none
 */
export function codeAndText(
  lines: readonly string[],
  acts: RegExp,
  fence: (lines: readonly string[]) => string,
  style: Pick<Style, "line" | "lineBreak">,
): string {
  const parts: { literal: boolean; lines: string[] }[] = [];
  for (const line of lines) {
    const literal = !acts.test(line);
    const last = parts.at(-1);
    if (last?.literal === literal) last.lines.push(line);
    else parts.push({ literal, lines: [line] });
  }
  return parts.map((part) =>
    part.literal ? fence(part.lines) : part.lines.map((line) => style.line(line)).join(style.lineBreak)
  ).join("\n\n");
}
