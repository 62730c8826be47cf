/** What a reader sees of a message, and what in it does anything. */

/** A message, as a reader has it before her. */
export interface Seen {
  /** All that is to be read, in order. */
  text: string;
  /** What is a link, a mention, an emoji or a date, as `kind:value`. */
  active: string[];
}

interface Node {
  type: string;
  text?: string | Node;
  elements?: Node[];
  url?: string;
  name?: string;
  timestamp?: number;
  fallback?: string;
}

/**
 * Reads blocks. In rich text nothing is parsed: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
 */
export function readBlocks(blocks: unknown): Seen {
  const active: string[] = [];
  const texts = (blocks as Node[]).map((block) => readNode(block, active));
  return { text: texts.join("\n"), active };
}

function readNode(node: Node, active: string[]): string {
  const { type, text, elements = [] } = node;
  if (type === "header" && typeof text === "object") return readTop(String(text.text), active);
  if (type === "rich_text") return elements.map((part) => readNode(part, active)).join("\n");
  if (type.startsWith("rich_text_")) return elements.map((inline) => readNode(inline, active)).join("");
  if (type === "text") return String(text);
  active.push(`${type}:${node.url ?? node.name ?? node.timestamp ?? ""}`);
  if (type === "link") return String(text ?? node.url);
  if (type === "date") return String(node.fallback);
  return "";
}

/**
 * Reads a text in Slack's markup: https://docs.slack.dev/messaging/formatting-message-text. Whatever stands in `<>` does
 * something; `&lt;`, `&gt;` and `&amp;` are the only entities, and are read once.
 */
export function readTop(text: string, active: string[] = []): string {
  return text.replace(/<([^<>]*)>|&(lt|gt|amp);/g, (_, inner: string | undefined, entity: string) => {
    if (inner === undefined) return { lt: "<", gt: ">", amp: "&" }[entity] ?? "";
    active.push(`markup:${inner}`);
    return inner.split("|").at(-1) ?? "";
  });
}
