/** Comments as nobody would wish for them, and what a reader sees of a comment. */

import fc from "fast-check";
import { type DefaultTreeAdapterTypes, parseFragment } from "parse5";
import type { Block, Markup } from "../../src/trackers/markup/markup.ts";
import { plainLine, plainText } from "../../src/trackers/markup/plain.ts";

/** What means something to one markup or the other, or to the program around it. */
const FRAGMENTS = [
  ..."*_-+^~%@?!#=<>|\\`\"'&;:.,()[]{}/$ \t\n\r",
  ..."  \n\n\n,1aAxX9éß中😀\u00a0\u3000\u200d\ufeff\ue000\u0378\uffff\u{1ffff}\ud800\u0007\u001b\u0085\u2028",
  ...'#17 ##1 #1-2 #note-1 r12 -r12 !r12 ops:r12 ops|r1 commit:c6f4d0fd version#1 version:"1.0" document:x'
    .split(" "),
  ..."user:alice user#1 @alice !@alice @alice, attachment:a.png source:/x@1#L2 export:x forum:a news#1".split(
    " ",
  ),
  ..."project:ops ops:user:alice !#1 alice@example.test mailto:a@b.example user:a@b.example x@2x.png".split(
    " ",
  ),
  ..."http://a.example/ https://a.example/?a=b&c=d#e www.example.com ftp://x javascript:alert(1) //x.example"
    .split(" "),
  ..."[[page]] [[ops:page|text]] [[#x]] !img.png! !>http://a.example/x.png! !a!:http://b.example ![a](b.png)"
    .split(" "),
  ...'[a](http://b.example) [a]: [^1] [^1]: "a":http://b.example "a(b)c":/x {{toc}} {{>toc}} {{macro_list}}'
    .split(" "),
  ..."{{collapse }} {{collapse(a) {{issue(1)}} !{{toc}} {{macro(0)}} {{include(x)}} {{thumbnail(a.png)}}"
    .split(" "),
  ..."*a* _a_ __a__ -a- +a+ ^a^ ~a~ ~~a~~ ??a?? @a@ %a% %{color:red}a% (a) ==a== == @@ ** ++ -- --- ----"
    .split(" "),
  ..."h1. h1(x). p. p(a#b){color:red}. bq. bq.:http://a.example fn1. table. |a|b| |_.a| |-|-| bc. pre. # * - + 1. 1)"
    .split(" "),
  ..."> >> >a ``` ```` ~~~ ~~~~ ```ruby === --- ___ *** <!-- --> <pre> </pre> <PRE> </pre <pre\n <code> </code>"
    .split(" "),
  ...'<code class="ruby"> </kbd> <kbd> <notextile> </notextile> <redpre#0> :redsh#1: x%x% x% %x& & &amp; &lt; &#42;'
    .split(" "),
  ..."<b> </b> <br> <br/> <script>alert(1)</script> <img src=x onerror=alert(1)> <a href=x> <wbr> <x <? <![CDATA[ ]]>"
    .split(" "),
  ..."ABC(definition) ABC(d) A(b) AB(c) (c) (r) (tm) [1] a[1] ... 2x3 :) ;) :-( :D (y) (n) (!) (/) (*r) OPS-17 OPS-17. \\\\ \\a"
    .split(" "),
  ..."{code} {code:java} {noformat} {NoFormat} \\{noformat} {noformat:x} {quote} {color:red} {panel} {*}a{*} {{a}}"
    .split(" "),
  ..."[~alice] [~accountid:1] [^a.png] [a|http://b.example] !a.png|thumbnail! ||a|| {anchor:a} {toc} {jql} {html}"
    .split(" "),
  ..."inltokxyzkdtnhgnsbdfinltok0inltokxyzkdtnhgnsbdfinltok blktokxyzkdtnhgnsbdfblktok0blktokxyzkdtnhgnsbdfblktok"
    .split(" "),
  "    four",
  "\n\n\n",
  "\n> a\n",
  "\n\n    a\n",
  "\n---\n",
  "\nh1. a\n",
  "\n* a\n** b\n",
  "\n|a|\n\n",
  " \n",
  '" \n',
  '"\n',
  "\r\n",
  "\n```\n",
  "\n~~~\n",
  "\n</pre>\n",
  "\n{noformat}\n",
  "\n}}",
  "{{collapse\n",
  "\n# a\n",
  "a\n===\n",
  "a  \nb",
  "[a]:http://b.example",
];

/** Any text, and more often such as could be taken for markup. */
export const TEXT: fc.Arbitrary<string> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...FRAGMENTS) },
    { weight: 1, arbitrary: fc.constantFrom(" ", "a", "word", "\n") },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 3 }) },
  ),
  { maxLength: 9 },
).map((parts) => parts.join(""));

const BLOCK: fc.Arbitrary<Block> = fc.oneof(
  fc.record({ kind: fc.constant("heading" as const), text: TEXT }),
  fc.record({ kind: fc.constant("facts" as const), facts: fc.array(fc.tuple(TEXT, TEXT), { maxLength: 3 }) }),
  fc.record({ kind: fc.constant("text" as const), text: TEXT }),
  fc.record({ kind: fc.constant("quote" as const), by: TEXT, text: TEXT }),
  fc.record({ kind: fc.constant("code" as const), lines: fc.array(TEXT, { maxLength: 4 }) }),
);

/** Comments of a few blocks. */
export const BLOCKS: fc.Arbitrary<Block[]> = fc.array(BLOCK, { minLength: 1, maxLength: 4 });

/** A line that is seen, and what it is in. */
export interface Seen {
  in: "heading" | "facts" | "text" | "quote" | "code";
  line: string;
}

/**
 * @returns what is to be seen of these blocks; in prose, no blank is told from another, nor an empty line from a blank
 */
export function shouldBeSeen(blocks: readonly Block[]): Seen[] {
  return blocks.flatMap((block): Seen[] => {
    switch (block.kind) {
      case "heading":
        return prose("heading", plainLine(block.text));
      case "facts":
        return block.facts.flatMap(([name, value]) => prose("facts", plainLine(`${name}: ${value}`)));
      case "text":
        return prose("text", plainText(block.text));
      case "quote":
        return [...prose("text", plainLine(block.by)), ...prose("quote", plainText(block.text))];
      case "code":
        return block.lines.map((line) => ({ in: "code", line: plainLine(line) }));
    }
  });
}

/** Lines of prose as `Seen` compares them. */
export function prose(where: Seen["in"], text: string): Seen[] {
  return text.split("\n").map((line) => ({ in: where, line: line.replaceAll("\u00a0", " ") || " " }));
}

/**
 * Some markups' code cannot have every line: such a line is to be seen as text.
 *
 * @param expected what `shouldBeSeen` says
 */
export function asFarAsCodeCan(markup: Markup, expected: readonly Seen[]): Seen[] {
  return expected.flatMap((seen) => {
    const isCode = seen.in !== "code" || seenAsCode(markup, seen.line);
    return isCode ? [seen] : prose("text", seen.line);
  });
}

function seenAsCode(markup: Markup, line: string): boolean {
  return /^(?:```|\{noformat|<pre)/.test(markup.render([{ kind: "code", lines: [line] }]));
}

/**
 * Reads a document of Atlassian's.
 *
 * @param read what is seen of a text that stands in prose
 * @throws {Error} if there is a node or a mark that no comment of ours has
 */
export function seenInDocument(document: unknown, read: (text: string) => string = (text) => text): Seen[] {
  return (document as DocumentNode).content.flatMap((node) => documentBlockSeen(node, read));
}

interface DocumentNode {
  type: string;
  text?: string;
  marks?: { type: string }[];
  content: DocumentNode[];
}

function documentBlockSeen(node: DocumentNode, read: (text: string) => string): Seen[] {
  const inside = node.content ?? [];
  switch (node.type) {
    case "paragraph": {
      const strong = inside.length > 0 && inside.every(({ marks }) => marks?.[0]?.type === "strong");
      return prose(
        strong ? "heading" : "text",
        inside.map((child) => documentTextSeen(child, strong, read)).join(""),
      );
    }
    case "bulletList":
      return inside.flatMap((item) => item.content).flatMap((paragraph) => within("facts", paragraph, read));
    case "blockquote":
      return inside.flatMap((paragraph) => within("quote", paragraph, read));
    case "codeBlock":
      return inside.map((child) => documentTextSeen(child, false, (text) => text)).join("").split("\n").map((
        line,
      ) => ({
        in: "code",
        line,
      }));
    default:
      throw new Error(`not of ours: ${JSON.stringify(node)}`);
  }
}

function within(where: Seen["in"], node: DocumentNode, read: (text: string) => string): Seen[] {
  return documentBlockSeen(node, read).map((seen) => {
    if (seen.in !== "text") throw new Error(`not of ours: ${JSON.stringify(node)}`);
    return { ...seen, in: where };
  });
}

function documentTextSeen(node: DocumentNode, strong: boolean, read: (text: string) => string): string {
  if (node.type === "hardBreak") return "\n";
  if (node.type !== "text" || (node.marks ?? []).length !== (strong ? 1 : 0)) {
    throw new Error(`not of ours: ${JSON.stringify(node)}`);
  }
  return read(node.text ?? "");
}

/** What a browser makes of entities. */
export function entitiesRead(text: string): string {
  return childrenOf(parseFragment(text.replaceAll("<", "&lt;")) as unknown as Node).map((node) =>
    isText(node) ? node.value : ""
  ).join("");
}

/**
 * Reads a page as a browser shows it.
 *
 * @throws {Error} if there is any element or attribute that no comment of ours has
 */
export function seenIn(html: string): Seen[] {
  return parseFragment(html).childNodes.flatMap((node) => blockSeen(node));
}

type Node = DefaultTreeAdapterTypes.ChildNode;

function blockSeen(node: Node): Seen[] {
  switch (nameOf(node)) {
    case "p": {
      const [first, ...others] = childrenOf(node);
      return first !== undefined && others.length === 0 && nameOf(first) === "strong"
        ? prose("heading", proseOf(childrenOf(first)))
        : prose("text", proseOf(childrenOf(node)));
    }
    case "ul":
      return elementsOf(node, "li").flatMap((item) => prose("facts", proseOf(insideParagraph(item))));
    case "blockquote":
      return elementsOf(node, "p").flatMap((paragraph) => prose("quote", proseOf(childrenOf(paragraph))));
    case "pre":
      return codeOf(node).replace(/\n$/, "").split("\n").map((line) => ({ in: "code", line }));
    default:
      expectBlank(node);
      return [];
  }
}

/** What is written in a line of prose: runs of blanks are one, none is seen beside a break. */
function proseOf(nodes: readonly Node[]): string {
  const text = nodes.map((node) => {
    if (isText(node)) return node.value.replace(/[ \t\n\f\r]+/g, " ");
    if (nameOf(node) === "br") return "\n";
    // What keeps two characters apart.
    if (nameOf(node) === "b" && childrenOf(node).length === 0) return "";
    throw new Error(`no prose: ${nameOf(node)}`);
  }).join("");
  return text.replace(/^ | $| ?\n ?/gm, (blanks) => blanks.includes("\n") ? "\n" : "");
}

function codeOf(node: Node): string {
  if (isText(node)) return node.value;
  if (!["pre", "code"].includes(nameOf(node))) throw new Error(`no code: ${nameOf(node)}`);
  return childrenOf(node).map(codeOf).join("");
}

function insideParagraph(item: Node): Node[] {
  const inside = childrenOf(item).filter((child) => !(isText(child) && child.value.trim() === ""));
  return inside.length === 1 && nameOf(inside[0] as Node) === "p"
    ? childrenOf(inside[0] as Node)
    : childrenOf(item);
}

function elementsOf(node: Node, name: string): Node[] {
  return childrenOf(node).filter((child) => nameOf(child) === name || expectBlank(child));
}

function expectBlank(node: Node): false {
  if (isText(node) && node.value.trim() === "") return false;
  throw new Error(`nothing of ours: ${nameOf(node)} ${isText(node) ? node.value : ""}`);
}

function isText(node: Node): node is DefaultTreeAdapterTypes.TextNode {
  return node.nodeName === "#text";
}

/** @throws {Error} if it has attributes: nothing of ours has */
function nameOf(node: Node): string {
  if ("attrs" in node && node.attrs.length > 0) {
    throw new Error(
      `<${node.nodeName} ${node.attrs.map(({ name, value }) => `${name}="${value}"`).join(" ")}>`,
    );
  }
  return node.nodeName;
}

function childrenOf(node: Node): Node[] {
  return "childNodes" in node ? node.childNodes : [];
}
