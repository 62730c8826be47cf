/** Shell patterns (`*`, `?`, `[...]`) as `${VAR#pattern}` has them. */

/** A character of a pattern. A quoted one stands for itself. */
export interface PatternCharacter {
  character: string;
  isQuoted: boolean;
}

/** One step of a pattern: any run of characters, or one character that passes the test. */
type Step = "any run" | ((character: string) => boolean);

/** As sources: to read these as expressions takes milliseconds, which only who uses a class should pay. */
const CLASSES: Readonly<Record<string, string>> = {
  alnum: "[\\p{L}\\p{N}]",
  alpha: "\\p{L}",
  blank: "[ \\t]",
  cntrl: "\\p{Cc}",
  digit: "[0-9]",
  graph: "[^\\p{Z}\\p{C}]",
  lower: "\\p{Ll}",
  print: "[^\\p{Zl}\\p{Zp}\\p{C}]",
  punct: "[$+<=>^`|~]|\\p{P}",
  space: "\\s",
  upper: "\\p{Lu}",
  xdigit: "[0-9A-Fa-f]",
};

/**
 * Takes the part that a pattern matches away from a value.
 *
 * @param value the value
 * @param pattern the pattern's characters
 * @param operator `#` and `##` take the shortest and the longest match from the front, `%` and `%%` from the end
 * @returns what is left; the whole value where nothing matches
 */
export function strip(
  value: string,
  pattern: readonly PatternCharacter[],
  operator: "#" | "##" | "%" | "%%",
): string {
  const characters = [...value];
  const steps = compile(pattern);
  const fromEnd = operator.startsWith("%");
  if (fromEnd) {
    characters.reverse();
    steps.reverse();
  }
  const length = matchLength(characters, steps, operator.length === 2);
  if (length === undefined) return value;
  const left = characters.slice(length);
  return (fromEnd ? left.reverse() : left).join("");
}

function compile(pattern: readonly PatternCharacter[]): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const { character, isQuoted } = pattern[at] ?? { character: "", isQuoted: true };
    const set = !isQuoted && character === "[" ? compileSet(pattern, at + 1) : undefined;
    if (set) {
      steps.push(set.test);
      at = set.end;
    } else if (!isQuoted && character === "*") {
      steps.push("any run");
    } else if (!isQuoted && character === "?") {
      steps.push(() => true);
    } else {
      steps.push((one) => one === character);
    }
  }
  return steps;
}

/** @returns the set and where its `]` stands, or undefined if it has none: then its `[` is only a character */
function compileSet(pattern: readonly PatternCharacter[], start: number) {
  const isBare = (at: number, characters: string) =>
    pattern[at] !== undefined && !pattern[at].isQuoted && characters.includes(pattern[at].character);
  const isNegated = isBare(start, "!^");
  const first = isNegated ? start + 1 : start;
  const tests: ((character: string) => boolean)[] = [];
  for (let at = first; at < pattern.length; at++) {
    if (isBare(at, "]") && at > first) {
      return { end: at, test: (one: string) => tests.some((test) => test(one)) !== isNegated };
    }
    const from = pattern[at]?.character ?? "";
    const named = isBare(at, "[") && isBare(at + 1, ":") ? className(pattern, at) : undefined;
    const to = pattern[at + 2]?.character;
    if (named) {
      tests.push((one) => named.test.test(one));
      at = named.end;
    } else if (isBare(at + 1, "-") && to !== undefined && !isBare(at + 2, "]")) {
      const [low, high] = [from.codePointAt(0) ?? 0, to.codePointAt(0) ?? 0];
      tests.push((one) => low <= (one.codePointAt(0) ?? 0) && (one.codePointAt(0) ?? 0) <= high);
      at += 2;
    } else {
      tests.push((one) => one === from);
    }
  }
  return undefined;
}

function className(pattern: readonly PatternCharacter[], start: number) {
  const text = pattern.slice(start, start + 12).map(({ character }) => character).join("");
  const name = /^\[:([a-z]+):\]/.exec(text)?.[1];
  const source = name === undefined ? undefined : CLASSES[name];
  if (name === undefined || source === undefined) return undefined;
  return { test: new RegExp(source, "u"), end: start + name.length + 3 };
}

/**
 * Runs all the ways to match side by side, so that no pattern, however many stars it has, takes more than the
 * product of the two lengths.
 */
function matchLength(
  characters: readonly string[],
  steps: readonly Step[],
  isLongest: boolean,
): number | undefined {
  let found: number | undefined;
  let places = withRuns([0], steps);
  for (let length = 0;; length++) {
    if (places.has(steps.length)) {
      found = length;
      if (!isLongest) return found;
    }
    const character = characters[length];
    if (character === undefined || places.size === 0) return found;
    const next: number[] = [];
    for (const place of places) {
      const step = steps[place];
      if (step === "any run") next.push(place);
      else if (step?.(character)) next.push(place + 1);
    }
    places = withRuns(next, steps);
  }
}

/** Adds the places behind each run, since a run may be empty. */
function withRuns(places: readonly number[], steps: readonly Step[]): Set<number> {
  const all = new Set(places);
  for (const place of all) {
    if (steps[place] === "any run") all.add(place + 1);
  }
  return all;
}
