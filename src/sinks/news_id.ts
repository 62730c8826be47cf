/** By what a receiver knows that it has had something already. */

/**
 * The id of an event, for outside: a UUIDv8 (RFC 9562, 5.8), whose 122 free bits are the first ones of the event's hash.
 *
 * That hash is over the event, its `seq` and all events before it: no other event, of this host or another one, has it, and
 * retention does not change it. And who keeps an id keeps a part of the chain: evidence that was written anew has others.
 *
 * @param hash the event's in the chain: 32 bytes
 *
 * @example
 * ```ts
 * newsId(store.head().hash); // "5feceb66-ffc8-8f38-9952-786c6d696c79"
 * ```
 */
export function newsId(hash: Readonly<Uint8Array>): string {
  let hex = "";
  for (let i = 0; i < 16; i++) hex += HEX[hash[i] ?? 0];
  const variant = "89ab".charAt((hash[8] ?? 0) >> 4 & 3);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${
    hex.slice(20)
  }`;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
