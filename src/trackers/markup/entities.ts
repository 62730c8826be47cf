/**
 * Text among markup, as all but ADF have it: letters, digits and punctuation that no markup language gives a meaning stand for
 * themselves, everything else is written as an entity, `&#42;`. An entity is never markup, whatever stands beside it; a
 * backslash before it would be, in one language or the other.
 *
 * What stays is what those languages leave alone where it stays, so that dates, paths and sentences can be read in the source.
 */

/** What has four bytes in UTF-8: a database of MySQL's old `utf8` refuses it, and with it the whole comment. */
export const ASTRAL = "[\\u{10000}-\\u{10ffff}]";

const ACTIVE = new RegExp(
  [
    '[&<>"@#|`\\\\^~*{}\\[\\]]',
    // Marks of insertion, deletion, emphasis, images, rules, lists open behind a blank or another mark only.
    "(?<![A-Za-z0-9])[-+_=!]",
    // Redmine's Textile keeps its ampersands as x%x%.
    "(?<![0-9])%",
    "(?<=\\?)\\?",
    // ABC(Acronym), emoticons: (y), and ;) where an entity ends, too
    "(?<![A-Za-z0-9])\\)",
    "(?<=[A-Z0-9])\\(|\\((?=.{1,6}\\))",
    // user:alice, https://, :-) and no time of the day.
    "(?<![0-9]):(?! |$)|:(?![0-9 ]|$)",
    // r12: a revision; OPS-12: an issue.
    "(?<![A-Za-z0-9])r(?=[0-9])|(?<=[A-Z][A-Z0-9]*)-(?=[0-9])",
    // h1. and 1. and 1) and www.
    "(?<=^ *[A-Za-z0-9]+)[.)]|(?<=www)\\.",
    // A comment of nothing but blanks would not be shown, nor a mark of the order of bytes at its beginning.
    "^[^\\S ]",
    ASTRAL,
  ].join("|"),
  "gu",
);

const NAMED = new Map([["&", "&amp;"], ["<", "&lt;"], [">", "&gt;"], ['"', "&quot;"]]);

/**
 * Writes one character as an entity.
 *
 * @example
 * ```ts
 * entity("*"); // "&#42;"
 * ```
 */
export function entity(character: string): string {
  return NAMED.get(character) ?? `&#${character.codePointAt(0)};`;
}

/**
 * Writes one line of text, to stand among markup. Blanks that a browser would swallow are such as it keeps; an empty line has
 * one, so that it takes up a line.
 *
 * @param line a line of `plainText`
 * @param write how to write a character that could act
 */
export function entities(line: string, write: (character: string) => string = entity): string {
  return line.replace(ACTIVE, write).replace(/^ | $| (?= )/g, "&nbsp;") || "&nbsp;";
}

/**
 * Makes the ends of what `entities` has written such that marks of emphasis count beside them: not a blank of Unicode's, nor
 * punctuation.
 */
export function emphasised(line: string): string {
  return line.replace(/^[^&A-Za-z0-9]|[^;>A-Za-z0-9]$/gu, entity);
}
