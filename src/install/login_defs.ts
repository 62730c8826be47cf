/** login.defs(5): which numbers the host gives to whom. */

import { readHostText } from "./host_file.ts";
import type { Target } from "./target.ts";

/**
 * @param standard what holds where the host has no such file, or says nothing of it
 *
 * @example
 * ```ts
 * loginDefinition(target, "UID_MIN", 1000);
 * ```
 */
export function loginDefinition(target: Target, key: string, standard: number): number {
  const text = readHostText(target, "/etc/login.defs") ?? "";
  const value = new RegExp(`^[ \\t]*${key}[ \\t]+(0x[0-9a-fA-F]+|[0-9]+)`, "m").exec(text)?.[1];
  return value === undefined ? standard : Number(value);
}
