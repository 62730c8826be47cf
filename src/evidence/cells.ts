/** The cells of a row, as they are read: whatever a forger has put there, what comes out is of one type. */

/** @returns the text, or an empty one for anything else */
export function text(cell: unknown): string {
  return typeof cell === "string" ? cell : "";
}

/** @returns the text, or null for anything else */
export function textOrNull(cell: unknown): string | null {
  return typeof cell === "string" ? cell : null;
}

/** @returns the number, or 0 for anything else */
export function number(cell: unknown): number {
  return numberOrNull(cell) ?? 0;
}

/** @returns the number, or null for anything else */
export function numberOrNull(cell: unknown): number | null {
  return typeof cell === "number" || typeof cell === "bigint" ? Number(cell) : null;
}
