/** Names by patterns. */

/**
 * Compares a text with a pattern, in time in proportion to both lengths: `*` stands for anything, `?` for one character.
 *
 * @example
 * ```ts
 * matchesGlob("web*", "web01"); // true
 * ```
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const [wanted, found] = [[...pattern], [...text]];
  let at = 0;
  // Where the last star stands, and where what it stands for ends: it takes one character more when the rest does not fit.
  let star: { behind: number; upTo: number } | undefined;
  for (let i = 0; i < found.length;) {
    if (wanted[at] === "*") {
      star = { behind: ++at, upTo: i };
    } else if (wanted[at] === "?" || (at < wanted.length && wanted[at] === found[i])) {
      at++;
      i++;
    } else if (star) {
      at = star.behind;
      i = ++star.upTo;
    } else return false;
  }
  return wanted.slice(at).every((character) => character === "*");
}
