/** What values of the config can be: each function reads one kind, and throws an Error that says what the value is not. */

/** Yes or no, in any of their forms. */
export function yesOrNo(value: string): boolean {
  return ["yes", "true", "1"].includes(oneOf("yes", "no", "true", "false", "1", "0")(value));
}

/** @returns what reads one of these words, and throws for any other */
export function oneOf<Word extends string>(...words: readonly Word[]): (value: string) => Word {
  return (value) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw new Error(`is not one of: ${words.join(", ")}`);
    return found;
  };
}

/** @returns what reads a whole number within these bounds */
export function wholeNumber(least: number, most: number): (value: string) => number {
  return (value) => {
    if (/^[0-9]{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    throw new Error(`is not a whole number from ${least} to ${most}`);
  };
}

/** A path that begins with a slash. */
export function absolutePath(value: string): string {
  if (!value.startsWith("/")) throw new Error("is not an absolute path");
  return value;
}

/** Names, parted by blanks or commas. */
export function names(value: string): string[] {
  return value.split(/[\s,]+/).filter((name) => name !== "");
}

/** A name with blanks in it, perhaps, but not around it. */
export function trimmed(value: string): string {
  return value.trim();
}

/** @returns what reads several, parted by commas */
export function listOf<Item>(read: (name: string) => Item): (value: string) => Item[] {
  return (value) => value.split(",").map(trimmed).filter((name) => name !== "").map(read);
}
