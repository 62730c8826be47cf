/** The policy's `ticketPattern`, as the agent reads it. */

import { RE2JS, RE2JSException } from "re2js";

/**
 * By RE2, whose time grows with the key's length alone: JavaScript's own expressions would let a user hang the agent, and
 * everybody's logins, with a key that nearly fits. Programs of her own read the pattern as JavaScript does: `ticket_key.ts`.
 *
 * @param pattern as in the policy; empty: `17`, `#17` and `OPS-17` are keys
 * @throws {RE2JSException} for a pattern that RE2 does not know, as `ticketPatternFault` says
 */
export function compiledTicketPattern(pattern: string): RE2JS {
  return RE2JS.compile(pattern === "" ? "#?[0-9]+|[A-Za-z][A-Za-z0-9_]*-[0-9]+" : pattern);
}

/** What is wrong with a pattern that is a regular expression of JavaScript's; undefined for nothing. */
export function ticketPatternFault(pattern: string): string | undefined {
  try {
    compiledTicketPattern(pattern);
    return undefined;
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return `is no regular expression of RE2, which looks neither ahead nor behind nor back: ${error.message}`;
  }
}
