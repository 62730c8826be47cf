/** Where a chain stands, as people and other hosts keep it: `SEQ:HASH`. */

import { hexOf } from "./chain.ts";
import type { Head } from "./event.ts";

/** A head that was taken off the host earlier. */
export interface EarlierHead {
  seq: number;
  /** 64 hexadecimal digits. */
  hashHex: string;
}

/**
 * @returns the head, or undefined if the text is none
 *
 * @example
 * ```ts
 * parseHead(formatHead(store.head()));
 * ```
 */
export function parseHead(text: string): EarlierHead | undefined {
  const parts = /^([0-9]{1,15}):([0-9a-f]{64})$/i.exec(text.trim());
  return parts?.[1] && parts[2] ? { seq: Number(parts[1]), hashHex: parts[2].toLowerCase() } : undefined;
}

/** @returns `SEQ:HASH`, the hash in lower-case hexadecimal digits */
export function formatHead(head: Head): string {
  return `${head.seq}:${hexOf(head.hash)}`;
}
