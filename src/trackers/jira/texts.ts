/** What people read: plain text of the bodies of comments, as Jira keeps them. */

/** A node of Atlassian's document format; more is not known of what came. */
interface Node {
  type?: unknown;
  text?: unknown;
  attrs?: unknown;
  content?: unknown;
}

/** Nodes that stand within a line. All others are lines of their own. */
const INLINE = new Set([
  "text",
  "hardBreak",
  "mention",
  "emoji",
  "inlineCard",
  "status",
  "date",
  "mediaInline",
  "inlineExtension",
  "placeholder",
]);

/**
 * Reads a document in Atlassian's document format
 * (developer.atlassian.com/cloud/jira/platform/apis/document/structure) as plain text.
 *
 * @param document what came; anything that is no document has no text
 * @returns its lines
 */
export function textOfAdf(document: unknown): string {
  return typeof document === "string" ? document : textOfNode(nodeOf(document), 0);
}

/** No real document is as deep; one that is must not take the stack away. */
const DEEPEST = 100;

function textOfNode(node: Node, depth: number): string {
  if (typeof node.text === "string") return node.text;
  if (node.type === "hardBreak") return "\n";
  const children = Array.isArray(node.content) && depth < DEEPEST ? node.content.map(nodeOf) : [];
  if (children.length === 0) return textOfAttributes(node.attrs);
  const texts = children.map((child) => textOfNode(child, depth + 1));
  if (node.type === "tableRow") return texts.join(" | ");
  return children.reduce((text, child, at) => {
    const apart = at > 0 && !(isInline(child) && isInline(children[at - 1]));
    return text + (apart ? "\n" : "") + (texts[at] ?? "");
  }, "");
}

/** Mentions, emoji, cards and the like say in their attributes what people see. */
function textOfAttributes(attributes: unknown): string {
  const said = attributes as { text?: unknown; shortName?: unknown; url?: unknown } | null | undefined;
  const text = said?.text ?? said?.shortName ?? said?.url;
  return typeof text === "string" ? text : "";
}

function isInline(node: Node | undefined): boolean {
  return typeof node?.type === "string" && INLINE.has(node.type);
}

function nodeOf(value: unknown): Node {
  return typeof value === "object" && value !== null ? value : {};
}

/**
 * Reads wiki markup as people see it, but for its marks: they stay. What is written as an entity, or behind a backslash so that it
 * is no mark, is the character itself.
 *
 * @param body what came; anything but a text has none
 */
export function textOfWiki(body: unknown): string {
  if (typeof body !== "string") return "";
  return body.replace(
    /&#(\d{1,7});|&(amp|lt|gt|quot|nbsp);|\\([\p{P}\p{S}])/gu,
    (whole, code: string | undefined, name: string | undefined, escaped: string | undefined) => {
      if (code !== undefined) return Number(code) <= 0x10ffff ? String.fromCodePoint(Number(code)) : whole;
      return name === undefined ? escaped ?? whole : ENTITIES[name] ?? whole;
    },
  );
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: " " };
