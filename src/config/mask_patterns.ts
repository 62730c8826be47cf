/** What is masked in all that leaves the host: patterns of secrets that people type. */

import type { Findings } from "./findings.ts";

/** A kind of secret. */
export interface MaskPattern {
  /** Names the pattern, for evidence and messages: `mysql-password`. */
  name: string;
  /** A regular expression; what its group `secret` matches is masked, or all of it where there is no such group. */
  expression: string;
}

/** What holds where there is no mask file. */
export const DEFAULT_MASK: readonly MaskPattern[] = [
  { name: "long-option", expression: String.raw`--(?:password|token|secret|api-key)[= ](?P<secret>[^\s]+)` },
];

/**
 * Reads a mask file: lines `name  expression`, blank lines, and `#` comments.
 *
 * @param errors where each line that is none is added to
 */
export function readMask(text: string, errors: Findings): MaskPattern[] {
  const patterns: MaskPattern[] = [];
  text.split("\n").forEach((raw, index) => {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) return;
    const parts = /^(\S+)\s+(\S.*)$/.exec(line);
    const [, name, expression] = parts ?? [];
    if (name === undefined || expression === undefined) {
      errors.add(index + 1, "expected a name and a regular expression, found one word");
      return;
    }
    patterns.push({ name, expression });
  });
  return patterns;
}
