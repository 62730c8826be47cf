/**
 * Tells a ticket's key from words.
 *
 * @param answer what somebody typed, or the environment said
 * @param pattern the policy's `ticketPattern`, for the whole of a key; empty: `17`, `#17` and `OPS-17` are keys
 * @returns the key as the tracker has it, or undefined for what is none
 *
 * @example
 * ```ts
 * ticketKeyOf("#17", ""); // "17"
 * ticketKeyOf("17", "OPS-[0-9]+"); // undefined
 * ```
 */
export function ticketKeyOf(answer: string, pattern: string): string | undefined {
  if (pattern !== "") return new RegExp(`^(?:${pattern})$`, "u").exec(answer)?.[0];
  return /^#?([0-9]+)$/.exec(answer)?.[1] ?? /^[A-Za-z][A-Za-z0-9_]*-[0-9]+$/.exec(answer)?.[0];
}
