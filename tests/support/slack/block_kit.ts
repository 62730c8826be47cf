/**
 * Whether blocks are as Slack's reference wants them: each function names its page. Of all blocks those are known that are of use in
 * messages without buttons; any other one, and any field that the page has not, is an error.
 */

/** What is wrong with blocks, as in Slack's `response_metadata.messages`. */
export class BlockFault extends Error {
  override name = "BlockFault";
}

/** https://docs.slack.dev/reference/block-kit/blocks: up to 50 in a message. */
const MOST_BLOCKS = 50;
/** slackapi/bolt-js, issue 2867: `msg_blocks_too_long`; what was accepted there is accepted here. */
const MOST_TEXT = 9_600;
const MOST_JSON = 15_600;

/** @returns Slack's error; undefined for blocks that it takes */
export function blocksError(blocks: unknown): { error: string; detail: string } | undefined {
  try {
    const list = listOf(blocks, "/blocks", 1, MOST_BLOCKS);
    list.forEach((block, i) => checkBlock(block, `/blocks/${i}`));
    const ids = list.map((block) => (block as { block_id?: string }).block_id).filter((id) =>
      id !== undefined
    );
    if (new Set(ids).size < ids.length) throw new BlockFault("block_id is not unique [/blocks]");
  } catch (error) {
    if (error instanceof BlockFault) return { error: "invalid_blocks", detail: error.message };
    throw error;
  }
  const json = JSON.stringify(blocks);
  if (json.length > MOST_JSON || textLength(blocks) > MOST_TEXT) {
    return { error: "msg_blocks_too_long", detail: `${json.length} characters` };
  }
  return undefined;
}

function checkBlock(value: unknown, at: string): void {
  const block = objectOf(value, at);
  switch (block.type) {
    /** https://docs.slack.dev/reference/block-kit/blocks/header-block */
    case "header":
      fields(block, at, ["text"], ["block_id"]);
      return checkText(block.text, `${at}/text`, ["plain_text"], 150);
    /** https://docs.slack.dev/reference/block-kit/blocks/section-block */
    case "section":
      fields(block, at, [], ["text", "fields", "block_id", "expand"]);
      if (block.text === undefined && block.fields === undefined) throw fault("needs text or fields", at);
      if (block.text !== undefined) checkText(block.text, `${at}/text`, ["plain_text", "mrkdwn"], 3000);
      if (block.fields !== undefined) {
        listOf(block.fields, `${at}/fields`, 1, 10).forEach((field, i) =>
          checkText(field, `${at}/fields/${i}`, ["plain_text", "mrkdwn"], 2000)
        );
      }
      return;
    /** https://docs.slack.dev/reference/block-kit/blocks/context-block */
    case "context":
      fields(block, at, ["elements"], ["block_id"]);
      listOf(block.elements, `${at}/elements`, 1, 10).forEach((element, i) =>
        checkText(element, `${at}/elements/${i}`, ["plain_text", "mrkdwn"], 3000)
      );
      return;
    /** https://docs.slack.dev/reference/block-kit/blocks/divider-block */
    case "divider":
      return fields(block, at, [], ["block_id"]);
    /** https://docs.slack.dev/reference/block-kit/blocks/rich-text-block */
    case "rich_text":
      fields(block, at, ["elements"], ["block_id"]);
      listOf(block.elements, `${at}/elements`, 1, Infinity).forEach((part, i) =>
        checkPart(part, `${at}/elements/${i}`)
      );
      return;
    default:
      throw fault(`unsupported type: ${String(block.type)}`, at);
  }
}

function checkPart(value: unknown, at: string): void {
  const part = objectOf(value, at);
  const inlines = (check: (inline: unknown, at: string) => void) =>
    listOf(part.elements, `${at}/elements`, 1, Infinity).forEach((inline, i) =>
      check(inline, `${at}/elements/${i}`)
    );
  switch (part.type) {
    /** https://docs.slack.dev/reference/block-kit/block-elements/rich-text-section-element */
    case "rich_text_section":
      fields(part, at, ["elements"], []);
      return inlines(checkInline);
    /** https://docs.slack.dev/reference/block-kit/block-elements/rich-text-quote-element */
    case "rich_text_quote":
      fields(part, at, ["elements"], ["border"]);
      return inlines(checkInline);
    /** https://docs.slack.dev/reference/block-kit/block-elements/rich-text-preformatted-element: text and links only */
    case "rich_text_preformatted":
      fields(part, at, ["elements"], ["border", "language"]);
      return inlines((inline, where) => {
        if (!["text", "link"].includes(String(objectOf(inline, where).type))) {
          throw fault("must be text or link", where);
        }
        checkInline(inline, where);
      });
    default:
      throw fault(`unsupported type: ${String(part.type)}`, at);
  }
}

const DATE_TOKENS =
  /\{(?:day_divider_pretty|date_num|date_slash|date_long|date_long_full|date_long_pretty|date|date_pretty|date_short|date_short_pretty|time|time_secs|ago)\}/;

function checkInline(value: unknown, at: string): void {
  const inline = objectOf(value, at);
  switch (inline.type) {
    /** https://docs.slack.dev/reference/block-kit/block-elements/text-element */
    case "text":
      fields(inline, at, ["text"], ["style"]);
      checkStyle(inline.style, at);
      return checkString(inline.text, `${at}/text`, 1, 3000);
    /** https://docs.slack.dev/reference/block-kit/block-elements/link-element */
    case "link":
      fields(inline, at, ["url"], ["text", "unsafe", "style"]);
      checkStyle(inline.style, at);
      checkString(inline.url, `${at}/url`, 1, 3000);
      if (!URL.canParse(String(inline.url)) || /[\s<>|]/.test(String(inline.url))) {
        throw fault("invalid url", `${at}/url`);
      }
      if (inline.text !== undefined) checkString(inline.text, `${at}/text`, 1, 3000);
      return;
    /** https://docs.slack.dev/reference/block-kit/block-elements/date-element */
    case "date":
      fields(inline, at, ["timestamp", "format"], ["timezone", "url", "fallback", "style"]);
      if (!Number.isInteger(inline.timestamp)) throw fault("must be an integer", `${at}/timestamp`);
      checkString(inline.format, `${at}/format`, 1, 1000);
      if (!DATE_TOKENS.test(String(inline.format))) throw fault("has no token", `${at}/format`);
      if (inline.fallback !== undefined) checkString(inline.fallback, `${at}/fallback`, 1, 1000);
      return;
    /** https://docs.slack.dev/reference/block-kit/block-elements/emoji-element */
    case "emoji":
      fields(inline, at, ["name"], ["unicode"]);
      if (!/^[a-z0-9_+'-]+$/.test(String(inline.name))) throw fault("no such emoji", `${at}/name`);
      return;
    /** https://docs.slack.dev/reference/block-kit/block-elements/broadcast-element, user-element and others */
    case "broadcast":
      return fields(inline, at, ["range"], []);
    case "user":
      return fields(inline, at, ["user_id"], ["style"]);
    default:
      throw fault(`unsupported type: ${String(inline.type)}`, at);
  }
}

/** https://docs.slack.dev/reference/block-kit/composition-objects/text-object */
function checkText(value: unknown, at: string, types: readonly string[], most: number): void {
  const text = objectOf(value, at);
  if (!types.includes(String(text.type))) throw fault(`must be ${types.join(" or ")}`, at);
  fields(text, at, ["text"], text.type === "plain_text" ? ["emoji"] : ["verbatim"]);
  checkString(text.text, `${at}/text`, 1, most);
}

function checkStyle(style: unknown, at: string): void {
  if (style === undefined) return;
  for (const [name, value] of Object.entries(objectOf(style, `${at}/style`))) {
    if (!["bold", "italic", "strike", "code", "underline"].includes(name) || typeof value !== "boolean") {
      throw fault(`no such style: ${name}`, `${at}/style`);
    }
  }
}

function checkString(value: unknown, at: string, least: number, most: number): void {
  if (typeof value !== "string") throw fault("must be a string", at);
  if (value.length < least) throw fault(`must be more than ${least - 1} characters`, at);
  if (value.length > most) throw fault(`must be less than ${most + 1} characters`, at);
  if (!value.isWellFormed()) throw fault("is no Unicode", at);
}

function fields(
  value: Readonly<Record<string, unknown>>,
  at: string,
  required: readonly string[],
  optional: readonly string[],
): void {
  const missing = required.find((name) => value[name] === undefined);
  if (missing !== undefined) throw fault(`missing required field: ${missing}`, at);
  const odd = Object.keys(value).find((name) => !["type", ...required, ...optional].includes(name));
  if (odd !== undefined) throw fault(`no such field: ${odd}`, at);
  if (value.block_id !== undefined) checkString(value.block_id, `${at}/block_id`, 1, 255);
}

function objectOf(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fault("must be an object", at);
  }
  return { ...value };
}

function listOf(value: unknown, at: string, least: number, most: number): unknown[] {
  if (!Array.isArray(value)) throw fault("must be an array", at);
  if (value.length < least) throw fault(`no fewer than ${least} items allowed`, at);
  if (value.length > most) throw fault(`no more than ${most} items allowed`, at);
  return value;
}

function fault(what: string, at: string): BlockFault {
  return new BlockFault(`[ERROR] ${what} [json-pointer:${at}]`);
}

/** All that is called `text` in them. */
function textLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + textLength(one), 0);
  if (typeof value !== "object" || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [name, one]) => sum + (name === "text" && typeof one === "string" ? one.length : textLength(one)),
    0,
  );
}
