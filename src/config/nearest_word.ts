/** What somebody may have meant: the word that is least typing away. */

/** So much of a word may be wrong. */
const SHARE = 1 / 3;

/**
 * @param word what was written
 * @param words what could have been meant
 * @returns the nearest of them, if it is near enough to be what was meant; capitals do not count
 *
 * @example
 * ```ts
 * nearestWord("showbaner", ["showBanner", "pms"]); // "showBanner"
 * ```
 */
export function nearestWord(word: string, words: readonly string[]): string | undefined {
  const written = word.toLowerCase();
  let nearest: { word: string; edits: number } | undefined;
  for (const candidate of words) {
    const edits = editsBetween(written, candidate.toLowerCase());
    if (edits < (nearest?.edits ?? Infinity)) nearest = { word: candidate, edits };
  }
  return nearest && nearest.edits <= Math.max(1, word.length * SHARE) ? nearest.word : undefined;
}

/** Levenshtein's distance: how many letters must be put in, taken out or changed. */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const change = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
