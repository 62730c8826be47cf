/** How wide text is on a terminal. */

/** Counts the cells that a text takes. */
export type WidthOf = (text: string) => number;

const PLAIN = /^[\x20-\x7e]*$/;

/** Whether each of a text's characters is as wide as any other of it. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

/**
 * Loads what it takes to measure any text (é is 1 cell, 漢 is 2, a combining accent none).
 *
 * @returns the measure
 *
 * @example
 * ```ts
 * const widthOf = await loadWidthOf();
 * widthOf("漢字"); // 4
 * ```
 */
export async function loadWidthOf(): Promise<WidthOf> {
  // Not at the top: only text beyond ASCII needs it, and every start would pay.
  const { default: stringWidth } = await import("string-width");
  return (text) => isPlain(text) ? text.length : stringWidth(text);
}
