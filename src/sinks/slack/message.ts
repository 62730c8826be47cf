/** Messages of Slack's, made of items. */

import type { SinkNews } from "../news.ts";
import { type Block, escaped } from "./blocks.ts";
import type { Item } from "./items.ts";

/** One message. */
export interface Message {
  /** For notifications and screen readers; escaped. */
  text: string;
  blocks: readonly Block[];
}

/** One message, and what it tells. */
export interface Telling extends Message {
  news: readonly SinkNews[];
}

/** https://docs.slack.dev/reference/block-kit/blocks */
const MOST_BLOCKS = 50;
/**
 * How large the blocks of a message may be, as JSON. Slack's limit is published nowhere: `msg_blocks_too_long` was seen where there
 * were 11,341 characters of text in 17,694 of JSON, and not at 9,597 in 15,561 (slackapi/bolt-js, issue 2867).
 */
export const MOST_JSON = 9_000;
/** So long may the text on top be, before it is escaped; Slack cuts it at 40,000 and wants 4000. */
const LONGEST_TEXT = 2000;

/** Puts items into as few messages as they have room in, in their order. */
export function messagesOf(items: readonly Item[]): Telling[] {
  const pages: Item[][] = [];
  let blocks = 0;
  let size = 0;
  for (const item of items) {
    const itsSize = sizeOfBlocks(item.blocks);
    const page = pages.at(-1);
    if (page && blocks + item.blocks.length <= MOST_BLOCKS && size + itsSize <= MOST_JSON) {
      page.push(item);
      blocks += item.blocks.length;
      size += itsSize;
    } else {
      pages.push([item]);
      blocks = item.blocks.length;
      size = itsSize;
    }
  }
  return pages.map((page) => ({
    news: page.flatMap(({ news }) => news),
    text: textOf(page.map(({ notice }) => notice)),
    blocks: page.flatMap((item) => item.blocks),
  }));
}

/** @returns what goes on top of a message: as many lines as there is room for */
export function textOf(notices: readonly string[]): string {
  const lines: string[] = [];
  let length = 0;
  for (const notice of notices) {
    length += notice.length + 1;
    if (length > LONGEST_TEXT) break;
    lines.push(notice);
  }
  const rest = notices.length - lines.length;
  return escaped([...lines, ...(rest > 0 ? [`... and ${rest} more`] : [])].join("\n"));
}

/** How large blocks are, as `MOST_JSON` means it. */
export function sizeOfBlocks(blocks: readonly Block[]): number {
  return JSON.stringify(blocks).length + 1;
}
